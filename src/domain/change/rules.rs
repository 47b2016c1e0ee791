//! What a change of a port means to those who rely on it, by the place of the change.
//!
//! A pattern is relative to the port: a word is a field of that name, `*` is one thing that its
//! author named (a table, a column, a property, a channel) or one member of a set, and `**` is any
//! number of steps, but does not go into extensions (`x-`) and values where more follows it. The empty
//! pattern is the port itself. The first rule that matches decides. Where none does, what is gone
//! weighs as much as the heaviest of its parts, and anything else is unknown, which is never shown as
//! compatible. Documentation (`description` and
//! the like) never comes here.
//!
//! Sources: the promises, expectations and obligations of DPDS 1.0.0; the tables and columns of the
//! datastore API specification 1.0.0; AsyncAPI 2 and 3, OpenAPI 3, JSON Schema and Avro, as far as
//! the words are theirs.

use serde_json::Value;

use super::FieldOp::{Added, Removed, Replaced};
use super::Impact::{Breaking, Compatible, Unknown};
use super::data_type::widens;
use super::{FieldOp, Impact};

/// How a rule comes to its impact.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meaning {
    /// It is always the same.
    Always(Impact),
    /// It depends on the recorded and the desired value.
    Judge(fn(Option<&Value>, Option<&Value>) -> Impact),
}

/// One line of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct LocationRule {
    /// The places to which it applies.
    pub(super) at: &'static str,
    /// The changes to which it applies.
    pub(super) ops: &'static [FieldOp],
    /// What they mean.
    pub(super) means: Meaning,
}

const ANY: &[FieldOp] = &[Added, Removed, Replaced];
const ADDED: &[FieldOp] = &[Added];
const REMOVED: &[FieldOp] = &[Removed];
const REPLACED: &[FieldOp] = &[Replaced];
const CHANGED: &[FieldOp] = &[Removed, Replaced];

const fn always(at: &'static str, ops: &'static [FieldOp], impact: Impact) -> LocationRule {
    LocationRule { at, ops, means: Meaning::Always(impact) }
}

const fn judged(
    at: &'static str,
    ops: &'static [FieldOp],
    judge: fn(Option<&Value>, Option<&Value>) -> Impact,
) -> LocationRule {
    LocationRule { at, ops, means: Meaning::Judge(judge) }
}

