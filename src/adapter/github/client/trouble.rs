//! From an answer that is an error to what the caller does next.

use http::StatusCode;
use serde::Deserialize;

use crate::domain::report::one_line;
use crate::port::forge::ForgeError;

/// At most this much of what GitHub said is shown.
const LONGEST_MESSAGE: usize = 300;

#[derive(Deserialize)]
struct ErrorBody {
    message: Option<String>,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

/// What GitHub says in the body of an error, in one line. Its pages for people are not repeated.
pub(crate) fn told(status: StatusCode, body: &[u8]) -> String {
    let said = match serde_json::from_slice::<ErrorBody>(body) {
        Ok(body) => {
            let details: Vec<String> = body.errors.iter().filter_map(detail).collect();
            let message = body.message.unwrap_or_default();
            if details.is_empty() { message } else { format!("{message}: {}", details.join("; ")) }
        }
        Err(_) if body.is_empty() => String::new(),
        Err(_) => "a page that is not for programs".to_owned(),
    };
    match one_line(said.trim(), LONGEST_MESSAGE) {
        said if said.is_empty() => format!("status {}", status.as_u16()),
        said => format!("{said} (status {})", status.as_u16()),
    }
}

fn detail(error: &serde_json::Value) -> Option<String> {
    if let Some(text) = error.as_str() {
        return Some(text.to_owned());
    }
    if let Some(message) = error.get("message").and_then(serde_json::Value::as_str) {
        return Some(message.to_owned());
    }
    let field = error.get("field").and_then(serde_json::Value::as_str)?;
    let code = error.get("code").and_then(serde_json::Value::as_str).unwrap_or("invalid");
    Some(format!("{field} is {code}"))
}

/// What the caller does next about a status that is neither good nor a limit.
pub(crate) fn error(status: StatusCode, message: &str) -> ForgeError {
    match status.as_u16() {
        401 => ForgeError::Denied(format!(
            "GitHub does not accept our credentials: {message}; look at the App's key or at the token, and at this machine's clock"
        )),
        403 | 451 => ForgeError::Denied(format!("GitHub refuses: {message}")),
        404 => ForgeError::Denied(format!(
            "GitHub does not find it: {message}; the repository is gone, or the App or token may not see it"
        )),
        408 | 409 | 423 | 425 | 500..=599 => ForgeError::Transient(format!("GitHub could not do it: {message}")),
        422 if message.contains("maximum number of statuses") => ForgeError::Permanent(
            "GitHub keeps at most 1,000 statuses of one context on a commit, and this one has them; push a new commit"
                .to_owned(),
        ),
        _ => ForgeError::Permanent(format!("GitHub does not take it: {message}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> ForgeError {
        let status = StatusCode::from_u16(status).unwrap();
        error(status, &told(status, body.as_bytes()))
    }

    #[test]
    fn what_github_said_is_one_line_with_its_details() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let body = r#"{"message":"Validation Failed","errors":[{"resource":"Status","code":"custom","message":"No commit found for SHA: 1"},{"field":"state","code":"missing_field"},"odd",7]}"#;
        assert_eq!(
            told(status, body.as_bytes()),
            "Validation Failed: No commit found for SHA: 1; state is missing_field; odd (status 422)"
        );
        assert_eq!(told(status, b""), "status 422");
        assert_eq!(told(status, b"<html>\n<script>x</script>"), "a page that is not for programs (status 422)");
        let long = told(status, format!("{{\"message\":\"{}\\n\\u001b[31m\"}}", "x".repeat(5000)).as_bytes());
        assert!(long.chars().count() < 330 && !long.contains('\u{1b}'), "{long}");
    }

    #[test]
    fn every_status_says_what_to_do_next() {
        for status in [401, 403, 404, 451] {
            assert!(matches!(of(status, "{}"), ForgeError::Denied(_)), "{status}");
        }
        for status in [408, 409, 500, 502, 503, 504] {
            assert!(matches!(of(status, "<html>"), ForgeError::Transient(_)), "{status}");
        }
        for status in [400, 405, 410, 413, 415, 422] {
            assert!(matches!(of(status, "{}"), ForgeError::Permanent(_)), "{status}");
        }
    }

    #[test]
    fn a_thousand_statuses_are_named() {
        let body = r#"{"message":"Validation Failed","errors":[{"resource":"Status","code":"custom","message":"This SHA and context has reached the maximum number of statuses."}]}"#;
        let ForgeError::Permanent(message) = of(422, body) else { panic!("it will not pass") };
        assert!(message.contains("1,000 statuses"), "{message}");
    }
}
