//! Commit statuses. GitHub keeps all of them and shows the newest of each context, so writing one twice
//! shows it once.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::adapter::github::client::{Repository, Weight};
use crate::domain::report::{DESCRIPTION_LIMIT, Report, one_line};
use crate::port::forge::ForgeError;

use super::cut;

/// At most this many characters fit into a context.
const CONTEXT_LIMIT: usize = 255;
/// More contexts than a thousand on one commit are not looked through.
const MOST_PAGES: usize = 10;

#[derive(Deserialize)]
struct Combined {
    #[serde(default)]
    statuses: Vec<Shown>,
}

#[derive(Deserialize)]
struct Shown {
    state: String,
    context: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    target_url: Option<String>,
}

fn context(report: &Report, suffix: Option<&str>) -> String {
    let context = match suffix {
        Some(suffix) => format!("{}@{suffix}", report.context),
        None => report.context.clone(),
    };
    cut(&context, CONTEXT_LIMIT)
}

fn body(report: &Report, suffix: Option<&str>) -> Value {
    let mut body = json!({
        "state": report.state.as_str(),
        "context": context(report, suffix),
        "description": one_line(&report.description, DESCRIPTION_LIMIT),
    });
    if let (Some(url), Some(fields)) = (&report.target_url, body.as_object_mut()) {
        fields.insert("target_url".to_owned(), json!(url));
    }
    body
}

pub(super) async fn publish(
    repository: Repository<'_>,
    report: &Report,
    suffix: Option<&str>,
) -> Result<(), ForgeError> {
    let path = format!("/statuses/{}", report.revision);
    repository.create(&path, &body(report, suffix), Weight::Write).await.map(drop)
}

pub(super) async fn shows(
    repository: Repository<'_>,
    report: &Report,
    suffix: Option<&str>,
) -> Result<bool, ForgeError> {
    let path = format!("/commits/{}/status?per_page=100", report.revision);
    let (statuses, _) = repository.pages(&path, MOST_PAGES, |page: Combined| page.statuses).await?;
    let wanted = context(report, suffix);
    let description = one_line(&report.description, DESCRIPTION_LIMIT);
    Ok(statuses.iter().any(|shown| {
        shown.context == wanted
            && shown.state == report.state.as_str()
            && shown.description.as_deref().unwrap_or_default().trim() == description.trim()
            && shown.target_url.as_deref().unwrap_or_default() == report.target_url.as_deref().unwrap_or_default()
    }))
}
