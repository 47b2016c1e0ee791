//! People: who decides about rollouts; and the policies, which people change.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use meshwright::domain::finding::RuleId;
use meshwright::domain::forge::Person;
use meshwright::domain::id::{Digest, SourceName};
use meshwright::domain::policy::{Enforcement, Question, Verdict, Violation};
use meshwright::domain::time::Timestamp;
use meshwright::port::judge::{Judge, PolicyLoadError};
use meshwright::port::requests::{Action, Origin, Request, Requests};
use meshwright::port::store::StoreError;

use super::world::{Replica, World};

/// What people asked for, and what they were answered.
#[derive(Debug, Default)]
pub struct Desk {
    asked: Vec<Request>,
    answers: BTreeMap<String, String>,
}

impl Desk {
    /// Somebody asks for something on the machine.
    pub fn ask(&mut self, world: &World, source: &SourceName, action: Action) {
        let id = format!("machine/{}", self.asked.len());
        world.tell(format_args!("asked {id} {source} {action:?}"));
        self.asked.push(Request {
            id,
            source: source.clone(),
            action: Ok(action),
            origin: Origin::Machine { plan: None },
            by: Person { name: "ann".to_owned(), via: "command line".to_owned() },
            at: world.now(),
        });
    }

    /// How many have no answer.
    pub fn open(&self) -> usize {
        self.asked.len() - self.answers.len()
    }
}

/// The desk, as one replica reaches it.
pub struct SimDesk {
    pub replica: Arc<Replica>,
    pub desk: Arc<Mutex<Desk>>,
}

#[async_trait]
impl Requests for SimDesk {
    async fn open(&self, limit: usize, except: &[SourceName]) -> Result<Vec<Request>, StoreError> {
        self.replica.enter().await;
        let open = {
            let desk = self.desk.lock().unwrap();
            let open = desk
                .asked
                .iter()
                .filter(|request| !desk.answers.contains_key(&request.id) && !except.contains(&request.source));
            open.take(limit).cloned().collect()
        };
        self.replica.leave().await;
        Ok(open)
    }

    async fn answer(&self, request: &Request, answer: Result<&str, &str>, _: Timestamp) -> Result<(), StoreError> {
        self.replica.enter().await;
        let world = &self.replica.world;
        let text = match answer {
            Ok(outcome) => format!("done: {outcome}"),
            Err(why) => format!("refused: {why}"),
        };
        let fails = world.fault("answering fails", world.rates.store_fails);
        if !fails {
            world.tell(format_args!("{} answer {} {text}", self.replica.name, request.id));
            self.desk.lock().unwrap().answers.entry(request.id.clone()).or_insert(text);
        }
        self.replica.leave().await;
        if fails { Err(StoreError::Unavailable("no space left on device".to_owned())) } else { Ok(()) }
    }
}

/// Policies that refuse what is forbidden, as one replica has loaded them.
pub struct SimJudge {
    pub replica: Arc<Replica>,
}

impl SimJudge {
    fn verdict(&self, question: &Question) -> Verdict {
        let world = &self.replica.world;
        let policies = self.policies();
        if world.fault("judge fails", world.rates.judge_fails) {
            return Verdict::not_evaluated(policies, "the worker ran out of time");
        }
        let description = question.after_state.as_ref().and_then(|state| {
            state.value().pointer("/dataProductVersion/info/description")?.as_str().map(str::to_owned)
        });
        let violations = description.filter(|text| text.starts_with("forbidden")).map(|text| Violation {
            rule: RuleId::built_in("policy/simulation.forbidden"),
            enforcement: Enforcement::Block,
            message: text,
            pointer: Some("/info/description".to_owned()),
            within: None,
            hint: None,
        });
        Verdict { policies, violations: violations.into_iter().collect() }
    }
}

#[async_trait]
impl Judge for SimJudge {
    fn policies(&self) -> Digest {
        World::policies_digest(self.replica.policies.load(Ordering::SeqCst))
    }

    async fn reload(&self) -> Result<Digest, PolicyLoadError> {
        self.replica.policies.store(self.replica.world.policies.load(Ordering::SeqCst), Ordering::SeqCst);
        Ok(self.policies())
    }

    async fn judge(&self, questions: Vec<Question>) -> Vec<Verdict> {
        self.replica.enter().await;
        let verdicts = questions.iter().map(|question| self.verdict(question)).collect();
        self.replica.leave().await;
        verdicts
    }
}
