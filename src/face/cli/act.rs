//! What the verbs take by which people decide about rollouts.

use clap::Args;

use crate::domain::id::{Digest, SourceName, StageName};
use crate::domain::plan::ActivityId;

/// `approve`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  meshwright approve prod\n  meshwright approve prod --source retail\n\n\
                        An approval counts for what waits at the stage now, and under the policies of now.")]
pub struct ApproveArgs {
    /// The stage at which it waits
    #[arg(value_name = "STAGE")]
    pub stage: StageName,
    /// What it is about.
    #[command(flatten)]
    pub about: AboutArgs,
}

/// `reject`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  meshwright reject prod --source retail\n\n\
                        What is rejected is not planned again before it changes, or is tried again by `meshwright retry`.")]
pub struct RejectArgs {
    /// The stage at which it waits
    #[arg(value_name = "STAGE")]
    pub stage: StageName,
    /// What it is about.
    #[command(flatten)]
    pub about: AboutArgs,
}

/// `hold`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  meshwright hold --source retail\n  meshwright hold --source retail --plan sha256:…\n\n\
                        What runs goes on to its end. Without --plan, later commits are held as well."
)]
pub struct HoldArgs {
    /// What it is about.
    #[command(flatten)]
    pub about: AboutArgs,
}

/// `resume`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  meshwright resume --source retail")]
pub struct ResumeArgs {
    /// What it is about.
    #[command(flatten)]
    pub about: AboutArgs,
}

/// `retry`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  meshwright retry --source retail")]
pub struct RetryArgs {
    /// What it is about.
    #[command(flatten)]
    pub about: AboutArgs,
}

/// `cancel`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  meshwright cancel act-0123456789abcdef\n  meshwright cancel --source retail --plan sha256:…\n\n\
                        What runs is stopped and undone where its executors can, what waits never begins. It is tried \
                        again by `meshwright retry`, or with the next change."
)]
pub struct CancelArgs {
    /// The activity, as `meshwright get activities` names it; without one, all of the source or plan
    #[arg(value_name = "ACTIVITY", required_unless_present = "source")]
    pub activity: Option<ActivityId>,
    /// What it is about.
    #[command(flatten)]
    pub about: AboutArgs,
}

/// What a decision is about.
#[derive(Debug, Clone, Args)]
pub struct AboutArgs {
    /// Only this source
    #[arg(long, value_name = "NAME")]
    pub source: Option<SourceName>,
    /// Only the plan with this digest
    #[arg(long, value_name = "DIGEST", requires = "source")]
    pub plan: Option<Digest>,
}
