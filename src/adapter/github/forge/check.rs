//! Check runs: a summary, annotations at the lines that are at fault, buttons.
//!
//! A check run is edited in place while that can show what is wanted. It cannot when annotations would
//! have to be taken back, or when it has ended and goes on: then there is a new one of the same name,
//! and GitHub counts the newest.

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::adapter::github::client::{Refusal, Repository, Weight};
use crate::domain::report::{CHECK_TEXT_LIMIT, Check, Report, ReportState, one_line};
use crate::port::forge::ForgeError;

use super::annotations::{self, BATCH, Wire};
use super::{cut, id};

/// At most this many characters fit into a title.
const TITLE_LIMIT: usize = 255;
/// GitHub takes no more buttons.
const MOST_ACTIONS: usize = 3;
/// A thousand check runs of one name are all that GitHub keeps of a commit.
const MOST_PAGES: usize = 10;

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    check_runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    id: u64,
    #[serde(default)]
    name: String,
    #[serde(default)]
    head_sha: String,
    #[serde(default)]
    external_id: Option<String>,
    status: String,
    #[serde(default)]
    conclusion: Option<String>,
    #[serde(default)]
    details_url: Option<String>,
    #[serde(default)]
    output: Output,
    #[serde(default)]
    app: Option<App>,
}

#[derive(Deserialize)]
struct App {
    id: u64,
}

#[derive(Deserialize, Default)]
struct Output {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    annotations_count: usize,
}

#[derive(Deserialize)]
struct Created {
    id: u64,
}

/// What is wanted, in GitHub's words.
struct Wanted<'a> {
    name: String,
    external_id: String,
    head: &'a str,
    status: &'static str,
    conclusion: Option<&'static str>,
    title: String,
    summary: String,
    details_url: Option<&'a str>,
    actions: Vec<Value>,
    annotations: Vec<Wire>,
}

/// Status and conclusion. What could not be evaluated must never be `neutral` or `skipped`, which a
/// required check takes for good.
fn conclusion(state: ReportState, has_actions: bool) -> (&'static str, Option<&'static str>) {
    match (state, has_actions) {
        // Somebody has to press a button before it goes on.
        (ReportState::Pending, true) => ("completed", Some("action_required")),
        (ReportState::Pending, false) => ("in_progress", None),
        (ReportState::Success, _) => ("completed", Some("success")),
        (ReportState::Failure | ReportState::Error, _) => ("completed", Some("failure")),
    }
}

impl<'a> Wanted<'a> {
    fn of(report: &'a Report, check: &Check, suffix: Option<&str>) -> Self {
        let (status, conclusion) = conclusion(report.state, !check.actions.is_empty());
        let name = match suffix {
            Some(suffix) => format!("{} ({suffix})", report.context),
            None => report.context.clone(),
        };
        let summary = if check.summary.trim().is_empty() { &report.description } else { &check.summary };
        let actions = check.actions.iter().take(MOST_ACTIONS).map(|action| {
            json!({
                "label": cut(&action.label, 20),
                "description": cut(&action.description, 40),
                "identifier": cut(&action.identifier, 20),
            })
        });
        Self {
            name,
            external_id: format!("meshwright:{}:{}", report.source, report.context),
            head: report.revision.as_str(),
            status,
            conclusion,
            title: one_line(&report.description, TITLE_LIMIT),
            summary: annotations::within_bytes(summary, CHECK_TEXT_LIMIT),
            details_url: report.target_url.as_deref(),
            actions: actions.collect(),
            annotations: annotations::wire(&check.annotations),
        }
    }

    /// A request that shows it all, but for annotations beyond these.
    fn body(&self, annotations: &[Wire]) -> Map<String, Value> {
        let mut output = json!({ "title": self.title, "summary": self.summary });
        if let (false, Some(output)) = (annotations.is_empty(), output.as_object_mut()) {
            output.insert("annotations".to_owned(), json!(annotations));
        }
        let mut body = Map::new();
        body.insert("name".to_owned(), json!(self.name));
        body.insert("external_id".to_owned(), json!(self.external_id));
        body.insert("status".to_owned(), json!(self.status));
        body.insert("output".to_owned(), output);
        body.insert("actions".to_owned(), json!(self.actions));
        if let Some(conclusion) = self.conclusion {
            body.insert("conclusion".to_owned(), json!(conclusion));
        }
        if let Some(url) = self.details_url {
            body.insert("details_url".to_owned(), json!(url));
        }
        body
    }

    fn is_shown_by(&self, run: &Run) -> bool {
        let text = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().replace("\r\n", "\n");
        run.name == self.name
            && run.status == self.status
            && run.conclusion.as_deref() == self.conclusion
            && text(&run.output.title) == self.title.trim()
            && text(&run.output.summary) == self.summary.trim().replace("\r\n", "\n")
            && self.details_url.is_none_or(|url| run.details_url.as_deref() == Some(url))
            && run.output.annotations_count == self.annotations.len()
    }
}

