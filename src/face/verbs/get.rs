//! `get KIND`: what is recorded, as a list.

use std::io;

use serde::Serialize;
use serde_json::Value;

use crate::domain::finding::Severity;
use crate::domain::id::SourceName;
use crate::face::cli::{DocumentFormat, GetArgs, GetKind, ListFormat};
use crate::face::render::{Table, document, time_short};
use crate::face::{ExitStatus, Output};
use crate::port::store::{
    ActivityRow, AuditRow, ContainerRow, DeliveryRow, FindingRow, LeaseRow, Look, ProductRow, ProposalRow, ReportRow,
    SourceRow, StoreError, VersionRow, WakeRow,
};

use super::{is_meant, store_failed};

/// A filter looks at so many of the newest entries.
const MOST_LOOKED_AT: usize = 100_000;

/// Lists things. An empty list is an answer, and ends with 0.
pub async fn get(look: &dyn Look, args: &GetArgs, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    match rows(look, args, output).await {
        Ok(written) => written.map(|()| ExitStatus::Success),
        Err(error) => store_failed(&error, output),
    }
}

async fn rows(look: &dyn Look, args: &GetArgs, output: &mut Output<'_>) -> Result<io::Result<()>, StoreError> {
    let source = args.source.as_ref();
    let filtered = source.is_some() || args.product.is_some();
    let limit = if filtered { MOST_LOOKED_AT } else { args.limit };
    let of_source = |name: &SourceName| source.is_none_or(|wanted| wanted == name);
    let of_product =
        |product: &crate::domain::id::Fqn| args.product.as_ref().is_none_or(|wanted| is_meant(product, wanted));
    Ok(match args.kind {
        GetKind::Sources => {
            let mut rows = look.sources().await?;
            rows.retain(|row| of_source(&row.name));
            write(&rows, source_table, args, output)
        }
        GetKind::Products => {
            let mut rows = look.products().await?;
            rows.retain(|row| of_source(&row.source) && of_product(&row.product));
            write(&rows, product_table, args, output)
        }
        GetKind::Versions => {
            let mut rows = look.versions(None).await?;
            rows.retain(|row| of_product(&row.product));
            write(&rows, version_table, args, output)
        }
        GetKind::Containers => {
            let mut rows = look.container_rows().await?;
            rows.retain(|row| of_product(&row.product));
            write(&rows, container_table, args, output)
        }
        GetKind::Activities => {
            let mut rows = look.activity_rows(limit).await?;
            rows.retain(|row| of_source(&row.source) && of_product(&row.product));
            rows.truncate(args.limit);
            write(&rows, activity_table, args, output)
        }
        GetKind::Proposals => {
            let rows = look.proposal_rows(source, args.limit).await?;
            write(&rows, proposal_table, args, output)
        }
        GetKind::Reports => {
            let mut rows = look.report_rows(limit).await?;
            rows.retain(|row| of_source(&row.source));
            rows.truncate(args.limit);
            write(&rows, report_table, args, output)
        }
        GetKind::Deliveries => {
            let mut rows = look.delivery_rows(limit).await?;
            // What a delivery woke is a source, or a proposal of one behind the source's name.
            let woke = |row: &DeliveryRow, name: &SourceName| {
                row.woke.iter().any(|target| target.split(' ').next() == Some(name.as_str()))
            };
            rows.retain(|row| source.is_none_or(|wanted| woke(row, wanted)));
            rows.truncate(args.limit);
            write(&rows, delivery_table, args, output)
        }
        GetKind::Wakes => {
            let mut rows = look.wake_rows(limit).await?;
            rows.retain(|row| of_source(&row.source));
            rows.truncate(args.limit);
            write(&rows, wake_table, args, output)
        }
        GetKind::Replicas => write(&look.lease_rows().await?, replica_table, args, output),
        GetKind::Events => {
            let mut rows = look.audit_rows(limit).await?;
            let subject = |row: &AuditRow| {
                args.product.as_ref().is_none_or(|wanted| {
                    row.subject == *wanted || row.subject.parse().is_ok_and(|fqn| is_meant(&fqn, wanted))
                })
            };
            rows.retain(|row| row.source.as_ref().map_or(source.is_none(), of_source) && subject(row));
            rows.truncate(args.limit);
            write(&rows, event_table, args, output)
        }
        GetKind::Findings => {
            let rows = look.finding_rows(source).await?;
            write(&rows, finding_table, args, output)
        }
    })
}

