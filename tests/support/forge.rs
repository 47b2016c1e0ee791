//! A forge in memory, with faults on demand: what it shows, what was written to it, who may write, and
//! how comments were answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use meshwright::domain::forge::PullRequest;
use meshwright::domain::id::{Revision, SourceName};
use meshwright::domain::report::{Detail, Report};
use meshwright::domain::time::Timestamp;
use meshwright::port::forge::reviews::{Reaction, Reviews};
use meshwright::port::forge::{Abilities, Forge, ForgeError};
use meshwright::port::requests::{Request, Requests};
use meshwright::port::store::StoreError;

/// What goes wrong with one call.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is not done, and this is said.
    Instead(ForgeError),
    /// It is done, and this is said all the same: the answer was lost.
    After(ForgeError),
    /// It never ends.
    Hang,
}

type Faults = Box<dyn FnMut(&Report) -> Option<Fault> + Send>;

/// What a forge shows under one key.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The report.
    pub report: Report,
    /// The forge's id of it.
    pub id: String,
}

#[derive(Default)]
struct State {
    shown: BTreeMap<(String, String, &'static str, String), Shown>,
    writes: Vec<String>,
    reads: usize,
    next: usize,
    faults: Option<Faults>,
}

/// A forge in memory.
#[derive(Default)]
pub struct ModelForge {
    state: Mutex<State>,
    /// What it shows beside statuses.
    pub abilities: Abilities,
    /// Whether each source has an account of its own.
    pub own_accounts: bool,
}

impl ModelForge {
    /// A forge that shows everything.
    pub fn able() -> Self {
        Self { abilities: Abilities { checks: true, comments: true, deployments: true }, ..Self::default() }
    }

    /// From now on this decides what goes wrong.
    pub fn faults(&self, faults: impl FnMut(&Report) -> Option<Fault> + Send + 'static) {
        self.state.lock().unwrap().faults = Some(Box::new(faults));
    }

    /// From now on nothing goes wrong.
    pub fn works(&self) {
        self.state.lock().unwrap().faults = None;
    }

    /// `source sort context: state: description` of all that is shown.
    pub fn shown(&self) -> BTreeSet<String> {
        let state = self.state.lock().unwrap();
        state
            .shown
            .values()
            .map(|Shown { report, .. }| {
                let state = report.state.as_str();
                format!("{} {} {}: {state}: {}", report.source, report.sort(), report.context, report.description)
            })
            .collect()
    }

    /// What is shown of a context of a subject.
    pub fn of(&self, subject: &str, context: &str) -> Option<Report> {
        let state = self.state.lock().unwrap();
        let found = state.shown.iter().find(|((_, at, _, name), _)| at == subject && name == context);
        found.map(|(_, shown)| shown.report.clone())
    }

    /// All writes that were asked for: `sort context state`.
    pub fn writes(&self) -> Vec<String> {
        self.state.lock().unwrap().writes.clone()
    }

    /// How often it was asked what it shows.
    pub fn reads(&self) -> usize {
        self.state.lock().unwrap().reads
    }

    /// Loses what it shows under contexts with this beginning.
    pub fn lose(&self, context: &str) {
        self.state.lock().unwrap().shown.retain(|(.., name), _| !name.starts_with(context));
    }
}

fn key(report: &Report) -> (String, String, &'static str, String) {
    (report.source.to_string(), report.subject(), report.sort(), report.context.clone())
}

#[async_trait]
impl Forge for ModelForge {
    fn abilities(&self) -> Abilities {
        self.abilities
    }

    fn account(&self, source: &SourceName) -> String {
        if self.own_accounts { source.to_string() } else { String::new() }
    }

    async fn publish(&self, report: &Report, external: Option<&str>) -> Result<Option<String>, ForgeError> {
        let fault = {
            let mut state = self.state.lock().unwrap();
            state.writes.push(format!("{} {} {}", report.sort(), report.context, report.state.as_str()));
            let fault = state.faults.as_mut().and_then(|faults| faults(report));
            match &fault {
                Some(Fault::Instead(error)) => return Err(error.clone()),
                Some(Fault::Hang) => {}
                Some(Fault::After(_)) | None => {
                    let known = state.shown.get(&key(report)).map(|shown| shown.id.clone());
                    // A status has no id, and a comment is found again by its marker.
                    let id = external.map(str::to_owned).or(known).unwrap_or_else(|| {
                        state.next += 1;
                        format!("x{}", state.next)
                    });
                    state.shown.insert(key(report), Shown { report: report.clone(), id });
                }
            }
            fault
        };
        match fault {
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::After(error)) => Err(error),
            _ => Ok(report
                .detail
                .as_ref()
                .and(self.state.lock().unwrap().shown.get(&key(report)).map(|it| it.id.clone()))),
        }
    }

