//! Why a worker died, told to people.
//!
//! A worker's error output is a file in memory that it shares with the daemon. At its beginning the
//! worker notes which policy it is about to ask (one write, nobody is woken), when the question was
//! asked alone; behind that stands what Rust's runtime says when memory or stack have run out. Only a dead worker's file is read.

use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

/// How long the note at the beginning is, in bytes.
const NOTE: u64 = 8;

/// How much of a dead worker's last words is read, in bytes.
const LAST_WORDS: usize = 4096;

/// Where a worker notes what it is about to do.
#[derive(Debug)]
pub(super) struct Marker {
    file: File,
    noted: usize,
}

impl Marker {
    /// Nothing that has a position.
    pub(super) const NOTHING: usize = usize::MAX;

    /// The marker in the error output of this process.
    pub(super) fn in_this_process() -> std::io::Result<Self> {
        let file = File::from(std::io::stderr().as_fd().try_clone_to_owned()?);
        Ok(Self { file, noted: Self::NOTHING })
    }

    /// Notes a position. A note that cannot be taken only costs a name in a message.
    pub(super) fn set(&mut self, position: usize) {
        if self.noted != position {
            self.noted = position;
            let _ = self.file.write_all_at(&(position as u64).to_be_bytes(), 0);
        }
    }
}

/// The daemon's end of a worker's error output.
#[derive(Debug)]
pub(super) struct Trouble(File);

impl Trouble {
    /// A new file, and the worker's end of it.
    pub(super) fn open() -> std::io::Result<(Self, File)> {
        let mut file = anonymous_file()?;
        file.write_all_at(&(Marker::NOTHING as u64).to_be_bytes(), 0)?;
        // Both ends share one place to write at; it starts behind the note.
        file.seek(SeekFrom::Start(NOTE))?;
        let theirs = file.try_clone()?;
        Ok((Self(file), theirs))
    }

    /// The position that was noted last.
    pub(super) fn position(&self) -> Option<usize> {
        let mut note = [0; NOTE as usize];
        self.0.read_exact_at(&mut note, 0).ok()?;
        usize::try_from(u64::from_be_bytes(note)).ok().filter(|position| *position != Marker::NOTHING)
    }

    /// What the worker said at last.
    pub(super) fn last_words(&self) -> String {
        let mut words = vec![0; LAST_WORDS];
        let length = self.0.read_at(&mut words, NOTE).unwrap_or(0);
        words.truncate(length);
        String::from_utf8_lossy(&words).into_owned()
    }
}

#[cfg(target_os = "linux")]
fn anonymous_file() -> std::io::Result<File> {
    let file = rustix::fs::memfd_create("policy-worker", rustix::fs::MemfdFlags::CLOEXEC)?;
    Ok(File::from(file))
}

#[cfg(not(target_os = "linux"))]
fn anonymous_file() -> std::io::Result<File> {
    tempfile::tempfile()
}

/// Why a worker is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Death {
    /// It did not answer in time.
    TimedOut(Duration),
    /// It asked for more memory than it may have.
    OutOfMemory,
    /// It called itself too often.
    StackOverflow,
    /// It took more processor time than it may.
    OutOfProcessorTime,
    /// It wrote more than it may.
    TooMuchOutput,
    /// It panicked, or said what was wrong.
    Failed(String),
    /// It was killed by a signal that it does not get by itself.
    Killed(i32),
    /// It crashed.
    Crashed(i32),
    /// It could not be started.
    NotStarted(String),
}

impl Death {
    /// Reads a death from how the process ended and what it said.
    pub(super) fn of(status: Option<ExitStatus>, last_words: &str) -> Self {
        const ABORT: i32 = 6;
        const KILL: i32 = 9;
        const TERMINATE: i32 = 15;
        const PROCESSOR_TIME: i32 = 24;
        const FILE_SIZE: i32 = 25;
        if last_words.contains("has overflowed its stack") {
            return Death::StackOverflow;
        }
        if last_words.contains("memory allocation of") || last_words.contains("capacity overflow") {
            return Death::OutOfMemory;
        }
        match status.and_then(|status| status.signal()) {
            Some(PROCESSOR_TIME) => Death::OutOfProcessorTime,
            Some(FILE_SIZE) => Death::TooMuchOutput,
            // Hang-up, interrupt and quit come from outside too.
            Some(signal @ (1 | 2 | 3 | KILL | TERMINATE)) => Death::Killed(signal),
            Some(ABORT) if last_words.is_empty() => Death::Crashed(ABORT),
            Some(signal) => Death::Crashed(signal),
            None => {
                let said =
                    last_words.lines().filter(|line| !line.trim().is_empty()).take(2).collect::<Vec<_>>().join(" ");
                let said: String = said.chars().filter(|c| !c.is_control()).take(300).collect();
                let code = status.and_then(|status| status.code());
                Death::Failed(if said.is_empty() { format!("it ended with code {}", code.unwrap_or(-1)) } else { said })
            }
        }
    }

    /// Whether something outside of the policies may have done it.
    pub(super) fn may_be_from_outside(&self) -> bool {
        matches!(self, Death::Killed(_))
    }
}

impl std::fmt::Display for Death {
    /// What happened, behind "the policy 'x'" or "the policies".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Death::TimedOut(after) => write!(f, "timed out after {}", Seconds(*after)),
            Death::OutOfMemory => f.write_str("ran out of memory"),
            Death::StackOverflow => f.write_str("overflowed its stack"),
            Death::OutOfProcessorTime => f.write_str("took too much processor time"),
            Death::TooMuchOutput => f.write_str("wrote too much"),
            Death::Failed(what) => write!(f, "failed: {what}"),
            Death::Killed(signal) => write!(f, "was killed from outside with signal {signal}"),
            Death::Crashed(signal) => write!(f, "crashed with signal {signal}"),
            Death::NotStarted(why) => write!(f, "could not be asked, because no worker could be started: {why}"),
        }
    }
}

/// Seconds as people write them: `2 s`, `0.25 s`.
struct Seconds(Duration);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} s", self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deaths_are_told_apart() {
        let signal = |number| Some(ExitStatus::from_raw(number));
        let stack = "\nthread 'policies' has overflowed its stack\nfatal runtime error: stack overflow";
        assert_eq!(Death::of(signal(6), stack), Death::StackOverflow);
        assert_eq!(Death::of(signal(6), "memory allocation of 7 bytes failed"), Death::OutOfMemory);
        assert_eq!(Death::of(signal(24), ""), Death::OutOfProcessorTime);
        assert_eq!(Death::of(signal(11), ""), Death::Crashed(11));
        assert!(Death::of(signal(9), "").may_be_from_outside());
        assert_eq!(
            Death::of(Some(ExitStatus::from_raw(101 << 8)), "thread panicked at x\nboom"),
            Death::Failed("thread panicked at x boom".into())
        );
        assert_eq!(Death::of(None, ""), Death::Failed("it ended with code -1".into()));
        assert_eq!(Death::TimedOut(Duration::from_secs(2)).to_string(), "timed out after 2 s");
        assert_eq!(Death::TimedOut(Duration::from_millis(250)).to_string(), "timed out after 0.25 s");
    }
}
