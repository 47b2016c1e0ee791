//! What the engine knows of forges: proposals (pull requests, merge groups), what people may ask for
//! in a comment and what they decide, and what is delivered by webhook.

mod approval;
mod command;
mod comment_mode;
pub mod delivery;
mod proposal;

pub use approval::{Approval, Hold, Person, approvers};
pub use command::{Command, InvalidCommand, LEAD};
pub use comment_mode::CommentMode;
pub use proposal::{Proposal, PullRequest, PullState, ReviewVerdict};
