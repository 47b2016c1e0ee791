//! What must be so whenever something comes about, looked at as it does.

use std::collections::{BTreeMap, BTreeSet};

use meshwright::domain::forge::delivery::Delivery;
use meshwright::domain::id::{ContainerId, Revision, SourceName};
use meshwright::domain::plan::ActivityId;
use meshwright::domain::report::{Report, ReportState};
use meshwright::domain::source::Target;
use meshwright::port::store::{Pass, Recorded, Store};

use super::at_once::at_once;
use super::fleet::Outside;
use super::world::World;

/// The stages, in their order.
pub const STAGES: [&str; 2] = ["dev", "prod"];

/// An activity as it was planned: it may be forgotten by the record.
#[derive(Debug)]
pub struct Planned {
    pub container: ContainerId,
    /// Keys and names of its tasks.
    pub tasks: Vec<(String, String)>,
}

/// What has come about in a run.
#[derive(Debug, Default)]
pub struct Seen {
    /// All that was ever planned.
    pub planned: BTreeMap<ActivityId, Planned>,
    /// The commit of each source whose pass was recorded last.
    latest: BTreeMap<SourceName, Revision>,
    /// All commits of which a pass was recorded.
    pub looked_at: BTreeSet<(SourceName, Revision)>,
    /// What is wanted of each status of each commit.
    statuses: BTreeMap<(SourceName, Revision, String), ReportState>,
    /// Deliveries that are in the ledger, or were.
    pub deliveries: BTreeSet<String>,
    /// Comments that were delivered, and who wrote them.
    pub comments: BTreeMap<u64, String>,
}

/// A target was woken while it was looked at, and the look has ended.
pub fn woken_again(world: &World, store: &dyn Store, target: &Target) {
    let Ok(rows) = at_once(store.wake_rows(1_000)) else { return };
    let proposal = target.proposal.as_ref().map(ToString::to_string);
    if !rows.iter().any(|row| row.source == target.source && row.proposal == proposal) {
        world.violated(format!("{target:?} was woken while it was looked at, and is not looked at again"));
    }
}

/// A pass was recorded.
pub fn planned(outside: &Outside, pass: &Pass) {
    let (world, plan) = (&outside.world, &pass.plan);
    // Nothing of a proposal is ever planned for real.
    if !outside.mesh.stood_at(&plan.source, &plan.revision) {
        world.violated(format!("{} was never at {}, which is rolled out", plan.source, plan.revision));
    }
    let mut seen = world.seen.lock().unwrap();
    seen.latest.insert(plan.source.clone(), plan.revision.clone());
    seen.looked_at.insert((plan.source.clone(), plan.revision.clone()));
    for activity in &plan.activities {
        let tasks = activity.tasks.iter().map(|task| (task.key.to_string(), task.name.clone())).collect();
        seen.planned.insert(activity.id.clone(), Planned { container: activity.container.clone(), tasks });
    }
}

/// Reports are wanted from now on.
pub fn wanted(outside: &Outside, store: &dyn Store, reports: &[Report]) {
    let mut sources = BTreeSet::new();
    {
        let mut seen = outside.world.seen.lock().unwrap();
        for report in reports {
            if report.state == ReportState::Pending && !outside.mesh.stood_at(&report.source, &report.revision) {
                let what = format!("{} {} {}", report.source, report.revision.short(), report.context);
                outside.world.violated(format!("{what} is pending, and the branch was never there"));
            }
            if report.detail.is_none() {
                let key = (report.source.clone(), report.revision.clone(), report.context.clone());
                seen.statuses.insert(key, report.state);
            }
            sources.insert(&report.source);
        }
    }
    for source in sources {
        successes(outside, store, source);
    }
}

/// Where the commit that was looked at last is a success at a stage, nothing of the source is under way there, and
/// all of its products run as it has them: also those that an earlier commit has brought. Where something has
/// changed since a stage was worked out, it is about to be told anew.
fn successes(outside: &Outside, store: &dyn Store, source: &SourceName) {
    let (revision, stages) = {
        let seen = outside.world.seen.lock().unwrap();
        let Some(revision) = seen.latest.get(source).cloned() else { return };
        let is_success = |stage: &&str| {
            let key = (source.clone(), revision.clone(), format!("meshwright/{stage}"));
            seen.statuses.get(&key) == Some(&ReportState::Success)
        };
        let stages: Vec<&str> = STAGES.into_iter().filter(is_success).collect();
        (revision, stages)
    };
    if stages.is_empty() {
        return;
    }
    let (Ok(unfinished), Ok(rows)) = (at_once(store.unfinished()), at_once(store.container_rows())) else { return };
    let Ok(untold) = at_once(store.untold()) else { return };
    for stage in &stages {
        let stage = *stage;
        if untold.iter().any(|untold| untold.source == *source && untold.stage.as_str() == stage) {
            continue;
        }
        let what = format!("{source} {} is a success at {stage}", revision.short());
        for open in unfinished.iter().filter(|open| open.source == *source) {
            let (container, id, status) = (&open.planned.container, &open.planned.id, open.state.status.as_str());
            if container.stage.as_str() != stage {
                continue;
            }
            outside.world.violated(format!("{what}, and {id} of {} is {status}", open.revision.short()));
        }
        for (product, version) in outside.mesh.good_at(source, &revision, stage) {
            let row = rows.iter().find(|row| row.product.product_name() == product && row.stage == stage);
            let runs = row.map(|row| row.version.as_str());
            if runs != Some(version.as_str()) {
                outside.world.violated(format!("{what}, and {product} is to run as {version} and runs as {runs:?}"));
            }
        }
    }
}

/// A delivery has come.
pub fn delivered(world: &World, delivery: &Delivery, recorded: Recorded) {
    world.tell(format_args!("delivered {} {recorded:?}", delivery.id));
    if let Recorded::New(_) = recorded {
        let mut seen = world.seen.lock().unwrap();
        seen.deliveries.insert(delivery.id.to_string());
        let asked = delivery.commands.iter();
        seen.comments.extend(asked.filter_map(|asked| Some((asked.comment?, asked.author.clone()))));
    }
}
