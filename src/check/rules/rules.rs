//! What a descriptor of good structure can still get wrong.

use crate::domain::finding::Severity;
use crate::domain::rule::Rule;

/// All rules of this room.
pub const RULES: &[Rule] = &[
    UNKNOWN_VERSION,
    MIXED_FORMS,
    TOO_MANY_FINDINGS,
    FULLY_QUALIFIED_NAME,
    ID,
    ODM_IDENTITY,
    ENTITY_TYPE,
    DUPLICATE_NAME,
    CASE_ONLY,
    PORT_MAJOR,
    UNKNOWN_COMPONENT,
    FOREIGN_NAME,
    OTHER_MAJOR,
    OTHER_PRODUCT,
    DEPENDENCY_CYCLE,
    STAGE_NAME,
    DUPLICATE_TASK,
    DUPLICATE_ORDER,
    ORDER,
    EXECUTOR_NAME,
    EXECUTOR_IN_BRACES,
    DEFINITION,
    SPECIFICATION,
    DEFINITION_FIELD,
    DEFINITION_VALUE,
];

pub(in crate::check) const UNKNOWN_VERSION: Rule = Rule {
    id: "document/unknown-version",
    severity: Severity::Error,
    meaning: "The version of the specification does not exist. There is 1.0.0, with its patches 1.0.*, and 1.0.0-DRAFT.",
    example: "dataProductDescriptor: 2.0.0",
    remedy: "Write 1.0.0.",
    source: "DPDS 1.0.0, Versions",
};

pub(in crate::check) const MIXED_FORMS: Rule = Rule {
    id: "document/mixed-forms",
    severity: Severity::Warning,
    meaning: "Parts of 1.0.0 and of 1.0.0-DRAFT stand in one descriptor. 'contracts' count as 'obligations'; 'provisionInfo', 'buildInfo' and 'deployInfo' are rolled out at every stage, but only in a descriptor without 'lifecycleInfo'.",
    example: "dataProductDescriptor: 1.0.0\napplicationComponents: [{name: app, version: 1.0.0, buildInfo: {}}]",
    remedy: "Move 'contracts' to 'obligations', and the other blocks to tasks of 'lifecycleInfo'; then write 1.0.0.",
    source: "DPDS 1.0.0-DRAFT and 1.0.0",
};

pub(in crate::check) const TOO_MANY_FINDINGS: Rule = Rule {
    id: "document/too-many-findings",
    severity: Severity::Note,
    meaning: "There is more to say about the descriptor than anybody reads; the rest was left out.",
    example: "",
    remedy: "Mend the first ones and check again.",
    source: "Meshwright, limits",
};

pub(in crate::check) const FULLY_QUALIFIED_NAME: Rule = Rule {
    id: "identity/fully-qualified-name",
    severity: Severity::Error,
    meaning: "A given 'fullyQualifiedName' is not the one that is computed from the mesh's namespace, the name and the version.",
    example: "name: trips, fullyQualifiedName: urn:dpds:com.acme:dataproducts:trip:1",
    remedy: "Leave the field out, or write what the message says.",
    source: "DPDS 1.0.0, Fully Qualified Names (read-only fields)",
};

pub(in crate::check) const ID: Rule = Rule {
    id: "identity/id",
    severity: Severity::Error,
    meaning: "A given 'id' is not the one that is computed from the fully qualified name.",
    example: "id: 00000000-0000-0000-0000-000000000000",
    remedy: "Leave the field out, or write what the message says.",
    source: "DPDS 1.0.0, Identifiers (read-only fields)",
};

pub(in crate::check) const ODM_IDENTITY: Rule = Rule {
    id: "identity/odm-form",
    severity: Severity::Error,
    meaning: "A given name or id is the one that the first generation of Open Data Mesh computes: 'urn:{org}:dataproducts:{name}', without the major version, and ids of version 3 without a namespace. The switch 'compatibility.odm-identity' allows it.",
    example: "name: trips, fullyQualifiedName: urn:com.acme:dataproducts:trips",
    remedy: "Leave the field out, or write what the message says.",
    source: "Open Data Mesh, first generation; in the wild in the specification parser's tests (dpd-minimal.json)",
};

pub(in crate::check) const ENTITY_TYPE: Rule = Rule {
    id: "identity/entity-type",
    severity: Severity::Error,
    meaning: "A given 'entityType' is not the type of the thing on which it stands.",
    example: "inputPorts: [{entityType: outputport}]",
    remedy: "Leave the field out, or write what the message says.",
    source: "DPDS 1.0.0, read-only fields",
};

