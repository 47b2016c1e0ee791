//! One look at a proposal: what would happen if it were merged. This page tells the whole story.
//!
//! # What it needs
//!
//! A proposal may be anybody's work. Nothing of it is executed, no executor is looked up, no secret is
//! read; policies, stages and configuration are the daemon's own; its text reaches people escaped.
//! Nothing of it enters products, versions or activities.
//!
//! What a wake knows is only a number. Whether the pull request is open, into which branch it goes and
//! where its head stands is asked of the forge; its commits are taken from the repository.
//!
//! A head is never shown as pending. Until there is a verdict there is no status, which holds back a
//! merge as well as a pending one does, and nothing has to be settled when the head moves, when the
//! proposal is closed, or when the daemon stops half-way. What cannot be evaluated is an error, and is
//! looked at again.
//!
//! # Races, and what was decided
//!
//! * *The head moves while it is looked at.* What was fetched is compared with what the forge says; when
//!   they differ the forge is asked once more, and else it is tried again later. Statuses always
//!   stand on the commit that was assessed, so a verdict that comes late is about an old commit.
//! * *The base moves while a proposal is looked at*, or before, where it is looked at only because the base had
//!   moved and what was seen of the branch then is used again. The record says against which base it was assessed.
//!   Whoever looks at the branch afterwards sees that it is another one, and wakes the proposal.
//! * *The proposal is merged while it is looked at.* A merge commit is another commit. Where the head
//!   itself became the branch's, the base holds it already: nothing is reported, because what the
//!   commit's statuses and its check say from then on is the branch's business, and the branch's pass writes both
//!   anew. A look that saw the branch before that and ends after that pass takes neither back: the record sees to
//!   it.
//! * *A proposal panics us.* The assessment runs on a task of its own; its head gets an error, the
//!   others go on, and it is tried again after growing pauses.
//! * *Somebody asks for another look while one is under way.* It answers only what was asked before it
//!   began; the record counts what is left, and the wake that came with it finds that.
//! * *What people asked for is answered while the comment is recorded*, here or at another replica. Both are
//!   recorded only while nothing else was said to proposals of the source (`standing`); whoever is second works
//!   it out anew, from what the first has recorded.

mod assess;
mod lines;
mod rerun;
mod stale;
mod tell;

pub(super) use stale::Listings;
pub(super) use tell::{CHECK, COMMENT};

use std::sync::Arc;

use tracing::{info, warn};

use crate::domain::forge::{Proposal, PullRequest, PullState, ReviewVerdict};
use crate::domain::id::Revision;
use crate::domain::report::{Report, Review, ReviewOutcome, one_line};
use crate::domain::source::{Condition, Head, Target};
use crate::domain::time::Timestamp;
use crate::port::source::{FetchError, Merge};
use crate::port::store::{Bell, Lane, Matter, ProposalRecord, ReviewInputs, SourceRecord, StoreError};

use super::Engine;
use super::pass::PassError;
use super::settings::Watched;

/// So many of those that wait are looked through for others of the same source.
const MOST_WAITING: usize = 1_000;
/// A title is kept with at most so many characters.
const LONGEST_TITLE: usize = 300;

/// How a look at a proposal ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Reviewed {
    /// Nothing that it depends on differs from when it was assessed.
    Unchanged,
    /// It was assessed, or why it could not be is told.
    Told {
        /// What is said of it.
        review: Box<Review>,
        /// What the forge should show.
        reports: Vec<Report>,
    },
    /// The branch holds all of it already.
    Merged,
    /// It is not to be merged into the source's branch (any more).
    Closed,
}

/// A proposal that is to be looked at.
#[derive(Debug, Clone)]
struct Subject<'a> {
    target: &'a Target,
    watched: &'a Watched,
    proposal: &'a Proposal,
    /// Whether its head stands in another repository.
    is_fork: bool,
    author: String,
    title: String,
    /// What was recorded of it before.
    before: Option<ProposalRecord>,
    record: Option<SourceRecord>,
}

impl Engine {
    /// Looks at a proposal, and records what is said of it. When it fails, it is to be tried again;
    /// what is known of the head by then is told.
    pub async fn review(self: &Arc<Self>, target: &Target, proposal: &Proposal) -> Result<Reviewed, PassError> {
        self.review_in(Lane::Fresh, target, proposal).await
    }

