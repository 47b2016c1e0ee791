//! Answers in words: the last of them stand in the one comment of the pull request, so that nobody has to
//! look elsewhere why a command was refused, or what became of a button.

use crate::domain::forge::delivery::Asked;
use crate::domain::forge::{CommentMode, Proposal};
use crate::domain::id::SourceName;
use crate::domain::report::markdown::{self, Answered};
use crate::domain::report::{Comment, Detail, Report, ReportState};
use crate::domain::time::Timestamp;
use crate::port::requests::{Origin, Request};
use crate::port::store::{Bell, Matter, StoreError};

use tracing::warn;

use super::super::Engine;
use super::super::review::COMMENT;

/// So many answers are looked through for those that are told.
const LOOKED_THROUGH: usize = 50;

impl Engine {
    /// What became of the last commands under a pull request, as the end of its comment.
    pub(in crate::engine) async fn answers_under(&self, source: &SourceName, pull: u64) -> Result<String, StoreError> {
        let answered = self.ports.store.answered_commands(source, pull, LOOKED_THROUGH).await?;
        let answered = answered.into_iter().map(|answered| Answered {
            author: answered.author,
            command: match answered.asked {
                Asked::Command(command) => Some(command.to_string()),
                Asked::Unclear(_) => None,
            },
            is_pressed: answered.is_pressed,
            outcome: answered.outcome,
        });
        Ok(markdown::answers(&answered.collect::<Vec<_>>()))
    }

    /// Has the comment of the pull request tell what became of this request. Where there is no comment yet,
    /// `begins` says whether there is to be one.
    pub(super) async fn tell_answers(&self, request: &Request, begins: bool) -> Result<(), StoreError> {
        let (Origin::Comment { pull, .. } | Origin::Button { pull: Some(pull), .. }) = request.origin else {
            return Ok(());
        };
        let source = &request.source;
        let (Some(forge), Some(watched)) = (self.ports.forges.get(source), self.settings.sources.get(source)) else {
            return Ok(());
        };
        if !forge.abilities().comments || watched.comment == CommentMode::Never {
            return Ok(());
        }
        // An assessment that is recorded in between would be taken back.
        let mut standing = self.stand(source, Matter::Proposals).await?;
        loop {
            let wanted = match self.ports.store.wanted_comment(source, pull).await? {
                Some(report) => Some(report),
                None if begins => self.first_comment(source, pull).await?,
                None => None,
            };
            let Some(mut report) = wanted else { return Ok(()) };
            let Some(Detail::Comment(comment)) = &mut report.detail else { return Ok(()) };
            comment.answers = self.answers_under(source, pull).await?;
            match standing.store.want(&[report], self.ports.clock.now()).await {
                Ok(()) => break,
                Err(error) if standing.moved(&error).await? => {}
                Err(error) => return Err(error),
            }
        }
        self.ring(Bell::Reports);
        Ok(())
    }

    /// The request, with the pull request whose commit the button stands at: one that is proposed, or that the
    /// forge says was merged as it. An error says until when the forge is left alone.
    pub(super) async fn located(&self, request: &Request) -> Result<Result<Request, Timestamp>, StoreError> {
        let mut located = request.clone();
        let Origin::Button { head, pull: pull @ None } = &mut located.origin else { return Ok(Ok(located)) };
        let open = self.ports.store.open_proposals(&request.source).await?;
        let proposed = open.iter().find_map(|record| match record.proposal {
            Proposal::Pull(number) if record.inputs.head == *head => Some(number),
            _ => None,
        });
        *pull = match (proposed, self.ports.reviews.get(&request.source)) {
            (Some(number), _) => Some(number),
            (None, None) => None,
            (None, Some(reviews)) => match reviews.merged_as(&request.source, head).await {
                Ok(merged) => merged,
                Err(error) => match self.later(&error) {
                    Some(until) => return Ok(Err(until)),
                    // The answer is still in the record.
                    None => {
                        warn!(source = %request.source, %error, "whose commit a button stands at is not known");
                        None
                    }
                },
            },
        };
        Ok(Ok(located))
    }

    /// A comment that has answers alone, for a pull request that is known.
    async fn first_comment(&self, source: &SourceName, pull: u64) -> Result<Option<Report>, StoreError> {
        let known = self.ports.store.proposal(source, &Proposal::Pull(pull)).await?;
        Ok(known.map(|known| Report {
            source: source.clone(),
            revision: known.inputs.head,
            context: COMMENT.to_owned(),
            state: ReportState::Success,
            description: "what became of commands".to_owned(),
            target_url: None,
            detail: Some(Detail::Comment(Comment {
                pull,
                body: markdown::answered_only(source),
                answers: String::new(),
            })),
        }))
    }
}
