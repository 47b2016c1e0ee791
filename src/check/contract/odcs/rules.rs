//! What a change of a data contract (Open Data Contract Standard 3) means to those who rely on it.

use crate::check::contract::data_type::TypeRules;
use crate::check::contract::fields::rule;
use crate::domain::change::Impact::{Breaking, Compatible, Unknown};
use crate::domain::compat::ContractRule;

const SCHEMA: &str = "ODCS 3, Schema";
const QUALITY: &str = "ODCS 3, Data quality";
const SLA: &str = "ODCS 3, Service-level agreement";
const SERVERS: &str = "ODCS 3, Infrastructure and servers";
const PRICING: &str = "ODCS 3, Pricing";
const UNTOLD: &str = "what is not understood is not compatible";

pub(super) const UNREADABLE: ContractRule = rule(
    "odcs/unreadable",
    "One of the two editions is no data contract of version 3 that can be read.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const TOO_LARGE: ContractRule = rule(
    "odcs/too-large",
    "There are more, or more deeply nested, objects and properties than are compared.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const NOT_UNDERSTOOD: ContractRule = rule(
    "odcs/not-understood",
    "A field differs that is not compared further, or that is of another kind than the standard says: a number where \
     a text stands, a list of what has no names.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const OBJECT_ADDED: ContractRule =
    rule("odcs/object-added", "An object is new: a table, a topic.", Compatible, Compatible, SCHEMA);
pub(super) const OBJECT_REMOVED: ContractRule =
    rule("odcs/object-removed", "An object is gone.", Breaking, Breaking, SCHEMA);
pub(super) const PHYSICAL_NAME: ContractRule = rule(
    "odcs/physical-name-changed",
    "An object or a property has another name where the data stands.",
    Breaking,
    Breaking,
    SCHEMA,
);
pub(super) const PROPERTY_ADDED: ContractRule =
    rule("odcs/property-added", "A property is new, and may be left out.", Compatible, Compatible, SCHEMA);
pub(super) const PROPERTY_REQUIRED: ContractRule =
    rule("odcs/required-property-added", "A property is new and required.", Compatible, Breaking, SCHEMA);
pub(super) const PROPERTY_REMOVED: ContractRule =
    rule("odcs/property-removed", "A property is gone.", Breaking, Breaking, SCHEMA);
pub(super) const BECAME_REQUIRED: ContractRule =
    rule("odcs/became-required", "A property became required.", Compatible, Breaking, SCHEMA);
pub(super) const BECAME_OPTIONAL: ContractRule =
    rule("odcs/became-optional", "A property is no longer required.", Breaking, Compatible, SCHEMA);
pub(super) const TYPES: TypeRules =
    TypeRules::called(["odcs/type-widened", "odcs/type-narrowed", "odcs/type-changed", "odcs/type-unclear"]);
pub(super) const OPTION_LOOSENED: ContractRule = rule(
    "odcs/values-loosened",
    "A bound, a pattern or a format lets more values through.",
    Breaking,
    Compatible,
    SCHEMA,
);
pub(super) const OPTION_TIGHTENED: ContractRule = rule(
    "odcs/values-tightened",
    "A bound, a pattern or a format lets fewer values through.",
    Compatible,
    Breaking,
    SCHEMA,
);
pub(super) const OPTION_CHANGED: ContractRule = rule(
    "odcs/values-changed",
    "A pattern, a format or another option of a type was replaced.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const KEY_ADDED: ContractRule =
    rule("odcs/key-added", "A property became unique, or part of the primary key.", Compatible, Breaking, SCHEMA);
pub(super) const KEY_REMOVED: ContractRule = rule(
    "odcs/key-removed",
    "A property is no longer unique, or no longer part of the primary key.",
    Breaking,
    Compatible,
    SCHEMA,
);
pub(super) const CLASSIFICATION_RAISED: ContractRule = rule(
    "odcs/classification-raised",
    "A property became more sensitive: whoever has it must protect it from now on, or may no longer have it.",
    Breaking,
    Breaking,
    SCHEMA,
);
pub(super) const CLASSIFICATION_LOWERED: ContractRule =
    rule("odcs/classification-lowered", "A property became less sensitive.", Compatible, Compatible, SCHEMA);
pub(super) const CLASSIFICATION_CHANGED: ContractRule = rule(
    "odcs/classification-changed",
    "A property has another classification, of which it is not known whether it is more.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const QUALITY_ADDED: ContractRule =
    rule("odcs/quality-added", "A quality rule is new.", Compatible, Breaking, QUALITY);
pub(super) const QUALITY_REMOVED: ContractRule =
    rule("odcs/quality-removed", "A quality rule is gone.", Breaking, Compatible, QUALITY);
pub(super) const QUALITY_LOOSENED: ContractRule =
    rule("odcs/quality-loosened", "A quality rule lets more through.", Breaking, Compatible, QUALITY);
pub(super) const QUALITY_TIGHTENED: ContractRule =
    rule("odcs/quality-tightened", "A quality rule lets less through.", Compatible, Breaking, QUALITY);
pub(super) const QUALITY_CHANGED: ContractRule =
    rule("odcs/quality-changed", "A quality rule checks something else.", Unknown, Unknown, UNTOLD);
pub(super) const SLA_ADDED: ContractRule =
    rule("odcs/sla-added", "A service level is new.", Compatible, Compatible, SLA);
pub(super) const SLA_REMOVED: ContractRule =
    rule("odcs/sla-removed", "A service level is no longer promised.", Breaking, Breaking, SLA);
pub(super) const SLA_LOWERED: ContractRule = rule(
    "odcs/sla-lowered",
    "A service level is worse: later, rarer, kept for a shorter time, ended earlier.",
    Breaking,
    Breaking,
    SLA,
);
pub(super) const SLA_RAISED: ContractRule =
    rule("odcs/sla-raised", "A service level is better.", Compatible, Compatible, SLA);
pub(super) const SLA_CHANGED: ContractRule = rule(
    "odcs/sla-changed",
    "A service level has another value, of which it is not known whether it is better.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const SERVER_ADDED: ContractRule =
    rule("odcs/server-added", "A server is new.", Compatible, Compatible, SERVERS);
pub(super) const SERVER_REMOVED: ContractRule =
    rule("odcs/server-removed", "A server is gone.", Breaking, Breaking, SERVERS);
pub(super) const SERVER_MOVED: ContractRule =
    rule("odcs/server-moved", "A server has another platform or address.", Breaking, Breaking, SERVERS);
pub(super) const PRICE_RAISED: ContractRule = rule(
    "odcs/price-raised",
    "There is a price now, or a higher one, or in another currency.",
    Breaking,
    Breaking,
    PRICING,
);
pub(super) const PRICE_LOWERED: ContractRule =
    rule("odcs/price-lowered", "The price is lower, or gone.", Compatible, Compatible, PRICING);
pub(super) const PRICE_CHANGED: ContractRule = rule(
    "odcs/price-changed",
    "The price is for another unit, or is written in a way that is not known.",
    Unknown,
    Unknown,
    PRICING,
);
pub(super) const TERMS: ContractRule = rule(
    "odcs/terms-changed",
    "What is said of usage or limitations differs. It is prose, which people must read.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const ROLE_REMOVED: ContractRule =
    rule("odcs/role-removed", "A role by which people have access is gone.", Breaking, Breaking, "ODCS 3, Roles");
pub(super) const RETIRED: ContractRule =
    rule("odcs/retired", "The contract is retired.", Breaking, Breaking, "ODCS 3, Fundamentals");
pub(super) const STATUS: ContractRule =
    rule("odcs/status-changed", "The contract has another status.", Compatible, Compatible, "ODCS 3, Fundamentals");

pub(super) const RULES: &[ContractRule] = &[
    OBJECT_ADDED,
    OBJECT_REMOVED,
    PHYSICAL_NAME,
    PROPERTY_ADDED,
    PROPERTY_REQUIRED,
    PROPERTY_REMOVED,
    BECAME_REQUIRED,
    BECAME_OPTIONAL,
    TYPES.widened,
    TYPES.narrowed,
    TYPES.changed,
    TYPES.unclear,
    OPTION_LOOSENED,
    OPTION_TIGHTENED,
    OPTION_CHANGED,
    KEY_ADDED,
    KEY_REMOVED,
    CLASSIFICATION_RAISED,
    CLASSIFICATION_LOWERED,
    CLASSIFICATION_CHANGED,
    QUALITY_ADDED,
    QUALITY_REMOVED,
    QUALITY_LOOSENED,
    QUALITY_TIGHTENED,
    QUALITY_CHANGED,
    SLA_ADDED,
    SLA_REMOVED,
    SLA_LOWERED,
    SLA_RAISED,
    SLA_CHANGED,
    SERVER_ADDED,
    SERVER_REMOVED,
    SERVER_MOVED,
    PRICE_RAISED,
    PRICE_LOWERED,
    PRICE_CHANGED,
    TERMS,
    ROLE_REMOVED,
    RETIRED,
    STATUS,
    NOT_UNDERSTOOD,
    TOO_LARGE,
    UNREADABLE,
];
