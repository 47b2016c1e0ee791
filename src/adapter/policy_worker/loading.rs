//! From folders to a worker that has loaded what is in them.

use super::WorkerOptions;
use super::frame::{Kind, Load, Loaded, LoadedPolicies, frame_of};
use super::limits::LOADING;
use super::trouble::Death;
use super::worker::Worker;
use crate::check::policy::{PolicyFile, digest_of};
use crate::domain::finding::Finding;
use crate::domain::id::Digest;
use crate::port::judge::PolicyLoadError;

/// The most problems that an error names.
const MAX_PROBLEMS: usize = 20;

/// Policies as they were read, ready to be sent to any number of workers.
pub(super) struct ReadPolicies {
    pub(super) digest: Digest,
    files: Vec<PolicyFile>,
}

impl ReadPolicies {
    /// Reads the policies of the options, on a thread that may block.
    pub(super) async fn read(options: &WorkerOptions) -> Result<Self, PolicyLoadError> {
        let sources = options.sources.clone();
        let files = tokio::task::spawn_blocking(move || sources.read()).await;
        let files = files.map_err(|error| PolicyLoadError(error.to_string()))?;
        let files = files.map_err(|error| PolicyLoadError(error.to_string()))?;
        Ok(Self { digest: digest_of(&files), files })
    }

    /// The frame with which a worker is told.
    pub(super) fn into_frame(self, kind: Kind) -> Result<Vec<u8>, PolicyLoadError> {
        frame_of(kind, &Load { files: self.files }).map_err(|error| PolicyLoadError(error.to_string()))
    }
}

/// Starts a worker and lets it load policies.
pub(super) async fn start_loaded(
    options: &WorkerOptions,
    frame: &[u8],
) -> Result<Result<(Worker, LoadedPolicies), PolicyLoadError>, Death> {
    let mut worker = Worker::start(options)?;
    match worker.exchange::<Loaded>(Kind::Policies, frame, LOADING).await {
        Ok(Ok(loaded)) => Ok(Ok((worker, loaded))),
        Ok(Err(problems)) => Ok(Err(load_error(&problems))),
        Err(silence) => Err(worker.bury(silence).await.0),
    }
}

/// The problems, each on a line of its own: `file:line:column: message; hint`.
pub(super) fn load_error(problems: &[Finding]) -> PolicyLoadError {
    let line = |problem: &Finding| {
        let hint = problem.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        format!("{}: {}{hint}", problem.location, problem.message)
    };
    let mut lines: Vec<String> = problems.iter().take(MAX_PROBLEMS).map(line).collect();
    if problems.len() > MAX_PROBLEMS {
        lines.push(format!("and {} more problems", problems.len() - MAX_PROBLEMS));
    }
    PolicyLoadError(lines.join("\n"))
}

/// The error for policies over which the worker died.
pub(super) fn died_loading(death: &Death) -> PolicyLoadError {
    PolicyLoadError(match death {
        Death::NotStarted(why) => format!("no policy worker could be started: {why}"),
        death => format!("loading them {death}"),
    })
}