    /// The same, for a wake in this lane. Whatever waited in the last one was woken by a look at the branch, so
    /// it is merged with the branch as it was seen then, and the repository is not asked again for each.
    pub(super) async fn review_in(
        self: &Arc<Self>,
        lane: Lane,
        target: &Target,
        proposal: &Proposal,
    ) -> Result<Reviewed, PassError> {
        let watched = self.watched(&target.source)?;
        let store = &self.ports.store;
        let mut subject = Subject {
            target,
            watched,
            proposal,
            is_fork: false,
            author: String::new(),
            title: String::new(),
            before: store.proposal(&target.source, proposal).await?,
            record: None,
        };
        let told = match proposal {
            Proposal::MergeGroup(_) => None,
            Proposal::Pull(number) => match self.pull_of(&subject, *number).await? {
                Ok(pull) => Some(pull),
                Err(state) => return self.settle_proposal(&subject, state).await,
            },
        };
        if let Some(pull) = &told {
            subject.is_fork = pull.is_fork;
            subject.author = one_line(&pull.author, LONGEST_TITLE);
            subject.title = one_line(&pull.title, LONGEST_TITLE);
        }
        let expected = told.map(|pull| pull.head);
        self.look_at_proposal(&mut subject, lane, expected).await
    }

    async fn look_at_proposal(
        self: &Arc<Self>,
        subject: &mut Subject<'_>,
        lane: Lane,
        expected: Option<Revision>,
    ) -> Result<Reviewed, PassError> {
        let source = &subject.target.source;
        let seen = if lane == Lane::Later { self.ports.source.standing(source).await } else { None };
        let base = match seen {
            Some(Head::At { revision }) => revision,
            _ => match self.see(subject.target, subject.watched).await {
                Ok(base) => base,
                Err(condition) => return self.tell_unseen(subject, expected, condition).await,
            },
        };
        subject.record = self.ports.store.source(source).await?;
        if let Some(expected) = &expected {
            self.bring_what_waits(subject, expected).await?;
        }
        let head = match self.ports.source.fetch_proposal(source, subject.proposal, expected.as_ref()).await {
            Ok(Some(head)) => head,
            Ok(None) if expected.is_none() => return self.settle_proposal(subject, PullState::Closed).await,
            Ok(None) => return Err(PassError::NotAssessed("the repository does not have it yet".to_owned())),
            Err(FetchError::Refused(why)) => {
                let Some(head) = expected else { return Err(PassError::NotAssessed(why)) };
                let inputs = self.review_inputs(subject, head, base);
                return self.tell_unless_known(subject, inputs, ReviewOutcome::Refused(why)).await;
            }
            Err(error) => return self.tell_unseen(subject, expected, error.condition()).await,
        };
        if expected.as_ref().is_some_and(|expected| *expected != head) {
            let Proposal::Pull(number) = subject.proposal else { return Ok(Reviewed::Closed) };
            match self.pull_of(subject, *number).await? {
                Err(state) => return self.settle_proposal(subject, state).await,
                Ok(pull) if pull.head == head => {}
                Ok(_) => return Err(PassError::NotAssessed("its head is moving".to_owned())),
            }
        }
        let inputs = self.review_inputs(subject, head.clone(), base.clone());
        if subject.is_known(&inputs) {
            return Ok(Reviewed::Unchanged);
        }
        let merged = match self.ports.source.merge(source, &base, &head).await {
            Ok(Merge::Clean(merged)) if merged == base => {
                let mut record = subject.recorded(inputs, ReviewVerdict::Untouched, self.ports.clock.now());
                (record.result, record.summary) = (Some(merged), "the branch holds it already".to_owned());
                self.ports.store.record_proposal(&record, &[]).await?;
                return Ok(Reviewed::Merged);
            }
            Ok(Merge::Clean(merged)) => merged,
            Ok(Merge::Conflicts { paths, count }) => {
                return self.tell_outcome(subject, inputs, ReviewOutcome::Conflicts { paths, count }).await;
            }
            Ok(Merge::Unrelated) => return self.tell_outcome(subject, inputs, ReviewOutcome::Unrelated).await,
            Ok(Merge::TooLarge(why)) => {
                let why = format!("it costs too much to merge: {why}");
                return self.tell_outcome(subject, inputs, ReviewOutcome::Refused(why)).await;
            }
            Err(error) => return self.tell_failed(subject, inputs, error.into()).await,
        };
        // On a task of its own, so that a panic over one proposal leaves a word on its head.
        let (engine, target, record) = (Arc::clone(self), subject.target.clone(), subject.record.clone());
        let (from, to, seen_in) = (base.clone(), merged.clone(), head.clone());
        let assessed =
            tokio::spawn(async move { engine.assess(&target, record.as_ref(), &from, &to, &seen_in).await }).await;
        match assessed {
            Ok(Ok(assessed)) => self.record_review(subject, inputs, Some(merged), assessed).await,
            Ok(Err(error)) => self.tell_failed(subject, inputs, error).await,
            Err(panic) => self.tell_failed(subject, inputs, PassError::Interrupted(panic.to_string())).await,
        }
    }

