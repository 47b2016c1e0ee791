//! What a change of DDL means to those who read the tables and views, and to those who write into them.

use crate::check::contract::data_type::TypeRules;
use crate::check::contract::fields::rule;
use crate::domain::change::Impact::{Breaking, Compatible, Unknown};
use crate::domain::compat::ContractRule;

const RELIED: &str = "whoever reads or writes it names it";
const VALUES: &str = "a reader's types and checks are made for the values that were promised";
const UNTOLD: &str = "what is not understood is not compatible";

pub(super) const UNREADABLE: ContractRule = rule(
    "sql/unreadable",
    "One of the two editions is not DDL that can be read in any dialect that is known.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const TABLE_ADDED: ContractRule =
    rule("sql/table-added", "A table or a view is new.", Compatible, Compatible, RELIED);
pub(super) const TABLE_REMOVED: ContractRule =
    rule("sql/table-removed", "A table or a view is gone.", Breaking, Breaking, RELIED);
pub(super) const TABLE_RENAMED: ContractRule = rule(
    "sql/table-renamed",
    "A table or a view is gone, and a new one has the same columns.",
    Breaking,
    Breaking,
    RELIED,
);
pub(super) const SCHEMA_SET: ContractRule = rule(
    "sql/schema-set",
    "A name that is not qualified stands below `SET search_path`, `SET SCHEMA` or `USE` in one edition only. Where both \
     set one and it is another, the table is another.",
    Unknown,
    Unknown,
    "where a name stands without it depends on the database",
);
pub(super) const KIND_CHANGED: ContractRule = rule(
    "sql/kind-changed",
    "A table became a view or a view became a table: types, constraints and writing differ.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const COLUMN_ADDED: ContractRule = rule(
    "sql/column-added",
    "A column is new, and may be left out by who writes.",
    Compatible,
    Compatible,
    "readers name their columns",
);
pub(super) const COLUMN_REQUIRED: ContractRule = rule(
    "sql/required-column-added",
    "A column is new that is `NOT NULL` and has no default.",
    Compatible,
    Breaking,
    "an INSERT that does not name it fails",
);
pub(super) const COLUMN_REMOVED: ContractRule =
    rule("sql/column-removed", "A column is gone.", Breaking, Breaking, RELIED);
pub(super) const COLUMN_RENAMED: ContractRule = rule(
    "sql/column-renamed",
    "A column is gone, and a new one of the same type stands in its place.",
    Breaking,
    Breaking,
    RELIED,
);
pub(super) const COLUMNS_REORDERED: ContractRule = rule(
    "sql/columns-reordered",
    "Columns stand in another order, which matters to who reads or writes without naming them.",
    Unknown,
    Unknown,
    "SQL: `SELECT *` and `INSERT` without a column list go by position",
);
pub(super) const TYPES: TypeRules =
    TypeRules::called(["sql/type-widened", "sql/type-narrowed", "sql/type-changed", "sql/type-unclear"]);
pub(super) const NULL_ALLOWED: ContractRule =
    rule("sql/null-allowed", "A column is no longer `NOT NULL`.", Breaking, Compatible, VALUES);
pub(super) const NULL_REFUSED: ContractRule =
    rule("sql/null-refused", "A column became `NOT NULL`.", Compatible, Breaking, VALUES);
pub(super) const DEFAULT_CHANGED: ContractRule = rule(
    "sql/default-changed",
    "A column's default was added, removed or replaced, or how it is generated.",
    Compatible,
    Unknown,
    "who leaves the column out gets another value",
);
pub(super) const COLUMN_OPTIONS: ContractRule = rule(
    "sql/column-options-changed",
    "What else is said of a column differs: how it is compared (`COLLATE`), masking policies, tags.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const KEY_ADDED: ContractRule =
    rule("sql/key-added", "A primary key or a unique constraint is new.", Compatible, Breaking, VALUES);
pub(super) const KEY_REMOVED: ContractRule = rule(
    "sql/key-removed",
    "A primary key or a unique constraint is gone: rows may repeat.",
    Breaking,
    Compatible,
    VALUES,
);
pub(super) const CHECK_ADDED: ContractRule =
    rule("sql/check-added", "A check or a foreign key is new.", Compatible, Breaking, VALUES);
pub(super) const CHECK_REMOVED: ContractRule = rule(
    "sql/check-removed",
    "A check or a foreign key is gone: readers may meet values that it kept out.",
    Breaking,
    Compatible,
    VALUES,
);
pub(super) const EXPRESSION: ContractRule =
    rule("sql/expression-changed", "A view's column is computed otherwise.", Unknown, Unknown, UNTOLD);
pub(super) const QUERY: ContractRule = rule(
    "sql/query-changed",
    "A view takes its rows from elsewhere, or chooses, joins or groups them otherwise.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const STAR: ContractRule = rule(
    "sql/columns-not-listed",
    "A view selects `*` from something that is not defined beside it, and its query changed.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const STORAGE: ContractRule = rule(
    "sql/options-changed",
    "What a table is besides its columns and constraints differs: partitions, format, location, options.",
    Unknown,
    Unknown,
    UNTOLD,
);
pub(super) const STATEMENT: ContractRule = rule(
    "sql/statement-not-understood",
    "A statement differs that is not about tables or views: a type, a function, a grant.",
    Unknown,
    Unknown,
    UNTOLD,
);

pub(super) const RULES: &[ContractRule] = &[
    TABLE_ADDED,
    TABLE_REMOVED,
    TABLE_RENAMED,
    SCHEMA_SET,
    KIND_CHANGED,
    COLUMN_ADDED,
    COLUMN_REQUIRED,
    COLUMN_REMOVED,
    COLUMN_RENAMED,
    COLUMNS_REORDERED,
    TYPES.widened,
    TYPES.narrowed,
    TYPES.changed,
    TYPES.unclear,
    NULL_ALLOWED,
    NULL_REFUSED,
    DEFAULT_CHANGED,
    COLUMN_OPTIONS,
    KEY_ADDED,
    KEY_REMOVED,
    CHECK_ADDED,
    CHECK_REMOVED,
    EXPRESSION,
    QUERY,
    STAR,
    STORAGE,
    STATEMENT,
    UNREADABLE,
];
