//! Policies in child processes with limits: the judge.
//!
//! A policy can take its process down (see `check::policy`), so the daemon never evaluates one, nor
//! even parses one. It starts its own binary again, as `meshwright policy-worker`, and asks that over
//! pipes. [`worker_main`] is what runs there; everything else here is the daemon's side.
//!
//! # What can happen, and what is decided
//!
//! - **A question never ends.** Each question has a deadline of its own on the wall clock; at its
//!   end the worker is killed. A limit on processor time stands behind it, should the daemon be
//!   stopped itself.
//! - **The worker dies over a question** (memory, stack, a panic, a signal). Questions are sent many
//!   at a time as long as nothing has gone wrong, and answers leave the worker together. What a worker
//!   did not answer that was asked more than one question is held against nobody: it goes to a new
//!   worker, one question at a time. A question over which a worker dies alone is refused, and a set
//!   of policies that has done so is asked one question at a time from then on.
//! - **The worker dies although no question is to blame** (somebody killed it). A worker that died
//!   while it was idle is replaced in silence. One that was killed from outside over a question gets
//!   a second try in a new worker; then the question is refused, because the kernel's own killer
//!   looks the same.
//! - **A policy dies over everything.** Starting processes for ever costs more than it tells: see
//!   `backoff`.
//! - **The daemon dies.** The worker's main thread does nothing but read, and ends the process when
//!   its input ends, even while another thread evaluates. The kernel's parent-death signal is not
//!   used: it is bound to the thread that started the child, and the runtime's threads come and go.
//! - **The caller goes away** (`judge` is dropped half way). A worker is out of the pool while it is
//!   asked, and comes back only when everything it was asked is answered; otherwise it is killed
//!   when it is dropped, and an old answer can never be taken for a new one.
//! - **Policies are reloaded while questions are under way.** Questions in flight are answered by
//!   the set with which they began; their verdicts say which. Workers of an older set are dropped
//!   when they come back.
//! - **Both pipes are full.** Questions are written and answers are read at the same time.

mod sources;
mod frame;
mod limits;
pub mod child;
mod trouble;
mod worker;
mod backoff;
mod loading;
mod judge;
mod testing;

pub use child::worker_main;
pub use judge::WorkerJudge;
pub use sources::{PolicySources, SourcesError};
pub use testing::run_policy_tests;

use std::path::PathBuf;
use std::time::Duration;

/// How policies are found, and what evaluating them may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerOptions {
    /// The binary that is started with the verb `policy-worker`; normally our own.
    pub program: PathBuf,
    /// Where the policies are.
    pub sources: PolicySources,
    /// How long one question may take.
    pub timeout: Duration,
    /// How much memory a worker may take beyond what it has at its start, in MiB; at least 32.
    pub memory_mib: u64,
}

impl WorkerOptions {
    /// The shipped limits (2 s, 512 MiB), with our own binary as the worker.
    pub fn new(sources: PolicySources) -> std::io::Result<Self> {
        Ok(Self { program: std::env::current_exe()?, sources, timeout: Duration::from_secs(2), memory_mib: 512 })
    }
}
