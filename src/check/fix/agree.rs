//! Which places are mended, when several descriptors read the same file: those of which all that read
//! it say the same. What is right for one must not become wrong for another.

use std::collections::BTreeMap;

use super::{Fix, Wish};
use crate::domain::finding::Location;
use crate::domain::id::RepoPath;

type Agreed = BTreeMap<RepoPath, Vec<Fix>>;

/// What is to be mended in each file, in the order of the text; and what is not, and why.
pub(super) fn agreed(wishes: &[Wish]) -> (Agreed, Vec<(Fix, String)>) {
    let mut places: BTreeMap<&Location, Vec<(usize, &Fix)>> = BTreeMap::new();
    for (index, wish) in wishes.iter().enumerate() {
        for fix in &wish.fixes {
            places.entry(&fix.location).or_default().push((index, fix));
        }
    }
    let mut readers: BTreeMap<&RepoPath, Vec<usize>> = BTreeMap::new();
    for location in places.keys() {
        readers.entry(&location.file).or_default();
    }
    for (index, wish) in wishes.iter().enumerate() {
        for file in &wish.files {
            if let Some(readers) = readers.get_mut(file) {
                readers.push(index);
            }
        }
    }
    let (mut agreed, mut disputed) = (Agreed::new(), Vec::new());
    for (location, wanted) in places {
        let Some((_, fix)) = wanted.first().copied() else { continue };
        let all_say_it = |index: &usize| wanted.iter().any(|(other, _)| other == index);
        let content = readers.get(&location.file).into_iter().flatten().find(|reader| !all_say_it(reader));
        let why = if let Some(doubt) = wanted.iter().find_map(|(_, fix)| fix.doubt) {
            Some(doubt.to_owned())
        } else if wanted.iter().any(|(_, other)| other.to != fix.to) {
            Some("it stands for several parts, and each would need another text".to_owned())
        } else {
            let root = content.and_then(|reader| wishes.get(*reader)).map(|wish| &wish.root);
            root.map(|root| format!("'{root}' reads it as well, and finds no fault with it"))
        };
        match why {
            Some(why) => disputed.push((fix.clone(), why)),
            None => agreed.entry(location.file.clone()).or_default().push(fix.clone()),
        }
    }
    (agreed, disputed)
}
