//! Products that do not come to a stage because they did not come through one before it.
//!
//! Mostly the stage has an activity of such a product, which was skipped, and tells of it. But where the product had
//! waited there for something to read from when its activity failed earlier, there never was one; and from the
//! next commit that does not touch the product, no plan tells of it either.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::activity::ActivityStatus;
use crate::domain::descriptor::Descriptor;
use crate::domain::id::{Fqn, StageName};
use crate::port::store::{ActivityRecord, StoreError};

use super::super::Engine;
use super::StageLine;

impl Engine {
    /// Lines for what `troubled` keeps from this stage by having ended earlier, without the products that are `told`
    /// of there already.
    pub(in crate::engine) async fn unreached(
        &self,
        stage: &StageName,
        troubled: impl IntoIterator<Item = &ActivityRecord>,
        told: &BTreeSet<Fqn>,
    ) -> Result<Vec<StageLine>, StoreError> {
        let earlier = self.all_stages_before(stage);
        let mut ended: BTreeMap<&Fqn, &ActivityRecord> = BTreeMap::new();
        for record in troubled {
            let container = &record.planned.container;
            let keeps = record.state.status.is_final() && earlier.contains(&container.stage);
            if keeps && !told.contains(&container.product) {
                ended.entry(&container.product).or_insert(record);
            }
        }
        if ended.is_empty() {
            return Ok(Vec::new());
        }
        let products: Vec<Fqn> = ended.keys().map(|product| (*product).clone()).collect();
        let running = self.ports.store.containers(&products).await?;
        let mut lines = Vec::new();
        for latest in self.ports.store.latest_versions(&products).await? {
            let Some(record) = ended.get(&latest.product) else { continue };
            let is_there = running.iter().any(|running| {
                (&running.container.product, &running.container.stage) == (&latest.product, stage)
                    && running.version.digest == latest.version.digest
                    && !running.is_disturbed
            });
            let descriptor = Descriptor::from_resolved(&self.settings.namespace, &latest.content.value());
            let comes = descriptor.is_ok_and(|descriptor| descriptor.tasks_of(stage.as_str()).is_some());
            if comes && !is_there && !latest.retired {
                lines.push(StageLine {
                    status: ActivityStatus::Skipped,
                    product: latest.product.product_name().to_owned(),
                    reason: Some(format!("did not come through {}", record.planned.container.stage)),
                    plan: None,
                    left_by: None,
                    before: None,
                });
            }
        }
        Ok(lines)
    }

    /// The stages before this one, also those that are not right before it.
    fn all_stages_before(&self, stage: &StageName) -> BTreeSet<StageName> {
        let (mut all, mut open) = (BTreeSet::new(), vec![stage]);
        while let Some(stage) = open.pop() {
            for before in self.stages_before(stage) {
                if all.insert(before.clone()) {
                    open.push(before);
                }
            }
        }
        all
    }
}
