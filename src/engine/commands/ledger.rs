//! What people ask for in comments and by buttons: it stands in the ledger of deliveries.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::forge::delivery::{Asked, CommandRequest};
use crate::domain::forge::{Command, Person};
use crate::domain::id::Digest;
use crate::domain::time::Timestamp;
use crate::port::requests::{Action, Origin, Request, Requests};
use crate::port::store::{Store, StoreError};

/// The ledger, as a place where requests stand.
pub struct LedgerRequests {
    store: Arc<dyn Store>,
}

impl std::fmt::Debug for LedgerRequests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LedgerRequests")
    }
}

/// More than this is not looked through to find the one that is answered.
const MOST: usize = 1_000;

impl LedgerRequests {
    /// Requests that were delivered to this record.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl Requests for LedgerRequests {
    async fn open(&self, limit: usize) -> Result<Vec<Request>, StoreError> {
        let commands = self.store.open_commands(limit).await?;
        let mut requests = Vec::with_capacity(commands.len());
        for command in commands {
            match request(&command) {
                Some(request) => requests.push(request),
                // It never counts as the machine's own, and does not stand in the way of others.
                None => {
                    let outcome = "refused: it names no comment and no commit";
                    self.store.command_done(&command, outcome, command.at).await?;
                }
            }
        }
        Ok(requests)
    }

    async fn answer(&self, request: &Request, answer: Result<&str, &str>, at: Timestamp) -> Result<(), StoreError> {
        let open = self.store.open_commands(MOST).await?;
        let Some(command) = open.into_iter().find(|command| id(command) == request.id) else { return Ok(()) };
        let outcome = match answer {
            Ok(done) => done.to_owned(),
            Err(reason) => format!("refused: {reason}"),
        };
        self.store.command_done(&command, &outcome, at).await
    }
}

/// The same origin asks a source once.
fn id(command: &CommandRequest) -> String {
    let fields = [command.forge.as_str(), command.source.as_str(), command.origin.as_str()];
    format!("delivered-{}", Digest::of_fields(fields).short())
}

fn request(command: &CommandRequest) -> Option<Request> {
    let origin = match (command.pull, command.comment, &command.head) {
        (Some(pull), Some(comment), _) => Origin::Comment { pull, comment },
        (_, _, Some(head)) => Origin::Button { head: head.clone() },
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
