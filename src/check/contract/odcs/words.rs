//! The fields of the Open Data Contract Standard, versions 3.0 and 3.1.

use crate::check::contract::vocabulary::Holds::{self, Any, Flag, List, Number, Object, Text, Word};
use crate::check::contract::vocabulary::Shape;

pub(super) static CONTRACT: Shape = Shape {
    name: "a contract",
    fields: &[
        ("version", Text),
        ("kind", Word(&["DataContract"])),
        ("apiVersion", Text),
        ("id", Text),
        ("name", Text),
        ("tenant", Text),
        ("tags", Any),
        ("status", Text),
        ("servers", List(&SERVER)),
        ("dataProduct", Text),
        ("description", Any),
        ("domain", Text),
        ("schema", List(&OBJECT)),
        ("support", Any),
        ("price", Object(&PRICE)),
        ("team", Any),
        ("roles", List(&ROLE)),
        ("slaDefaultElement", Text),
        ("slaProperties", List(&LEVEL)),
        ("authoritativeDefinitions", Any),
        ("customProperties", Any),
        ("contractCreatedTs", Text),
    ],
};

/// What each kind of server has besides differs.
static SERVER: Shape = Shape {
    name: "a server",
    fields: &[
        ("id", Any),
        ("server", Text),
        ("type", Text),
        ("description", Text),
        ("environment", Text),
        ("roles", List(&ROLE)),
        ("customProperties", Any),
        ("account", Any),
        ("catalog", Any),
        ("database", Any),
        ("dataset", Any),
        ("delimiter", Any),
        ("endpointUrl", Any),
        ("format", Any),
        ("host", Any),
        ("location", Any),
        ("path", Any),
        ("port", Any),
        ("project", Any),
        ("region", Any),
        ("regionName", Any),
        ("schema", Any),
        ("serviceName", Any),
        ("stagingDir", Any),
        ("warehouse", Any),
    ],
};

static PRICE: Shape = Shape {
    name: "'price'",
    fields: &[("id", Any), ("priceAmount", Number), ("priceCurrency", Text), ("priceUnit", Text)],
};

static ROLE: Shape = Shape {
    name: "a role",
    fields: &[
        ("id", Any),
        ("role", Text),
        ("description", Text),
        ("access", Text),
        ("firstLevelApprovers", Text),
        ("secondLevelApprovers", Text),
        ("customProperties", Any),
    ],
};

static LEVEL: Shape = Shape {
    name: "a service level",
    fields: &[
        ("id", Any),
        ("property", Text),
        ("value", Any),
        ("valueExt", Any),
        ("unit", Text),
        ("element", Text),
        ("driver", Text),
        ("description", Text),
        ("scheduler", Text),
        ("schedule", Text),
    ],
};

const TYPES: Holds = Word(&["string", "date", "timestamp", "time", "number", "integer", "object", "array", "boolean"]);

static OBJECT: Shape = Shape {
    name: "an object",
    fields: &[
        ("id", Any),
        ("name", Text),
        ("physicalType", Text),
        ("physicalName", Text),
        ("description", Text),
        ("businessName", Text),
        ("authoritativeDefinitions", Any),
        ("tags", Any),
        ("customProperties", Any),
        ("logicalType", Word(&["object"])),
        ("dataGranularityDescription", Text),
        ("properties", List(&PROPERTY)),
        ("relationships", Any),
        ("quality", List(&QUALITY)),
    ],
};

static PROPERTY: Shape = Shape {
    name: "a property",
    fields: &[
        ("id", Any),
        ("name", Text),
        ("physicalType", Text),
        ("physicalName", Text),
        ("description", Text),
        ("businessName", Text),
        ("authoritativeDefinitions", Any),
        ("tags", Any),
        ("customProperties", Any),
        ("primaryKey", Flag),
        ("primaryKeyPosition", Number),
        ("logicalType", TYPES),
        ("logicalTypeOptions", Object(&OPTIONS)),
        ("required", Flag),
        ("unique", Flag),
        ("partitioned", Flag),
        ("partitionKeyPosition", Number),
        ("classification", Text),
        ("encryptedName", Text),
        ("transformSourceObjects", Any),
        ("transformLogic", Text),
        ("transformDescription", Text),
        ("examples", Any),
        ("criticalDataElement", Flag),
        ("relationships", Any),
        ("quality", List(&QUALITY)),
        ("properties", List(&PROPERTY)),
        ("items", Object(&PROPERTY)),
    ],
};

static OPTIONS: Shape = Shape {
    name: "'logicalTypeOptions'",
    fields: &[
        ("format", Text),
        ("pattern", Text),
        ("minLength", Number),
        ("maxLength", Number),
        ("minimum", Any),
        ("maximum", Any),
        ("exclusiveMinimum", Any),
        ("exclusiveMaximum", Any),
        ("multipleOf", Number),
        ("minItems", Number),
        ("maxItems", Number),
        ("uniqueItems", Flag),
        ("minProperties", Number),
        ("maxProperties", Number),
        ("required", Any),
        ("timezone", Flag),
        ("defaultTimezone", Text),
    ],
};

static QUALITY: Shape = Shape {
    name: "a quality rule",
    fields: &[
        ("id", Any),
        ("name", Text),
        ("description", Text),
        ("type", Word(&["text", "library", "sql", "custom"])),
        (
            "dimension",
            Word(&["accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness"]),
        ),
        ("metric", Text),
        ("rule", Text),
        ("arguments", Any),
        ("query", Text),
        ("engine", Text),
        ("implementation", Any),
        ("validValues", Any),
        ("mustBe", Any),
        ("mustNotBe", Any),
        ("mustBeGreaterThan", Number),
        ("mustBeGreaterOrEqualTo", Number),
        ("mustBeGreaterThanOrEqualTo", Number),
        ("mustBeLessThan", Number),
        ("mustBeLessOrEqualTo", Number),
        ("mustBeLessThanOrEqualTo", Number),
        ("mustBeBetween", Any),
        ("mustNotBeBetween", Any),
        ("severity", Text),
        ("businessImpact", Text),
        ("method", Text),
        ("unit", Text),
        ("scheduler", Text),
        ("schedule", Text),
        ("tags", Any),
        ("authoritativeDefinitions", Any),
        ("customProperties", Any),
    ],
};
