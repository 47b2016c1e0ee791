//! The canonical form of JSON content and its digest. It does not depend on the order of keys, on
//! formatting, on YAML or JSON; whether a part was inlined or referenced is settled before, when
//! references are resolved.

use serde_json::{Number, Value};

use super::id::Digest;

/// Writes `value` with sorted keys, no white space, and numbers in one form.
///
/// A whole number has no fraction (`1.0` is written `1`), as in RFC 8785; keys are sorted by their
/// UTF-8 bytes.
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    write_value(value, &mut out);
    out
}

/// The digest of the canonical form.
pub fn digest(value: &Value) -> Digest {
    Digest::of(&canonical(value))
}

fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(item, out);
            }
            out.push(b']');
        }
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_unstable_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            out.push(b'{');
            for (index, (key, item)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_string(key, out);
                out.push(b':');
                write_value(item, out);
            }
            out.push(b'}');
        }
    }
}

fn write_number(number: &Number, out: &mut Vec<u8>) {
    /// Above this, not every whole number is a double.
    const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() <= LARGEST_EXACT => {
            // The bound makes the conversion exact, and it turns -0.0 into 0.
            out.extend_from_slice((float as i64).to_string().as_bytes());
        }
        _ => out.extend_from_slice(number.to_string().as_bytes()),
    }
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    // `Value::String`'s own form is JSON's shortest escape; writing to a Vec cannot fail.
    let _ = serde_json::to_writer(out, text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(value: &Value) -> String {
        String::from_utf8(canonical(value)).unwrap()
    }

    #[test]
    fn order_of_keys_and_form_of_numbers_do_not_matter() {
        let a: Value = serde_json::from_str(r#"{"b": 1.0, "a": [1, 2.5, -0.0, 1e3]}"#).unwrap();
        let b: Value = serde_json::from_str(r#"{"a":[1.0,2.50,0,1000],"b":1}"#).unwrap();
        assert_eq!(text(&a), r#"{"a":[1,2.5,0,1000],"b":1}"#);
        assert_eq!(digest(&a), digest(&b));
    }

    #[test]
    fn the_order_of_a_list_matters_and_so_does_the_type() {
        assert_ne!(digest(&json!([1, 2])), digest(&json!([2, 1])));
        assert_ne!(digest(&json!("1")), digest(&json!(1)));
        assert_ne!(digest(&json!(null)), digest(&json!({})));
    }

    #[test]
    fn strings_are_escaped_the_short_way() {
        assert_eq!(text(&json!("a\"\n\u{1}é")), "\"a\\\"\\n\\u0001é\"");
    }

    #[test]
    fn negative_whole_numbers_keep_their_digits() {
        let value: Value = serde_json::from_str("[-10.0, -1, -0.5]").unwrap();
        assert_eq!(text(&value), "[-10,-1,-0.5]");
    }
}
