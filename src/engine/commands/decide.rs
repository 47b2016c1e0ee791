//! What is done about a request.

use std::collections::BTreeSet;

use crate::domain::activity::ActivityStatus;
use crate::domain::forge::{Approval, Hold, Proposal, approvers};
use crate::domain::id::{Digest, Fqn, Revision, StageName};
use crate::domain::plan::ActivityId;
use crate::domain::source::Target;
use crate::port::door::WakeReason;
use crate::port::requests::{Action, Origin, Request};
use crate::port::store::{Bell, Decision, Matter, Ruling, StoreError};

use super::super::Engine;
use super::super::gates::{Gates, Waits};
use super::Stop;
use super::ask::{Meant, plans_of};

/// What can be asked for in a comment.
const COMMANDS: &str = "'/meshwright plan', 'approve <stage>', 'retry', 'hold', 'cancel' and 'help'";

/// A ruling, and what is answered.
type Ruled = (Ruling, String);

impl Engine {
    /// Does what is asked for, and says so in a sentence.
    pub(super) async fn done(&self, request: &Request) -> Result<String, Stop> {
        let action = request.action.as_ref().map_err(|why| Stop::Refuse(why.clone()))?;
        let outcome = match self.ports.store.decided(&request.id).await? {
            Some(outcome) => outcome,
            None => {
                self.admit(request).await?;
                match action {
                    Action::Plan => "looked at anew".to_owned(),
                    Action::Help => format!("there are {COMMANDS}"),
                    _ => self.decide_on(request, action).await?,
                }
            }
        };
        match (action, &request.origin) {
            (Action::Plan, Origin::Button { head, .. }) => {
                for target in self.run_again(&request.source, head).await? {
                    self.wake(&target, WakeReason::Command).await?;
                }
            }
            (Action::Plan | Action::Help, _) => {
                let target = self.target_of(request);
                if let (Action::Plan, Some(proposal)) = (action, &target.proposal) {
                    self.ports.store.assess_again(&target.source, proposal).await?;
                }
                self.wake(&target, WakeReason::Command).await?;
            }
            (Action::Approve(stage) | Action::Reject(stage), _) => self.tell_stage(&request.source, stage).await?,
            (Action::Hold | Action::Resume, _) => self.refresh_all(request).await?,
            (Action::Cancel(_), _) => {
                self.cancel_bell.notify_waiters();
                self.refresh_all(request).await?;
            }
            (Action::Retry, _) => {
                self.refresh_all(request).await?;
                self.wake(&Target::branch(request.source.clone()), WakeReason::Command).await?;
            }
        }
        self.ring(Bell::Rollouts);
        Ok(outcome)
    }

