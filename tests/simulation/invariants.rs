//! What must be so: always, and when all faults have stopped and all that can be done is done.

mod proposals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use meshwright::domain::activity::{ActivityEvent, ActivityStatus, fold};
use meshwright::domain::id::Digest;
use meshwright::domain::plan::ActivityId;
use meshwright::port::store::{ActivityRecord, Store};

use super::at_once::at_once;
use super::fleet::Outside;
use super::mesh::proposals::Proposed;
use super::world::World;

/// More than a run has of anything.
const ALL: usize = 100_000;

/// The digests of released versions: they never change.
pub type Released = BTreeMap<(String, String), Digest>;

/// What of the record may never be, whatever happened before.
pub fn always(outside: &Outside, released: &mut Released) -> Vec<String> {
    let store = outside.record.store();
    let mut wrong = Vec::new();
    for row in at_once(store.versions(None)).unwrap() {
        if !row.released {
            continue;
        }
        let before = released.entry((row.product.to_string(), row.version.clone())).or_insert(row.digest.clone());
        if *before != row.digest {
            wrong.push(format!("{} {} was released as {before}, and is {}", row.product, row.version, row.digest));
        }
    }
    let activities = activities(store.as_ref());
    for record in activities.values() {
        wrong.extend(of_activity(outside, store.as_ref(), record));
    }
    let ledger = outside.ledger.lock().unwrap();
    let seen = outside.world.seen.lock().unwrap();
    for (key, done) in &ledger.keys {
        let is_planned = seen.planned.get(&done.activity).is_some_and(|planned| {
            planned.container == done.container
                && planned.tasks.iter().any(|(known, name)| *name == done.task && known == key)
        });
        if !is_planned {
            wrong.push(format!("{} of {} was done under {key}, which no recorded plan has", done.task, done.activity));
        }
    }
    wrong
}

fn activities(store: &dyn Store) -> BTreeMap<ActivityId, ActivityRecord> {
    let rows = at_once(store.activity_rows(ALL)).unwrap();
    let ids = rows.iter().map(|row| row.activity.parse::<ActivityId>().unwrap());
    ids.map(|id| (id.clone(), at_once(store.activity(&id)).unwrap().unwrap())).collect()
}

fn of_activity(outside: &Outside, store: &dyn Store, record: &ActivityRecord) -> Vec<String> {
    let (id, mut wrong) = (&record.planned.id, Vec::new());
    let log = at_once(store.events(id)).unwrap();
    let events: Vec<&ActivityEvent> = log.iter().map(|(_, event)| event).collect();
    match fold(record.planned.tasks.len(), events.iter().copied()) {
        Err(illegal) => wrong.push(format!("{id}: {illegal}")),
        Ok(state) if state != record.state => wrong.push(format!("{id} stands otherwise than its events say")),
        Ok(_) => {}
    }
    let begun = log.iter().find(|(_, event)| matches!(event, ActivityEvent::Claimed { .. }));
    let is_gated = outside.gated && record.planned.container.stage.as_str() == "prod";
    if let (Some(_), true) = (begun, is_gated) {
        let approvals = at_once(store.approvals(&record.plan, &record.planned.container.stage)).unwrap();
        if approvals.is_empty() {
            wrong.push(format!("{id} has begun, and nobody has approved its plan"));
        }
    }
    if record.state.status == ActivityStatus::Succeeded {
        let ledger = outside.ledger.lock().unwrap();
        for task in &record.planned.tasks {
            let done = ledger.keys.get(task.key.as_str());
            if task.executor.is_some() && done.is_none_or(|done| done.activity != *id) {
                wrong.push(format!("{id} has succeeded, and its {} was never done", task.name));
            }
        }
    }
    wrong
}

