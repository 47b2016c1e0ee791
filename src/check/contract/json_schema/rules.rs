//! What a change of a JSON Schema means. Where others read, a value that they never met before breaks
//! them; where others send, a value that is refused from now on does. So most rules come in pairs: one
//! for what lets more values through, one for what lets fewer through.

use crate::domain::change::Impact::{self, Breaking, Compatible, Unknown};
use crate::domain::compat::ContractRule;

const fn rule(
    id: &'static str,
    meaning: &'static str,
    read: Impact,
    written: Impact,
    source: &'static str,
) -> ContractRule {
    ContractRule { id, meaning, read, written, source }
}

const VALIDATION: &str = "JSON Schema 2020-12, Validation, section 6";
const APPLICATORS: &str = "JSON Schema 2020-12, Core, section 10";
const COMBINED: &str = "JSON Schema 2020-12, Core, section 10.2";
const PROMISED: &str = "whoever reads it uses it, whatever validators say";
const UNDECLARED: &str = "a value that was never declared is no part of the contract";

pub(super) const UNREADABLE: ContractRule = rule(
    "json-schema/unreadable",
    "One of the two editions is no JSON Schema that can be read.",
    Unknown,
    Unknown,
    "neither an object nor a boolean, nor a text with one of them",
);
pub(super) const TOO_LARGE: ContractRule = rule(
    "json-schema/too-large",
    "The schemas are too large or too deeply nested to be compared to the end.",
    Unknown,
    Unknown,
    "the comparison is bounded",
);
pub(super) const REFERENCE: ContractRule = rule(
    "json-schema/reference-not-followed",
    "A `$ref` that does not lead into the document itself was added, removed or replaced.",
    Unknown,
    Unknown,
    "only references within the document are followed",
);
pub(super) const NOT_UNDERSTOOD: ContractRule = rule(
    "json-schema/keyword-not-understood",
    "A keyword differs whose meaning is not compared: `not`, `if`, `contains`, `dependentSchemas`, an extension.",
    Unknown,
    Unknown,
    "what is not understood is not compatible",
);
pub(super) const CONSTRAINED: ContractRule =
    rule("json-schema/schema-added", "A schema stands where any value was allowed.", Compatible, Breaking, APPLICATORS);
pub(super) const FREED: ContractRule =
    rule("json-schema/schema-removed", "Any value is allowed where a schema stood.", Breaking, Compatible, APPLICATORS);
pub(super) const FORBIDDEN: ContractRule =
    rule("json-schema/forbidden", "No value is allowed any more.", Breaking, Breaking, PROMISED);
pub(super) const ALLOWED: ContractRule =
    rule("json-schema/allowed", "Values are allowed where none was.", Breaking, Compatible, APPLICATORS);
pub(super) const TYPE_CHANGED: ContractRule =
    rule("json-schema/type-changed", "Types are gone and others have come.", Breaking, Breaking, VALIDATION);
pub(super) const TYPE_WIDENED: ContractRule =
    rule("json-schema/type-widened", "Values of more types are allowed.", Breaking, Compatible, VALIDATION);
pub(super) const TYPE_NARROWED: ContractRule =
    rule("json-schema/type-narrowed", "Values of fewer types are allowed.", Compatible, Breaking, VALIDATION);
pub(super) const NULL_ALLOWED: ContractRule = rule(
    "json-schema/null-allowed",
    "The value may be null (`type`, or `nullable` of OpenAPI 3.0).",
    Breaking,
    Compatible,
    VALIDATION,
);
pub(super) const NULL_REFUSED: ContractRule =
    rule("json-schema/null-refused", "The value may no longer be null.", Compatible, Breaking, VALIDATION);
pub(super) const VALUES_ADDED: ContractRule = rule(
    "json-schema/values-added",
    "`enum` or `const` has more values, or is gone.",
    Breaking,
    Compatible,
    VALIDATION,
);
pub(super) const VALUES_REMOVED: ContractRule = rule(
    "json-schema/values-removed",
    "`enum` or `const` has fewer values, or is new.",
    Compatible,
    Breaking,
    VALIDATION,
);
pub(super) const BOUND_LOOSENED: ContractRule = rule(
    "json-schema/bound-loosened",
    "A bound of a number, a length or a count lets more through, or is gone.",
    Breaking,
    Compatible,
    VALIDATION,
);
pub(super) const BOUND_TIGHTENED: ContractRule = rule(
    "json-schema/bound-tightened",
    "A bound of a number, a length or a count lets less through, or is new.",
    Compatible,
    Breaking,
    VALIDATION,
);
pub(super) const MULTIPLE_CHANGED: ContractRule = rule(
    "json-schema/multiple-changed",
    "`multipleOf` has another value, and neither divides the other.",
    Breaking,
    Breaking,
    VALIDATION,
);
pub(super) const PATTERN_ADDED: ContractRule =
    rule("json-schema/pattern-added", "A text has to match one more pattern.", Compatible, Breaking, VALIDATION);
pub(super) const PATTERN_REMOVED: ContractRule =
    rule("json-schema/pattern-removed", "A text has to match one pattern less.", Breaking, Compatible, VALIDATION);
