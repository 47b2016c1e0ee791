//! What people ask for in comments and by buttons: it stands in the ledger of deliveries.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::domain::forge::delivery::{Asked, CommandRequest};
use crate::domain::forge::{Command, Person};
use crate::domain::id::{Digest, SourceName};
use crate::domain::time::Timestamp;
use crate::port::requests::{Action, Elsewhere, Origin, Request, Requests};
use crate::port::store::{Store, StoreError};

/// The ledger, as a place where requests stand.
pub struct LedgerRequests {
    store: Arc<dyn Store>,
    /// What was read last, by request: what is answered is among it.
    read: Mutex<BTreeMap<String, CommandRequest>>,
}

impl std::fmt::Debug for LedgerRequests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LedgerRequests")
    }
}

impl LedgerRequests {
    /// Requests that were delivered to this record.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, read: Mutex::default() }
    }

    fn command(&self, request: &Request) -> Option<CommandRequest> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).get(&request.id).cloned()
    }
}

#[async_trait]
impl Requests for LedgerRequests {
    async fn open(&self, limit: usize, except: &[SourceName]) -> Result<Vec<Request>, StoreError> {
        let commands = self.store.open_commands(limit, except).await?;
        let mut requests = Vec::with_capacity(commands.len());
        let mut read = BTreeMap::new();
        for command in commands {
            match request(&command) {
                Some(request) => {
                    read.insert(request.id.clone(), command);
                    requests.push(request);
                }
                // It never counts as the machine's own, and does not stand in the way of others.
                None => {
                    let outcome = &format!("{REFUSED}it names no comment and no commit");
                    self.store.command_done(&command, outcome, command.at).await?;
                }
            }
        }
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(requests)
    }

    async fn elsewhere(&self, request: &Request) -> Result<Vec<Elsewhere>, StoreError> {
        let Some(command) = self.command(request) else { return Ok(Vec::new()) };
        let outcomes = self.store.asked_elsewhere(&command).await?;
        Ok(outcomes.iter().map(|outcome| standing(outcome.as_deref())).collect())
    }

    async fn answer(&self, request: &Request, answer: Result<&str, &str>, at: Timestamp) -> Result<(), StoreError> {
        let Some(mut command) = self.command(request) else { return Ok(()) };
        if let Origin::Button { pull, .. } = request.origin {
            command.pull = pull;
        }
        let outcome = match answer {
            Ok(done) => done.to_owned(),
            Err(reason) => format!("{REFUSED}{reason}"),
        };
        self.store.command_done(&command, &outcome, at).await
    }
}

/// With what the outcome of a request begins that was refused.
const REFUSED: &str = "refused: ";

fn standing(outcome: Option<&str>) -> Elsewhere {
    match outcome {
        None => Elsewhere::Open,
        Some(outcome) if outcome.starts_with(REFUSED) => Elsewhere::Refused,
        Some(_) => Elsewhere::Done,
    }
}

/// The same comment asks a source once. A button may be pressed again, with the same words.
fn id(command: &CommandRequest) -> String {
    let pressed = if command.comment.is_none() { command.delivery.as_str() } else { "" };
    let mut fields = vec![command.forge.as_str(), command.source.as_str(), command.origin.as_str()];
    fields.extend((!pressed.is_empty()).then_some(pressed));
    format!("delivered-{}", Digest::of_fields(fields).short())
}

fn request(command: &CommandRequest) -> Option<Request> {
    let origin = match (command.pull, command.comment, &command.head) {
        (Some(pull), Some(comment), _) => Origin::Comment { pull, comment },
        (pull, _, Some(head)) => Origin::Button { head: head.clone(), pull },
        // The receiver records no other.
        _ => return None,
    };
    let action = match &command.asked {
        Asked::Command(command) => Ok(action(command)),
        Asked::Unclear(why) => Err(why.clone()),
    };
    Some(Request {
        id: id(command),
        source: command.source.clone(),
        action,
        origin,
        by: Person { name: command.author.clone(), via: command.forge.to_string() },
        at: command.at,
    })
}

fn action(command: &Command) -> Action {
    match command {
        Command::Plan => Action::Plan,
        Command::Approve(stage) => Action::Approve(stage.clone()),
        Command::Retry => Action::Retry,
        Command::Hold => Action::Hold,
        Command::Cancel => Action::Cancel(None),
        Command::Help => Action::Help,
    }
}
