//! The judge: a small pool of workers, and the policies that they have loaded.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use async_trait::async_trait;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::WorkerOptions;
use super::backoff::Backoff;
use super::frame::{self, AT_ONCE, HEADER, Kind, LoadedPolicies, MAX_QUESTION};
use super::loading::{ReadPolicies, died_loading, start_loaded};
use super::trouble::Death;
use super::worker::Worker;
use crate::domain::id::Digest;
use crate::domain::policy::{PolicyEvent, Question, Verdict, Written};
use crate::port::judge::{Judge, PolicyLoadError};

/// The most workers, whatever the number of cores.
const MAX_WORKERS: usize = 4;

/// Evaluates policies in child processes.
///
/// Policies are loaded by [`Judge::reload`]; a judge that is asked before loads them itself. Cloning
/// it is cheap, and clones share the workers.
#[derive(Debug, Clone)]
pub struct WorkerJudge {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    options: WorkerOptions,
    /// One permit for each worker that may be at work.
    slots: Semaphore,
    lanes: usize,
    /// Workers that wait, each with the policies that it has loaded.
    idle: Mutex<Vec<(Arc<Ready>, Worker)>>,
    state: RwLock<State>,
    /// Held while policies are loaded, so that the last one to ask is the last one to be heard.
    reloading: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone)]
enum State {
    /// Nobody has asked for the policies yet.
    NotLoaded,
    /// They cannot be loaded: everything is refused.
    Refused(Digest, PolicyLoadError),
    Ready(Arc<Ready>),
}

/// Policies that load.
#[derive(Debug)]
struct Ready {
    /// The frame by which a worker loads them.
    frame: Vec<u8>,
    policies: LoadedPolicies,
    backoff: Backoff,
}

impl WorkerJudge {
    /// A judge that has loaded nothing yet.
    pub fn new(options: WorkerOptions) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let lanes = cores.clamp(1, MAX_WORKERS);
        let shared = Shared {
            options,
            slots: Semaphore::new(lanes),
            lanes,
            idle: Mutex::new(Vec::new()),
            state: RwLock::new(State::NotLoaded),
            reloading: tokio::sync::Mutex::new(()),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The process ids of the workers that wait to be asked.
    pub fn idle_workers(&self) -> Vec<u32> {
        let idle = self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.iter().filter_map(|(_, worker)| worker.process_id()).collect()
    }
}

#[async_trait]
impl Judge for WorkerJudge {
    fn policies(&self) -> Digest {
        match self.shared.state() {
            State::NotLoaded => Digest::of_fields([]),
            State::Refused(digest, _) => digest,
            State::Ready(ready) => ready.policies.digest.clone(),
        }
    }

    async fn reload(&self) -> Result<Digest, PolicyLoadError> {
        let _one_at_a_time = self.shared.reloading.lock().await;
        self.shared.load().await
    }

