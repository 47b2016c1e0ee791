//! The limits that a worker puts on itself, before it has seen any policy.

use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

/// The stack of the thread that evaluates, in bytes.
pub(super) const STACK: usize = 32 << 20;

/// How long loading policies may take.
pub(super) const LOADING: Duration = Duration::from_secs(30);

/// How much a worker may write to its error output, in bytes; the daemon reads it when the worker has died.
const MAX_WRITTEN: u64 = 256 << 10;

/// The limits of a worker, as they stand in its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Memory beyond what the process has at its start.
    pub(super) memory_mib: u64,
    /// How long one question may take.
    pub(super) timeout: Duration,
}

impl Limits {
    /// The arguments behind the verb.
    pub(super) fn to_arguments(self) -> [String; 2] {
        [self.memory_mib.max(32).to_string(), self.timeout.as_millis().to_string()]
    }

    /// Reads what [`Limits::to_arguments`] wrote.
    pub(super) fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let memory_mib = arguments.next()?.parse().ok()?;
        let timeout = Duration::from_millis(arguments.next()?.parse().ok()?);
        Some(Self { memory_mib, timeout })
    }

    /// Limits this process, for good.
    pub(super) fn apply(self) -> std::io::Result<()> {
        let memory = self.memory_mib.saturating_mul(1 << 20);
        lower(Resource::As, memory.saturating_add(STACK as u64).saturating_add(address_space()), true)?;
        lower(Resource::Core, 0, true)?;
        lower(Resource::Nofile, 16, true)?;
        lower(Resource::Fsize, MAX_WRITTEN, true)
    }
}

/// How long a grant of processor time serves for further questions: little beside what it grants.
const GRANT: Duration = Duration::from_millis(100);

/// The limits of a worker, and the processor time that it was granted last.
#[derive(Debug)]
pub(super) struct Granted {
    limits: Limits,
    /// When, and whether for loading.
    last: Option<(Instant, bool)>,
}

impl Granted {
    /// Nothing has been granted yet.
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, last: None }
    }

    /// Grants processor time for one more thing to do. This stands behind the daemon's deadline on
    /// the wall clock, in case that the daemon does not get to run.
    pub(super) fn grant(&mut self, is_loading: bool) -> std::io::Result<()> {
        if self.last.is_some_and(|(at, loading)| loading == is_loading && at.elapsed() < GRANT) {
            return Ok(());
        }
        let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec;
        let more = if is_loading { LOADING } else { self.limits.timeout };
        let more = more.as_secs().saturating_add(2);
        lower(Resource::Cpu, u64::try_from(used).unwrap_or(0).saturating_add(more), false)?;
        self.last = Some((Instant::now(), is_loading));
        Ok(())
    }
}

/// Sets a limit, never above the hard one. A final limit is the hard one from now on.
fn lower(resource: Resource, to: u64, is_final: bool) -> std::io::Result<()> {
    let hard = getrlimit(resource).maximum;
    let to = hard.map_or(to, |hard| to.min(hard));
    let maximum = if is_final { Some(to) } else { hard };
    Ok(setrlimit(resource, Rlimit { current: Some(to), maximum })?)
}

/// The address space that the process has now, in bytes: binary, libraries, what start-up took.
#[expect(clippy::disallowed_methods, reason = "the kernel's account of this process is a file")]
fn address_space() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.as_deref().and_then(|text| text.split(' ').next()).and_then(|pages| pages.parse::<u64>().ok());
    // Where the kernel keeps no such account, what a large binary takes.
    pages.map_or(256 << 20, |pages| pages.saturating_mul(rustix::param::page_size() as u64))
}
