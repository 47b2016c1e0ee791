//! The rooms together: places, references and digests, and that nothing panics.

mod hostile;
mod older;
mod placed;
mod samples;

use std::collections::BTreeMap;

use serde_json::Value;

use super::assess::{Assessment, Settings, assess};
use super::yaml::Located;
use crate::domain::id::RepoPath;
use crate::port::tree::{Listing, ReadError, Tree};

/// A tree of a few files.
#[derive(Default)]
struct Files(BTreeMap<RepoPath, Vec<u8>>);

impl Files {
    fn with(mut self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.0.insert(path.parse().unwrap(), bytes.as_ref().to_vec());
        self
    }

    fn assess(&self, path: &str) -> Assessment {
        let settings = Settings { namespace: Some("com.example".parse().unwrap()), ..Settings::default() };
        assess(self, &path.parse().unwrap(), &settings)
    }
}

impl Tree for Files {
    fn list(&self, _: Option<&RepoPath>) -> Result<Listing, ReadError> {
        Ok(Listing::default())
    }

    fn read(&self, path: &RepoPath, _: u64) -> Result<Vec<u8>, ReadError> {
        self.0.get(path).cloned().ok_or_else(|| ReadError::NotFound(path.clone()))
    }
}

/// Places and content have the same shape, key by key.
fn assert_parallel(value: &Value, located: &Located, node: usize) {
    let children: Vec<usize> = located.children(node).collect();
    let end = located.places[node].end as usize;
    assert!(end > node && end <= located.places.len());
    assert!(located.places[node].head.line > 0 && located.places[node].head.column > 0);
    match value {
        Value::Object(fields) => {
            assert_eq!(fields.len(), children.len());
            for ((key, value), child) in fields.iter().zip(children) {
                assert_eq!(located.key(child), key);
                assert!(located.places[child].key.line > 0);
                assert_parallel(value, located, child);
            }
        }
        Value::Array(items) => {
            assert_eq!(items.len(), children.len());
            items.iter().zip(children).for_each(|(item, child)| assert_parallel(item, located, child));
        }
        _ => assert!(children.is_empty() && end == node + 1),
    }
}
