//! The one door through which everything that wants work done comes in.

use crate::domain::id::{Revision, SourceName};
use crate::domain::source::Target;

/// Who knocked. It is for people who read logs: nothing is decided by it, because what a wake
/// claims to know may be wrong or old by the time it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WakeReason {
    /// The interval is over.
    Poll,
    /// The time of the cron expression has come.
    Schedule,
    /// A local repository has changed.
    FileChange,
    /// A forge has delivered an event.
    Webhook,
    /// The daemon has started.
    StartUp,
    /// A person asked.
    Command,
    /// The policies have changed.
    PolicyChange,
}

impl WakeReason {
    /// The word, for logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            WakeReason::Poll => "poll",
            WakeReason::Schedule => "schedule",
            WakeReason::FileChange => "file-change",
            WakeReason::Webhook => "webhook",
            WakeReason::StartUp => "start-up",
            WakeReason::Command => "command",
            WakeReason::PolicyChange => "policy-change",
        }
    }
}

/// Where wakes go. All calls return at once, never fail, and may come too often: a wake for a
/// target that waits already changes nothing, and one for a target that is being looked at
/// causes exactly one more look.
pub trait Door: Send + Sync {
    /// Have this target looked at.
    fn wake(&self, target: Target, reason: WakeReason);

    /// Have this target looked at even if nothing of it has changed: somebody asked for it on the forge.
    fn look_anew(&self, target: Target) {
        self.wake(target, WakeReason::Webhook);
    }

    /// Have a commit of this source looked at again, whatever it is: the head of a proposal, or a commit of
    /// the branch. Somebody pressed 're-run' on the forge. Losing this costs that it is pressed again.
    fn run_again(&self, _source: SourceName, _head: Revision) {}

    /// Wakes of these targets stand in the record: a delivery brought them.
    fn recorded(&self, targets: &[Target]);

    /// Somebody has asked for something; it stands in the record.
    fn asked(&self) {}

    /// Have the policies read again. Whether anything follows from it is decided by their digest:
    /// this is also called when nothing has changed.
    fn policies_changed(&self);
}
