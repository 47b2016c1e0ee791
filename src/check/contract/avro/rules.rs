//! What a change of an Avro schema means. Where others read, they read what is written from now on with
//! the schema that they have; where others send, what they write with the schema that they have is read
//! with the new one.

use crate::check::contract::fields::rule;
use crate::domain::change::Impact::{Breaking, Compatible, Unknown};
use crate::domain::compat::ContractRule;

const RESOLUTION: &str = "Avro 1.12, Schema Resolution";
const ALIASES: &str = "Avro 1.12, Aliases";
const LOGICAL: &str = "Avro 1.12, Logical Types";

pub(super) const UNREADABLE: ContractRule = rule(
    "avro/unreadable",
    "One of the two editions is no Avro schema that can be read.",
    Unknown,
    Unknown,
    "what is not understood is not compatible",
);
pub(super) const TOO_LARGE: ContractRule = rule(
    "avro/too-large",
    "The schemas are too large or too deeply nested to be compared to the end.",
    Unknown,
    Unknown,
    "the comparison is bounded",
);
pub(super) const FIELD_ADDED: ContractRule =
    rule("avro/field-added", "A field with a default is new.", Compatible, Compatible, RESOLUTION);
pub(super) const FIELD_REQUIRED: ContractRule =
    rule("avro/field-added-without-default", "A field without a default is new.", Compatible, Breaking, RESOLUTION);
pub(super) const FIELD_REMOVED: ContractRule =
    rule("avro/field-removed", "A field that had no default is gone.", Breaking, Compatible, RESOLUTION);
pub(super) const FIELD_REMOVED_WITH_DEFAULT: ContractRule = rule(
    "avro/field-removed-with-default",
    "A field that had a default is gone: readers get the default.",
    Compatible,
    Compatible,
    RESOLUTION,
);
pub(super) const FIELD_RENAMED: ContractRule = rule(
    "avro/field-renamed",
    "A field has another name, and the former one as an alias: only the new schema knows both.",
    Breaking,
    Compatible,
    ALIASES,
);
pub(super) const FIELD_RENAMED_AS_FORESEEN: ContractRule = rule(
    "avro/field-renamed-to-alias",
    "A field has a name that the former schema knows as its alias.",
    Compatible,
    Breaking,
    ALIASES,
);
pub(super) const DEFAULT_CHANGED: ContractRule = rule(
    "avro/default-changed",
    "A default was added, removed or replaced; it counts only for data without the field.",
    Compatible,
    Compatible,
    RESOLUTION,
);
pub(super) const TYPE_WIDENED: ContractRule = rule(
    "avro/type-widened",
    "A type became one to which the former can be promoted: `int` to `long`, `float` or `double`, `long` to \
     `float` or `double`, `float` to `double`.",
    Breaking,
    Compatible,
    RESOLUTION,
);
pub(super) const TYPE_NARROWED: ContractRule = rule(
    "avro/type-narrowed",
    "A type became one that can be promoted to the former: `long` to `int`.",
    Compatible,
    Breaking,
    RESOLUTION,
);
pub(super) const STRING_TO_BYTES: ContractRule = rule(
    "avro/string-to-bytes",
    "`string` became `bytes`. Who reads it as text fails where the bytes are none.",
    Unknown,
    Compatible,
    RESOLUTION,
);
pub(super) const BYTES_TO_STRING: ContractRule = rule(
    "avro/bytes-to-string",
    "`bytes` became `string`. What is sent is read as text, and fails where it is none.",
    Compatible,
    Unknown,
    RESOLUTION,
);
pub(super) const TYPE_CHANGED: ContractRule =
    rule("avro/type-changed", "A type became one that does not match the former.", Breaking, Breaking, RESOLUTION);
