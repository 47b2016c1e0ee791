//! Reads questions into the engine's values.
//!
//! The fields of questions have the same names again and again, so a name is kept, and shared by all
//! questions that come. The engine's own reader makes every name anew for each question, twice, to
//! find out that it is there already.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use regorus::Value;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

/// The most names that are kept; beyond them, each is made anew.
const MAX_NAMES: usize = 4096;

/// The longest name that is kept, in bytes.
const MAX_NAME: usize = 64;

/// Reads JSON, and keeps the names of fields from one text to the next.
#[derive(Debug, Default)]
pub(super) struct QuestionReader {
    names: HashSet<Arc<str>>,
}

impl QuestionReader {
    /// The value of a text, as [`Value::from_json_str`] would read it.
    pub(super) fn read(&mut self, json: &str) -> Result<Value, serde_json::Error> {
        let mut from = serde_json::Deserializer::from_str(json);
        let value = Reading(self).deserialize(&mut from)?;
        from.end()?;
        Ok(value)
    }

    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(kept) = self.names.get(name) {
            return Arc::clone(kept);
        }
        let made: Arc<str> = Arc::from(name);
        if name.len() <= MAX_NAME && self.names.len() < MAX_NAMES {
            self.names.insert(Arc::clone(&made));
        }
        made
    }
}

struct Reading<'a>(&'a mut QuestionReader);

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(Arc::from(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element_seed(Reading(self.0))? {
            items.push(item);
        }
        Ok(Value::from(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some(name) = from.next_key_seed(Name(self.0))? {
            fields.insert(Value::String(name), from.next_value_seed(Reading(self.0))?);
        }
        Ok(Value::from(fields))
    }
}

struct Name<'a>(&'a mut QuestionReader);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Arc<str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Arc<str>, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Arc<str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Arc<str>, E> {
        Ok(self.0.name(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_the_engine_reads_them() {
        let mut reader = QuestionReader::default();
        for json in [
            r#"{"b":[1,-2,0.5,1e300,18446744073709551615,-9223372036854775808,1e2,0],"a":{"c":null,"":true}}"#,
            r#"{"a":1,"b":2,"a":{"later":"wins"}}"#,
            r#"{"\u00e9\n":"\ud83d\ude00 \"x\"","a":"","c":{},"d":[]}"#,
            r#""text""#,
            "null",
            r#"{"n":100000000000000000000000}"#,
        ] {
            let ours = reader.read(json).unwrap();
            assert_eq!(ours, Value::from_json_str(json).unwrap(), "{json}");
            assert_eq!(ours.to_json_str().unwrap(), Value::from_json_str(json).unwrap().to_json_str().unwrap());
            assert_eq!(reader.read(json).unwrap(), ours, "{json}");
        }
        let deep = "[".repeat(200) + &"]".repeat(200);
        for json in ["", "{", r#"{"a":}"#, "{} {}", "nul", "1e999", r#"{1:2}"#, &deep] {
            let (ours, theirs) = (reader.read(json), Value::from_json_str(json));
            assert_eq!(ours.map_err(|e| e.to_string()), theirs.map_err(|e| e.to_string()), "{json}");
        }
    }

    #[test]
    fn names_are_kept_up_to_a_limit() {
        let mut reader = QuestionReader::default();
        for n in 0..MAX_NAMES + 10 {
            let json = format!(r#"{{"name{n}":1,"{}":2}}"#, "x".repeat(MAX_NAME + 1));
            assert_eq!(reader.read(&json).unwrap(), Value::from_json_str(&json).unwrap());
        }
        assert_eq!(reader.names.len(), MAX_NAMES);
        assert!(reader.names.iter().all(|name| name.len() <= MAX_NAME));
    }
}