fn write<T: Serialize>(
    rows: &[T],
    table: fn(&[T]) -> Table,
    args: &GetArgs,
    output: &mut Output<'_>,
) -> io::Result<()> {
    match args.output {
        ListFormat::Json => document(output.out, &rows, DocumentFormat::Json),
        ListFormat::Yaml => document(output.out, &rows, DocumentFormat::Yaml),
        ListFormat::Table if rows.is_empty() => writeln!(output.err, "No {} are recorded.", args.kind.as_str()),
        ListFormat::Table => table(rows).write(output.out, &["STATUS", "STATE", "DELIVERY", "SEVERITY"], output.colour),
    }
}

fn text(value: &impl ToString) -> String {
    value.to_string()
}

fn source_table(rows: &[SourceRow]) -> Table {
    let mut table =
        Table::new(&["NAME", "BRANCH", "REVISION", "DESCRIPTORS", "WITH ERRORS", "SEEN", "STATUS", "MESSAGE"]);
    for row in rows {
        table.row([
            text(&row.name),
            row.branch.clone(),
            row.revision.as_ref().map(|revision| revision.short().to_owned()).unwrap_or_default(),
            text(&row.descriptors),
            text(&row.with_errors),
            row.seen_at.as_deref().map(time_short).unwrap_or_default(),
            row.condition.clone().unwrap_or_else(|| "ok".to_owned()),
            row.message.clone().unwrap_or_default(),
        ]);
    }
    table
}

fn product_table(rows: &[ProductRow]) -> Table {
    let mut table = Table::new(&["NAME", "VERSION", "DOMAIN", "OWNER", "SOURCE", "PATH", "STATE", "PRODUCT"]);
    for row in rows {
        table.row([
            row.product.product_name().to_owned(),
            row.version.clone(),
            row.domain.clone(),
            row.owner.clone(),
            text(&row.source),
            row.path.clone(),
            if row.retired { "retired" } else { "recorded" }.to_owned(),
            text(&row.product),
        ]);
    }
    table
}

pub(super) fn version_table(rows: &[VersionRow]) -> Table {
    let mut table = Table::new(&["PRODUCT", "VERSION", "DIGEST", "REVISION", "RELEASED", "RECORDED"]);
    for row in rows {
        table.row([
            name_and_major(&row.product),
            row.version.clone(),
            row.digest.short().to_owned(),
            row.revision.short().to_owned(),
            if row.released { "yes" } else { "no" }.to_owned(),
            time_short(&row.recorded_at),
        ]);
    }
    table
}

pub(super) fn container_table(rows: &[ContainerRow]) -> Table {
    let mut table = Table::new(&["PRODUCT", "STAGE", "VERSION", "DIGEST", "REVISION", "ACTIVITY", "SINCE"]);
    for row in rows {
        table.row([
            name_and_major(&row.product),
            row.stage.clone(),
            row.version.clone(),
            row.digest.short().to_owned(),
            row.revision.short().to_owned(),
            row.activity.clone(),
            time_short(&row.since),
        ]);
    }
    table
}

pub(super) fn activity_table(rows: &[ActivityRow]) -> Table {
    let mut table =
        Table::new(&["ACTIVITY", "PRODUCT", "STAGE", "VERSION", "STATUS", "TASKS", "REVISION", "PLANNED", "MESSAGE"]);
    for row in rows {
        table.row([
            row.activity.clone(),
            name_and_major(&row.product),
            row.stage.clone(),
            row.version.clone(),
            row.status.clone(),
            format!("{}/{}", row.done, row.tasks),
            row.revision.short().to_owned(),
            time_short(&row.planned_at),
            row.message.clone().unwrap_or_default(),
        ]);
    }
    table
}

fn proposal_table(rows: &[ProposalRow]) -> Table {
    let mut table = Table::new(&[
        "SOURCE", "PROPOSAL", "STATE", "HEAD", "BASE", "VERDICT", "ASSESSED", "AUTHOR", "TITLE", "SUMMARY",
    ]);
    for row in rows {
        let fork = if row.fork { " (fork)" } else { "" };
        table.row([
            text(&row.source),
            row.proposal.clone(),
            row.state.clone(),
            row.head.short().to_owned(),
            row.base.short().to_owned(),
            row.verdict.clone(),
            time_short(&row.assessed_at),
            format!("{}{fork}", row.author),
            row.title.clone(),
            row.summary.clone(),
        ]);
    }
    table
}

