//! Deployments: one per commit and stage, with statuses that tell how it goes. GitHub makes earlier ones
//! of the same environment inactive by itself when one succeeds.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::adapter::github::client::{Repository, Weight};
use crate::domain::id::StageName;
use crate::domain::report::{DESCRIPTION_LIMIT, DeploymentStatus, Report, one_line};
use crate::port::forge::ForgeError;

use super::id;

/// A commit is not deployed to one environment more often than this.
const MOST_PAGES: usize = 10;
/// What tells our deployments from others'.
const TASK: &str = "meshwright";

#[derive(Deserialize)]
struct Deployment {
    id: u64,
    #[serde(default)]
    sha: String,
    #[serde(default)]
    environment: String,
    #[serde(default)]
    task: String,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    id: u64,
    state: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    log_url: Option<String>,
}

fn environment(stage: &StageName, suffix: Option<&str>) -> String {
    match suffix {
        Some(source) => format!("{source}/{stage}"),
        None => stage.to_string(),
    }
}

pub(super) async fn publish(
    repository: Repository<'_>,
    report: &Report,
    stage: &StageName,
    status: DeploymentStatus,
    suffix: Option<&str>,
    external: Option<&str>,
) -> Result<String, ForgeError> {
    let environment = environment(stage, suffix);
    let id = match standing(repository, report, &environment, id(external)).await? {
        Some(id) if is_shown(repository, report, status, id).await? => return Ok(id.to_string()),
        Some(id) => id,
        None => create(repository, report, &environment).await?,
    };
    let mut body = json!({
        "state": status.as_str(),
        "description": one_line(&report.description, DESCRIPTION_LIMIT),
        "environment": environment,
        "auto_inactive": true,
    });
    if let (Some(url), Some(fields)) = (&report.target_url, body.as_object_mut()) {
        fields.insert("log_url".to_owned(), json!(url));
    }
    repository.create(&format!("/deployments/{id}/statuses"), &body, Weight::Write).await?;
    Ok(id.to_string())
}

pub(super) async fn shows(
    repository: Repository<'_>,
    report: &Report,
    stage: &StageName,
    status: DeploymentStatus,
    suffix: Option<&str>,
    external: Option<&str>,
) -> Result<bool, ForgeError> {
    match standing(repository, report, &environment(stage, suffix), id(external)).await? {
        Some(id) => is_shown(repository, report, status, id).await,
        None => Ok(false),
    }
}

async fn create(repository: Repository<'_>, report: &Report, environment: &str) -> Result<u64, ForgeError> {
    let body: Value = json!({
        "ref": report.revision.as_str(),
        "task": TASK,
        "environment": environment,
        "description": one_line(&report.description, DESCRIPTION_LIMIT),
        "auto_merge": false,
        // What was merged is deployed; which checks it needed was decided before.
        "required_contexts": [],
    });
    let made: Deployment = repository.create("/deployments", &body, Weight::Content).await?.json()?;
    Ok(made.id)
}

/// The deployment of this commit to this environment: by its id, or the newest with our task.
async fn standing(
    repository: Repository<'_>,
    report: &Report,
    environment: &str,
    id: Option<u64>,
) -> Result<Option<u64>, ForgeError> {
    let revision = report.revision.as_str();
    let is_it = |found: &Deployment| {
        found.sha.eq_ignore_ascii_case(revision) && found.environment == environment && found.task == TASK
    };
    if let Some(id) = id
        && let Some(answer) = repository.find(&format!("/deployments/{id}")).await?
        && is_it(&answer.json()?)
    {
        return Ok(Some(id));
    }
    let name = utf8_percent_encode(environment, NON_ALPHANUMERIC);
    let path = format!("/deployments?sha={revision}&task={TASK}&environment={name}&per_page=100");
    let (found, _) = repository.pages(&path, MOST_PAGES, |page: Vec<Deployment>| page).await?;
    Ok(found.iter().filter(|found| is_it(found)).map(|found| found.id).max())
}

/// Whether the newest status of a deployment is the one that is wanted.
async fn is_shown(
    repository: Repository<'_>,
    report: &Report,
    wanted: DeploymentStatus,
    id: u64,
) -> Result<bool, ForgeError> {
    let path = format!("/deployments/{id}/statuses?per_page=100");
    let (statuses, _) = repository.pages(&path, MOST_PAGES, |page: Vec<Status>| page).await?;
    // A later deployment to the environment makes this one inactive, which is no loss.
    let newest = statuses.iter().filter(|status| status.state != "inactive").max_by_key(|status| status.id);
    Ok(newest.is_some_and(|status| {
        status.state == wanted.as_str()
            && status.description.as_deref().unwrap_or_default().trim()
                == one_line(&report.description, DESCRIPTION_LIMIT).trim()
            && report.target_url.as_deref().is_none_or(|url| status.log_url.as_deref() == Some(url))
    }))
}
