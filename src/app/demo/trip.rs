//! Three commits: the mesh, a compatible change, and a breaking one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use crate::adapter::local_forge::{LocalForge, NotedStatus};
use crate::config::Checked;
use crate::domain::finding::Finding;
use crate::domain::id::{ContainerId, Fqn, Revision};
use crate::domain::plan::Plan;
use crate::domain::report::ReportState;
use crate::domain::source::Target;
use crate::engine::{Engine, PassOutcome};
use crate::face::Output;

use super::super::wire::{RecordUse, assemble, sql_executor};
use super::expect::{self, expect};
use super::repository::{DemoRepository, Overlay};
use super::{DemoError, show};

/// What a commit came to.
struct Outcome {
    plan: Plan,
    statuses: Vec<NotedStatus>,
}

pub(super) async fn three_commits(
    config: &Checked,
    repository: &DemoRepository,
    output: &mut Output<'_>,
) -> Result<(), DemoError> {
    let assembled = assemble(config, RecordUse::Write).await?;
    let engine = &assembled.engine;
    let outcome = {
        let demo = Demo { config, repository, engine };
        demo.trip(output).await
    };
    assembled.store.close().await;
    outcome
}

struct Demo<'a> {
    config: &'a Checked,
    repository: &'a DemoRepository,
    engine: &'a Arc<Engine>,
}

impl Demo<'_> {
    async fn trip(&self, output: &mut Output<'_>) -> Result<(), DemoError> {
        self.the_mesh(output).await?;
        self.a_compatible_change(output).await?;
        self.a_breaking_change(output).await
    }

    async fn the_mesh(&self, output: &mut Output<'_>) -> Result<(), DemoError> {
        let revision = self.repository.commit_examples()?;
        show::commit(1, "A small retail mesh: six products in three domains", &revision, output)?;
        let began = Instant::now();
        let outcome = self.reconcile(&revision).await?;
        show::plan(&outcome.plan, output)?;
        show::statuses(&outcome.statuses, began.elapsed(), output)?;
        use ReportState::Success;
        expect::statuses(
            &states(&outcome),
            &[("validate", Success), ("policy", Success), ("plan", Success), ("dev", Success), ("prod", Success)],
        )?;
        let containers = self.engine.ports().store.container_rows().await?;
        expect::all_run(&containers, &BTreeMap::new())?;
        show::containers(&containers, output)?;
        self.ask(output).await
    }

    async fn a_compatible_change(&self, output: &mut Output<'_>) -> Result<(), DemoError> {
        let message = "dailySales 1.1.0: the average order of the day";
        let revision = self.repository.commit_overlay(Overlay::Compatible, message)?;
        show::commit(2, message, &revision, output)?;
        let began = Instant::now();
        let outcome = self.reconcile(&revision).await?;
        show::changes(&outcome.plan, output)?;
        show::statuses(&outcome.statuses, began.elapsed(), output)?;
        expect(outcome.plan.activities.len() == 2, || {
            format!("one product at two stages should be rolled out, and {} are", outcome.plan.activities.len())
        })?;
        use ReportState::Success;
        expect::statuses(
            &states(&outcome),
            &[("validate", Success), ("policy", Success), ("plan", Success), ("dev", Success), ("prod", Success)],
        )?;
        expect::all_run(&self.engine.ports().store.container_rows().await?, &BTreeMap::from([("dailySales", "1.1.0")]))
    }

    async fn a_breaking_change(&self, output: &mut Output<'_>) -> Result<(), DemoError> {
        let message = "orderFulfilment 1.1.0: drop days_late, which nobody needs";
        let revision = self.repository.commit_overlay(Overlay::Breaking, message)?;
        show::commit(3, message, &revision, output)?;
        let began = Instant::now();
        let outcome = self.reconcile(&revision).await?;
        let store = &self.engine.ports().store;
        let findings: Vec<Finding> =
            store.finding_rows(None).await?.into_iter().map(|row| row.finding).filter(Finding::is_error).collect();
        show::findings(&findings, self.repository, output)?;
        show::statuses(&outcome.statuses, began.elapsed(), output)?;
        expect(outcome.plan.refused.len() == 1 && outcome.plan.activities.is_empty(), || {
            "the breaking change should be refused, and is not".to_owned()
        })?;
        let at_fault = |finding: &Finding| {
            finding.rule.as_str().contains("compatib")
                && finding.location.file.as_str().starts_with("logistics/orderFulfilment/")
                && finding.location.line > 1
        };
        expect(findings.iter().any(at_fault), || "no finding names the line that is at fault".to_owned())?;
        use ReportState::{Failure, Success};
        expect::statuses(&states(&outcome), &[("validate", Success), ("policy", Failure), ("plan", Failure)])?;
        expect::all_run(&store.container_rows().await?, &BTreeMap::from([("dailySales", "1.1.0")]))?;
        show::still_running(output)?;
        Ok(())
    }

    /// The trip of one commit, to its published statuses.
    async fn reconcile(&self, revision: &Revision) -> Result<Outcome, DemoError> {
        let source = self
            .config
            .sources
            .first()
            .ok_or_else(|| DemoError::Unexpected("the configuration has no source".to_owned()))?;
        let plan = match self.engine.pass(&Target::branch(source.name.clone())).await? {
            PassOutcome::Recorded { plan } if plan.revision == *revision => *plan,
            other => return Err(DemoError::Unexpected(format!("the commit was not seen: {other:?}"))),
        };
        self.engine.roll_out_all(&CancellationToken::new()).await?;
        self.engine.publish_due().await?;
        Ok(Outcome { plan, statuses: LocalForge::read(self.repository.folder(), revision)? })
    }

    /// Asks the consumer-aligned product its question, where it runs.
    async fn ask(&self, output: &mut Output<'_>) -> Result<(), DemoError> {
        let unexpected = |error: &dyn std::fmt::Display| DemoError::Unexpected(error.to_string());
        let name = "publish".parse().map_err(|error| unexpected(&error))?;
        let warehouse = sql_executor(self.config, &name)
            .ok_or_else(|| DemoError::Unexpected("the configuration has no warehouse".to_owned()))?;
        let container = ContainerId {
            product: Fqn::product(&self.config.namespace, "deliveryPerformance", 1),
            stage: "prod".parse().map_err(|error| unexpected(&error))?,
        };
        let table = warehouse.query(&container, expect::QUESTION, 20).await.map_err(|error| unexpected(&error))?;
        show::answer(&table, output)?;
        expect::answer(&table.rows)
    }
}

fn states(outcome: &Outcome) -> BTreeMap<String, ReportState> {
    outcome.statuses.iter().map(|status| (status.context.clone(), status.state)).collect()
}
