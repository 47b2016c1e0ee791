//! What `git` said. It is other people's text: remote servers write into it. It is cut, made one
//! line, freed of secrets, and read for the few things on which what is done next depends.

use crate::domain::report::one_line;

/// At most this many characters of what git said are passed on.
const LONGEST_MESSAGE: usize = 300;
/// How git ends when `ssh`, or the other side through it, has said why.
const SAID_BEFORE: &str = "fatal: Could not read from remote repository";
/// Of what they have said, so many lines are told: those from where a forge says so on, and otherwise the last.
const MOST_LINES_BEFORE: usize = 4;
/// How forges begin to say why they let nobody in.
const FORGES_SAY: [&str; 2] = ["ERROR:", "remote: ERROR:"];
/// What stands beside the cause: git's end and its advice, frames and warnings of `ssh`, and the fingerprint of
/// a host, which is to be had from its owner and not from who answers in its place.
const BESIDE_THE_CAUSE: [&str; 14] = [
    SAID_BEFORE,
    "Please make sure you have the correct access rights",
    "and the repository exists.",
    "@",
    "IT IS POSSIBLE THAT SOMEONE",
    "Someone could be eavesdropping",
    "It is also possible that",
    "The fingerprint for the",
    "SHA256:",
    "Please contact your system administrator",
    "Add correct host key in",
    "remove with:",
    "ssh-keygen -f",
    "It is required that your private key",
];

/// What went wrong, as far as it matters for what is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The mirror itself cannot be read.
    CorruptMirror,
    /// The transfer went over the limit of size.
    TooLarge,
    /// The branch is gone since we looked.
    BranchGone,
    /// The server sends us elsewhere.
    Redirected,
    /// Transport or objects are not let in.
    Refused,
    /// Network, access, or anything else on the other side.
    Unreachable,
}

/// Reads the standard error of a git that failed.
pub(super) fn trouble(standard_error: &str) -> Trouble {
    let ours = || standard_error.lines().filter(|line| !line.starts_with("remote:"));
    let says = |needles: &[&str]| ours().any(|line| needles.iter().any(|needle| line.contains(needle)));
    if says(&["died of signal 25", "File size limit exceeded", "File too large"]) {
        Trouble::TooLarge
    } else if says(&["couldn't find remote ref"]) {
        Trouble::BranchGone
    } else if says(&["returned error: 30", "unable to update url base from redirection"]) {
        Trouble::Redirected
    } else if says(&["not allowed", "fsck error", "error in object", "mismatched algorithms"]) {
        Trouble::Refused
    } else if says(&[
        "corrupt",
        "bad object",
        "bad tree object",
        "bad config",
        "inflate",
        "unable to read",
        "unable to parse",
        "unable to find",
        "not a git repository:",
        "index file",
        "packfile",
        "pack file",
        "object file",
        "missing blob",
        "missing tree",
        "missing commit",
        "invalid sha1",
        "unresolved delta",
        "did not send all necessary objects",
        "revision walk setup failed",
        "broken",
    ]) {
        Trouble::CorruptMirror
    } else {
        Trouble::Unreachable
    }
}

/// The lines that matter, as one line for people, without secrets.
pub(super) fn tell(standard_error: &str, secrets: &[String]) -> String {
    let lines: Vec<&str> = standard_error.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let is_any_of = |line: &str, beginnings: &[&str]| beginnings.iter().any(|words| line.starts_with(words));
    let mut telling = lines.clone();
    if lines.iter().any(|line| line.starts_with(SAID_BEFORE)) {
        telling.retain(|line| !is_any_of(line, &BESIDE_THE_CAUSE) && has_words(line));
        if let Some(cause) = telling.iter().position(|line| is_any_of(line, &FORGES_SAY)) {
            telling.drain(..cause);
        } else {
            telling.drain(..telling.len().saturating_sub(MOST_LINES_BEFORE));
            while telling.len() > 1 && telling.join("; ").len() > LONGEST_MESSAGE {
                telling.remove(0);
            }
        }
    } else {
        telling.retain(|line| is_any_of(line, &["fatal:", "error:", "remote:", "ssh:"]));
    }
    let text = if telling.is_empty() { lines.join("; ") } else { telling.join("; ") };
    let text = if text.is_empty() { "git said nothing".to_owned() } else { text };
    one_line(&mask(&text, secrets), LONGEST_MESSAGE)
}