    /// Where this head is not here, it is brought with those of others that wait to be looked at: many that come
    /// at once cost a few fetches.
    async fn bring_what_waits(&self, subject: &Subject<'_>, head: &Revision) -> Result<(), StoreError> {
        let source = &subject.target.source;
        if self.ports.source.has_proposal(source, subject.proposal, head).await {
            return Ok(());
        }
        let waiting = self.ports.store.wake_rows(MOST_WAITING).await?.into_iter();
        let mut together: Vec<Proposal> =
            waiting.filter(|row| row.source == *source).filter_map(|row| row.proposal?.parse().ok()).collect();
        if together.len() > 1 {
            // Whatever is left out, this one is not.
            together.retain(|proposal| proposal != subject.proposal);
            together.insert(0, subject.proposal.clone());
            self.ports.source.bring_together(source, &together).await;
        }
        Ok(())
    }

    /// The pull request, if it may be merged into the source's branch; else what became of it.
    async fn pull_of(&self, subject: &Subject<'_>, number: u64) -> Result<Result<PullRequest, PullState>, PassError> {
        let source = &subject.target.source;
        // Without a forge that has such, nobody can have proposed anything.
        let Some(reviews) = self.ports.reviews.get(source) else { return Ok(Err(PullState::Closed)) };
        let Some(pull) = reviews.pull_request(source, number).await? else { return Ok(Err(PullState::Closed)) };
        Ok(match pull.state {
            PullState::Open if pull.base == subject.watched.branch => Ok(pull),
            PullState::Open | PullState::Closed => Err(PullState::Closed),
            PullState::Merged => Err(PullState::Merged),
        })
    }

    fn review_inputs(&self, subject: &Subject<'_>, head: Revision, base: Revision) -> ReviewInputs {
        ReviewInputs {
            head,
            base,
            recorded: subject.record.as_ref().and_then(|record| record.revision.clone()),
            policies: self.ports.judge.policies(),
            platform: subject.watched.platform.clone(),
        }
    }

    /// It is not to be merged into our branch: its record says so, and its commits are let go.
    async fn settle_proposal(&self, subject: &Subject<'_>, state: PullState) -> Result<Reviewed, PassError> {
        let source = &subject.target.source;
        if self.ports.store.close_proposal(source, subject.proposal, state).await? {
            info!(%source, proposal = %subject.proposal, state = state.as_str(), "the proposal is settled");
            let open = self.ports.store.open_proposals(source).await?;
            let open: Vec<Proposal> = open.into_iter().map(|record| record.proposal).collect();
            if let Err(error) = self.ports.source.keep_proposals(source, &open).await {
                warn!(%source, %error, "closed proposals are not let go yet");
            }
        }
        Ok(Reviewed::Closed)
    }

    /// Branch or proposal cannot be seen: where the head is known, it is told; and it is tried again.
    async fn tell_unseen(
        &self,
        subject: &Subject<'_>,
        expected: Option<Revision>,
        condition: Condition,
    ) -> Result<Reviewed, PassError> {
        if let Some(head) = expected {
            let base = subject.before.as_ref().map_or_else(|| head.clone(), |before| before.inputs.base.clone());
            let inputs = self.review_inputs(subject, head, base);
            let why = format!("{}; it is tried again", FetchError::in_public(&condition));
            self.tell_outcome(subject, inputs, ReviewOutcome::NotEvaluated(why)).await?;
        }
        Err(PassError::NotAssessed(condition.message))
    }

