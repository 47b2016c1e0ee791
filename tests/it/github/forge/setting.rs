//! A GitHub with the App installed, and a forge that speaks to it.

use std::sync::Arc;

use meshwright::adapter::clock::SystemClock;
use meshwright::adapter::github::{GithubForge, GithubSpec, Pace};
use meshwright::config::{GithubAccess, SecretRef};
use meshwright::domain::finding::Severity;
use meshwright::domain::id::SourceName;
use meshwright::domain::report::{
    Annotation, Check, Comment, DeploymentStatus, Detail, Report, ReportContext, ReportState,
};

use crate::support::github::{AppHandle, Hub, RepositoryHandle};

pub const MARK: &str = "<!-- meshwright:source=retail -->";

/// A forge, and the file with its secret.
pub struct Setting {
    pub forge: GithubForge,
    secret: tempfile::NamedTempFile,
}

/// As fast as the tests can go; the model counts for itself.
pub const UNHURRIED: Pace = Pace { apart: std::time::Duration::ZERO, ..Pace::GITHUB };

impl Setting {
    /// As the App, with the sources that are named after their repositories.
    pub fn app(hub: &Hub, app: AppHandle<'_>, repositories: &[RepositoryHandle<'_>]) -> Self {
        Self::new(hub, &app.private_key(), repositories, |private_key| GithubAccess::App { id: app.id, private_key })
    }

    /// As a person.
    pub fn person(hub: &Hub, login: &str, repositories: &[RepositoryHandle<'_>]) -> Self {
        Self::new(hub, &hub.token(login), repositories, GithubAccess::Token)
    }

    fn new(
        hub: &Hub,
        secret: &str,
        repositories: &[RepositoryHandle<'_>],
        access: impl FnOnce(SecretRef) -> GithubAccess,
    ) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), secret).unwrap();
        let named = |repository: &RepositoryHandle<'_>| {
            let full = repository.full_name();
            (full.split_once('/').unwrap().1.parse().unwrap(), full)
        };
        let spec = GithubSpec {
            api: hub.api_url().parse().unwrap(),
            access: access(SecretRef::File(file.path().to_owned())),
            repositories: repositories.iter().map(named).collect(),
            deployments: true,
            pace: UNHURRIED,
        };
        Self { forge: GithubForge::new(spec, Arc::new(SystemClock)), secret: file }
    }

    /// Puts another secret where the configuration says that it is.
    pub fn replace_secret(&self, secret: &str) {
        std::fs::write(self.secret.path(), secret).unwrap();
    }
}

pub fn source() -> SourceName {
    "retail".parse().unwrap()
}

/// A status of `meshwright/validate`.
pub fn status(source: &str, sha: &str, state: ReportState, description: &str) -> Report {
    Report::new(&source.parse().unwrap(), &sha.parse().unwrap(), &ReportContext::Validate, state, description)
}

fn detailed(sha: &str, context: &str, state: ReportState, detail: Detail) -> Report {
    let mut report = status("retail", sha, state, "2 products, 120 findings");
    report.context = context.to_owned();
    report.detail = Some(detail);
    report
}

/// A check run with so many annotations, one a line.
pub fn check(sha: &str, state: ReportState, annotations: u32) -> Report {
    let annotation = |line| Annotation {
        path: "orders/data-product-descriptor.yaml".parse().unwrap(),
        line,
        column: 3,
        severity: if line % 2 == 0 { Severity::Warning } else { Severity::Error },
        title: "schema/required".to_owned(),
        message: format!("finding {line}"),
    };
    let check = Check {
        summary: "**orders** has findings".to_owned(),
        annotations: (1..=annotations).map(annotation).collect(),
        actions: Vec::new(),
    };
    detailed(sha, "Meshwright", state, Detail::Check(check))
}

/// The comment of a pull request.
pub fn comment(sha: &str, pull: u64, text: &str) -> Report {
    let body = format!("{MARK}\n{text}");
    detailed(sha, "comment", ReportState::Success, Detail::Comment(Comment { pull, body, answers: String::new() }))
}

/// A deployment to `dev`.
pub fn deployment(sha: &str, state: ReportState) -> Report {
    detailed(
        sha,
        "deployment/dev",
        state,
        Detail::Deployment {
            stage: "dev".parse().unwrap(),
            status: match state {
                ReportState::Pending => DeploymentStatus::InProgress,
                ReportState::Success => DeploymentStatus::Success,
                ReportState::Failure | ReportState::Error => DeploymentStatus::Failure,
            },
        },
    )
}
