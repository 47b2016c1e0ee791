//! The content of a version, whole or packed. A tree of values takes many times the memory of its
//! text, the text three times that of its compressed form, and a pass over ten thousand products
//! looks into few of them twice.

use std::sync::Arc;

use lz4_flex::block::{compress_prepend_size, decompress_size_prepended};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::plain;
use crate::domain::canonical;

/// Canonical content: references resolved, `components` and computed fields left out. Cloning it is
/// cheap.
#[derive(Clone)]
pub struct Content(Form);

#[derive(Clone)]
enum Form {
    Whole(Arc<Value>),
    /// JSON with the fields in their order.
    Text(Arc<str>),
    /// The same, compressed.
    Compressed(Arc<[u8]>),
}

/// Shorter texts stay as they are: there is little in them that repeats.
const WORTH_COMPRESSING: usize = 1024;

impl Form {
    /// Packs text that is JSON.
    fn pack(text: &str) -> Self {
        let compressed = (text.len() >= WORTH_COMPRESSING).then(|| compress_prepend_size(text.as_bytes()));
        match compressed.filter(|compressed| compressed.len() < text.len()) {
            Some(compressed) => Form::Compressed(compressed.into()),
            None => Form::Text(text.into()),
        }
    }

    /// The values. What is packed was written from values or was seen to be JSON, so it can be read.
    fn read(&self) -> Arc<Value> {
        match self {
            Form::Whole(value) => Arc::clone(value),
            Form::Text(text) => Arc::new(plain::from_slice(text.as_bytes()).unwrap_or_default()),
            Form::Compressed(bytes) => {
                let text = decompress_size_prepended(bytes).unwrap_or_default();
                Arc::new(plain::from_slice(&text).unwrap_or_default())
            }
        }
    }
}

impl Content {
    /// Content that was recorded as JSON. Fails on what is none.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<IgnoredAny>(text)?;
        Ok(Self(Form::pack(text)))
    }

    /// The values; read anew where the content is packed.
    pub fn value(&self) -> Arc<Value> {
        self.0.read()
    }

    /// The values, without a copy where nobody else has them.
    pub fn into_value(self) -> Value {
        match self.0 {
            Form::Whole(value) => Arc::unwrap_or_clone(value),
            packed => Arc::unwrap_or_clone(packed.read()),
        }
    }

    /// The same in the least memory.
    pub fn packed(&self) -> Self {
        match &self.0 {
            Form::Whole(value) => Self(Form::pack(&value.to_string())),
            Form::Text(_) | Form::Compressed(_) => self.clone(),
        }
    }

    /// The canonical form, as text.
    pub fn canonical(&self) -> String {
        // It is UTF-8, because every string of it was.
        String::from_utf8(canonical::canonical(&self.value())).unwrap_or_default()
    }
}

impl Default for Content {
    /// Content without anything in it.
    fn default() -> Self {
        Self::from(Value::Null)
    }
}

impl From<Value> for Content {
    fn from(value: Value) -> Self {
        Self(Form::Whole(Arc::new(value)))
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(plain::deserialize(deserializer)?).packed())
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Content").field(&self.value()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn packing_loses_nothing() {
        let value = json!({"b": [1, -2, 1.0, 0.1, 1e300, 1.7976931348623157e308, 5e-324, 123456789.12345679, u64::MAX],
            "a": {"é\n\"": null, "": false}});
        let whole = Content::from(value.clone());
        let packed = whole.packed();
        assert_eq!(packed.value().to_string(), value.to_string(), "fields keep their order and numbers their digits");
        assert_eq!(packed, whole);
        assert_eq!(packed.canonical(), whole.canonical());
        assert_eq!(canonical::digest(&packed.value()), canonical::digest(&value));
    }

    #[test]
    fn what_is_long_is_compressed_and_comes_back() {
        let ports: Vec<Value> = (0..40).map(|n| json!({"name": format!("port{n}"), "version": "1.0.0"})).collect();
        let value = json!({"outputPorts": ports, "ä": "€"});
        let packed = Content::from(value.clone()).packed();
        assert!(matches!(&packed.0, Form::Compressed(bytes) if bytes.len() * 3 < value.to_string().len()));
        assert_eq!(packed.value().to_string(), value.to_string());
        assert_eq!(packed.clone().into_value(), value);
        assert_eq!(Content::from_json(&value.to_string()).unwrap(), packed);
    }

    #[test]
    fn a_key_that_the_library_keeps_for_itself_is_a_key_like_others() {
        let key = "$serde_json::private::RawValue";
        for inner in ["{\"a\":1}", "no JSON"] {
            let value = json!({"info": {"name": "trips"}, "x-a": {key: inner}, "x-b": [{key: 1}]});
            let packed = Content::from(value.clone()).packed();
            assert_eq!(*packed.value(), value);
            assert_eq!(*Content::from_json(&value.to_string()).unwrap().value(), value);
            let read: Content = serde_json::from_str(&value.to_string()).unwrap();
            assert_eq!(*read.value(), value);
        }
    }

    #[test]
    fn what_is_not_json_is_no_content() {
        assert!(Content::from_json("{\"a\":").is_err());
        assert_eq!(*Content::from_json("{\"a\":[1]}").unwrap().value(), json!({"a": [1]}));
    }
}