/// Ports that others read: output, discovery, observability and control ports.
pub(super) const READ_PORT: &[LocationRule] = &[
    // The port.
    always("", ADDED, Compatible),
    always("", REMOVED, Breaking),
    always("version", ANY, Compatible),
    // Promises: what is promised anew harms nobody, what is taken back does.
    always("promises", ADDED, Compatible),
    always("promises", REMOVED, Breaking),
    always("promises.platform", ADDED, Compatible),
    always("promises.platform", REPLACED, Breaking),
    always("promises.api", ADDED, Compatible),
    always("promises.api", REMOVED, Breaking),
    always("promises.api.specification", REPLACED, Breaking),
    always("promises.api.definition", REMOVED, Breaking),
    always("promises.slo", ADDED, Compatible),
    always("promises.slo.definition.**", ADDED, Compatible),
    always("promises.slo", REMOVED, Breaking),
    always("promises.slo.definition.**", REMOVED, Breaking),
    always("promises.deprecationPolicy", ADDED, Compatible),
    always("promises.deprecationPolicy.definition.**", ADDED, Compatible),
    always("promises.deprecationPolicy", REMOVED, Breaking),
    always("promises.deprecationPolicy.definition.**", REMOVED, Breaking),
    judged("obligations", REMOVED, obligations_removed),
    always("obligations.sla", ADDED, Compatible),
    always("obligations.sla.definition.**", ADDED, Compatible),
    always("obligations.sla", REMOVED, Breaking),
    always("obligations.sla.definition.**", REMOVED, Breaking),
    // The number of a definition's version says nothing that its content does not say.
    always("promises.api.version", ANY, Compatible),
    always("promises.slo.version", ANY, Compatible),
    always("promises.deprecationPolicy.version", ANY, Compatible),
    always("expectations.audience.version", ANY, Compatible),
    always("expectations.usage.version", ANY, Compatible),
    always("obligations.termsAndConditions.version", ANY, Compatible),
    always("obligations.billingPolicy.version", ANY, Compatible),
    always("obligations.sla.version", ANY, Compatible),
    // What every kind of API says of itself, for people.
    always("promises.api.definition.info.title", ANY, Compatible),
    always("promises.api.definition.info.summary", ANY, Compatible),
    always("promises.api.definition.info.version", ANY, Compatible),
    always("promises.api.definition.info.contact.**", ANY, Compatible),
    always("promises.api.definition.**.title", ANY, Compatible),
    always("promises.api.definition.**.summary", ANY, Compatible),
    always("promises.api.definition.**.$comment", ANY, Compatible),
    always("promises.api.definition.**.example.**", ANY, Compatible),
    always("promises.api.definition.**.examples.**", ANY, Compatible),
    // A library whose parts stand resolved wherever they are used, and are judged there.
    always("promises.api.definition.components.**", ADDED, Compatible),
    always("promises.api.definition.components.**", CHANGED, Unknown),
    // Tables and columns.
    always("promises.api.definition.**.tables", ADDED, Compatible),
    always("promises.api.definition.**.tables", REMOVED, Breaking),
    always("promises.api.definition.**.tables.*", ADDED, Compatible),
    always("promises.api.definition.**.tables.*", REMOVED, Breaking),
    always("promises.api.definition.**.tables.*.version", ANY, Compatible),
    always("promises.api.definition.**.columns", REMOVED, Breaking),
    always("promises.api.definition.**.columns.*", ADDED, Compatible),
    always("promises.api.definition.**.columns.*", REMOVED, Breaking),
    judged("promises.api.definition.**.columns.*.dataType", REPLACED, data_type),
    judged("promises.api.definition.**.columns.*.dataLength", REPLACED, larger_is_compatible),
    judged("promises.api.definition.**.columns.*.precision", REPLACED, larger_is_compatible),
    judged("promises.api.definition.**.columns.*.scale", REPLACED, smaller_is_breaking),
    judged("promises.api.definition.**.columns.*.columnConstraint", ANY, constraint),
    judged("promises.api.definition.**.columns.*.nullable", ANY, nullable),
    // Topics and operations.
    always("promises.api.definition.**.channels", REMOVED, Breaking),
    always("promises.api.definition.**.channels.*", ADDED, Compatible),
    always("promises.api.definition.**.channels.*", REMOVED, Breaking),
    always("promises.api.definition.**.channels.*.address", CHANGED, Breaking),
    always("promises.api.definition.**.channels.*.subscribe", ADDED, Compatible),
    always("promises.api.definition.**.channels.*.subscribe", REMOVED, Breaking),
    always("promises.api.definition.**.channels.*.publish", ADDED, Compatible),
    always("promises.api.definition.**.channels.*.publish", REMOVED, Breaking),
    always("promises.api.definition.**.topics", REMOVED, Breaking),
    always("promises.api.definition.**.topics.*", ADDED, Compatible),
    always("promises.api.definition.**.topics.*", REMOVED, Breaking),
    always("promises.api.definition.**.operations", REMOVED, Breaking),
    always("promises.api.definition.**.operations.*", ADDED, Compatible),
    always("promises.api.definition.**.operations.*", REMOVED, Breaking),
    always("promises.api.definition.**.operationId", CHANGED, Breaking),
    always("promises.api.definition.**.messages.*", REMOVED, Breaking),
    always("promises.api.definition.**.paths", REMOVED, Breaking),
    always("promises.api.definition.**.paths.*", ADDED, Compatible),
    always("promises.api.definition.**.paths.*", REMOVED, Breaking),
    always("promises.api.definition.**.paths.*.get", ADDED, Compatible),
    always("promises.api.definition.**.paths.*.get", REMOVED, Breaking),
    always("promises.api.definition.**.paths.*.post", ADDED, Compatible),
    always("promises.api.definition.**.paths.*.post", REMOVED, Breaking),
    always("promises.api.definition.**.paths.*.put", ADDED, Compatible),
    always("promises.api.definition.**.paths.*.put", REMOVED, Breaking),
    always("promises.api.definition.**.paths.*.patch", ADDED, Compatible),
    always("promises.api.definition.**.paths.*.patch", REMOVED, Breaking),
    always("promises.api.definition.**.paths.*.delete", ADDED, Compatible),
    always("promises.api.definition.**.paths.*.delete", REMOVED, Breaking),
    // What is read: JSON Schema, and Avro's `fields`.
    always("promises.api.definition.**.properties", REMOVED, Breaking),
    always("promises.api.definition.**.properties.*", ADDED, Compatible),
    always("promises.api.definition.**.properties.*", REMOVED, Breaking),
    always("promises.api.definition.**.fields.*", ADDED, Compatible),
    always("promises.api.definition.**.fields.*", REMOVED, Breaking),
    always("promises.api.definition.**.type", REPLACED, Breaking),
    always("promises.api.definition.**.type.*", ADDED, Breaking),
    always("promises.api.definition.**.type.*", REMOVED, Compatible),
    judged("promises.api.definition.**.required", ADDED, list_is_compatible),
    judged("promises.api.definition.**.required", REMOVED, list_is_breaking),
    always("promises.api.definition.**.required.*", ADDED, Compatible),
    always("promises.api.definition.**.required.*", REMOVED, Breaking),
];

