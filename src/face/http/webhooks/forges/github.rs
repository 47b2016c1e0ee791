//! GitHub's events (<https://docs.github.com/webhooks/webhook-events-and-payloads>). Those of which
//! something follows are read here; all others are passed over.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::domain::forge::delivery::{Asking, Hint, Subject};
use crate::domain::forge::{Command, InvalidCommand};
use crate::domain::id::SourceName;

use super::payload::{
    Changes, Person, PullRequest, Push, Reference, Repository, branch, commit, kept_reference, names,
};

/// What the names of check runs begin with.
const CHECK: &str = "Meshwright";
/// How many pull requests of one commit are looked at again.
const MOST_PULLS: usize = 100;
/// The longest login of which a command is taken; GitHub's have at most 39 characters.
const LONGEST_LOGIN: usize = 100;

/// What a payload lets one suspect.
pub fn read(event: &str, payload: &[u8]) -> Result<Option<Hint>, serde_json::Error> {
    let hint = match event {
        "ping" => {
            let _: IgnoredAny = serde_json::from_slice(payload)?;
            Some(Hint::default())
        }
        "push" => Some(push(serde_json::from_slice(payload)?)),
        "create" | "delete" => reference(&serde_json::from_slice(payload)?),
        "pull_request" => pull_request(serde_json::from_slice(payload)?),
        "merge_group" => Some(merge_group(serde_json::from_slice(payload)?)),
        "check_run" => check_run(serde_json::from_slice(payload)?),
        "check_suite" => check_suite(serde_json::from_slice(payload)?),
        "issue_comment" => issue_comment(serde_json::from_slice(payload)?),
        "repository" => repository(serde_json::from_slice(payload)?),
        "installation" | "installation_repositories" | "installation_target" => {
            Some(installation(serde_json::from_slice(payload)?))
        }
        _ => None,
    };
    Ok(hint.map(|hint| Hint { event: event.to_owned(), ..hint }))
}

pub(super) fn push(push: Push) -> Hint {
    Hint {
        subjects: branch(&push.reference).map(Subject::Branch).into_iter().collect(),
        reference: kept_reference(&push.reference),
        is_push: true,
        before: commit(push.before.as_deref()),
        head: commit(push.after.as_deref()),
        repositories: names([push.repository.full_name]),
        ..Hint::default()
    }
}

/// A branch that came or went. Tags are nobody's business here.
pub(super) fn reference(event: &Reference) -> Option<Hint> {
    let name = event.reference.strip_prefix("refs/heads/").unwrap_or(&event.reference);
    (event.ref_type == "branch").then(|| Hint {
        subjects: vec![Subject::Branch(name.to_owned())],
        reference: kept_reference(&event.reference),
        repositories: names([event.repository.full_name.clone()]),
        ..Hint::default()
    })
}

fn pull_request(event: PullRequest) -> Option<Hint> {
    let base_changed = event.changes.as_ref().is_some_and(|changes| changes.base.is_some());
    let matters = match event.action.as_str() {
        "opened" | "synchronize" | "reopened" | "ready_for_review" | "converted_to_draft" | "closed" => true,
        // Of all that can be edited, only the base changes what would be merged into what.
        "edited" => base_changed,
        _ => false,
    };
    matters.then(|| pull(event))
}

pub(super) fn pull(event: PullRequest) -> Hint {
    let previous = event.changes.and_then(|changes| changes.base).map(|base| base.reference.from);
    let base = event.pull_request.base.reference;
    Hint {
        action: Some(event.action),
        reference: kept_reference(&base),
        head: commit(event.pull_request.head.sha.as_deref()),
        subjects: vec![Subject::Pull { number: event.number, bases: [base].into_iter().chain(previous).collect() }],
        repositories: names([event.repository.full_name]),
        ..Hint::default()
    }
}

#[derive(Debug, Deserialize)]
struct MergeGroupEvent {
    action: Action,
    merge_group: MergeGroup,
    repository: Repository,
}

#[derive(Debug, Deserialize)]
struct MergeGroup {
    head_sha: String,
    base_ref: Option<String>,
}

/// A word of GitHub's; longer ones are cut, because they are kept.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
struct Action(String);