fn report_table(rows: &[ReportRow]) -> Table {
    let mut table = Table::new(&["SOURCE", "REVISION", "CONTEXT", "STATE", "DELIVERY", "DESCRIPTION"]);
    for row in rows {
        let description = match &row.message {
            Some(message) => format!("{} ({message})", row.description),
            None => row.description.clone(),
        };
        table.row([
            text(&row.source),
            row.revision.short().to_owned(),
            row.context.clone(),
            row.state.clone(),
            row.delivery.clone(),
            description,
        ]);
    }
    table
}

fn delivery_table(rows: &[DeliveryRow]) -> Table {
    let mut table = Table::new(&[
        "RECEIVED",
        "FORGE",
        "EVENT",
        "REPOSITORY",
        "REFERENCE",
        "HEAD",
        "VERDICT",
        "WOKE",
        "TIMES",
        "DELIVERY",
    ]);
    for row in rows {
        table.row([
            time_short(&row.received_at),
            text(&row.forge),
            row.action.as_ref().map_or_else(|| row.event.clone(), |action| format!("{}.{action}", row.event)),
            row.repository.clone().unwrap_or_default(),
            row.reference.clone().unwrap_or_default(),
            row.head.as_ref().map(|head| head.short().to_owned()).unwrap_or_default(),
            row.verdict.clone(),
            row.woke.join(", "),
            text(&row.times),
            row.delivery.clone(),
        ]);
    }
    table
}

fn wake_table(rows: &[WakeRow]) -> Table {
    let mut table =
        Table::new(&["SOURCE", "PROPOSAL", "STATE", "LANE", "DUE", "REPLICA", "FAILURES", "BROKEN OFF", "MESSAGE"]);
    for row in rows {
        table.row([
            text(&row.source),
            row.proposal.clone().unwrap_or_default(),
            row.state.clone(),
            row.lane.clone(),
            time_short(&row.due),
            row.holder.clone().unwrap_or_default(),
            text(&row.failures),
            text(&row.interruptions),
            row.message.clone().unwrap_or_default(),
        ]);
    }
    table
}

fn replica_table(rows: &[LeaseRow]) -> Table {
    let mut table = Table::new(&["REPLICA", "HOLDS", "WHICH", "SINCE", "UNTIL", "TOKEN"]);
    for row in rows {
        let holds = if row.kind == "replica" { "itself" } else { row.kind.as_str() };
        let which = if row.kind == "replica" { "" } else { row.subject.as_str() };
        table.row([
            row.holder.clone(),
            holds.to_owned(),
            which.to_owned(),
            time_short(&row.since),
            time_short(&row.until),
            text(&row.token),
        ]);
    }
    table
}

/// Who decided, and by what way: `ann (pull/12)`.
fn decided_by(detail: &Value) -> String {
    let part = |name: &str| detail.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    match (part("by"), part("via")) {
        (Some(by), Some(via)) => format!("{by} ({via})"),
        (by, via) => by.or(via).unwrap_or_default().to_owned(),
    }
}

fn event_table(rows: &[AuditRow]) -> Table {
    let mut table = Table::new(&["ID", "AT", "KIND", "BY", "SOURCE", "REVISION", "SUBJECT"]);
    for row in rows {
        table.row([
            text(&row.id),
            time_short(&row.at),
            row.kind.clone(),
            decided_by(&row.detail),
            row.source.as_ref().map(text).unwrap_or_default(),
            row.revision.as_ref().map(|revision| revision.short().to_owned()).unwrap_or_default(),
            row.subject.clone(),
        ]);
    }
    table
}

pub(super) fn finding_table(rows: &[FindingRow]) -> Table {
    let mut table = Table::new(&["SEVERITY", "RULE", "SOURCE", "REVISION", "PLACE", "MESSAGE"]);
    for row in rows {
        let severity: Severity = row.finding.severity;
        table.row([
            severity.as_str().to_owned(),
            text(&row.finding.rule),
            text(&row.source),
            row.revision.short().to_owned(),
            text(&row.finding.location),
            row.finding.message.clone(),
        ]);
    }
    table
}

/// `trips:1`: short, and still one product only (within a mesh).
pub(super) fn name_and_major(product: &crate::domain::id::Fqn) -> String {
    match product.major() {
        Some(major) => format!("{}:{major}", product.product_name()),
        None => product.to_string(),
    }
}

#[cfg(test)]
mod tests;