/// What consumers send through a port; asked before [`READ_PORT`].
pub(super) const REQUEST: &[LocationRule] = &[
    always("**.properties.*", ANY, Unknown),
    always("**.fields.*", ANY, Unknown),
    always("**.properties", ANY, Unknown),
    judged("**.required", ADDED, list_is_breaking),
    judged("**.required", REMOVED, list_is_compatible),
    always("**.required.*", ADDED, Breaking),
    always("**.required.*", REMOVED, Compatible),
    always("**.type.*", ADDED, Compatible),
    always("**.type.*", REMOVED, Breaking),
    always("**.parameters.*", ANY, Unknown),
];

/// Input ports: nobody reads them, so most of their changes are nobody's but the product's. Who
/// feeds a port relies on its API.
pub(super) const INPUT_PORT: &[LocationRule] = &[
    always("", ADDED, Compatible),
    always("", REMOVED, Compatible),
    always("version", ANY, Compatible),
    always("x-upstream", ANY, Compatible),
    always("promises.api.version", ANY, Compatible),
];

fn data_type(before: Option<&Value>, after: Option<&Value>) -> Impact {
    match (before.and_then(Value::as_str), after.and_then(Value::as_str)) {
        (Some(before), Some(after)) if widens(before, after) => Compatible,
        _ => Breaking,
    }
}

/// Lengths are numbers; many write them as texts.
fn count(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn larger_is_compatible(before: Option<&Value>, after: Option<&Value>) -> Impact {
    match (count(before), count(after)) {
        (Some(before), Some(after)) if after >= before => Compatible,
        (Some(_), Some(_)) => Breaking,
        _ => Unknown,
    }
}

/// A larger scale leaves fewer digits before the point, unless the precision grows as well.
fn smaller_is_breaking(before: Option<&Value>, after: Option<&Value>) -> Impact {
    match (count(before), count(after)) {
        (Some(before), Some(after)) if after < before => Breaking,
        (Some(before), Some(after)) if after == before => Compatible,
        _ => Unknown,
    }
}

/// The values of `columnConstraint` that matter to a reader.
#[derive(PartialEq, Clone, Copy)]
enum Constraint {
    None,
    NotNull,
    PrimaryKey,
    Other,
}

fn constraint_of(value: Option<&Value>) -> Constraint {
    let Some(value) = value else { return Constraint::None };
    match value.as_str().unwrap_or_default().trim().to_ascii_uppercase().replace([' ', '-'], "_").as_str() {
        "" if value.is_null() || value.is_string() => Constraint::None,
        "NULL" | "NULLABLE" => Constraint::None,
        "NOT_NULL" => Constraint::NotNull,
        "PRIMARY_KEY" => Constraint::PrimaryKey,
        _ => Constraint::Other,
    }
}

fn constraint(before: Option<&Value>, after: Option<&Value>) -> Impact {
    use Constraint::{None, NotNull, Other, PrimaryKey};
    match (constraint_of(before), constraint_of(after)) {
        (a, b) if a == b && a != Other => Compatible,
        (NotNull | PrimaryKey, None | Other) => Breaking,
        (None | NotNull, NotNull | PrimaryKey) => Compatible,
        _ => Unknown,
    }
}

fn nullable(before: Option<&Value>, after: Option<&Value>) -> Impact {
    match (before.and_then(Value::as_bool), after.and_then(Value::as_bool)) {
        (Some(false), Some(true)) => Breaking,
        (_, Some(false)) => Compatible,
        _ => Unknown,
    }
}

/// `required` is a list in JSON Schema, and something else in other languages.
fn list_is_compatible(before: Option<&Value>, after: Option<&Value>) -> Impact {
    if before.or(after).is_some_and(Value::is_array) { Compatible } else { Unknown }
}

fn list_is_breaking(before: Option<&Value>, after: Option<&Value>) -> Impact {
    if before.or(after).is_some_and(Value::is_array) { Breaking } else { Unknown }
}

fn obligations_removed(before: Option<&Value>, _: Option<&Value>) -> Impact {
    if before.is_some_and(|obligations| obligations.get("sla").is_some()) { Breaking } else { Unknown }
}
