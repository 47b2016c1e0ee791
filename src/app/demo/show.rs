//! What the demo prints.

use std::io;
use std::time::Duration;

use crate::adapter::executors::Table as Answer;
use crate::adapter::local_forge::NotedStatus;
use crate::domain::finding::Finding;
use crate::domain::id::{RepoPath, Revision};
use crate::domain::plan::Plan;
use crate::face::Output;
use crate::face::cli::DemoArgs;
use crate::face::render::{self, Table, style};
use crate::port::store::ContainerRow;

use super::repository::DemoRepository;

/// The contexts in the order in which a commit meets them.
const ORDER: [&str; 5] =
    ["meshwright/validate", "meshwright/policy", "meshwright/plan", "meshwright/dev", "meshwright/prod"];

pub(super) fn commit(number: u8, message: &str, revision: &Revision, output: &mut Output<'_>) -> io::Result<()> {
    let heading = style::strong(&format!("Commit {number}  {message}"), output.colour);
    writeln!(output.out, "\n{heading} {}", style::faint(revision.short(), output.colour))?;
    output.out.flush()
}

pub(super) fn plan(plan: &Plan, output: &mut Output<'_>) -> io::Result<()> {
    writeln!(
        output.out,
        "  plan: {} products, {} rollouts, in the order of their lineage:",
        plan.changes.len(),
        plan.activities.len()
    )?;
    for activity in plan.activities.iter().filter(|activity| activity.container.stage.as_str() == "dev") {
        let tasks: Vec<&str> = activity.tasks.iter().map(|task| task.name.as_str()).collect();
        let name = activity.container.product.product_name();
        writeln!(output.out, "    {name:<20} {}", tasks.join(" → "))?;
    }
    Ok(())
}

pub(super) fn changes(plan: &Plan, output: &mut Output<'_>) -> io::Result<()> {
    for change in &plan.changes {
        writeln!(output.out, "  {} changes:", change.product.product_name())?;
        render::change(output.out, change, output.colour)?;
    }
    Ok(())
}

pub(super) fn statuses(statuses: &[NotedStatus], took: Duration, output: &mut Output<'_>) -> io::Result<()> {
    for context in ORDER {
        let Some(status) = statuses.iter().find(|status| status.context == context) else { continue };
        let word = format!("{:<7}", status.state.as_str());
        let state = style::status(word.trim_end(), output.colour);
        let pad = " ".repeat(word.len() - word.trim_end().len());
        writeln!(output.out, "  {context:<20} {state}{pad}  {}", render::harmless(&status.description))?;
    }
    writeln!(output.out, "  {}", style::faint(&format!("in {:.1} s", took.as_secs_f64()), output.colour))
}

pub(super) fn containers(rows: &[ContainerRow], output: &mut Output<'_>) -> io::Result<()> {
    let mut table = Table::new(&["  RUNS", "AT", "VERSION"]);
    for row in rows {
        table.row([format!("  {}", row.product.product_name()), row.stage.clone(), row.version.clone()]);
    }
    writeln!(output.out)?;
    table.write(output.out, &[], output.colour)
}

pub(super) fn answer(answer: &Answer, output: &mut Output<'_>) -> io::Result<()> {
    writeln!(output.out, "\n  Which customers get late deliveries? deliveryPerformance at prod answers:")?;
    let cell = |value: &Option<String>| value.clone().unwrap_or_else(|| "NULL".to_owned());
    let mut table = Table::new(&["  NAME", "SEGMENT", "LATE", "OF", "WORST"]);
    for row in &answer.rows {
        let mut cells: Vec<String> = row.iter().map(cell).collect();
        if let Some(first) = cells.first_mut() {
            first.insert_str(0, "  ");
        }
        table.row(cells);
    }
    table.write(output.out, &[], output.colour)
}

pub(super) fn findings(findings: &[Finding], repository: &DemoRepository, output: &mut Output<'_>) -> io::Result<()> {
    let text_of = |path: &RepoPath| read(repository, path);
    let shown = |path: &RepoPath| path.to_string();
    render::findings(output.out, findings, &shown, &text_of, output.colour, output.width)
}

pub(super) fn still_running(output: &mut Output<'_>) -> io::Result<()> {
    writeln!(output.out, "  What ran before still runs: nothing was touched.")
}

pub(super) fn summary(took: Duration, args: &DemoArgs, output: &mut Output<'_>) -> io::Result<()> {
    let good = style::good("All of it was as it should be", output.colour);
    writeln!(output.out, "\n{good}: three commits, 14 rollouts, 1 refusal, in {:.1} s.", took.as_secs_f64())?;
    if !args.serve {
        writeln!(output.out, "\nWhat to try next:")?;
        writeln!(
            output.out,
            "  meshwright demo --serve            leave the daemon running, and push commits of your own"
        )?;
        writeln!(output.out, "  meshwright validate examples-repo  check descriptors in a folder")?;
        writeln!(output.out, "  meshwright init                    a configuration for your own repositories")?;
    }
    output.out.flush()
}

#[expect(clippy::disallowed_methods, reason = "the demo reads excerpts from its own temporary folder")]
fn read(repository: &DemoRepository, path: &RepoPath) -> Option<String> {
    std::fs::read_to_string(repository.folder().join(path.as_str())).ok()
}
