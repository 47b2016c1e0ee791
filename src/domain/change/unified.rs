//! The readable diff: both contents as YAML, compared line by line.
//!
//! It is bounded in size, and bounded in time without a clock: beyond [`MOST_LINES`] no lines are
//! compared, and up to there the heuristics of the algorithm keep its work close to linear (the
//! worst that was found takes a tenth of a second).

use serde_json::{Map, Value};
use similar::{Algorithm, ChangeTag, TextDiff};

use super::diff::same;
use super::lists;

/// A diff is cut at this many bytes.
pub(super) const MOST_BYTES: usize = 64 * 1024;
/// Contents with more lines of YAML than this are not compared line by line.
pub(super) const MOST_LINES: usize = 20_000;
/// How many lines that are the same stand around those that differ.
const CONTEXT: usize = 3;
const CUT: &str = "… the rest is left out\n";

/// A unified diff with headers `recorded` and `desired`; empty when there is nothing to see.
pub(super) fn unified(before: &Value, after: &Value) -> String {
    let (before, after) = (yaml(&aligned(before, after)), yaml(after));
    if before == after {
        return String::new();
    }
    let (old, new) = (before.lines().count(), after.lines().count());
    if old > MOST_LINES || new > MOST_LINES {
        return format!("… {old} recorded and {new} desired lines; at most {MOST_LINES} are compared line by line\n");
    }
    let mut out = String::from("--- recorded\n+++ desired\n");
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_lines(&before, &after);
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        let header = format!("{}\n", hunk.header());
        if !push(&mut out, &header) {
            return out;
        }
        for change in hunk.iter_changes() {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            let text = change.value();
            if !push(&mut out, &format!("{sign}{}\n", text.strip_suffix('\n').unwrap_or(text))) {
                return out;
            }
        }
    }
    out
}

/// Appends a line, or a note that the rest is left out.
fn push(out: &mut String, line: &str) -> bool {
    let fits = out.len() + line.len() + CUT.len() <= MOST_BYTES;
    out.push_str(if fits { line } else { CUT });
    fits
}

fn yaml(value: &Value) -> String {
    // Every JSON value has a YAML form; should the library see that otherwise, JSON is YAML too.
    serde_yaml::to_string(value).unwrap_or_else(|_| format!("{value:#}\n"))
}

/// `before` with its keys in the order of `after`, and with the numbers of `after` where they are
/// the same, so that only what counts is seen. A key that is gone stays behind the one it followed.
fn aligned(before: &Value, after: &Value) -> Value {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let mut gone: Map<String, Value> = Map::new();
            let mut follows: Vec<(Option<&String>, &String)> = Vec::new();
            let mut previous = None;
            for (key, value) in old {
                if new.contains_key(key) {
                    previous = Some(key);
                } else {
                    follows.push((previous, key));
                    gone.insert(key.clone(), value.clone());
                }
            }
            let mut out = Map::with_capacity(old.len());
            let take_after = |key: Option<&String>, out: &mut Map<String, Value>| {
                for (_, lost) in follows.iter().filter(|(follows, _)| *follows == key) {
                    out.extend(gone.get(*lost).map(|value| ((*lost).clone(), value.clone())));
                }
            };
            take_after(None, &mut out);
            for (key, value) in new {
                if let Some(recorded) = old.get(key) {
                    out.insert(key.clone(), aligned(recorded, value));
                    take_after(Some(key), &mut out);
                }
            }
            Value::Object(out)
        }
        (Value::Array(old), Value::Array(new)) => {
            let named = lists::names(old).zip(lists::names(new)).map(|(_, names)| names);
            let items = old.iter().enumerate().map(|(index, item)| {
                let partner = match &named {
                    Some(names) => item.get("name").and_then(Value::as_str).and_then(|name| names.item(name, new)),
                    None => new.get(index),
                };
                partner.map_or_else(|| item.clone(), |partner| aligned(item, partner))
            });
            Value::Array(items.collect())
        }
        (Value::Number(_), Value::Number(_)) if same(before, after) => after.clone(),
        _ => before.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_counts_is_seen() {
        let before = json!({"a": 1, "gone": true, "b": {"x": 1.0, "y": [{"name": "n", "k": 1, "l": 2}]}});
        let after = json!({"b": {"y": [{"l": 2, "k": 1, "name": "n"}], "x": 1}, "a": 1});
        let expected = "--- recorded\n+++ desired\n@@ -5,4 +5,3 @@\n     name: n\n   x: 1\n a: 1\n-gone: true\n";
        assert_eq!(unified(&before, &after), expected);
        assert_eq!(unified(&json!({"a": 1, "b": 2}), &json!({"b": 2.0, "a": 1})), "");
    }

    #[test]
    fn a_long_diff_is_cut_at_a_line() {
        let list =
            |from: usize| json!((from..from + 5_000).map(|i| format!("a line of some length {i}")).collect::<Vec<_>>());
        let text = unified(&list(0), &list(100_000));
        assert!(text.len() <= MOST_BYTES && text.ends_with(CUT), "{}", text.len());
        assert!(unified(&json!("a"), &json!("b".repeat(MOST_BYTES))).ends_with(CUT));
    }

    #[test]
    fn huge_contents_are_not_compared() {
        let many = json!((0..=MOST_LINES).collect::<Vec<_>>());
        assert!(unified(&many, &json!([])).starts_with("… 20001 recorded and 1 desired lines"));
    }
}