impl From<String> for Action {
    fn from(mut text: String) -> Self {
        text.truncate(text.floor_char_boundary(40));
        Self(text)
    }
}

fn merge_group(event: MergeGroupEvent) -> Hint {
    let head = commit(Some(&event.merge_group.head_sha));
    let base = event.merge_group.base_ref;
    let subject = head.clone().map(|head| Subject::MergeGroup { head, base: base.as_deref().and_then(branch) });
    Hint {
        action: Some(event.action.0),
        reference: base.as_deref().and_then(kept_reference),
        head,
        subjects: subject.into_iter().collect(),
        repositories: names([event.repository.full_name]),
        ..Hint::default()
    }
}

#[derive(Debug, Deserialize)]
struct CheckRunEvent {
    action: Action,
    check_run: CheckRun,
    requested_action: Option<RequestedAction>,
    repository: Repository,
    sender: Option<Person>,
}

#[derive(Debug, Deserialize)]
struct CheckRun {
    name: Option<String>,
    head_sha: String,
    check_suite: Option<Checked>,
    #[serde(default)]
    pull_requests: Option<Vec<Numbered>>,
}

#[derive(Debug, Deserialize)]
struct RequestedAction {
    identifier: String,
}

#[derive(Debug, Deserialize)]
struct CheckSuiteEvent {
    action: Action,
    check_suite: CheckSuite,
    repository: Repository,
}

#[derive(Debug, Deserialize)]
struct CheckSuite {
    head_sha: String,
    head_branch: Option<String>,
    #[serde(default)]
    pull_requests: Option<Vec<Numbered>>,
}

