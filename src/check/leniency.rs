//! Which rule each switch weighs anew. What a switch allows is read as what was meant in any case, so
//! that nothing follows from it; the switch decides only what is said.

use super::{refs, rules, schema};
use crate::domain::descriptor::{Compatibility, Leniency};
use crate::domain::finding::RuleId;

/// What becomes of a rule's findings.
pub(super) fn of_rule(rule: &RuleId, switches: &Compatibility) -> Leniency {
    let table = [
        (refs::rules::NO_SLASH.id, switches.slashless_references),
        (schema::rules::NULL.id, switches.explicit_nulls),
        (schema::rules::UNNAMED_TEMPLATE.id, switches.unnamed_templates),
        (rules::rules::EXECUTOR_IN_BRACES.id, switches.executors_in_braces),
        (rules::rules::ODM_IDENTITY.id, switches.odm_identity),
    ];
    table.into_iter().find(|(id, _)| *id == rule.as_str()).map_or(Leniency::Off, |(_, leniency)| leniency)
}