/// What of the present cannot be explained any more, because what explains it was let go of.
pub fn unexplained(outside: &Outside) -> Vec<String> {
    let store = outside.record.store();
    let mut wrong = Vec::new();
    let audit: BTreeSet<String> = at_once(store.audit_rows(ALL)).unwrap().into_iter().map(|row| row.subject).collect();
    for row in at_once(store.container_rows()).unwrap() {
        let what = format!("{} runs at {} as {} by {}", row.product, row.stage, row.version, row.activity);
        let activity = at_once(store.activity(&row.activity.parse().unwrap())).unwrap();
        let Some(activity) = activity.filter(|activity| activity.state.status == ActivityStatus::Succeeded) else {
            wrong.push(format!("{what}, of which nothing is known"));
            continue;
        };
        if at_once(store.plan(&activity.plan)).unwrap().is_none() {
            wrong.push(format!("{what}, and its plan is gone"));
        }
        if at_once(store.content(&row.digest)).unwrap().is_none() {
            wrong.push(format!("{what}, and its content is gone"));
        }
        if !audit.contains(&row.activity) {
            wrong.push(format!("{what}, and nobody knows who decided that"));
        }
    }
    for record in at_once(store.unfinished()).unwrap() {
        if at_once(store.plan(&record.plan)).unwrap().is_none() {
            wrong.push(format!("{} has not ended, and its plan is gone", record.planned.id));
        }
    }
    for row in at_once(store.products()).unwrap() {
        if at_once(store.content(&row.digest)).unwrap().is_none() {
            wrong.push(format!("{} {} is its newest version, and its content is gone", row.product, row.version));
        }
    }
    for source in &outside.mesh.sources {
        let recorded = at_once(store.source(source)).unwrap().and_then(|record| record.revision);
        let latest = at_once(store.pass_rows(Some(source), 1)).unwrap().pop();
        if latest.map(|pass| pass.revision) != recorded {
            wrong.push(format!("{source} is recorded at {recorded:?}, of which the pass is gone"));
        }
    }
    wrong
}

/// What is not as it must be when all that can be done is done; and empty when it is.
pub fn unsettled(outside: &Outside) -> Vec<String> {
    let store = outside.record.store();
    let mut wrong = Vec::new();
    for record in at_once(store.unfinished()).unwrap() {
        wrong.push(format!("{} is {}", record.planned.id, record.state.status.as_str()));
    }
    for row in at_once(store.wake_rows(ALL)).unwrap() {
        wrong.push(format!("{} is {} to be looked at since {}: {:?}", row.source, row.state, row.due, row.message));
    }
    for row in at_once(store.lease_rows()).unwrap() {
        if row.kind == "container" || row.kind == "look" {
            wrong.push(format!("{} holds the {} {} until {}", row.holder, row.kind, row.subject, row.until));
        }
    }
    let open = outside.desk.lock().unwrap().open();
    if open > 0 {
        wrong.push(format!("{open} requests have no answer"));
    }
    // While something is still to be done, the rest cannot be right either, and is not worth reading.
    if !wrong.is_empty() {
        return wrong;
    }
    let policies = World::policies_digest(outside.world.policies.load(Ordering::SeqCst));
    wrong.extend(of_sources(outside, store.as_ref(), &policies));
    if outside.mesh.is_whole() {
        let found = at_once(store.finding_rows(None)).unwrap();
        let errors = found.iter().filter(|row| row.finding.is_error());
        wrong.extend(
            errors.map(|row| format!("{} is found in {}: {}", row.finding.rule, row.source, row.finding.message)),
        );
    }
    wrong.extend(of_containers(outside, store.as_ref()));
    let proposed = outside.mesh.proposed();
    wrong.extend(of_reports(outside, store.as_ref(), &proposed));
    wrong.extend(proposals::of_proposals(outside, store.as_ref(), &proposed, &policies));
    wrong.extend(proposals::of_comments(outside, store.as_ref()));
    wrong
}