    /// Our own side failed: the head says so, and it is tried again.
    async fn tell_failed(
        &self,
        subject: &Subject<'_>,
        inputs: ReviewInputs,
        error: PassError,
    ) -> Result<Reviewed, PassError> {
        // What failed in detail is for the log: the head may be anybody's to look at.
        let why = ReviewOutcome::NotEvaluated("an internal error; it is tried again".to_owned());
        self.tell_outcome(subject, inputs, why).await?;
        Err(error)
    }

    /// The same, unless it is recorded already.
    async fn tell_unless_known(
        &self,
        subject: &Subject<'_>,
        inputs: ReviewInputs,
        outcome: ReviewOutcome,
    ) -> Result<Reviewed, PassError> {
        if subject.is_known(&inputs) {
            return Ok(Reviewed::Unchanged);
        }
        self.tell_outcome(subject, inputs, outcome).await
    }

    /// Tells and records a verdict that has no assessment.
    async fn tell_outcome(
        &self,
        subject: &Subject<'_>,
        inputs: ReviewInputs,
        outcome: ReviewOutcome,
    ) -> Result<Reviewed, PassError> {
        self.record_review(subject, inputs, None, assess::Assessed::without_products(outcome)).await
    }

    /// Records what is said, and wants the forge to show it, in one transaction.
    async fn record_review(
        &self,
        subject: &Subject<'_>,
        inputs: ReviewInputs,
        result: Option<Revision>,
        assessed: assess::Assessed,
    ) -> Result<Reviewed, PassError> {
        let review = Review {
            source: subject.target.source.clone(),
            proposal: subject.proposal.clone(),
            head: inputs.head.clone(),
            base: inputs.base.clone(),
            branch: subject.watched.branch.clone(),
            repository: tell::page_of(&subject.watched.url),
            stages: self.settings.platform.stages.iter().map(|stage| stage.name.clone()).collect(),
            approvals: self
                .settings
                .platform
                .stages
                .iter()
                .filter_map(|stage| Some((stage.name.clone(), stage.gate.as_ref()?.approvals)))
                .collect(),
            outcome: assessed.outcome,
            products: assessed.products,
            findings: assessed.findings,
        };
        let verdict = review.verdict();
        // Who answers under it in between would not find the answer in the comment.
        let mut standing = self.stand(&review.source, Matter::Proposals).await?;
        let (record, reports) = loop {
            let answers = match review.proposal {
                Proposal::Pull(pull) => self.answers_under(&review.source, pull).await?,
                Proposal::MergeGroup(_) => String::new(),
            };
            let (reports, commented) = self.reports_of(subject, &review, answers);
            let mut record = subject.recorded(inputs.clone(), verdict, self.ports.clock.now());
            (record.result, record.summary, record.commented) = (result.clone(), review.headline(), commented);
            match standing.store.record_proposal(&record, &reports).await {
                Ok(()) => break (record, reports),
                Err(error) if standing.moved(&error).await? => {}
                Err(error) => return Err(error.into()),
            }
        };
        self.ring(Bell::Reports);
        info!(source = %review.source, proposal = %review.proposal, head = %review.head.short(),
            verdict = verdict.as_str(), "{}", record.summary);
        Ok(Reviewed::Told { review: Box::new(review), reports })
    }
}

impl Subject<'_> {
    /// Whether it was assessed with just these inputs, and said something that stands.
    fn is_known(&self, inputs: &ReviewInputs) -> bool {
        self.before.as_ref().is_some_and(|before| {
            before.inputs == *inputs
                && before.state == PullState::Open
                && before.verdict != ReviewVerdict::NotEvaluated
                && before.again == 0
        })
    }

    /// What is recorded of it with this verdict.
    fn recorded(&self, inputs: ReviewInputs, verdict: ReviewVerdict, assessed_at: Timestamp) -> ProposalRecord {
        ProposalRecord {
            source: self.target.source.clone(),
            proposal: self.proposal.clone(),
            state: PullState::Open,
            inputs,
            result: None,
            is_fork: self.is_fork,
            author: self.author.clone(),
            title: self.title.clone(),
            verdict,
            summary: String::new(),
            commented: self.before.as_ref().is_some_and(|before| before.commented),
            again: self.before.as_ref().map_or(0, |before| before.again),
            assessed_at,
        }
    }
}
