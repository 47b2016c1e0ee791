//! What the structure of a descriptor can lack.

use crate::domain::finding::Severity;
use crate::domain::rule::Rule;

/// All rules of this room.
pub const RULES: &[Rule] =
    &[REQUIRED, UNNAMED_TEMPLATE, PASTED, WRONG_REFERENCE, TYPE, NULL, UNKNOWN_FIELD, FORMAT, EMPTY, RANGE, OTHER];

pub(in crate::check) const REQUIRED: Rule = Rule {
    id: "schema/required",
    severity: Severity::Error,
    meaning: "A field that DPDS requires is missing.",
    example: "info: {name: trips}",
    remedy: "Add the field.",
    source: "DPDS 1.0.0, the object in question",
};

pub(in crate::check) const UNNAMED_TEMPLATE: Rule = Rule {
    id: "schema/unnamed-template",
    severity: Severity::Error,
    meaning: "The template of a task has no name or no version, a form of older descriptors. The switch 'compatibility.unnamed-templates' allows it.",
    example: "template: { specification: azure-pipeline, definition: { pipelineId: 3 } }",
    remedy: "Give it a name and a version.",
    source: "DPDS 1.0.0, Standard Definition Object; without them in the tests of the Open Data Mesh command line (validate.json)",
};

pub(in crate::check) const PASTED: Rule = Rule {
    id: "schema/pasted-document",
    severity: Severity::Error,
    meaning: "A document of another language stands where DPDS expects a Standard Definition. A Standard Definition says what it is (OpenAPI, AsyncAPI, the datastore API, JSON Schema), and has the document in its field 'definition'.",
    example: "promises: { api: { openapi: 3.0.3, paths: {} } }",
    remedy: "Put it into the field 'definition', or reference its file there, and write 'name', 'version' and 'specification' beside it.",
    source: "DPDS 1.0.0, Standard Definition Object",
};

pub(in crate::check) const WRONG_REFERENCE: Rule = Rule {
    id: "schema/wrong-reference",
    severity: Severity::Error,
    meaning: "A reference leads to a file that holds something else than what belongs in its place: the content of a definition in the place of a Standard Definition, an API document or a whole descriptor in the place of a port. The file itself may be right.",
    example: "slo: { $ref: slo/daily.yaml }, where the file has the objectives and nothing else",
    remedy: "Reference what belongs there; a definition is referenced in the field 'definition', beside 'name', 'version' and 'specification'.",
    source: "DPDS 1.0.0, Standard Definition Object; Reference Object",
};

pub(in crate::check) const TYPE: Rule = Rule {
    id: "schema/type",
    severity: Severity::Error,
    meaning: "A value has the wrong type. In YAML, a version such as 1.0 is a number unless it stands in quotes.",
    example: "version: 1.0",
    remedy: "Write a value of the right type; put texts that look like numbers in quotes.",
    source: "DPDS 1.0.0, the object in question",
};

pub(in crate::check) const NULL: Rule = Rule {
    id: "schema/null",
    severity: Severity::Error,
    meaning: "A field is there and has no value. DPDS has optional fields, and no empty ones. The switch 'compatibility.explicit-nulls' allows it for optional fields.",
    example: "description:",
    remedy: "Leave the field out, or give it a value.",
    source: "DPDS 1.0.0, the object in question",
};

pub(in crate::check) const UNKNOWN_FIELD: Rule = Rule {
    id: "schema/unknown-field",
    severity: Severity::Warning,
    meaning: "A field is neither part of DPDS nor an extension, so nobody reads it. Most often it is misspelt.",
    example: "expectatctions: {}",
    remedy: "Correct the spelling, or begin the name with 'x-'.",
    source: "DPDS 1.0.0, Specification Extensions",
};

pub(in crate::check) const FORMAT: Rule = Rule {
    id: "schema/format",
    severity: Severity::Error,
    meaning: "A text is not of the form that DPDS asks for: a name, a semantic version, a fully qualified name, a UUID or a URI.",
    example: "version: banana",
    remedy: "Write it in the form that the message describes.",
    source: "DPDS 1.0.0, Data Types",
};

pub(in crate::check) const EMPTY: Rule = Rule {
    id: "schema/empty",
    severity: Severity::Error,
    meaning: "A text that is required is empty.",
    example: "domain: ''",
    remedy: "Give it a value.",
    source: "DPDS 1.0.0, the object in question",
};

pub(in crate::check) const RANGE: Rule = Rule {
    id: "schema/range",
    severity: Severity::Error,
    meaning: "A number is smaller or larger than allowed.",
    example: "order: -3",
    remedy: "Write a number in the range that the message names.",
    source: "DPDS 1.0.0, Lifecycle Task Object (int32)",
};

pub(in crate::check) const OTHER: Rule = Rule {
    id: "schema/other",
    severity: Severity::Error,
    meaning: "The structure breaks the schema in a way that has no rule of its own.",
    example: "",
    remedy: "Compare with the specification.",
    source: "DPDS 1.0.0",
};
