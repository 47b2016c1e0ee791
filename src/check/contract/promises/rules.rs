//! What a change of a port means beside its definitions.

use crate::check::contract::fields::rule;
use crate::domain::change::Impact::{Breaking, Compatible, Unknown};
use crate::domain::compat::ContractRule;

const RELIED: &str = "DPDS 1.0.0, Promises Object: what is promised may be relied on";
const EXPECTED: &str = "DPDS 1.0.0, Expectations Object";
const OBLIGED: &str = "DPDS 1.0.0, Obligations Object";
const NOT_KNOWN: &str = "what is not understood is not compatible";

pub(super) const PORT_ADDED: ContractRule =
    rule("promises/port-added", "A port is new.", Compatible, Compatible, "nobody relies on it yet");
pub(super) const PORT_REMOVED: ContractRule =
    rule("promises/port-removed", "A port is gone.", Breaking, Breaking, "whoever used it finds nothing");
pub(super) const SOURCE_DROPPED: ContractRule = rule(
    "promises/source-dropped",
    "An input port is gone that read another product (`x-upstream`).",
    Compatible,
    Compatible,
    "nobody sends anything through it",
);
pub(super) const PORT_FIELD: ContractRule = rule(
    "promises/field-not-understood",
    "A field of the port differs of which the comparison knows nothing, as extensions do.",
    Unknown,
    Unknown,
    NOT_KNOWN,
);
pub(super) const PROMISE_ADDED: ContractRule = rule(
    "promises/promise-added",
    "A platform, a kind of service, an API, a policy or an objective is promised that was not.",
    Compatible,
    Compatible,
    RELIED,
);
pub(super) const PROMISE_REMOVED: ContractRule = rule(
    "promises/promise-removed",
    "A platform, a kind of service, an API, a policy or an objective is promised no longer.",
    Breaking,
    Breaking,
    RELIED,
);
pub(super) const PLATFORM_MOVED: ContractRule = rule(
    "promises/platform-moved",
    "The port is on another platform.",
    Breaking,
    Breaking,
    "addresses, credentials and drivers are those of a platform",
);
pub(super) const SERVICE_CHANGED: ContractRule = rule(
    "promises/service-changed",
    "The port is served by another kind of service.",
    Breaking,
    Breaking,
    "a topic is not used as a table is",
);
pub(super) const OBJECTIVE_LOWERED: ContractRule = rule(
    "promises/objective-lowered",
    "Less is promised: a lower availability, staler data, a slower answer, a weaker guarantee of delivery.",
    Breaking,
    Breaking,
    RELIED,
);
pub(super) const OBJECTIVE_RAISED: ContractRule =
    rule("promises/objective-raised", "More is promised than before.", Compatible, Compatible, RELIED);
pub(super) const PERIOD_SHORTENED: ContractRule = rule(
    "promises/period-shortened",
    "A notice, a deprecation period, a support period or a retention is shorter.",
    Breaking,
    Breaking,
    "whoever planned with it has less time",
);
pub(super) const PERIOD_EXTENDED: ContractRule = rule(
    "promises/period-extended",
    "A notice, a deprecation period, a support period or a retention is longer.",
    Compatible,
    Compatible,
    RELIED,
);
pub(super) const OBJECTIVE_CHANGED: ContractRule = rule(
    "promises/objective-changed",
    "A promised value differs, and whether it is more or less is not known.",
    Unknown,
    Unknown,
    NOT_KNOWN,
);
pub(super) const AUDIENCE_SHRANK: ContractRule = rule(
    "promises/audience-shrank",
    "Somebody is no longer among the audience, or is excluded from it.",
    Breaking,
    Breaking,
    EXPECTED,
);
pub(super) const AUDIENCE_GREW: ContractRule = rule(
    "promises/audience-grew",
    "More are among the audience, or none is named any more.",
    Compatible,
    Compatible,
    EXPECTED,
);
pub(super) const EXPECTATION_CHANGED: ContractRule = rule(
    "promises/expectation-changed",
    "What is expected of those who use the port is new, or differs; an audience is named where none was.",
    Unknown,
    Unknown,
    EXPECTED,
);
pub(super) const EXPECTATION_DROPPED: ContractRule = rule(
    "promises/expectation-dropped",
    "An expectation of those who use the port is gone.",
    Compatible,
    Compatible,
    EXPECTED,
);
pub(super) const PRICE_RAISED: ContractRule = rule(
    "promises/price-raised",
    "A price is new, or is higher.",
    Breaking,
    Breaking,
    "whoever used it at the old price may not want it at the new one",
);
pub(super) const PRICE_LOWERED: ContractRule =
    rule("promises/price-lowered", "A price is lower, or is gone.", Compatible, Compatible, OBLIGED);
pub(super) const OBLIGATION_CHANGED: ContractRule = rule(
    "promises/obligation-changed",
    "Terms, or how something is billed, are new or differ.",
    Unknown,
    Unknown,
    OBLIGED,
);
pub(super) const OBLIGATION_DROPPED: ContractRule =
    rule("promises/obligation-dropped", "Terms are gone.", Compatible, Compatible, OBLIGED);

/// The rules of this room, in the order in which they are documented.
pub(crate) const RULES: &[ContractRule] = &[
    PORT_ADDED,
    PORT_REMOVED,
    SOURCE_DROPPED,
    PROMISE_ADDED,
    PROMISE_REMOVED,
    PLATFORM_MOVED,
    SERVICE_CHANGED,
    OBJECTIVE_LOWERED,
    OBJECTIVE_RAISED,
    PERIOD_SHORTENED,
    PERIOD_EXTENDED,
    OBJECTIVE_CHANGED,
    AUDIENCE_SHRANK,
    AUDIENCE_GREW,
    EXPECTATION_CHANGED,
    EXPECTATION_DROPPED,
    PRICE_RAISED,
    PRICE_LOWERED,
    OBLIGATION_CHANGED,
    OBLIGATION_DROPPED,
    PORT_FIELD,
];