fn of_sources(outside: &Outside, store: &dyn Store, policies: &Digest) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in &outside.mesh.sources {
        let Some(record) = at_once(store.source(source)).unwrap() else {
            wrong.push(format!("{source} was never looked at"));
            continue;
        };
        if record.revision != outside.mesh.head_of(source) {
            wrong.push(format!("{source} is recorded at {:?}, and is elsewhere", record.revision));
        }
        if record.policies.as_ref() != Some(policies) {
            wrong.push(format!("{source} was looked at with other policies"));
        }
        if let Some(condition) = record.condition {
            wrong.push(format!("{source} has the condition {}: {}", condition.reason, condition.message));
        }
    }
    wrong
}

fn of_containers(outside: &Outside, store: &dyn Store) -> Vec<String> {
    let rows = at_once(store.container_rows()).unwrap();
    let mut wrong = Vec::new();
    let sites = &outside.ledger.lock().unwrap().sites;
    for wanted in outside.mesh.wanted() {
        let row = rows.iter().find(|row| row.product.product_name() == wanted.product && row.stage == wanted.stage);
        let Some(row) = row else {
            wrong.push(format!("{} does not run at {}", wanted.product, wanted.stage));
            continue;
        };
        if row.version != wanted.version {
            let (product, stage, version) = (&wanted.product, wanted.stage, &wanted.version);
            wrong.push(format!("{product} at {stage} is recorded as {}, and Git says {version}", row.version));
        }
        let site = sites
            .iter()
            .find(|(container, _)| container.product == row.product && container.stage.as_str() == row.stage);
        let last = site.and_then(|(_, site)| site.last.as_ref());
        let there = last.map(|(activity, version, digest)| (activity.to_string(), version.clone(), digest.clone()));
        if there != Some((row.activity.clone(), row.version.clone(), row.digest.clone())) {
            wrong.push(format!("{} at {}: the record says {row:?}, the executor {there:?}", row.product, row.stage));
        }
    }
    wrong
}

fn of_reports(outside: &Outside, store: &dyn Store, proposed: &[Proposed]) -> Vec<String> {
    let mut wrong = Vec::new();
    let shown = outside.shown.lock().unwrap();
    let mut wanted = BTreeSet::new();
    let heads: BTreeSet<_> = outside.mesh.sources.iter().filter_map(|source| outside.mesh.head_of(source)).collect();
    let is_whole = outside.mesh.is_whole();
    let looked_at = outside.world.seen.lock().unwrap().looked_at.clone();
    for row in at_once(store.report_rows(ALL)).unwrap() {
        let what = format!("{} {} {} {}", row.source, row.revision.short(), row.sort, row.context);
        let is_alive = looked_at.contains(&(row.source.clone(), row.revision.clone()))
            || proposed.iter().any(|open| open.source == row.source && open.head == row.revision);
        let key = (row.source.clone(), row.revision.to_string(), row.sort.clone(), row.context.clone());
        wanted.insert(key.clone());
        // What nobody waits for is not written.
        if row.delivery == "given-up" && !is_alive {
            continue;
        }
        if row.delivery != "published" {
            wrong.push(format!("{what} is {}", row.delivery));
        }
        if row.state == "pending" {
            wrong.push(format!("{what} is pending: {}", row.description));
        }
        // Comments stand under pull requests and not on commits.
        if is_whole && heads.contains(&row.revision) && row.sort != "comment" && row.state != "success" {
            wrong.push(format!("{what} of the head is {}: {}", row.state, row.description));
        }
        if row.sort == "comment" {
            continue;
        }
        match shown.reports.get(&key) {
            Some(report) if report.state.as_str() == row.state && report.description == row.description => {}
            Some(report) => wrong.push(format!(
                "{what} is wanted as {} '{}', and shown as {} '{}'",
                row.state,
                row.description,
                report.state.as_str(),
                report.description
            )),
            None => wrong.push(format!("{what} is not shown")),
        }
    }
    // What was let go of may be shown for ever.
    if outside.retain.is_none() {
        let of_commits = shown.reports.keys().filter(|(_, _, sort, _)| sort != "comment");
        for key in of_commits.filter(|key| !wanted.contains(*key)) {
            wrong.push(format!("{key:?} is shown, and nobody wants it"));
        }
    }
    wrong
}