    async fn judge(&self, questions: Vec<Question>) -> Vec<Verdict> {
        let ready = match self.shared.ready().await {
            Ok(ready) => ready,
            Err((digest, error)) => {
                return questions.iter().map(|_| Verdict::not_evaluated(digest.clone(), error.to_string())).collect();
            }
        };
        // Where no package is asked at an event, nothing can be held against anything.
        let count = questions.len();
        let (places, questions): (Vec<usize>, Vec<Question>) =
            questions.into_iter().enumerate().filter(|(_, question)| ready.asks_at(question.event)).unzip();
        let nothing = Verdict { policies: ready.policies.digest.clone(), violations: Vec::new() };
        let mut verdicts = vec![nothing; count];
        let answers = self.shared.answer_all(&ready, questions).await;
        for (place, answer) in places.into_iter().zip(answers) {
            if let Some(verdict) = verdicts.get_mut(place) {
                *verdict = answer;
            }
        }
        verdicts
    }
}

impl Ready {
    /// Whether any package is asked at this event.
    fn asks_at(&self, event: PolicyEvent) -> bool {
        self.policies.packages.iter().any(|(_, events)| events.contains(&event))
    }
}

impl Shared {
    /// Answers any number of questions, with all workers.
    async fn answer_all(self: &Arc<Self>, ready: &Arc<Ready>, questions: Vec<Question>) -> Vec<Verdict> {
        if questions.len() <= AT_ONCE {
            return self.answer(ready, &questions, &mut Vec::new()).await;
        }
        let count = questions.len();
        let (questions, next) = (Arc::new(questions), Arc::new(AtomicUsize::new(0)));
        let mut lanes = JoinSet::new();
        for _ in 0..self.lanes {
            let (shared, ready) = (Arc::clone(self), Arc::clone(ready));
            let (questions, next) = (Arc::clone(&questions), Arc::clone(&next));
            lanes.spawn(async move {
                let (mut answered, mut room) = (Vec::new(), Vec::new());
                loop {
                    let start = next.fetch_add(AT_ONCE, Ordering::Relaxed);
                    let end = questions.len().min(start.saturating_add(AT_ONCE));
                    let Some(batch) = questions.get(start..end).filter(|batch| !batch.is_empty()) else { break };
                    answered.push((start, shared.answer(&ready, batch, &mut room).await));
                }
                answered
            });
        }
        let digest = &ready.policies.digest;
        let mut verdicts: Vec<Option<Verdict>> = (0..count).map(|_| None).collect();
        while let Some(lane) = lanes.join_next().await {
            for (start, answers) in lane.unwrap_or_default() {
                for (place, answer) in verdicts.iter_mut().skip(start).zip(answers) {
                    *place = Some(answer);
                }
            }
        }
        let lost = || Verdict::not_evaluated(digest.clone(), "the policies were not asked");
        verdicts.into_iter().map(|verdict| verdict.unwrap_or_else(lost)).collect()
    }

    fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_state(&self, state: State) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// The policies to ask; loads them if nobody has.
    async fn ready(&self) -> Result<Arc<Ready>, (Digest, PolicyLoadError)> {
        if let State::NotLoaded = self.state() {
            let _one_at_a_time = self.reloading.lock().await;
            // Somebody else may have loaded them while we waited; what came of it stands in the state.
            if let State::NotLoaded = self.state() {
                let _ = self.load().await;
            }
        }
        match self.state() {
            State::Ready(ready) => Ok(ready),
            State::Refused(digest, error) => Err((digest, error)),
            State::NotLoaded => Err((Digest::of_fields([]), PolicyLoadError("nobody has loaded them".to_owned()))),
        }
    }