pub(super) const PATTERN_CHANGED: ContractRule = rule(
    "json-schema/pattern-changed",
    "A pattern has another text.",
    Unknown,
    Unknown,
    "which of two patterns lets more through is not decided",
);
pub(super) const FORMAT_ADDED: ContractRule = rule(
    "json-schema/format-added",
    "A format is promised, or a narrower one (`int32` for `int64`).",
    Compatible,
    Breaking,
    "JSON Schema 2020-12, Validation, section 7; readers parse by it",
);
pub(super) const FORMAT_REMOVED: ContractRule = rule(
    "json-schema/format-removed",
    "A format is promised no longer, or a wider one is (`int64` for `int32`).",
    Breaking,
    Compatible,
    "JSON Schema 2020-12, Validation, section 7; readers parse by it",
);
pub(super) const FORMAT_CHANGED: ContractRule = rule(
    "json-schema/format-changed",
    "The value has another format, encoding or media type.",
    Breaking,
    Breaking,
    "JSON Schema 2020-12, Validation, sections 7 and 8",
);
pub(super) const REQUIRED_ADDED: ContractRule =
    rule("json-schema/required-added", "A property has to be there.", Compatible, Breaking, VALIDATION);
pub(super) const REQUIRED_REMOVED: ContractRule =
    rule("json-schema/required-removed", "A property may be missing.", Breaking, Compatible, VALIDATION);
pub(super) const PROPERTY_ADDED: ContractRule = rule(
    "json-schema/property-added",
    "An open object declares one more property.",
    Compatible,
    Compatible,
    UNDECLARED,
);
pub(super) const PROPERTY_ADDED_TO_CLOSED: ContractRule = rule(
    "json-schema/property-added-to-closed",
    "An object that promised to have no other properties has one more.",
    Breaking,
    Compatible,
    "`additionalProperties: false` is a promise to readers",
);
pub(super) const PROPERTY_REMOVED: ContractRule = rule(
    "json-schema/property-removed",
    "A declared property is gone; undeclared ones are allowed.",
    Breaking,
    Unknown,
    "whoever reads it misses it; what is sent is accepted, and perhaps ignored",
);
pub(super) const PROPERTY_REFUSED: ContractRule = rule(
    "json-schema/property-refused",
    "A declared property is gone, and undeclared ones are refused.",
    Breaking,
    Breaking,
    PROMISED,
);
pub(super) const CLOSED: ContractRule = rule(
    "json-schema/closed",
    "Undeclared properties or items are refused from now on.",
    Compatible,
    Breaking,
    APPLICATORS,
);
pub(super) const OPENED: ContractRule = rule(
    "json-schema/opened",
    "Undeclared properties or items are allowed from now on.",
    Breaking,
    Compatible,
    APPLICATORS,
);
pub(super) const ALTERNATIVE_ADDED: ContractRule = rule(
    "json-schema/alternative-added",
    "`anyOf` or `oneOf` has one more branch, or is gone.",
    Breaking,
    Compatible,
    COMBINED,
);
pub(super) const ALTERNATIVE_REMOVED: ContractRule = rule(
    "json-schema/alternative-removed",
    "`anyOf` or `oneOf` has one branch less, or is new.",
    Compatible,
    Breaking,
    COMBINED,
);
pub(super) const ALTERNATIVES_OVERLAP: ContractRule = rule(
    "json-schema/alternatives-overlap",
    "A `oneOf` differs whose branches are not told apart by a type or by a required constant.",
    Unknown,
    Unknown,
    "a value that matches two branches of `oneOf` is refused, so fewer values of one branch may be more of the whole",
);
pub(super) const ALTERNATIVES_CHANGED: ContractRule = rule(
    "json-schema/alternatives-changed",
    "Several lists of alternatives stand beside each other, and differ.",
    Unknown,
    Unknown,
    "which of them belong together is not decided",
);
pub(super) const DEFAULT_CHANGED: ContractRule = rule(
    "json-schema/default-changed",
    "What is meant when the value is missing has changed.",
    Unknown,
    Unknown,
    "`default` is an annotation; whether anybody acts on it cannot be told",
);
pub(super) const ACCESS_CHANGED: ContractRule = rule(
    "json-schema/access-changed",
    "`readOnly` or `writeOnly` changed.",
    Unknown,
    Unknown,
    "JSON Schema 2020-12, Validation, section 9.4",
);
pub(super) const DEPRECATED: ContractRule = rule(
    "json-schema/deprecated",
    "The value is declared as deprecated.",
    Compatible,
    Compatible,
    "JSON Schema 2020-12, Validation, section 9.3",
);

/// The rules of this language, in the order in which they are documented.
pub(crate) const RULES: &[ContractRule] = &[
    TYPE_CHANGED,
    TYPE_WIDENED,
    TYPE_NARROWED,
    NULL_ALLOWED,
    NULL_REFUSED,
    VALUES_ADDED,
    VALUES_REMOVED,
    BOUND_LOOSENED,
    BOUND_TIGHTENED,
    MULTIPLE_CHANGED,
    PATTERN_ADDED,
    PATTERN_REMOVED,
    PATTERN_CHANGED,
    FORMAT_ADDED,
    FORMAT_REMOVED,
    FORMAT_CHANGED,
    REQUIRED_ADDED,
    REQUIRED_REMOVED,
    PROPERTY_ADDED,
    PROPERTY_ADDED_TO_CLOSED,
    PROPERTY_REMOVED,
    PROPERTY_REFUSED,
    OPENED,
    CLOSED,
    CONSTRAINED,
    FREED,
    FORBIDDEN,
    ALLOWED,
    ALTERNATIVE_ADDED,
    ALTERNATIVE_REMOVED,
    ALTERNATIVES_OVERLAP,
    ALTERNATIVES_CHANGED,
    DEFAULT_CHANGED,
    ACCESS_CHANGED,
    DEPRECATED,
    REFERENCE,
    NOT_UNDERSTOOD,
    UNREADABLE,
    TOO_LARGE,
];
