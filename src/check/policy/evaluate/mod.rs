//! Asks the packages of a set. `reading` reads the question.

mod reading;

use regorus::{Engine, Value};

use reading::QuestionReader;

use super::answer::{from_allow, from_set};
use super::problem::EngineError;
use super::set::{Package, PolicySet};
use super::settings::event_name;
use crate::domain::id::Digest;
use crate::domain::policy::{Enforcement, NOT_EVALUATED, PolicyEvent, Question, Verdict, Violation};

/// Evaluates questions, one after the other.
///
/// A question that differs from the one before only in its event is not read again, and packages
/// that cannot see the event are not asked again: a new product is asked about at two events, with
/// the same states.
///
/// The engine is prepared once and used again; after an error it is replaced by a clone of one that
/// has never evaluated anything, because an error can leave a `with` half undone.
#[derive(Debug)]
pub struct Evaluator {
    fresh: Engine,
    engine: Engine,
    packages: Vec<Package>,
    digest: Digest,
    before: Option<Before>,
    reader: QuestionReader,
}

/// The question before.
#[derive(Debug)]
struct Before {
    /// Its JSON behind the event.
    rest: String,
    input: Value,
    answers: Answers,
}

/// What packages answered that cannot see the event; in the order of the packages.
type Answers = Vec<Option<Vec<Violation>>>;

impl Before {
    /// The same question at another event.
    fn at(mut self, event: &str) -> Option<(Value, Answers)> {
        self.input.as_object_mut().ok()?.insert(Value::from("event"), Value::from(event));
        Some((self.input, self.answers))
    }
}

impl Evaluator {
    /// An evaluator for a set.
    pub fn new(set: PolicySet) -> Self {
        let digest = set.digest().clone();
        let reader = QuestionReader::default();
        Self { engine: set.engine.clone(), fresh: set.engine, packages: set.packages, digest, before: None, reader }
    }

    /// Answers a question.
    pub fn judge(&mut self, question: &Question) -> Verdict {
        match serde_json::to_string(question) {
            Ok(json) => self.judge_json(&json, &mut |_| {}),
            Err(error) => self.no_answer(format!("the question cannot be written down: {error}")),
        }
    }

    /// Answers a question that is already JSON. `about_to_ask` is told the position, among
    /// [`PolicySet::packages`], of each package before it is asked: should the process die, that one
    /// was at it.
    pub fn judge_json(&mut self, json: &str, about_to_ask: &mut dyn FnMut(usize)) -> Verdict {
        let parts = event_and_rest(json);
        let before = self.before.take().filter(|before| parts.is_some_and(|(_, rest)| before.rest == rest));
        let shared = before.zip(parts).and_then(|(before, (event, _))| before.at(event));
        let (input, mut answers) = match shared {
            Some(shared) => shared,
            None => match self.reader.read(json) {
                Ok(input) => (input, vec![None; self.packages.len()]),
                Err(error) => return self.no_answer(format!("the question cannot be read: {error}")),
            },
        };
        let Some(event) = event_of(&input) else {
            return self.no_answer("the question names no event that is known".to_owned());
        };
        self.engine.set_input(input.clone());
        let mut violations = Vec::new();
        for (position, (package, known)) in self.packages.iter().zip(&mut answers).enumerate() {
            if !package.settings.events.contains(&event) {
                continue;
            }
            if let Some(known) = known {
                violations.extend_from_slice(known);
                continue;
            }
            about_to_ask(position);
            let start = violations.len();
            if let Err(error) = ask(&mut self.engine, package, &mut violations) {
                violations.push(failed(package, &error));
                self.engine = self.fresh.clone();
                self.engine.set_input(input.clone());
            } else if !package.sees_event {
                *known = violations.get(start..).map(<[Violation]>::to_vec);
            }
        }
        self.before = parts.map(|(_, rest)| Before { rest: rest.to_owned(), input, answers });
        // What policies print is for their authors' tests; here it is dropped, so that it does not pile up.
        let _ = self.engine.take_prints();
        Verdict { policies: self.digest.clone(), violations }
    }

    /// Answers the question before, as it would be at another event.
    pub fn judge_again(&mut self, event: PolicyEvent, about_to_ask: &mut dyn FnMut(usize)) -> Verdict {
        match &self.before {
            Some(Before { rest, .. }) => {
                let json = format!(r#"{{"event":"{}"{rest}"#, event_name(event));
                self.judge_json(&json, about_to_ask)
            }
            None => self.no_answer("the question before was not answered".to_owned()),
        }
    }

    fn no_answer(&self, why: String) -> Verdict {
        Verdict::not_evaluated(self.digest.clone(), why)
    }
}

/// The event in the JSON of a question, and what stands behind it. The event comes first, as
/// [`Question`] is written down; of anything else nothing is known.
fn event_and_rest(json: &str) -> Option<(&str, &str)> {
    let (event, rest) = json.strip_prefix(r#"{"event":""#)?.split_once('"')?;
    (!event.contains('\\')).then_some((event, rest))
}

fn event_of(input: &Value) -> Option<PolicyEvent> {
    let name = input.as_object().ok()?.get(&Value::from("event"))?.as_string().ok()?;
    PolicyEvent::ALL.into_iter().find(|event| event_name(*event) == name.as_ref())
}

fn ask(engine: &mut Engine, package: &Package, violations: &mut Vec<Violation>) -> Result<(), EngineError> {
    for rule in ["deny", "warn"] {
        let Some(path) = package.speaks.get(rule) else { continue };
        let answer = value(engine, path)?;
        // Nearly every answer is an empty set, and says nothing.
        if !matches!(&answer, Value::Set(items) if items.is_empty())
            && let Some(answer) = json(&answer)?
        {
            violations.extend(from_set(package, rule, &answer));
        }
    }
    // `allow` is the form of Open Data Mesh; beside a `deny` it is the policy's own affair.
    if let (Some(path), false) = (package.speaks.get("allow"), package.speaks.contains_key("deny")) {
        violations.extend(from_allow(package, eval(engine, path)?.as_ref()));
    }
    Ok(())
}

/// The value of a rule; `None` where it is undefined.
pub(super) fn eval(engine: &mut Engine, path: &str) -> Result<Option<serde_json::Value>, EngineError> {
    json(&value(engine, path)?)
}

fn value(engine: &mut Engine, path: &str) -> Result<Value, EngineError> {
    engine.eval_rule(path.to_owned()).map_err(|error| EngineError::read(&error))
}

fn json(value: &Value) -> Result<Option<serde_json::Value>, EngineError> {
    match value {
        Value::Undefined => Ok(None),
        value => serde_json::to_value(value).map(Some).map_err(|error| EngineError::read(&error)),
    }
}

fn failed(package: &Package, error: &EngineError) -> Violation {
    Violation {
        rule: NOT_EVALUATED,
        enforcement: Enforcement::Block,
        message: format!("the policy '{}' failed: {}", package.name, error.on_one_line()),
        pointer: None,
        within: None,
        hint: Some("policies fail closed: mend the policy, then reconcile again".to_owned()),
    }
}
