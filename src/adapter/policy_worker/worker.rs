//! The daemon's side of one worker process.

use std::process::Stdio;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};

use super::WorkerOptions;
use super::child::VERB;
use super::frame::{self, Kind};
use super::limits::Limits;
use super::trouble::{Death, Trouble};
use crate::domain::policy::Verdict;

/// How long a worker that has closed its pipes may take to end.
const ENDING: Duration = Duration::from_secs(5);

/// A worker process that lives. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Worker {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    trouble: Trouble,
    /// The bytes of the answer that was read last; kept for its room.
    json: Vec<u8>,
}

/// Why a worker did not answer; only its burial tells more.
#[derive(Debug)]
pub(super) enum Silence {
    /// The time was up.
    TimedOut(Duration),
    /// Its pipe is closed, or nonsense came out of it.
    Broken(std::io::Error),
}

impl Worker {
    /// Starts a worker, which knows no policies yet.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that starts policy workers: environment cleared, killed on drop"
    )]
    pub(super) fn start(options: &WorkerOptions) -> Result<Self, Death> {
        let limits = Limits { memory_mib: options.memory_mib, timeout: options.timeout };
        let not_started = |error: std::io::Error| Death::NotStarted(error.to_string());
        let program = std::path::absolute(&options.program).map_err(not_started)?;
        let (trouble, theirs) = Trouble::open().map_err(not_started)?;
        let mut process = tokio::process::Command::new(&program)
            .arg(VERB)
            .args(limits.to_arguments())
            .env_clear()
            // The allocator would set a gigabyte of addresses aside, which the limit on memory would then
            // let policies have on top.
            .env("MIMALLOC_ARENA_RESERVE", "0")
            .current_dir("/")
            // A group of its own, so that Ctrl-C at a terminal is for the daemon to answer.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(theirs)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Death::NotStarted(format!("'{}': {error}", program.display())))?;
        let (Some(questions), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(Death::NotStarted("it has no pipes".to_owned()));
        };
        Ok(Self { process, questions, answers: BufReader::with_capacity(64 << 10, answers), trouble, json: Vec::new() })
    }

    /// Whether the process still runs.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// The process id, while it runs.
    pub(super) fn process_id(&self) -> Option<u32> {
        self.process.id()
    }

    /// Sends one frame and reads the answer to it.
    pub(super) async fn exchange<T: DeserializeOwned + Send>(
        &mut self,
        kind: Kind,
        frame: &[u8],
        within: Duration,
    ) -> Result<T, Silence> {
        let mut answer = None;
        self.converse(kind, frame, 1, within, &mut |value| answer = Some(value)).await?;
        answer.ok_or(Silence::Broken(std::io::ErrorKind::UnexpectedEof.into()))
    }

    /// Sends `count` questions, which stand in `frames`, and appends a verdict for each. On silence,
    /// the worker was at the first one without a verdict or at one behind it, because answers may leave
    /// it together.
    pub(super) async fn ask(
        &mut self,
        frames: &[u8],
        count: usize,
        within: Duration,
        verdicts: &mut Vec<Verdict>,
    ) -> Result<(), Silence> {
        self.converse(Kind::Question, frames, count, within, &mut |verdict| verdicts.push(verdict)).await
    }

    /// Writes and reads at the same time, because the worker stops reading when its answers are not
    /// read. `within` counts for every answer anew.
    async fn converse<T: DeserializeOwned + Send>(
        &mut self,
        kind: Kind,
        frames: &[u8],
        count: usize,
        within: Duration,
        take: &mut (dyn FnMut(T) + Send),
    ) -> Result<(), Silence> {
        let Self { questions, answers, json, .. } = self;
        // A worker that stops reading has died, and the reader learns of that too.
        let write = async { drop(questions.write_all(frames).await) };
        let read = async {
            for _ in 0..count {
                match tokio::time::timeout(within, frame::read_async(answers, kind, json)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return Err(Silence::Broken(error)),
                    Err(_) => return Err(Silence::TimedOut(within)),
                }
                take(serde_json::from_slice(json).map_err(|error| Silence::Broken(error.into()))?);
            }
            Ok(())
        };
        tokio::pin!(write, read);
        tokio::select! {
            biased;
            read = &mut read => read,
            () = &mut write => read.await,
        }
    }

    /// Makes sure that the process is gone, and tells why, with the position of the policy that it
    /// was at.
    pub(super) async fn bury(mut self, silence: Silence) -> (Death, Option<usize>) {
        let status = match silence {
            Silence::TimedOut(_) => None,
            Silence::Broken(_) => tokio::time::timeout(ENDING, self.process.wait()).await.ok().and_then(Result::ok),
        };
        if status.is_none() {
            // A process that was killed is gone in no time; one that hangs in the kernel is left to it.
            let _ = tokio::time::timeout(ENDING, self.process.kill()).await;
        }
        let death = match silence {
            Silence::TimedOut(after) => Death::TimedOut(after),
            Silence::Broken(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                Death::Failed(error.to_string())
            }
            Silence::Broken(_) => Death::of(status, &self.trouble.last_words()),
        };
        (death, self.trouble.position())
    }
}
