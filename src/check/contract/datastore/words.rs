//! The fields of the Data Store API Specification 1.0.0, and those of older editions that are compared as well.

use crate::check::contract::vocabulary::Holds::{Any, List, Named, Object, Text};
use crate::check::contract::vocabulary::Shape;

pub(super) static DEFINITION: Shape = Shape {
    name: "a definition",
    fields: &[
        ("datastoreapi", Any),
        ("info", Object(&INFO)),
        ("services", Named(&SERVICE)),
        ("schema", Object(&SCHEMA)),
        ("tables", List(&TABLE)),
        ("components", Any),
        ("tags", Any),
        ("externalDocs", Any),
    ],
};

static INFO: Shape = Shape {
    name: "'info'",
    fields: &[
        ("title", Text),
        ("summary", Text),
        ("description", Text),
        ("termsOfService", Text),
        ("version", Any),
        ("datastoreName", Text),
        ("contact", Any),
        ("license", Any),
    ],
};

static SERVICE: Shape = Shape {
    name: "a service",
    fields: &[
        ("name", Text),
        ("description", Text),
        ("serverInfo", Object(&SERVER)),
        ("serverVariables", Any),
        ("variables", Any),
        ("host", Any),
        ("port", Any),
        ("url", Any),
        ("database", Any),
        ("connectionProtocols", Any),
    ],
};

static SERVER: Shape = Shape {
    name: "'serverInfo'",
    fields: &[
        ("host", Any),
        ("port", Any),
        ("url", Any),
        ("database", Any),
        ("dbmsType", Text),
        ("dbmsVersion", Any),
        ("connectionProtocols", Named(&PROTOCOL)),
    ],
};

static PROTOCOL: Shape = Shape {
    name: "a connection protocol",
    fields: &[
        ("version", Any),
        ("connectionString", Text),
        ("driverName", Text),
        ("driverClass", Text),
        ("driverVersion", Any),
        ("driverLibrary", Any),
        ("driverDocs", Any),
    ],
};

/// Of several tables, or of the one that it is itself.
static SCHEMA: Shape = Shape {
    name: "'schema'",
    fields: &[
        ("databaseName", Text),
        ("databaseSchemaName", Text),
        ("schemaName", Text),
        ("tables", List(&TABLE)),
        ("columns", List(&COLUMN)),
        ("name", Text),
        ("version", Any),
        ("specification", Any),
        ("definition", Any),
        ("fullyQualifiedName", Text),
        ("description", Text),
    ],
};

static TABLE: Shape = Shape {
    name: "a table",
    fields: &[
        ("id", Any),
        ("fullyQualifiedName", Text),
        ("entityType", Any),
        ("name", Text),
        ("version", Any),
        ("displayName", Text),
        ("description", Text),
        ("tableType", Text),
        ("columns", List(&COLUMN)),
        ("constraints", List(&CONSTRAINT)),
        ("partitions", Any),
        ("tags", Any),
        ("externalDocs", Any),
        ("specification", Any),
        ("specificationVersion", Any),
        ("definition", Any),
    ],
};

static COLUMN: Shape = Shape {
    name: "a column",
    fields: &[
        ("name", Text),
        ("displayName", Text),
        ("fullyQualifiedName", Text),
        ("description", Text),
        ("dataType", Text),
        ("dataLength", Any),
        ("precision", Any),
        ("scale", Any),
        ("jsonSchema", Any),
        ("columnConstraint", Any),
        ("nullable", Any),
        ("ordinalPosition", Any),
        ("tags", Any),
    ],
};

static CONSTRAINT: Shape =
    Shape { name: "a constraint", fields: &[("constraintType", Text), ("columns", Any), ("name", Text)] };