    async fn shows(&self, report: &Report, _: Option<&str>) -> Result<bool, ForgeError> {
        let mut state = self.state.lock().unwrap();
        state.reads += 1;
        Ok(state.shown.get(&key(report)).is_some_and(|shown| shown.report == *report))
    }
}

/// Who may write, which pull requests there are, and how comments were answered.
#[derive(Default)]
pub struct ModelReviews {
    /// Who may write.
    pub writers: Mutex<BTreeSet<String>>,
    /// The pull requests.
    pub pulls: Mutex<BTreeMap<u64, PullRequest>>,
    /// Reactions, by comment.
    pub reactions: Mutex<BTreeMap<u64, BTreeSet<&'static str>>>,
    /// What is said instead of an answer, so often.
    pub trouble: Mutex<Vec<ForgeError>>,
}

impl ModelReviews {
    fn troubled(&self) -> Result<(), ForgeError> {
        self.trouble.lock().unwrap().pop().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl Reviews for ModelReviews {
    async fn pull_request(&self, _: &SourceName, number: u64) -> Result<Option<PullRequest>, ForgeError> {
        self.troubled()?;
        Ok(self.pulls.lock().unwrap().get(&number).cloned())
    }

    async fn open_pull_requests(&self, _: &SourceName, _: &str) -> Result<Vec<PullRequest>, ForgeError> {
        Ok(Vec::new())
    }

    async fn merged_as(&self, _: &SourceName, commit: &Revision) -> Result<Option<u64>, ForgeError> {
        self.troubled()?;
        let pulls = self.pulls.lock().unwrap();
        Ok(pulls.values().find(|pull| pull.merge_commit.as_ref() == Some(commit)).map(|pull| pull.number))
    }

    async fn may_write(&self, _: &SourceName, login: &str) -> Result<bool, ForgeError> {
        self.troubled()?;
        Ok(self.writers.lock().unwrap().contains(login))
    }

    async fn react(&self, _: &SourceName, comment: u64, reaction: Reaction) -> Result<(), ForgeError> {
        self.troubled()?;
        let word = match reaction {
            Reaction::Seen => "seen",
            Reaction::Refused => "refused",
        };
        self.reactions.lock().unwrap().entry(comment).or_default().insert(word);
        Ok(())
    }
}

/// Requests in memory, with their answers.
#[derive(Default)]
pub struct ModelRequests {
    /// Requests, oldest first.
    pub asked: Mutex<Vec<Request>>,
    /// Answers by request: `done: …` or `refused: …`.
    pub answers: Mutex<BTreeMap<String, String>>,
}

impl ModelRequests {
    /// The answer to a request.
    pub fn answer_to(&self, id: &str) -> Option<String> {
        self.answers.lock().unwrap().get(id).cloned()
    }
}

#[async_trait]
impl Requests for ModelRequests {
    async fn open(&self, limit: usize, except: &[SourceName]) -> Result<Vec<Request>, StoreError> {
        let answers = self.answers.lock().unwrap();
        let open = self.asked.lock().unwrap();
        let is_open = |request: &&Request| !answers.contains_key(&request.id) && !except.contains(&request.source);
        Ok(open.iter().filter(is_open).take(limit).cloned().collect())
    }

    async fn answer(&self, request: &Request, answer: Result<&str, &str>, _: Timestamp) -> Result<(), StoreError> {
        let text = match answer {
            Ok(outcome) => format!("done: {outcome}"),
            Err(why) => format!("refused: {why}"),
        };
        self.answers.lock().unwrap().entry(request.id.clone()).or_insert(text);
        Ok(())
    }
}

/// The words of a deployment's status, for comparisons.
pub fn deployment(report: &Report) -> Option<&'static str> {
    match &report.detail {
        Some(Detail::Deployment { status, .. }) => Some(status.as_str()),
        _ => None,
    }
}
