//! An activity: its tasks, what happened to it, and what its tasks said.

use serde_json::{Value, json};

use crate::domain::activity::ActivityEvent;
use crate::domain::plan::ActivityId;
use crate::domain::time::Timestamp;
use crate::face::Output;
use crate::face::cli::{DescribeArgs, DocumentFormat};
use crate::face::render::{document, harmless, style, time_short};
use crate::port::store::{ActivityRecord, LogLine, Store};

use super::events::{event_words, status_words, undoing_words};
use super::{NotDescribed, field, section, unknown};

/// So many activities are searched for one that begins as the name does.
const SEARCHED: usize = 10_000;

/// So many of the last lines are shown to people; `-o json` has all that are kept.
const LINES_SHOWN: usize = 200;

pub(super) async fn activity(
    store: &dyn Store,
    args: &DescribeArgs,
    output: &mut Output<'_>,
) -> Result<(), NotDescribed> {
    let id = find(store, &args.name).await?;
    let Some(record) = store.activity(&id).await? else {
        return Err(unknown("activity", &args.name, []));
    };
    let events = store.events(&id).await?;
    let log = store.log(&id).await?;
    if args.output != DocumentFormat::Text {
        return Ok(document(output.out, &as_json(&record, &events, &log), args.output)?);
    }
    let planned = &record.planned;
    field(output, "Activity", planned.id.as_str())?;
    field(output, "Product", planned.container.product.as_str())?;
    field(output, "Stage", planned.container.stage.as_str())?;
    field(output, "From", &planned.from.as_ref().map(|version| version.version.to_string()).unwrap_or_default())?;
    field(output, "To", &format!("{} ({})", planned.to.version, planned.to.digest.short()))?;
    field(output, "Status", &style::status(record.state.status.as_str(), false))?;
    if let Some(cancellation) = record.state.cancellation.as_ref().filter(|_| !record.state.status.is_final()) {
        field(output, "Stopping", &cancellation.to_string())?;
    }
    field(output, "Source", record.source.as_str())?;
    field(output, "Revision", record.revision.as_str())?;
    field(output, "Plan", record.plan.as_str())?;
    field(output, "Planned", &time_short(&record.planned_at.to_string()))?;
    let after: Vec<&str> = planned.after.iter().map(ActivityId::as_str).collect();
    field(output, "After", &after.join(", "))?;
    section(output, "Tasks")?;
    for (index, (task, status)) in planned.tasks.iter().zip(&record.state.tasks).enumerate() {
        let (word, more) = status_words(status);
        let by = task.executor.as_ref().map(|executor| format!(" by {executor}")).unwrap_or_default();
        let word = style::status(word, output.colour);
        writeln!(
            output.out,
            "  {}. {} {}{by}: {word}{}",
            index + 1,
            task.phase.as_str(),
            harmless(&task.name),
            harmless(&more)
        )?;
        if let Some(undoing) = record.state.compensations.get(&index) {
            writeln!(output.out, "     {}", harmless(&undoing_words(undoing)))?;
        }
    }
    section(output, "Events")?;
    for (at, event) in &events {
        writeln!(output.out, "  {}  {}", time_short(&at.to_string()), harmless(&event_words(event)))?;
    }
    if !log.is_empty() {
        section(output, "Log")?;
        let hidden = log.len().saturating_sub(LINES_SHOWN);
        if hidden > 0 {
            writeln!(output.out, "  … {hidden} earlier lines; `-o json` shows them")?;
        }
        for line in log.iter().skip(hidden) {
            let task = planned.tasks.get(line.task).map(|task| task.name.as_str()).unwrap_or("?");
            writeln!(output.out, "  {} | {}", harmless(task), harmless(&line.line))?;
        }
    }
    Ok(())
}

/// An id, or the beginning of one.
async fn find(store: &dyn Store, name: &str) -> Result<ActivityId, NotDescribed> {
    if let Ok(id) = name.parse::<ActivityId>() {
        return Ok(id);
    }
    let rows = store.activity_rows(SEARCHED).await?;
    let mut meant = rows.iter().filter(|row| row.activity.starts_with(name)).map(|row| row.activity.as_str());
    match (meant.next().map(str::parse), meant.next()) {
        (Some(Ok(id)), None) => Ok(id),
        (Some(_), Some(_)) => Err(NotDescribed::Unknown {
            message: format!("several activities begin with '{name}'"),
            hint: "write more of the id".to_owned(),
        }),
        _ => Err(NotDescribed::Unknown {
            message: format!("there is no activity '{name}'"),
            hint: "`meshwright get activities` lists them".to_owned(),
        }),
    }
}

fn as_json(record: &ActivityRecord, events: &[(Timestamp, ActivityEvent)], log: &[LogLine]) -> Value {
    let events: Vec<Value> = events
        .iter()
        .map(|(at, event)| {
            let mut value = json!(event);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("at".to_owned(), json!(at.to_string()));
            }
            value
        })
        .collect();
    let log: Vec<Value> = log
        .iter()
        .map(|line| json!({ "task": line.task, "attempt": line.attempt, "at": line.at.to_string(), "line": line.line }))
        .collect();
    json!({
        "planned": record.planned,
        "plan": record.plan,
        "source": record.source,
        "revision": record.revision,
        "state": record.state,
        "plannedAt": record.planned_at.to_string(),
        "events": events,
        "log": log,
    })
}