#[derive(Debug, Deserialize)]
struct Checked {
    head_branch: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Numbered {
    number: u64,
}

fn check_run(event: CheckRunEvent) -> Option<Hint> {
    let run = event.check_run;
    match event.action.0.as_str() {
        "rerequested" => {
            let branch = run.check_suite.and_then(|suite| suite.head_branch);
            Some(checked(event.action, &run.head_sha, branch.as_deref(), run.pull_requests, event.repository))
        }
        "requested_action" => {
            let (command, source) = button(&event.requested_action?.identifier, run.name.as_deref())?;
            let author = author(event.sender?)?;
            let head = commit(Some(&run.head_sha));
            let asking = Asking {
                pull: None,
                comment: None,
                head: head.clone(),
                source,
                author,
                written_at: None,
                command: Ok(command),
            };
            Some(Hint {
                action: Some(event.action.0),
                head,
                repositories: names([event.repository.full_name]),
                asking: Some(asking),
                ..Hint::default()
            })
        }
        _ => None,
    }
}

fn check_suite(event: CheckSuiteEvent) -> Option<Hint> {
    let suite = event.check_suite;
    let branch = suite.head_branch.as_deref();
    (event.action.0 == "rerequested")
        .then(|| checked(event.action, &suite.head_sha, branch, suite.pull_requests, event.repository))
}

/// A commit is to be looked at again: that of the pull requests that are named, which are those of the same
/// repository alone. Without any it is told by the commit whose it is, and the branch is looked at.
fn checked(
    action: Action,
    head: &str,
    head_branch: Option<&str>,
    pulls: Option<Vec<Numbered>>,
    repository: Repository,
) -> Hint {
    let head = commit(Some(head));
    let pulls = pulls.unwrap_or_default();
    let pull = |pull: &Numbered| Subject::Pull { number: pull.number, bases: Vec::new() };
    let mut subjects: Vec<Subject> = pulls.iter().take(MOST_PULLS).map(pull).collect();
    // Merge queues work on branches of their own, below this name.
    let queued = head_branch.is_some_and(|branch| branch.starts_with("gh-readonly-queue/"));
    match &head {
        Some(head) if queued => subjects.push(Subject::MergeGroup { head: head.clone(), base: None }),
        _ if subjects.is_empty() => subjects.push(Subject::Repository),
        _ => {}
    }
    Hint {
        action: Some(action.0),
        reference: head_branch.and_then(kept_reference),
        head,
        subjects,
        repositories: names([repository.full_name]),
        ..Hint::default()
    }
}

/// What a pressed button asks for, and of which source alone. The check's name says both the stage and the
/// source: `Meshwright prod`; `Meshwright prod (retail)` or `Meshwright (retail)` where several sources read one
/// repository.
fn button(identifier: &str, check: Option<&str>) -> Option<(Command, Option<SourceName>)> {
    let name = check?.strip_prefix(CHECK)?;
    let (stage, source) = match name.rsplit_once(" (") {
        Some((stage, source)) => (stage, Some(source.strip_suffix(')')?.parse().ok()?)),
        None => (name, None),
    };
    let command = match identifier {
        "approve" => Command::Approve(stage.strip_prefix(' ')?.parse().ok()?),
        other => other.parse().ok()?,
    };
    Some((command, source))
}

fn author(person: Person) -> Option<String> {
    (!person.is_bot() && person.login.len() <= LONGEST_LOGIN).then_some(person.login)
}

#[derive(Debug, Deserialize)]
struct IssueCommentEvent {
    action: Action,
    issue: Issue,
    comment: Comment,
    repository: Repository,
    sender: Option<Person>,
}

#[derive(Debug, Deserialize)]
struct Issue {
    number: u64,
    pull_request: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Comment {
    id: u64,
    body: Option<String>,
    user: Option<Person>,
    created_at: Option<String>,
}

/// A command in a new comment under a pull request. Edits are no commands: nobody sees when they were made.
fn issue_comment(event: IssueCommentEvent) -> Option<Hint> {
    let is_new = event.action.0 == "created" && event.issue.pull_request.is_some();
    let comment = event.comment;
    let command: Result<Command, InvalidCommand> = Command::find(comment.body.as_deref().filter(|_| is_new)?)?;
    let sent_by_program = event.sender.is_some_and(|sender| sender.is_bot());
    let author = author(comment.user?).filter(|_| !sent_by_program)?;
    let asking = Asking {
        pull: Some(event.issue.number),
        comment: Some(comment.id),
        head: None,
        source: None,
        author,
        written_at: comment.created_at.and_then(|text| text.parse().ok()),
        command,
    };
    Some(Hint {
        action: Some(event.action.0),
        repositories: names([event.repository.full_name]),
        asking: Some(asking),
        ..Hint::default()
    })
}

#[derive(Debug, Deserialize)]
struct RepositoryEvent {
    action: Action,
    repository: Repository,
    changes: Option<Changes>,
}

/// The repository itself has changed. The configuration may still have its old name.
fn repository(event: RepositoryEvent) -> Option<Hint> {
    let matters = ["renamed", "transferred", "archived", "unarchived", "deleted", "edited", "privatized", "publicized"]
        .contains(&event.action.0.as_str());
    let name = event.repository.full_name;
    let previous = event.changes.and_then(|changes| {
        let (owner, short) = name.split_once('/')?;
        let was_short = changes.repository.and_then(|repository| repository.name).map(|name| name.from);
        let was_owner = changes.owner.and_then(|owner| owner.from.organization.or(owner.from.user));
        let owner = was_owner.as_ref().map_or(owner, |person| &person.login);
        Some(format!("{owner}/{}", was_short.as_deref().unwrap_or(short)))
    });
    matters.then(|| Hint {
        action: Some(event.action.0),
        repositories: names([name].into_iter().chain(previous)),
        subjects: vec![Subject::Repository],
        ..Hint::default()
    })
}

#[derive(Debug, Deserialize)]
struct InstallationEvent {
    action: Action,
    repositories: Option<Vec<Repository>>,
    repositories_added: Option<Vec<Repository>>,
    repositories_removed: Option<Vec<Repository>>,
}

/// What the App may see has changed.
fn installation(event: InstallationEvent) -> Hint {
    let lists = [event.repositories, event.repositories_added, event.repositories_removed];
    let named = lists.into_iter().flatten().flatten().map(|repository| repository.full_name);
    let repositories = names(named);
    let subject = if repositories.is_empty() { Subject::Forge } else { Subject::Repository };
    Hint { action: Some(event.action.0), repositories, subjects: vec![subject], ..Hint::default() }
}