pub(super) async fn publish(
    repository: Repository<'_>,
    report: &Report,
    check: &Check,
    suffix: Option<&str>,
    external: Option<&str>,
) -> Result<String, ForgeError> {
    let wanted = Wanted::of(report, check, suffix);
    let run = standing(repository, &wanted, id(external)).await?;
    let (id, rest) = match run {
        Some(run) => match still_to_send(repository, &run, &wanted).await? {
            Some(rest) => {
                let (first, rest) = rest.split_at(rest.len().min(BATCH));
                match edit(repository, run.id, &wanted, first).await {
                    Ok(()) => (run.id, rest),
                    Err(refusal) if refusal.status == Some(404) => create(repository, &wanted).await?,
                    Err(refusal) => return Err(refusal.error),
                }
            }
            None => create(repository, &wanted).await?,
        },
        None => create(repository, &wanted).await?,
    };
    for batch in rest.chunks(BATCH) {
        edit(repository, id, &wanted, batch).await?;
    }
    Ok(id.to_string())
}

pub(super) async fn shows(
    repository: Repository<'_>,
    report: &Report,
    check: &Check,
    suffix: Option<&str>,
    external: Option<&str>,
) -> Result<bool, ForgeError> {
    let wanted = Wanted::of(report, check, suffix);
    Ok(standing(repository, &wanted, id(external)).await?.is_some_and(|run| wanted.is_shown_by(&run)))
}

/// The check run that shows an earlier edition: by its id, or the newest of our own with our mark.
async fn standing(repository: Repository<'_>, wanted: &Wanted<'_>, id: Option<u64>) -> Result<Option<Run>, ForgeError> {
    if let Some(id) = id
        && let Some(answer) = repository.find(&format!("/check-runs/{id}")).await?
    {
        let run: Run = answer.json()?;
        if run.head_sha.eq_ignore_ascii_case(wanted.head) {
            return Ok(Some(run));
        }
    }
    let name = utf8_percent_encode(&wanted.name, NON_ALPHANUMERIC);
    let path = format!("/commits/{}/check-runs?check_name={name}&filter=all&per_page=100", wanted.head);
    let (runs, _) = repository.pages(&path, MOST_PAGES, |page: Page| page.check_runs).await?;
    // Other Apps can choose the same mark, and their runs would refuse to be edited by us.
    let own = repository.client.app_id();
    let is_ours = |run: &Run| {
        run.external_id.as_deref() == Some(wanted.external_id.as_str()) && run.app.as_ref().map(|app| app.id) == own
    };
    Ok(runs.into_iter().filter(is_ours).max_by_key(|run| run.id))
}

/// The annotations that an edit has to add; `None` when an edit cannot show what is wanted.
async fn still_to_send<'w>(
    repository: Repository<'_>,
    run: &Run,
    wanted: &'w Wanted<'_>,
) -> Result<Option<&'w [Wire]>, ForgeError> {
    if run.status == "completed" && wanted.status != "completed" {
        return Ok(None);
    }
    if run.output.annotations_count == 0 {
        return Ok(Some(&wanted.annotations));
    }
    let path = format!("/check-runs/{}/annotations?per_page=100", run.id);
    let pages = annotations::MOST / 100 + 1;
    let (there, has_more) = repository.pages(&path, pages, |page: Vec<Wire>| page).await?;
    Ok(if has_more { None } else { annotations::missing(&there, &wanted.annotations) })
}

/// Makes a check run with the first annotations; what is left of them comes back.
async fn create<'w>(repository: Repository<'_>, wanted: &'w Wanted<'_>) -> Result<(u64, &'w [Wire]), ForgeError> {
    let (first, rest) = wanted.annotations.split_at(wanted.annotations.len().min(BATCH));
    let mut body = wanted.body(first);
    body.insert("head_sha".to_owned(), json!(wanted.head));
    let made: Created = repository.create("/check-runs", &Value::Object(body), Weight::Content).await?.json()?;
    Ok((made.id, rest))
}

async fn edit(repository: Repository<'_>, id: u64, wanted: &Wanted<'_>, more: &[Wire]) -> Result<(), Refusal> {
    let body = Value::Object(wanted.body(more));
    repository.send(Method::PATCH, &format!("/check-runs/{id}"), &body, Weight::Write).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_evaluated_never_passes() {
        for state in [ReportState::Pending, ReportState::Success, ReportState::Failure, ReportState::Error] {
            for has_actions in [false, true] {
                let (status, conclusion) = conclusion(state, has_actions);
                assert!(!matches!(conclusion, Some("neutral" | "skipped")), "{state:?}");
                assert_eq!(conclusion == Some("success"), state == ReportState::Success);
                assert_eq!(conclusion.is_some(), status == "completed");
            }
        }
    }
}
