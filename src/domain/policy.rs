//! What policies are asked, and what they answer. Who evaluates them is behind a port.

mod written;

pub use written::Written;

use serde::{Deserialize, Serialize};

use super::descriptor::{Descriptor, Published};
use super::finding::{RuleId, Severity, Stretch};
use super::id::{Digest, SourceName, StageName};

/// The moments at which policies are asked: Open Data Mesh's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PolicyEvent {
    /// A product is new.
    DataProductCreation,
    /// A product's metadata changed.
    DataProductUpdate,
    /// A version is new.
    DataProductVersionCreation,
    /// A container is about to move to a version at a stage; asked again before every phase.
    ActivityStageTransition,
    /// A task has ended, and is not recorded as done yet.
    TaskExecutionResult,
    /// All tasks have ended, and the activity is not recorded as done yet.
    ActivityExecutionResult,
}

impl PolicyEvent {
    /// All of them, in the order in which a change meets them.
    pub const ALL: [PolicyEvent; 6] = [
        PolicyEvent::DataProductCreation,
        PolicyEvent::DataProductUpdate,
        PolicyEvent::DataProductVersionCreation,
        PolicyEvent::ActivityStageTransition,
        PolicyEvent::TaskExecutionResult,
        PolicyEvent::ActivityExecutionResult,
    ];
}

/// What a violation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Enforcement {
    /// It refuses.
    Block,
    /// It is shown.
    Warn,
}

impl Enforcement {
    /// The severity of a finding made from a violation.
    pub const fn severity(self) -> Severity {
        match self {
            Enforcement::Block => Severity::Error,
            Enforcement::Warn => Severity::Warning,
        }
    }
}

/// The input of one evaluation; every package that listens to the event is asked.
///
/// Serialised, it is the Rego `input`: `event`, `currentState`, `afterState`, `change`, `stage`,
/// `source`. Absent states are left out, as Open Data Mesh does. States are shared, because a change
/// is asked about at several events; the event comes first, so that this can be seen in the JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// The moment.
    pub event: PolicyEvent,
    /// The recorded state, shaped by the event: `{dataProductVersion}`, `{lifecycle}`, `{activity, task}`, ….
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub current_state: Option<Written>,
    /// The state that will be recorded, shaped by the event.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after_state: Option<Written>,
    /// The [`Change`](super::change::Change), where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub change: Option<Written>,
    /// The stage, for activities and tasks.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stage: Option<StageName>,
    /// The source.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<SourceName>,
}

/// The state of a product version, as questions have it.
pub fn version_state(descriptor: &Descriptor) -> Written {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct State<'a> {
        data_product_version: Published<'a>,
    }
    Written::of(&State { data_product_version: descriptor.published() })
}

/// One violation of a policy, or the reason why policies could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// `policy/<package>.<rule>`; `policy/not-evaluated` when there is no answer.
    pub rule: RuleId,
    /// What it does.
    pub enforcement: Enforcement,
    /// What is wrong.
    pub message: String,
    /// A JSON pointer into the product version's content, where the policy gave one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pointer: Option<String>,
    /// Where in the text to which `pointer` leads, where the policy gave that too.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub within: Option<Stretch>,
    /// What to do about it: the violation's own hint, or the package's remedy.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
}

/// The rule id of a refusal because policies could not be evaluated.
pub const NOT_EVALUATED: RuleId = RuleId::built_in("policy/not-evaluated");

/// The answer to one question. There is no error beside it: a policy that fails, runs out of its
/// limits or is missing answers with a blocking violation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which policies answered.
    pub policies: Digest,
    /// What they hold against it.
    pub violations: Vec<Violation>,
}

impl Verdict {
    /// A refusal because there is no answer.
    pub fn not_evaluated(policies: Digest, why: impl Into<String>) -> Self {
        let violation = Violation {
            rule: NOT_EVALUATED,
            enforcement: Enforcement::Block,
            message: why.into(),
            pointer: None,
            within: None,
            hint: Some("policies fail closed: mend the policy or its limits, then reconcile again".to_owned()),
        };
        Self { policies, violations: vec![violation] }
    }

    /// Whether the change may go on.
    pub fn allows(&self) -> bool {
        !self.violations.iter().any(|violation| violation.enforcement == Enforcement::Block)
    }
}
