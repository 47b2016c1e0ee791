//! The one list of built-in rules. `explain`, `docs/findings.md` and SARIF are made from it.

use crate::domain::plan;
use crate::domain::rule::Rule;

use super::{discover, policy, record, refs, rules, schema, yaml};

/// All built-in rules, by id: those of files, of the record, of planning and of policies as a whole.
/// What a policy itself says has the policy's own rule id.
pub fn catalogue() -> Vec<&'static Rule> {
    let rooms: [&'static [Rule]; 8] = [
        discover::RULES,
        yaml::rules::RULES,
        refs::rules::RULES,
        schema::rules::RULES,
        rules::rules::RULES,
        record::RULES,
        plan::RULES,
        policy::RULES,
    ];
    let mut all: Vec<&'static Rule> = rooms.into_iter().flatten().collect();
    all.sort_by_key(|rule| rule.id);
    all
}