    /// Decides, and records it while nothing that it depends on begins, ends or is planned.
    async fn decide_on(&self, request: &Request, action: &Action) -> Result<String, Stop> {
        if let Action::Approve(stage) | Action::Reject(stage) = action {
            self.known_stage(stage)?;
        }
        let meant = self.meant(request).await?;
        let mut standing = self.stand(&request.source, Matter::Rollouts).await?;
        loop {
            let meant = self.as_shown(request, &meant).await?;
            let (ruling, outcome) = self.rule(request, action, &meant).await?;
            let decision = Decision {
                request: request.id.clone(),
                source: request.source.clone(),
                ruling,
                by: request.by.clone(),
                at: self.ports.clock.now(),
                outcome,
            };
            match standing.store.decide(&decision).await {
                Ok(()) => return Ok(decision.outcome),
                Err(error) if standing.moved(&error).await? => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn rule(&self, request: &Request, action: &Action, meant: &Meant) -> Result<Ruled, Stop> {
        match action {
            Action::Approve(stage) => self.approve(request, meant, stage).await,
            Action::Reject(stage) => self.reject(request, meant, stage).await,
            Action::Hold => self.hold(request, meant).await,
            Action::Resume => self.resume(request, meant).await,
            Action::Retry => self.retry(request, meant).await,
            Action::Cancel(activity) => self.cancel(request, meant, activity.as_ref()).await,
            Action::Plan | Action::Help => Err(Stop::Refuse("there is nothing to decide".to_owned())),
        }
    }

    fn target_of(&self, request: &Request) -> Target {
        match request.origin {
            Origin::Comment { pull, .. } => Target::proposal(request.source.clone(), Proposal::Pull(pull)),
            Origin::Button { .. } | Origin::Machine { .. } => Target::branch(request.source.clone()),
        }
    }

    async fn refresh_all(&self, request: &Request) -> Result<(), StoreError> {
        for stage in &self.settings.platform.stages {
            self.tell_stage(&request.source, &stage.name).await?;
        }
        Ok(())
    }

    async fn approve(&self, request: &Request, meant: &Meant, stage: &StageName) -> Result<Ruled, Stop> {
        let policies = self.ports.judge.policies();
        let seen = self.ports.store.source(&request.source).await?.and_then(|source| source.policies);
        if seen.as_ref() != Some(&policies) {
            let why =
                "the policies have changed since the source was looked at: approve again when it was looked at anew";
            return Err(Stop::Refuse(why.to_owned()));
        }
        let plans = plans_of(&self.waiting(request, meant, Some(stage)).await?);
        if plans.is_empty() {
            return Err(self.nothing_of(request, meant, &format!("waits at '{stage}'")).await);
        }
        let mut gates = self.gates().await?;
        let mut approvals = Vec::new();
        let (mut people, mut again) = ((0, 0), false);
        for plan in plans {
            let Some(before) = gates.before(&request.source, &plan, stage).await? else { continue };
            if let Waits::Hold(by) = &before
                && self.is_held_as_a_whole(request).await?
            {
                return Err(Stop::Refuse(format!("the source is held by {by}: run 'meshwright resume' first")));
            }
            let known = self.ports.store.approvals(&plan, stage).await?;
            again = known.iter().any(|known| known.policies == policies && known.by.key() == request.by.key());
            if again && matches!(before, Waits::Approval { .. }) {
                continue;
            }
            let approval = Approval {
                source: request.source.clone(),
                plan,
                stage: stage.clone(),
                policies: policies.clone(),
                by: request.by.clone(),
                at: self.ports.clock.now(),
            };
            let all: Vec<Approval> = known.into_iter().chain([approval.clone()]).collect();
            let need = self.settings.platform.gate(stage).map_or(0, |gate| gate.approvals);
            people = (approvers(&all, &policies), need);
            approvals.push(approval);
        }
        if approvals.is_empty() {
            let why = if again {
                format!("{} has approved it already: another person has to", request.by.name)
            } else {
                format!("nothing of {} waits for approval at '{stage}'", meant.words())
            };
            return Err(Stop::Refuse(why));
        }
        let (have, need) = people;
        let mut outcome = match need {
            0 => format!("{}: '{stage}' goes on", meant.words()),
            need => format!("{}: approved at '{stage}' ({have} of {need})", meant.words()),
        };
        if let Some(commit) = self.also_waits(request, meant, stage, &mut gates).await? {
            outcome.push_str(&format!("; what the commit {} left waits there as well", commit.short()));
        }
        Ok((Ruling::Approve(approvals), outcome))
    }

    /// A commit of the source of which something waits for an approval at this stage, and is not meant.
    async fn also_waits(
        &self,
        request: &Request,
        meant: &Meant,
        stage: &StageName,
        gates: &mut Gates<'_>,
    ) -> Result<Option<Revision>, Stop> {
        for record in self.waiting(request, &Meant::All, Some(stage)).await? {
            let before = gates.before_activity(&record).await?;
            if !meant.has(&record) && matches!(before, Some(Waits::Approval { .. })) {
                return Ok(Some(record.revision));
            }
        }
        Ok(None)
    }

    /// There is nothing to decide about: why, as far as that can be told.
    async fn nothing_of(&self, request: &Request, meant: &Meant, what: &str) -> Stop {
        let known = match meant {
            Meant::Commit(commit) | Meant::Shown(commit) => self.why_not_planned(&request.source, commit).await,
            Meant::All | Meant::Plan(_) => Ok(None),
        };
        match known {
            Ok(why) => Stop::Refuse(why.unwrap_or_else(|| format!("nothing of {} {what}", meant.words()))),
            Err(error) => Stop::Store(error),
        }
    }

    async fn is_held_as_a_whole(&self, request: &Request) -> Result<bool, Stop> {
        let holds = self.ports.store.holds().await?;
        Ok(holds.iter().any(|hold| hold.source == request.source && hold.plan.is_none()))
    }

    async fn reject(&self, request: &Request, meant: &Meant, stage: &StageName) -> Result<Ruled, Stop> {
        let waiting = self.waiting(request, meant, Some(stage)).await?;
        if waiting.is_empty() {
            return Err(self.nothing_of(request, meant, &format!("waits at '{stage}'")).await);
        }
        let outcome = format!("{}: {} rejected at '{stage}'", meant.words(), rollouts(waiting.len()));
        let ids = waiting.into_iter().map(|record| record.planned.id).collect();
        Ok((Ruling::Reject(ids), outcome))
    }

    async fn cancel(&self, request: &Request, meant: &Meant, activity: Option<&ActivityId>) -> Result<Ruled, Stop> {
        let words = activity.map_or_else(|| meant.words(), |id| format!("the activity {id}"));
        let mut open = self.ports.store.unfinished().await?;
        open.retain(|record| {
            record.source == request.source
                && meant.has(record)
                && activity.is_none_or(|id| record.planned.id == *id)
                && !record.state.is_ending()
        });
        if open.is_empty() {
            return Err(Stop::Refuse(format!("nothing of {words} runs or waits")));
        }
        let outcome = format!("{words}: {} cancelled", rollouts(open.len()));
        Ok((Ruling::Cancel(open.into_iter().map(|record| record.planned.id).collect()), outcome))
    }

    async fn hold(&self, request: &Request, meant: &Meant) -> Result<Ruled, Stop> {
        let plans: Vec<Option<Digest>> = match request.origin {
            Origin::Machine { plan: None } => vec![None],
            _ => plans_of(&self.waiting(request, meant, None).await?).into_iter().map(Some).collect(),
        };
        if plans.is_empty() {
            return Err(self.nothing_of(request, meant, "waits").await);
        }
        let at = self.ports.clock.now();
        let hold = |plan| Hold { source: request.source.clone(), plan, by: request.by.clone(), at };
        let ruling = Ruling::Hold(plans.into_iter().map(hold).collect());
        Ok((ruling, format!("{}: held", meant.words())))
    }

    async fn resume(&self, request: &Request, meant: &Meant) -> Result<Ruled, Stop> {
        let plan = match &request.origin {
            Origin::Machine { plan } => plan.clone(),
            _ => return Err(Stop::Refuse("a hold ends by an approval or on the command line".to_owned())),
        };
        let holds = self.ports.store.holds().await?;
        let is_meant =
            |hold: &&Hold| hold.source == request.source && (plan.is_none() || hold.plan.as_ref() == plan.as_ref());
        if holds.iter().find(is_meant).is_none() {
            return Err(Stop::Refuse(format!("nothing of {} is held", meant.words())));
        }
        let outcome = format!("{}: goes on", meant.words());
        Ok((Ruling::Resume { plan }, outcome))
    }

    async fn retry(&self, request: &Request, meant: &Meant) -> Result<Ruled, Stop> {
        use ActivityStatus as S;
        let mut troubled = self.ports.store.troubled(&request.source).await?;
        troubled.retain(|record| {
            matches!(record.state.status, S::Failed | S::Refused | S::Rejected | S::Cancelled | S::Skipped)
                && meant.has(record)
        });
        let products: BTreeSet<Fqn> = troubled.iter().map(|record| record.planned.container.product.clone()).collect();
        // A hold of what is meant ends with it; that of the whole source does not.
        let waiting = plans_of(&self.waiting(request, meant, None).await?);
        let mut held = self.ports.store.holds().await?;
        held.retain(|hold| {
            hold.source == request.source && hold.plan.as_ref().is_some_and(|plan| waiting.contains(plan))
        });
        if products.is_empty() && held.is_empty() {
            return Err(self.nothing_of(request, meant, "has failed").await);
        }
        let outcome = format!("{}: {} to be tried again", meant.words(), rollouts(troubled.len()));
        let resumed = held.into_iter().filter_map(|hold| hold.plan).collect();
        Ok((Ruling::Retry { products: products.into_iter().collect(), resumed }, outcome))
    }
}

/// `1 rollout`, `2 rollouts`.
fn rollouts(number: usize) -> String {
    if number == 1 { "1 rollout".to_owned() } else { format!("{number} rollouts") }
}
