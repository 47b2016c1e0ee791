//! What people may ask for in a comment: a line of its own that begins with `/meshwright`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::id::StageName;

/// What a command begins with.
pub const LEAD: &str = "/meshwright";

/// What a comment asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// Look at the pull request anew.
    Plan,
    /// Let what waits at this stage begin.
    Approve(StageName),
    /// Try again what has failed.
    Retry,
    /// Let nothing of it begin until it is approved or retried.
    Hold,
    /// Stop what runs of it, and never begin what waits.
    Cancel,
    /// Say which commands there are.
    Help,
}

/// Why a line that begins with [`LEAD`] is no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCommand {
    /// There is no such command.
    #[error("there is no such command: write 'plan', 'approve <stage>', 'retry', 'hold', 'cancel' or 'help'")]
    Unknown,
    /// `approve` names no stage, or what it names cannot be one.
    #[error("name the stage: 'approve <stage>'")]
    Stage,
}

impl Command {
    /// The first command of a comment's text, if it has one. What is quoted, indented or fenced asks for
    /// nothing: it shows somebody else's words, or the differences of a file.
    pub fn find(text: &str) -> Option<Result<Self, InvalidCommand>> {
        let mut is_fenced = false;
        for line in text.lines() {
            if line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~") {
                is_fenced = !is_fenced;
                continue;
            }
            let words = line.strip_prefix(LEAD).filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
            if let Some(words) = words.filter(|_| !is_fenced) {
                return Some(words.trim().parse());
            }
        }
        None
    }
}

impl FromStr for Command {
    type Err = InvalidCommand;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split_whitespace();
        let command = match words.next() {
            Some("plan") => Command::Plan,
            Some("approve") => {
                let stage = words.next().ok_or(InvalidCommand::Stage)?;
                Command::Approve(stage.parse().map_err(|_| InvalidCommand::Stage)?)
            }
            Some("retry") => Command::Retry,
            Some("hold") => Command::Hold,
            Some("cancel") => Command::Cancel,
            Some("help") | None => Command::Help,
            Some(_) => return Err(InvalidCommand::Unknown),
        };
        if words.next().is_some() { Err(InvalidCommand::Unknown) } else { Ok(command) }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::Plan => f.write_str("plan"),
            Command::Approve(stage) => write!(f, "approve {stage}"),
            Command::Retry => f.write_str("retry"),
            Command::Hold => f.write_str("hold"),
            Command::Cancel => f.write_str("cancel"),
            Command::Help => f.write_str("help"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_lines_of_their_own() {
        assert_eq!(
            Command::find("Looks good.\n\n/meshwright approve prod  \n"),
            Some(Ok(Command::Approve("prod".parse().unwrap())))
        );
        assert_eq!(Command::find("/meshwright"), Some(Ok(Command::Help)));
        assert_eq!(Command::find("say /meshwright plan"), None);
        assert_eq!(Command::find("> /meshwright plan"), None, "a quotation asks for nothing");
        assert_eq!(Command::find("/meshwrights plan"), None);
        assert_eq!(Command::find("    /meshwright plan"), None, "nor does an indented line");
        assert_eq!(Command::find("```diff\n/meshwright plan\n```\n"), None, "nor what is fenced");
        assert_eq!(Command::find("```\na\n```\n/meshwright plan"), Some(Ok(Command::Plan)));
    }

    #[test]
    fn what_is_no_command_says_what_there_is() {
        assert_eq!(Command::find("/meshwright deploy"), Some(Err(InvalidCommand::Unknown)));
        assert_eq!(Command::find("/meshwright approve"), Some(Err(InvalidCommand::Stage)));
        assert_eq!(Command::find("/meshwright approve ../prod"), Some(Err(InvalidCommand::Stage)));
        assert_eq!(Command::find("/meshwright plan now"), Some(Err(InvalidCommand::Unknown)));
    }
}