pub(in crate::check) const DUPLICATE_NAME: Rule = Rule {
    id: "name/duplicate",
    severity: Severity::Error,
    meaning: "Two ports or components of the same kind have the same name, and with it the same fully qualified name.",
    example: "outputPorts: [{name: trips}, {name: trips}]",
    remedy: "Rename one of them.",
    source: "DPDS 1.0.0, Interface Components Object",
};

pub(in crate::check) const CASE_ONLY: Rule = Rule {
    id: "name/case-only",
    severity: Severity::Warning,
    meaning: "Two names of the same kind differ only by upper and lower case. File systems, databases and people take them for the same.",
    example: "outputPorts: [{name: trips}, {name: Trips}]",
    remedy: "Rename one of them.",
    source: "Meshwright",
};

pub(in crate::check) const PORT_MAJOR: Rule = Rule {
    id: "version/port-major",
    severity: Severity::Warning,
    meaning: "A port has a higher major version than its product. Whenever a port's major version changes the product's changes too, so a port cannot have overtaken it.",
    example: "info: {version: 1.2.0}, outputPorts: [{version: 2.0.0}]",
    remedy: "Raise the product's major version.",
    source: "DPDS 1.0.0, Versioning: a port's major change is the product's",
};

pub(in crate::check) const UNKNOWN_COMPONENT: Rule = Rule {
    id: "lineage/unknown-component",
    severity: Severity::Error,
    meaning: "'dependsOn', 'consumesFrom' or 'providesTo' names something of this product that it does not have.",
    example: "dependsOn: ['urn:dpds:com.acme:dataproducts:trips:1:infrastructure:databse']",
    remedy: "Correct the name, or add what it names.",
    source: "DPDS 1.0.0, Internal Components Object",
};

pub(in crate::check) const FOREIGN_NAME: Rule = Rule {
    id: "lineage/foreign-name",
    severity: Severity::Warning,
    meaning: "'dependsOn', 'consumesFrom' or 'providesTo' has a name that is not of the form of a product's, so nobody can check it.",
    example: "dependsOn: ['urn:com.acme:dataproducts:trips']",
    remedy: "Write 'urn:dpds:{namespace}:dataproducts:{product}:{major}:…'.",
    source: "DPDS 1.0.0, Fully Qualified Names",
};

pub(in crate::check) const OTHER_MAJOR: Rule = Rule {
    id: "lineage/other-major",
    severity: Severity::Warning,
    meaning: "'dependsOn', 'consumesFrom' or 'providesTo' names a component or an input port of another major version of the same product. That is another product to DPDS, with components of its own, so the plan does not wait for what was meant. To read an output port of another major version is fine.",
    example: "dependsOn: ['urn:dpds:com.acme:dataproducts:trips:1:infrastructure:database']   # in version 2.0.0",
    remedy: "Raise the major version in the name with that of the product.",
    source: "DPDS 1.0.0, Fully Qualified Names: the major version is part of a product's name",
};

pub(in crate::check) const OTHER_PRODUCT: Rule = Rule {
    id: "lineage/other-product",
    severity: Severity::Warning,
    meaning: "'dependsOn', 'consumesFrom' or 'providesTo' names the inside of a product that is called nearly as this one, and this one has such a part. Only the product itself can use its inside, so the name of the product is misspelt here or there.",
    example: "dependsOn: ['urn:dpds:com.acme:dataproducts:trip:1:infrastructure:database']   # in the product trips",
    remedy: "Correct the product's name, where it is misspelt.",
    source: "DPDS 1.0.0, Internal Components Object; Fully Qualified Names",
};

pub(in crate::check) const DEPENDENCY_CYCLE: Rule = Rule {
    id: "lineage/cycle",
    severity: Severity::Error,
    meaning: "Components depend on each other in a circle, so none of them can be provisioned first.",
    example: "a depends on b, b depends on a",
    remedy: "Remove one of the dependencies.",
    source: "DPDS 1.0.0, Internal Components Object: dependsOn forms the plan",
};

pub(in crate::check) const STAGE_NAME: Rule = Rule {
    id: "lifecycle/stage-name",
    severity: Severity::Error,
    meaning: "The name of a stage cannot be used: it has letters, digits, '-' and '_', begins with a letter or digit, and is at most 63 characters long.",
    example: "lifecycleInfo: {'my stage!': []}",
    remedy: "Rename the stage.",
    source: "Meshwright; stages are names in configuration, URLs and file names",
};

