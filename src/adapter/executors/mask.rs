//! Masking of secrets in what is logged, reported or recorded.
//!
//! It recognises a secret as it is, its lines when it has several, and as it stands in a JSON
//! text. A secret that a program transforms (base64, in two halves) is not recognised: masking is
//! a net, not a wall.

use serde_json::Value;

/// What stands in place of a secret.
const MASKED: &str = "***";

/// Texts that must not be seen.
#[derive(Clone, Default)]
pub(super) struct Mask {
    /// Longest first, so that a secret that contains another one vanishes whole.
    secrets: Vec<String>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({} secrets)", self.secrets.len())
    }
}

impl Mask {
    /// Masks these secrets.
    pub(super) fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all = Vec::new();
        for secret in secrets {
            // A line of a key file is long; short lines ('}', 'EOF') are no secrets.
            let lines = secret.lines().map(str::trim).filter(|line| line.len() >= 8);
            for text in lines.chain([secret, secret.trim()]) {
                let quoted = Value::String(text.to_owned()).to_string();
                let in_json = quoted.trim_matches('"').to_owned();
                all.extend([text.to_owned(), in_json]);
            }
        }
        all.retain(|text| !text.is_empty());
        all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        all.dedup();
        Self { secrets: all }
    }

    /// The longest secret, in bytes.
    pub(super) fn longest(&self) -> usize {
        self.secrets.first().map_or(0, String::len)
    }

    /// The text with secrets replaced.
    pub(super) fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), MASKED);
            }
        }
        text
    }

    /// The value with secrets replaced in all texts and keys.
    pub(super) fn value(&self, value: Value) -> Value {
        if self.secrets.is_empty() {
            return value;
        }
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.value(item)).collect()),
            Value::Object(fields) => {
                Value::Object(fields.into_iter().map(|(key, value)| (self.text(&key), self.value(value))).collect())
            }
            Value::Number(number) => {
                let text = number.to_string();
                if self.secrets.contains(&text) { Value::String(MASKED.to_owned()) } else { Value::Number(number) }
            }
            Value::Null | Value::Bool(_) => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_vanish_in_texts_keys_numbers_and_json() {
        let mask = Mask::of(["hunter2", "hunter2hunter2", "a\"b", "123456"]);
        assert_eq!(mask.text("x hunter2hunter2 y hunter2"), "x *** y ***");
        assert_eq!(mask.text(r#"{"p":"a\"b"}"#), r#"{"p":"***"}"#);
        assert_eq!(
            mask.value(json!({"hunter2": ["hunter2"], "n": 123456, "m": 5})),
            json!({"***": ["***"], "n": "***", "m": 5})
        );
        assert!(!format!("{mask:?}").contains("hunter2"));
    }

    #[test]
    fn each_line_of_a_key_vanishes() {
        let mask = Mask::of(["-----BEGIN KEY-----\nabcdefghijkl\n-----END KEY-----\n"]);
        assert_eq!(mask.text("got abcdefghijkl"), "got ***");
    }
}
