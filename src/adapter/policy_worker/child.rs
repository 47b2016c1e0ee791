//! What runs in the child: `meshwright policy-worker`.
//!
//! The main thread does nothing but read frames and hand them on; when its input ends, the process
//! ends, whatever the other thread is doing. The other thread evaluates, on a stack of a known size.
//!
//! While more questions wait, answers are kept and leave together, and which policy is asked is not
//! noted: a call to the kernel for each would cost an eighth of the work. Behind the last question that
//! has come, and so behind one that was asked alone, nothing is kept back.

use std::fs::File;
use std::io::{BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::frame::{self, AT_ONCE, Kind, Load, Loaded, LoadedPolicies, LoadedTests};
use super::limits::{Granted, Limits, STACK};
use super::trouble::Marker;
use crate::check::policy::testing::TestSuite;
use crate::check::policy::{Evaluator, PolicySet};

/// The verb under which the binary is a worker. It is not for people.
pub const VERB: &str = "policy-worker";

/// How long an answer is kept at most while questions wait: little beside the time that one question may take.
const KEPT: Duration = Duration::from_millis(20);

/// How much is kept at most, in bytes.
const MAX_KEPT: usize = 32 << 10;

/// Our own error, as the exit code says it.
const FAILED: u8 = 70;

/// Runs a worker until its input ends. It must be called first thing, on the main thread, before
/// anything else of the program has started; the caller ends the process with what comes back.
pub fn worker_main() -> ExitCode {
    let Some(limits) = Limits::from_arguments(std::env::args().skip(2)) else {
        return say("it was not told its limits");
    };
    match run(limits) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => say(&error.to_string()),
    }
}

fn say(what: &str) -> ExitCode {
    // The error output is a file of the daemon's; when even that fails, the exit code is left.
    let _ = writeln!(std::io::stderr(), "the policy worker failed: {what}");
    ExitCode::from(FAILED)
}

fn run(limits: Limits) -> std::io::Result<()> {
    let mut input = BufReader::with_capacity(64 << 10, File::from(std::io::stdin().as_fd().try_clone_to_owned()?));
    let output = File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
    let marker = Marker::in_this_process()?;
    limits.apply()?;
    // Room for all that is sent at once, so that the two threads need not wake each other for each question.
    let (hand_on, handed) = sync_channel(AT_ONCE);
    let answers = Answers { output, kept: Vec::new(), since: Instant::now() };
    let worker = Worker { limits: Granted::new(limits), answers, marker, evaluator: None, suite: None };
    std::thread::Builder::new().name("policies".to_owned()).stack_size(STACK).spawn(move || {
        // A panic ends the process, and not only this thread: nobody would answer any more.
        let ended = catch_unwind(AssertUnwindSafe(|| worker.serve(&handed)));
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                say(&error.to_string());
                std::process::exit(FAILED.into());
            }
            Err(_) => std::process::exit(101),
        }
    })?;
    while let Some(frame) = frame::read(&mut input)? {
        if hand_on.send(frame).is_err() {
            break;
        }
    }
    Ok(())
}

/// Answers on their way out.
struct Answers {
    output: File,
    kept: Vec<u8>,
    /// When the last of them left.
    since: Instant,
}

impl Answers {
    /// Takes an answer, which leaves at once unless it may be kept.
    fn give(&mut self, kind: Kind, answer: &impl Serialize, may_keep: bool) -> std::io::Result<()> {
        frame::append(&mut self.kept, kind, |buffer| serde_json::to_writer(buffer, answer))?;
        if !may_keep || self.kept.len() >= MAX_KEPT || self.since.elapsed() >= KEPT {
            self.output.write_all(&self.kept)?;
            self.kept.clear();
            self.since = Instant::now();
        }
        Ok(())
    }
}

struct Worker {
    limits: Granted,
    answers: Answers,
    marker: Marker,
    evaluator: Option<Evaluator>,
    suite: Option<TestSuite>,
}

impl Worker {
    fn serve(mut self, frames: &Receiver<(Kind, Vec<u8>)>) -> std::io::Result<()> {
        let mut waiting = None;
        while let Some((kind, json)) = waiting.take().or_else(|| frames.recv().ok()) {
            waiting = frames.try_recv().ok();
            let more_wait = waiting.is_some();
            self.limits.grant(matches!(kind, Kind::Policies | Kind::Suite))?;
            self.marker.set(Marker::NOTHING);
            match kind {
                Kind::Policies => {
                    let answer = self.load(&json)?;
                    self.answers.give(kind, &answer, false)?;
                }
                Kind::Suite => {
                    let answer = self.load_suite(&json)?;
                    self.answers.give(kind, &answer, false)?;
                }
                Kind::Question | Kind::Again => {
                    let evaluator =
                        self.evaluator.as_mut().ok_or_else(|| std::io::Error::other("no policies are loaded"))?;
                    let marker = &mut self.marker;
                    let mut about_to_ask = |position| {
                        if !more_wait {
                            marker.set(position);
                        }
                    };
                    let verdict = if kind == Kind::Question {
                        let text = std::str::from_utf8(&json).map_err(std::io::Error::other)?;
                        evaluator.judge_json(text, &mut about_to_ask)
                    } else {
                        evaluator.judge_again(serde_json::from_slice(&json)?, &mut about_to_ask)
                    };
                    self.answers.give(Kind::Question, &verdict, more_wait)?;
                }
                Kind::Test => {
                    let position: usize = serde_json::from_slice(&json)?;
                    let result = self.suite.as_ref().and_then(|suite| suite.run(position));
                    self.answers.give(kind, &result, false)?;
                }
            }
        }
        Ok(())
    }

    fn load(&mut self, json: &[u8]) -> std::io::Result<Loaded> {
        let load: Load = serde_json::from_slice(json)?;
        Ok(PolicySet::load(&load.files).map(|set| {
            let described =
                set.packages().iter().map(|package| (package.name.clone(), package.settings.events.clone()));
            let loaded = LoadedPolicies { digest: set.digest().clone(), packages: described.collect() };
            self.evaluator = Some(Evaluator::new(set));
            loaded
        }))
    }

    fn load_suite(&mut self, json: &[u8]) -> std::io::Result<LoadedTests> {
        let load: Load = serde_json::from_slice(json)?;
        Ok(TestSuite::load(&load.files).map(|suite| {
            let tests = suite.tests().to_vec();
            self.suite = Some(suite);
            tests
        }))
    }
}
