//! A plan, for people: per product what changed, per stage what is done, and what is refused.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::config::readable_duration;
use crate::domain::change::ChangeKind;
use crate::domain::finding::Finding;
use crate::domain::id::{Fqn, RepoPath};
use crate::domain::plan::{ActivityId, Plan, PlannedActivity};

use super::{change, counted, harmless, style};

/// Writes the plan. `findings` are those of the descriptors, from which the reasons of refused
/// products are taken; they are shown in full elsewhere.
pub fn plan(out: &mut dyn Write, plan: &Plan, findings: &[Finding], colour: bool) -> io::Result<()> {
    let at = format!("{} at {}", plan.source, plan.revision.short());
    writeln!(out, "{}", style::strong(&format!("Plan for {at}"), colour))?;
    writeln!(out)?;
    let mut by_product: BTreeMap<&Fqn, Vec<&PlannedActivity>> = BTreeMap::new();
    for activity in &plan.activities {
        by_product.entry(&activity.container.product).or_default().push(activity);
    }
    let names: BTreeMap<&ActivityId, String> = plan
        .activities
        .iter()
        .map(|activity| {
            let container = &activity.container;
            (&activity.id, format!("{} at {}", container.product.product_name(), container.stage))
        })
        .collect();
    for one in plan.changes.iter().filter(|change| change.kind != ChangeKind::Unchanged) {
        change::heading(out, one, colour)?;
        if plan.refused.contains(&one.product) {
            refusal(out, reason(&one.path, findings), colour)?;
            change::verdicts(out, one, colour)?;
        } else {
            change::change(out, one, colour)?;
        }
        for activity in by_product.remove(&one.product).unwrap_or_default() {
            write_activity(out, activity, &names, colour)?;
        }
        if one.kind == ChangeKind::Retired {
            writeln!(out, "    its containers go on running; nothing is torn down")?;
        }
        writeln!(out)?;
    }
    // Products whose content is as recorded, but which do not run yet where they should.
    for (product, activities) in by_product {
        writeln!(
            out,
            "{} {} (unchanged)",
            style::changed(">", colour),
            style::strong(&harmless(product.product_name()), colour)
        )?;
        for activity in activities {
            write_activity(out, activity, &names, colour)?;
        }
        writeln!(out)?;
    }
    let unseen: Vec<&Fqn> =
        plan.refused.iter().filter(|product| !plan.changes.iter().any(|change| change.product == **product)).collect();
    for product in unseen {
        writeln!(
            out,
            "{} {} (refused)",
            style::error("x", colour),
            style::strong(&harmless(product.product_name()), colour)
        )?;
        writeln!(out)?;
    }
    writeln!(out, "{}", summary(plan, colour))?;
    writeln!(
        out,
        "{}",
        style::faint(&format!("digest {}, policies {}", plan.digest.short(), plan.policies.short()), colour)
    )
}

fn refusal(out: &mut dyn Write, reason: Option<&Finding>, colour: bool) -> io::Result<()> {
    let word = style::error("refused", colour);
    match reason {
        Some(finding) => {
            writeln!(out, "    {word}: {} [{}]", harmless(&finding.message), harmless(finding.rule.as_str()))?;
            writeln!(out, "      at {}", harmless(&finding.location.to_string()))
        }
        None => writeln!(out, "    {word}"),
    }
}

/// The first error that was found in the product's folder, or by planning itself.
fn reason<'a>(path: &RepoPath, findings: &'a [Finding]) -> Option<&'a Finding> {
    let errors = || findings.iter().filter(|finding| finding.is_error());
    errors().find(|finding| finding.location.file == *path).or_else(|| {
        let folder = path.parent();
        errors().find(|finding| folder.is_some() && finding.location.file.parent() == folder)
    })
}

fn write_activity(
    out: &mut dyn Write,
    activity: &PlannedActivity,
    names: &BTreeMap<&ActivityId, String>,
    colour: bool,
) -> io::Result<()> {
    let stage = style::strong(activity.container.stage.as_str(), colour);
    let moves = match &activity.from {
        Some(from) if from.version == activity.to.version => format!("{} again", activity.to.version),
        Some(from) => format!("{} -> {}", from.version, activity.to.version),
        None => activity.to.version.to_string(),
    };
    writeln!(out, "    {stage}: {}  {}", harmless(&moves), style::faint(activity.id.as_str(), colour))?;
    let mut after: Vec<String> =
        activity.after.iter().map(|id| names.get(id).cloned().unwrap_or_else(|| id.to_string())).collect();
    // Ids are digests, and their order says nothing.
    after.sort();
    if !after.is_empty() {
        writeln!(out, "      after {}", harmless(&after.join(", ")))?;
    }
    if activity.tasks.is_empty() {
        writeln!(out, "      no tasks")?;
    }
    for (index, task) in activity.tasks.iter().enumerate() {
        let timeout = readable_duration(std::time::Duration::from_secs(task.timeout_seconds));
        let by = match &task.executor {
            Some(executor) => {
                format!("by {executor}, within {timeout}, {}", counted(task.attempts as usize, "attempt"))
            }
            None => "nothing to do".to_owned(),
        };
        writeln!(out, "      {}. {} {} ({by})", index + 1, task.phase.as_str(), harmless(&task.name))?;
    }
    Ok(())
}

/// `Plan: 2 created, 1 updated, 0 retired; 4 activities`.
fn summary(plan: &Plan, colour: bool) -> String {
    let count = |kind| plan.changes.iter().filter(|change| change.kind == kind).count();
    let (created, updated, retired) =
        (count(ChangeKind::Created), count(ChangeKind::Updated), count(ChangeKind::Retired));
    if plan.is_empty() && plan.refused.is_empty() {
        return format!("{} nothing is to be done", style::strong("Plan:", colour));
    }
    let mut text = format!(
        "{} {created} created, {updated} updated, {retired} retired; {}",
        style::strong("Plan:", colour),
        counted(plan.activities.len(), "activity")
    );
    if !plan.refused.is_empty() {
        text.push_str(&format!(
            "; {}",
            style::error(&format!("{} refused", counted(plan.refused.len(), "product")), colour)
        ));
    }
    text
}
