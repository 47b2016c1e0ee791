//! What the engine knows of forges: proposals (pull requests, merge groups), and what people may ask
//! for in a comment.

mod proposal;
mod command;

pub use command::{Command, InvalidCommand, LEAD};
pub use proposal::{Proposal, PullRequest, PullState, ReviewVerdict};
