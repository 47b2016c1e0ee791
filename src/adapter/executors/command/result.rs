//! What a program says became of its task, and whether it is believed.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;

use serde_json::{Map, Value};

use crate::port::executor::TaskError;

use super::super::files::{self, Bounded};
use super::super::mask::Mask;

/// The largest result file, in bytes.
const LARGEST: u64 = 256 * 1024;

/// The exit code that asks for another try: `EX_TEMPFAIL` of sysexits.h.
const TRY_AGAIN: i32 = 75;

/// What was said.
pub(super) enum Said {
    /// Nothing.
    Nothing,
    /// An object.
    Object(Map<String, Value>),
    /// Something that is no result; why not.
    Nonsense(String),
}

/// Reads the result file; when there is none, the last line of standard output counts, if it is a
/// JSON object.
pub(super) fn read(file: &Path, last_line: Option<Vec<u8>>) -> Said {
    let bytes = match files::read_bounded(file, LARGEST) {
        Ok(Bounded::All(bytes)) => bytes,
        Ok(Bounded::TooLarge) => return Said::Nonsense("the result file has more than 256 KiB".to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            // Much of what programs print last is JSON by accident (a number, a list); only an object is a result.
            return match last_line.map(|line| serde_json::from_slice(&line)) {
                Some(Ok(Value::Object(fields))) => Said::Object(fields),
                _ => Said::Nothing,
            };
        }
        Err(error) => return Said::Nonsense(format!("the result file cannot be read: {error}")),
    };
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(fields)) => Said::Object(fields),
        Ok(_) => Said::Nonsense("the result file holds JSON, but no object".to_owned()),
        Err(error) => Said::Nonsense(format!("the result file is not JSON: {error}")),
    }
}

/// The results, or why the task failed. The exit code has the last word: nothing that a program
/// says makes a failed exit a success.
pub(super) fn judge(
    program: &str,
    status: ExitStatus,
    said: Said,
    stderr: &str,
    mask: &Mask,
) -> Result<Map<String, Value>, TaskError> {
    let mut fields = match said {
        Said::Nothing => Map::new(),
        Said::Object(fields) => fields,
        Said::Nonsense(why) if status.success() => {
            return Err(TaskError::permanent(format!("the program '{program}' ended well, but {why}")));
        }
        Said::Nonsense(_) => Map::new(),
    };
    let asks_for_retry = fields.get("retry").and_then(Value::as_bool).unwrap_or(false);
    let told = fields.get("error").and_then(Value::as_str).map(|text| bounded(&mask.text(text)));
    if !status.success() {
        let how = match (status.code(), status.signal()) {
            (Some(code), _) => format!("ended with exit code {code}"),
            (None, Some(signal)) => format!("was killed by {}", signal_name(signal)),
            (None, None) => "ended in an unknown way".to_owned(),
        };
        let mut message = format!("the program '{program}' {how}");
        match (told, stderr.is_empty()) {
            (Some(told), _) => message.push_str(&format!(": {told}")),
            (None, false) => message.push_str(&format!(": {stderr}")),
            (None, true) => {}
        }
        let again = asks_for_retry || status.code() == Some(TRY_AGAIN);
        return Err(if again { TaskError::transient(message) } else { TaskError::permanent(message) });
    }
    match fields.get("status") {
        None => Ok(masked(fields, mask)),
        Some(Value::String(word)) if word == "succeeded" => match fields.shift_remove("results") {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(results)) => Ok(masked(results, mask)),
            Some(_) => Err(TaskError::permanent(format!("the 'results' of the program '{program}' are no object"))),
        },
        Some(Value::String(word)) if word == "failed" => {
            let told = told.unwrap_or_else(|| "it gives no reason".to_owned());
            let message = format!("the program '{program}' says that the task failed: {told}");
            Err(if asks_for_retry { TaskError::transient(message) } else { TaskError::permanent(message) })
        }
        // A misspelt failure must not count as a success.
        Some(_) => Err(TaskError::permanent(format!(
            "the 'status' in the result of the program '{program}' is neither 'succeeded' nor 'failed'"
        ))),
    }
}

fn masked(fields: Map<String, Value>, mask: &Mask) -> Map<String, Value> {
    match mask.value(Value::Object(fields)) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn bounded(text: &str) -> String {
    text.chars().take(2_000).map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL (by hand, or because memory ran out)",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::activity::FailureKind;
    use serde_json::json;

    fn object(value: Value) -> Said {
        match value {
            Value::Object(fields) => Said::Object(fields),
            _ => Said::Nonsense("not an object".to_owned()),
        }
    }

    fn judged(code: i32, said: Said) -> Result<Map<String, Value>, TaskError> {
        judge("p", ExitStatus::from_raw(code << 8), said, "boom", &Mask::default())
    }

    #[test]
    fn both_forms_of_a_result_are_understood() {
        assert_eq!(Value::Object(judged(0, object(json!({"rows": 3}))).unwrap()), json!({"rows": 3}));
        let envelope = json!({"status": "succeeded", "results": {"rows": 3}});
        assert_eq!(Value::Object(judged(0, object(envelope)).unwrap()), json!({"rows": 3}));
        assert!(judged(0, Said::Nothing).unwrap().is_empty());
    }

    #[test]
    fn failures_say_what_is_done_next() {
        for (code, said, kind, part) in [
            (1, json!({}), FailureKind::Permanent, "exit code 1: boom"),
            (75, json!({}), FailureKind::Transient, "exit code 75"),
            (1, json!({"status": "succeeded"}), FailureKind::Permanent, "exit code 1"),
            (1, json!({"error": "quota", "retry": true}), FailureKind::Transient, "quota"),
            (0, json!({"status": "failed", "error": "quota"}), FailureKind::Permanent, "quota"),
            (0, json!({"status": "failed", "retry": true}), FailureKind::Transient, "no reason"),
            (0, json!({"status": "faild"}), FailureKind::Permanent, "neither"),
            (0, json!({"status": "succeeded", "results": 5}), FailureKind::Permanent, "no object"),
            (0, json!([1]), FailureKind::Permanent, "not an object"),
        ] {
            let error = judged(code, object(said)).unwrap_err();
            assert_eq!(error.kind, kind, "{error}");
            assert!(error.message.contains(part), "{error}");
        }
        let killed = judge("p", ExitStatus::from_raw(9), Said::Nothing, "", &Mask::default()).unwrap_err();
        assert!(killed.message.contains("SIGKILL"), "{killed}");
    }
}
