//! Another run of a commit's checks, because somebody pressed the button: whose commit it is tells the
//! record. What a forge names beside it does not count, and of a proposal from another repository it names
//! nothing.
//!
//! The forge shows the commit's checks as waiting from then on. So they are written anew, whatever comes of the
//! look: those of a proposal with its next assessment, those of the branch's own commit at once.

use crate::domain::id::{Revision, SourceName};
use crate::domain::source::Target;
use crate::port::store::{Bell, StoreError};

use super::super::Engine;

impl Engine {
    /// Has the checks of a commit written anew; says what is to be looked at because of it.
    pub async fn run_again(&self, source: &SourceName, head: &Revision) -> Result<Vec<Target>, StoreError> {
        let store = &self.ports.store;
        let open = store.open_proposals(source).await?;
        let mut targets = Vec::new();
        for record in open.into_iter().filter(|record| record.inputs.head == *head) {
            store.assess_again(source, &record.proposal).await?;
            targets.push(Target::proposal(source.clone(), record.proposal));
        }
        if targets.is_empty() {
            for stage in &self.settings.platform.stages {
                self.tell_stage(source, &stage.name).await?;
            }
            store.write_anew(source, head, self.ports.clock.now()).await?;
            self.ring(Bell::Reports);
            targets.push(Target::branch(source.clone()));
        }
        Ok(targets)
    }
}
