//! What the forge delivers, and what people write under pull requests. A delivery is only a hint: it may be
//! lost, come late, twice, and in any order.

use meshwright::domain::forge::delivery::{Asked, CommandRequest, Delivery, Hint};
use meshwright::domain::forge::{Command, Proposal};
use meshwright::domain::id::{Revision, SourceName};
use meshwright::domain::source::Target;
use meshwright::domain::time::Timestamp;

/// Who may write to every repository. Nobody else may.
pub const WRITER: &str = "ann";

/// What has happened at the forge.
#[derive(Debug, Clone)]
pub enum Event {
    /// The branch stands elsewhere.
    Push { head: Option<Revision> },
    /// Something has become of a pull request.
    Pull { number: u64 },
    /// Somebody has asked for something under a pull request.
    Comment { number: u64, comment: u64, author: String, command: Command },
}

/// A delivery, as it is understood.
pub fn delivery(id: &str, source: &SourceName, event: &Event, now: Timestamp) -> Delivery {
    let forge = "hub".parse().unwrap();
    let repositories = vec![format!("acme/{source}")];
    let (mut targets, mut commands) = (Vec::new(), Vec::new());
    let hint = match event {
        Event::Push { head } => {
            targets.push(Target::branch(source.clone()));
            let reference = Some("refs/heads/main".to_owned());
            Hint {
                event: "push".to_owned(),
                repositories,
                reference,
                is_push: true,
                head: head.clone(),
                ..Hint::default()
            }
        }
        Event::Pull { number } => {
            targets.push(Target::proposal(source.clone(), Proposal::Pull(*number)));
            Hint { event: "pull_request".to_owned(), repositories, ..Hint::default() }
        }
        Event::Comment { number, comment, author, command } => {
            commands.push(CommandRequest {
                forge: "hub".parse().unwrap(),
                delivery: id.parse().unwrap(),
                origin: format!("comment:{comment}"),
                source: source.clone(),
                pull: Some(*number),
                comment: Some(*comment),
                head: None,
                author: author.clone(),
                asked: Asked::Command(command.clone()),
                at: now,
            });
            Hint { event: "issue_comment".to_owned(), repositories, ..Hint::default() }
        }
    };
    Delivery { forge, id: id.parse().unwrap(), received_at: now, hint, targets, commands }
}