/// Whether a line is more than a frame.
fn has_words(line: &str) -> bool {
    line.trim_start_matches("remote:").contains(char::is_alphanumeric)
}

/// Puts `***` in the place of secrets, and of anything between `://` and `@`.
fn mask(text: &str, secrets: &[String]) -> String {
    let mut masked = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        masked = masked.replace(secret.as_str(), "***");
    }
    let mut out = String::with_capacity(masked.len());
    let mut rest = masked.as_str();
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let authority =
            after.find(|c: char| c == '/' || c.is_whitespace()).map_or(after, |end| after.get(..end).unwrap_or(after));
        rest = match authority.rfind('@') {
            Some(at) => {
                out.push_str("***");
                after.get(at..).unwrap_or("")
            }
            None => after,
        };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let said = "warning: x\nfatal: unable to access 'https://bob:s3cret@host/a/': no s3cret\u{1b}[31m\n";
        let told = tell(said, &["s3cret".to_owned()]);
        assert_eq!(told, "fatal: unable to access 'https://***@host/a/': no *** [31m");
        assert_eq!(
            tell("fatal: https://tok@proxy:3128 and ssh://h/a@b", &[]),
            "fatal: https://***@proxy:3128 and ssh://h/a@b"
        );
    }

    #[test]
    fn what_was_said_before_git_gave_up_is_the_cause() {
        let greeting = format!("Welcome to git.example.com\n{}\nBe kind\n", "Be very kind. ".repeat(30));
        let end = "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access \
                   rights\nand the repository exists.\n";
        let denied = "git@git.example.com: Permission denied (publickey).\n";
        assert!(
            tell(&format!("{greeting}{denied}{end}"), &[])
                .ends_with("; git@git.example.com: Permission denied (publickey).")
        );
        assert_eq!(tell(&format!("ERROR: Repository not found.\n{end}"), &[]), "ERROR: Repository not found.");
        let framed = "remote: \nremote: =====\nremote: \nremote: ERROR: Two factors are wanted.\nremote: \n\
                      remote: Use: ssh git@host 2fa_verify\nremote: =====\nremote: \n";
        let told = tell(&format!("{framed}{end}"), &[]);
        assert_eq!(told, "remote: ERROR: Two factors are wanted.; remote: Use: ssh git@host 2fa_verify");
        let long = "ERROR: The organisation wants a single sign-on.\nTo go on, use another address\n".to_owned();
        let told = tell(&format!("{long}{}{end}", "and read this\n".repeat(40)), &[]);
        assert!(told.starts_with("ERROR: The organisation wants a single sign-on.; To go on"), "{told}");
        assert!(tell(end, &[]).starts_with("fatal: Could not read from remote repository.; Please make sure"));
    }

    #[test]
    fn long_and_empty_messages_are_made_fit() {
        assert_eq!(tell("\n \n", &[]), "git said nothing");
        assert_eq!(tell(&format!("fatal: {}", "x".repeat(9000)), &[]).chars().count(), LONGEST_MESSAGE);
    }

    #[test]
    fn a_server_cannot_talk_us_into_dropping_the_mirror() {
        assert_eq!(trouble("remote: fatal: bad object\nfatal: the remote end hung up"), Trouble::Unreachable);
        assert_eq!(trouble("fatal: bad object refs/meshwright/branch/x"), Trouble::CorruptMirror);
        assert_eq!(trouble("fatal: couldn't find remote ref refs/heads/main"), Trouble::BranchGone);
        assert_eq!(trouble("error: index-pack died of signal 25"), Trouble::TooLarge);
        assert_eq!(trouble("fatal: Authentication failed for 'https://host/a/'"), Trouble::Unreachable);
    }
}