pub(super) const BRANCH_ADDED: ContractRule = rule(
    "avro/type-added-to-union",
    "One more type may stand here, `null` for instance: a single type became a union, or a union grew.",
    Breaking,
    Compatible,
    RESOLUTION,
);
pub(super) const BRANCH_REMOVED: ContractRule = rule(
    "avro/type-removed-from-union",
    "A type may no longer stand here: a union shrank, or became a single type.",
    Compatible,
    Breaking,
    RESOLUTION,
);
pub(super) const SYMBOL_ADDED: ContractRule = rule(
    "avro/symbol-added",
    "An enum has a new symbol, and its former edition no default for symbols that it does not know.",
    Breaking,
    Compatible,
    RESOLUTION,
);
pub(super) const SYMBOL_ADDED_WITH_DEFAULT: ContractRule = rule(
    "avro/symbol-added-with-default",
    "An enum has a new symbol, which the former edition reads as its default.",
    Compatible,
    Compatible,
    RESOLUTION,
);
pub(super) const SYMBOL_REMOVED: ContractRule = rule(
    "avro/symbol-removed",
    "A symbol of an enum is gone, and there is no default in its place.",
    Compatible,
    Breaking,
    RESOLUTION,
);
pub(super) const SYMBOL_REMOVED_WITH_DEFAULT: ContractRule = rule(
    "avro/symbol-removed-with-default",
    "A symbol of an enum is gone; it is read as the enum's default.",
    Compatible,
    Compatible,
    RESOLUTION,
);
pub(super) const SIZE_CHANGED: ContractRule =
    rule("avro/fixed-size", "A `fixed` has another size.", Breaking, Breaking, RESOLUTION);
pub(super) const NAME_CHANGED: ContractRule = rule(
    "avro/name-changed",
    "A record, enum or fixed has another name, and no alias that the reader knows.",
    Breaking,
    Breaking,
    RESOLUTION,
);
pub(super) const NAME_CHANGED_WITH_ALIAS: ContractRule = rule(
    "avro/name-changed-with-alias",
    "A record, enum or fixed has another name, which the reader's schema knows by an alias.",
    Compatible,
    Compatible,
    ALIASES,
);
pub(super) const NAMESPACE_CHANGED: ContractRule = rule(
    "avro/namespace-changed",
    "A record, enum or fixed moved to another namespace. The specification compares unqualified names, but \
     some readers and registries compare full ones.",
    Unknown,
    Unknown,
    RESOLUTION,
);
pub(super) const LOGICAL_CHANGED: ContractRule = rule(
    "avro/logical-type-changed",
    "A logical type was replaced: the same bytes mean another value, as with another scale of a decimal.",
    Breaking,
    Breaking,
    LOGICAL,
);
pub(super) const LOGICAL_ADDED: ContractRule = rule(
    "avro/logical-type-added",
    "A logical type was added. Who sends the plain type may send what is no such value.",
    Compatible,
    Unknown,
    LOGICAL,
);
pub(super) const LOGICAL_REMOVED: ContractRule = rule(
    "avro/logical-type-removed",
    "A logical type was removed: readers may meet values that are none of it.",
    Unknown,
    Compatible,
    LOGICAL,
);

pub(super) const RULES: &[ContractRule] = &[
    FIELD_ADDED,
    FIELD_REQUIRED,
    FIELD_REMOVED,
    FIELD_REMOVED_WITH_DEFAULT,
    FIELD_RENAMED,
    FIELD_RENAMED_AS_FORESEEN,
    DEFAULT_CHANGED,
    TYPE_WIDENED,
    TYPE_NARROWED,
    STRING_TO_BYTES,
    BYTES_TO_STRING,
    TYPE_CHANGED,
    BRANCH_ADDED,
    BRANCH_REMOVED,
    SYMBOL_ADDED,
    SYMBOL_ADDED_WITH_DEFAULT,
    SYMBOL_REMOVED,
    SYMBOL_REMOVED_WITH_DEFAULT,
    SIZE_CHANGED,
    NAME_CHANGED,
    NAME_CHANGED_WITH_ALIAS,
    NAMESPACE_CHANGED,
    LOGICAL_CHANGED,
    LOGICAL_ADDED,
    LOGICAL_REMOVED,
    TOO_LARGE,
    UNREADABLE,
];