    /// Reads and loads the policies; what came of it becomes the state.
    async fn load(&self) -> Result<Digest, PolicyLoadError> {
        let read = match ReadPolicies::read(&self.options).await {
            Ok(read) => read,
            Err(error) => {
                self.set_state(State::Refused(Digest::of_fields([]), error.clone()));
                return Err(error);
            }
        };
        let digest = read.digest.clone();
        if let State::Ready(ready) = self.state()
            && ready.policies.digest == digest
        {
            return Ok(digest);
        }
        let loaded = match read.into_frame(Kind::Policies) {
            Ok(frame) => match start_loaded(&self.options, &frame).await {
                Ok(Ok((worker, policies))) => Ok((worker, Ready { frame, policies, backoff: Backoff::default() })),
                Ok(Err(error)) => Err(error),
                Err(death) => Err(died_loading(&death)),
            },
            Err(error) => Err(error),
        };
        match loaded {
            Ok((worker, ready)) => {
                let ready = Arc::new(ready);
                self.set_state(State::Ready(Arc::clone(&ready)));
                // The workers of older policies go with the list.
                *self.idle() = vec![(ready, worker)];
                Ok(digest)
            }
            Err(error) => {
                self.idle().clear();
                self.set_state(State::Refused(digest, error.clone()));
                Err(error)
            }
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(Arc<Ready>, Worker)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers questions in their order, with as many workers, one after the other, as it takes.
    /// `room` is the room for what is sent, kept from one call to the next. Only a question that was sent
    /// alone is ever held to be the one over which a worker died.
    async fn answer(&self, ready: &Arc<Ready>, questions: &[Question], room: &mut Vec<u8>) -> Vec<Verdict> {
        let digest = &ready.policies.digest;
        let mut verdicts = Vec::with_capacity(questions.len());
        let (mut tried_again, mut one_by_one) = (None, false);
        while let Some(left) = questions.get(verdicts.len()..).filter(|left| !left.is_empty()) {
            let most = if one_by_one || !ready.backoff.is_clean() { 1 } else { AT_ONCE };
            let left = left.get(..most).unwrap_or(left);
            let batch = match Batch::of(left, &ready.backoff, std::mem::take(room)) {
                Ok(batch) => batch,
                Err(why) => {
                    verdicts.push(Verdict::not_evaluated(digest.clone(), why));
                    continue;
                }
            };
            let start = verdicts.len();
            let outcome = self.ask(ready, &batch, &mut verdicts).await;
            let answered = questions.get(start..verdicts.len()).unwrap_or_default();
            ready.backoff.answered(answered.iter().map(|question| question.event));
            let Err((death, position)) = outcome else {
                *room = batch.frames;
                continue;
            };
            if batch.count > 1 {
                one_by_one = true;
                continue;
            }
            let at = verdicts.len();
            if death.may_be_from_outside() && tried_again.replace(at) != Some(at) {
                continue;
            }
            let name = position.and_then(|position| ready.policies.packages.get(position));
            let who =
                name.map_or_else(|| "evaluating the policies".to_owned(), |(name, _)| format!("the policy '{name}'"));
            let why = format!("{who} {death}");
            tracing::warn!(policies = %digest, "{why}");
            if let Some(question) = questions.get(at)
                && let Ok(json) = serde_json::to_vec(question)
            {
                ready.backoff.died(Instant::now(), question.event, &json, &why);
            }
            verdicts.push(Verdict::not_evaluated(digest.clone(), why));
        }
        verdicts
    }

    /// Asks one worker. The worker goes back to the others only when it has answered everything.
    async fn ask(
        &self,
        ready: &Arc<Ready>,
        batch: &Batch,
        verdicts: &mut Vec<Verdict>,
    ) -> Result<(), (Death, Option<usize>)> {
        // The semaphore is never closed; without a permit we would only be one worker too many.
        let _slot = self.slots.acquire().await.ok();
        let mut worker = self.worker(ready).await.map_err(|death| (death, None))?;
        match worker.ask(&batch.frames, batch.count, self.options.timeout, verdicts).await {
            Ok(()) => {
                if matches!(self.state(), State::Ready(current) if Arc::ptr_eq(&current, ready)) {
                    self.idle().push((Arc::clone(ready), worker));
                }
                Ok(())
            }
            Err(silence) => Err(worker.bury(silence).await),
        }
    }

    /// A worker that waits, or a new one.
    async fn worker(&self, ready: &Arc<Ready>) -> Result<Worker, Death> {
        loop {
            let waiting = {
                let mut idle = self.idle();
                let position = idle.iter().position(|(loaded, _)| Arc::ptr_eq(loaded, ready));
                position.map(|position| idle.swap_remove(position))
            };
            let Some((_, mut worker)) = waiting else { break };
            if worker.is_alive() {
                return Ok(worker);
            }
        }
        match start_loaded(&self.options, &ready.frame).await? {
            Ok((worker, _)) => Ok(worker),
            Err(error) => Err(Death::NotStarted(error.to_string())),
        }
    }
}

/// Questions on their way to a worker.
struct Batch {
    frames: Vec<u8>,
    count: usize,
}

impl Batch {
    /// The first questions of `left`, up to one that is not asked; if that is the very first, why. What
    /// differs from the question before only in its event is not written down again, as long as nothing
    /// has gone wrong: what is remembered of deaths goes by whole questions.
    fn of(left: &[Question], backoff: &Backoff, mut room: Vec<u8>) -> Result<Self, String> {
        let (now, is_clean) = (Instant::now(), backoff.is_clean());
        room.clear();
        let mut batch = Self { frames: room, count: 0 };
        let mut before: Option<&Question> = None;
        for question in left {
            let start = batch.frames.len();
            let is_again = is_clean && before.is_some_and(|before| differ_in_event_alone(before, question));
            let refused = backoff.refuses_event(now, question.event).or_else(|| {
                let written = if is_again {
                    let write = |buffer: &mut Vec<u8>| serde_json::to_writer(buffer, &question.event);
                    frame::append(&mut batch.frames, Kind::Again, write)
                } else {
                    let write = |buffer: &mut Vec<u8>| serde_json::to_writer(buffer, question);
                    frame::append(&mut batch.frames, Kind::Question, write)
                };
                if let Err(error) = written {
                    return Some(format!("the question cannot be asked: {error}"));
                }
                let json = batch.frames.get(start + HEADER..).unwrap_or_default();
                if json.len() > MAX_QUESTION {
                    return Some(format!("the question is longer than {} MiB", MAX_QUESTION >> 20));
                }
                if is_again { None } else { backoff.refuses_question(now, json) }
            });
            match refused {
                None => batch.count += 1,
                Some(why) if batch.count == 0 => return Err(why),
                Some(_) => {
                    batch.frames.truncate(start);
                    break;
                }
            }
            if batch.frames.len() > MAX_QUESTION {
                break;
            }
            before = Some(question);
        }
        Ok(batch)
    }
}

/// Whether two questions are about the very same states.
fn differ_in_event_alone(before: &Question, question: &Question) -> bool {
    let is_same = |a: &Option<Written>, b: &Option<Written>| match (a, b) {
        (Some(a), Some(b)) => a.is_same(b),
        (None, None) => true,
        _ => false,
    };
    is_same(&before.current_state, &question.current_state)
        && is_same(&before.after_state, &question.after_state)
        && is_same(&before.change, &question.change)
        && before.stage == question.stage
        && before.source == question.source
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn question(event: PolicyEvent, state: &Written) -> Question {
        Question {
            event,
            current_state: None,
            after_state: Some(state.clone()),
            change: None,
            stage: None,
            source: None,
        }
    }

    fn sent(questions: &[Question], backoff: &Backoff) -> Vec<(Kind, String)> {
        let batch = Batch::of(questions, backoff, Vec::new()).unwrap();
        let mut frames = batch.frames.as_slice();
        let mut sent = Vec::new();
        while let Some((kind, json)) = frame::read(&mut frames).unwrap() {
            sent.push((kind, String::from_utf8(json).unwrap()));
        }
        assert_eq!(sent.len(), batch.count);
        sent
    }

    #[test]
    fn the_same_states_are_sent_once_as_long_as_nobody_has_died() {
        use PolicyEvent::{DataProductCreation as C, DataProductVersionCreation as V};
        let (one, alike) = (Written::of(&json!({"n": 1})), Written::of(&json!({"n": 1})));
        let questions = [question(C, &one), question(V, &one), question(C, &alike), question(V, &alike)];
        let whole: Vec<String> = questions.iter().map(|question| serde_json::to_string(question).unwrap()).collect();
        let again = r#""DATA_PRODUCT_VERSION_CREATION""#;
        let backoff = Backoff::default();
        let all = sent(&questions, &backoff);
        let kinds: Vec<Kind> = all.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [Kind::Question, Kind::Again, Kind::Question, Kind::Again]);
        let texts: Vec<&str> = all.iter().map(|(_, json)| json.as_str()).collect();
        assert_eq!(texts, [&whole[0], again, &whole[2], again]);
        // What is sent after a death begins anew, and other stages are other questions.
        assert_eq!(sent(&questions[1..2], &backoff), [(Kind::Question, whole[1].clone())]);
        let staged = Question { stage: Some("dev".parse().unwrap()), ..questions[1].clone() };
        assert_eq!(sent(&[questions[0].clone(), staged], &backoff)[1].0, Kind::Question);

        backoff.died(Instant::now(), V, whole[3].as_bytes(), "it died");
        let all: Vec<String> = sent(&questions, &backoff).into_iter().map(|(_, json)| json).collect();
        assert_eq!(all, whole);
        backoff.answered([V].into_iter());
        backoff.died(Instant::now(), V, whole[1].as_bytes(), "it died");
        backoff.died(Instant::now(), V, whole[1].as_bytes(), "it died");
        assert_eq!(sent(&questions, &backoff).len(), 1, "a question that is not asked ends what is sent");
        assert!(Batch::of(&questions[1..], &backoff, Vec::new()).is_err());
    }
}
