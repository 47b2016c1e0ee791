//! What a change of a data store's definition means.

use crate::check::contract::data_type::TypeRules;
use crate::check::contract::fields::rule;
use crate::domain::change::Impact::{Breaking, Compatible, Unknown};
use crate::domain::compat::ContractRule;

const DSAS: &str = "Data Store API Specification 1.0.0";
const NAMED: &str = "queries name it";

pub(super) const UNREADABLE: ContractRule = rule(
    "datastore/unreadable",
    "One of the two editions is no data store definition: neither an object, nor a text with one as JSON.",
    Unknown,
    Unknown,
    DSAS,
);
pub(super) const FIELD: ContractRule = rule(
    "datastore/field-not-understood",
    "A field differs of which the comparison knows nothing.",
    Unknown,
    Unknown,
    "what is not understood is not compatible",
);
pub(super) const PLACE_CHANGED: ContractRule = rule(
    "datastore/place-changed",
    "The database, its schema, the store, a host, a port or a connection string has another value, or is gone.",
    Breaking,
    Breaking,
    "who connected there finds nothing",
);
pub(super) const SERVICE_ADDED: ContractRule =
    rule("datastore/service-added", "One more service serves the data.", Compatible, Compatible, DSAS);
pub(super) const SERVICE_REMOVED: ContractRule =
    rule("datastore/service-removed", "A service is gone.", Breaking, Breaking, "who connected there finds nothing");
pub(super) const TABLE_ADDED: ContractRule =
    rule("datastore/table-added", "A table is new.", Compatible, Compatible, DSAS);
pub(super) const TABLE_REMOVED: ContractRule =
    rule("datastore/table-removed", "A table is gone.", Breaking, Breaking, NAMED);
pub(super) const NOT_TOLD_APART: ContractRule = rule(
    "datastore/not-told-apart",
    "Tables or columns differ of which some have no name of their own.",
    Unknown,
    Unknown,
    "which of them is which cannot be told",
);
pub(super) const COLUMN_ADDED: ContractRule = rule(
    "datastore/column-added",
    "A column is new that may be empty.",
    Compatible,
    Compatible,
    "queries name the columns that they read",
);
pub(super) const MANDATORY_COLUMN_ADDED: ContractRule = rule(
    "datastore/mandatory-column-added",
    "A column is new that may not be empty.",
    Compatible,
    Breaking,
    "rows without it are refused",
);
pub(super) const COLUMN_REMOVED: ContractRule =
    rule("datastore/column-removed", "A column is gone.", Breaking, Breaking, NAMED);
pub(super) const COLUMNS_REORDERED: ContractRule = rule(
    "datastore/columns-reordered",
    "Columns stand in another order, by `ordinalPosition`.",
    Unknown,
    Unknown,
    "who reads or writes by position breaks, who does it by name does not",
);
pub(super) const TYPES: TypeRules = TypeRules::called([
    "datastore/type-widened",
    "datastore/type-narrowed",
    "datastore/type-changed",
    "datastore/type-unclear",
]);
pub(super) const NULL_ALLOWED: ContractRule = rule(
    "datastore/null-allowed",
    "A column may be empty.",
    Breaking,
    Compatible,
    "readers meet a value that they never met",
);
pub(super) const NULL_REFUSED: ContractRule = rule(
    "datastore/null-refused",
    "A column may no longer be empty.",
    Compatible,
    Breaking,
    "rows without it are refused",
);
pub(super) const KEY_ADDED: ContractRule = rule(
    "datastore/key-added",
    "A primary key or a unique constraint is new.",
    Compatible,
    Breaking,
    "rows that are alike are refused",
);
pub(super) const KEY_REMOVED: ContractRule = rule(
    "datastore/key-removed",
    "A primary key or a unique constraint is gone.",
    Breaking,
    Compatible,
    "joins on it find more than one row",
);
pub(super) const CONSTRAINT_CHANGED: ContractRule = rule(
    "datastore/constraint-changed",
    "A constraint differs that is neither a key nor about empty values.",
    Unknown,
    Unknown,
    "what is not understood is not compatible",
);

/// The rules of this language, in the order in which they are documented.
pub(super) const RULES: &[ContractRule] = &[
    TABLE_ADDED,
    TABLE_REMOVED,
    COLUMN_ADDED,
    MANDATORY_COLUMN_ADDED,
    COLUMN_REMOVED,
    COLUMNS_REORDERED,
    TYPES.widened,
    TYPES.narrowed,
    TYPES.changed,
    TYPES.unclear,
    NULL_ALLOWED,
    NULL_REFUSED,
    KEY_ADDED,
    KEY_REMOVED,
    CONSTRAINT_CHANGED,
    PLACE_CHANGED,
    SERVICE_ADDED,
    SERVICE_REMOVED,
    NOT_TOLD_APART,
    FIELD,
    UNREADABLE,
];
