//! What the engine knows of forges: proposals (pull requests, merge groups), what people may ask for in
//! a comment, and what they decide.

mod approval;
mod command;
mod proposal;

pub use approval::{Approval, Hold, Person, approvers};
pub use command::{Command, InvalidCommand, LEAD};
pub use proposal::{Proposal, PullRequest, PullState};
