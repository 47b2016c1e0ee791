//! What the engine knows of forges: proposals (pull requests, merge groups), what people may ask for
//! in a comment, and what is delivered by webhook.

mod proposal;
mod command;
pub mod delivery;
mod comment_mode;

pub use command::{Command, InvalidCommand, LEAD};
pub use comment_mode::CommentMode;
pub use proposal::{Proposal, PullRequest, PullState, ReviewVerdict};