pub(in crate::check) const DUPLICATE_TASK: Rule = Rule {
    id: "lifecycle/duplicate-task",
    severity: Severity::Error,
    meaning: "Two tasks of one stage have the same name. Results of tasks are addressed by it. A task without a name is called task-N, by its place.",
    example: "dev: [{name: build}, {name: build}]",
    remedy: "Rename one of them.",
    source: "Meshwright; '${stage.results.task.path}' needs one answer",
};

pub(in crate::check) const DUPLICATE_ORDER: Rule = Rule {
    id: "lifecycle/duplicate-order",
    severity: Severity::Warning,
    meaning: "Two tasks of one stage have the same order. They run as written, one after the other.",
    example: "dev: [{order: 1}, {order: 1}]",
    remedy: "Give each task its own order.",
    source: "DPDS 1.0.0, Lifecycle Task Object",
};

pub(in crate::check) const ORDER: Rule = Rule {
    id: "lifecycle/order",
    severity: Severity::Error,
    meaning: "The order of a task is not written as a whole number.",
    example: "order: 1.0",
    remedy: "Write it without a point.",
    source: "DPDS 1.0.0, Lifecycle Task Object (int32)",
};

pub(in crate::check) const EXECUTOR_NAME: Rule = Rule {
    id: "lifecycle/executor-name",
    severity: Severity::Error,
    meaning: "'service.$href' does not name an executor: it has letters, digits, '-', '_' and '.', begins with a letter or digit, and is at most 63 characters long. A descriptor can name an executor, and never say where one is.",
    example: "service: {$href: 'https://build.example.com'}",
    remedy: "Write the name under which the platform's configuration knows the executor.",
    source: "DPDS 1.0.0, Lifecycle Task Object; Meshwright",
};

pub(in crate::check) const EXECUTOR_IN_BRACES: Rule = Rule {
    id: "lifecycle/executor-in-braces",
    severity: Severity::Error,
    meaning: "The name of an executor stands in braces, a form of older descriptors. The switch 'compatibility.executors-in-braces' allows it.",
    example: "service: {$href: '{azure-devops}'}",
    remedy: "Write the name without the braces.",
    source: "Open Data Mesh, older descriptors; in the wild in the specification parser's tests (dpd-lifecycle-iref.json)",
};

pub(in crate::check) const DEFINITION: Rule = Rule {
    id: "definition/unreadable",
    severity: Severity::Warning,
    meaning: "The definition of a port's API is not in the language that 'specification' names, so nobody can tell what a change of it means. Only what is certainly none of it is told; of SQL, whose dialects are many, nothing is.",
    example: "api: {name: tripsApi, version: 1.0.0, specification: openapi, definition: apis/trips.yaml}",
    remedy: "Correct the definition, or what 'specification' says.",
    source: "DPDS 1.0.0, Standard Definition Object",
};

pub(in crate::check) const SPECIFICATION: Rule = Rule {
    id: "definition/unknown-language",
    severity: Severity::Warning,
    meaning: "The 'specification' of a port's API is none that is known, and is nearly one. Its definition is neither checked nor compared. One that is far from all of them is not told: there are more languages than are known here.",
    example: "api: {name: tripsApi, version: 1.0.0, specification: datastoreapis, definition: {$ref: trips.json}}",
    remedy: "Correct the spelling; a version stands in 'specificationVersion'.",
    source: "DPDS 1.0.0, Standard Definition Object",
};

pub(in crate::check) const DEFINITION_FIELD: Rule = Rule {
    id: "definition/unknown-field",
    severity: Severity::Warning,
    meaning: "A field of a data store definition or of a data contract (ODCS 3), or at the top or in the 'components' of an OpenAPI or AsyncAPI document, is none that its language has, and is nearly one. A field that is far from all of them is not told: it may be an extension.",
    example: "schema: {tables: [{name: trips, colums: []}]}",
    remedy: "Correct the spelling.",
    source: "Data Store API Specification 1.0.0; Open Data Contract Standard 3.1; OpenAPI 3.1; AsyncAPI 3",
};

pub(in crate::check) const DEFINITION_VALUE: Rule = Rule {
    id: "definition/value",
    severity: Severity::Warning,
    meaning: "A field of a data store definition or of a data contract (ODCS 3), or the version of an OpenAPI or AsyncAPI document, holds what its language does not have there: a text in the place of a truth value, a type that does not exist, a version that is a number.",
    example: "properties: [{name: fare, logicalType: strng, required: 'yes'}]",
    remedy: "Write a value of the kind that the message names.",
    source: "Data Store API Specification 1.0.0; Open Data Contract Standard 3.1, JSON Schema; OpenAPI 3.1; AsyncAPI 3",
};
