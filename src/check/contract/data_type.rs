//! Column types of SQL: whether whoever reads the one can read the other, and what that means. Every language
//! that has such types tells it alike.

use super::fields::rule;
use crate::domain::change::Impact::{Breaking, Compatible, Unknown};
use crate::domain::compat::ContractRule;

/// How a type relates to the one that it replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// It is the same, perhaps by another name.
    Same,
    /// Every value of the old one is one of the new one: a wider integer, a wider float, a longer text, a
    /// decimal with more digits.
    Wider,
    /// The other way round.
    Narrower,
    /// The type is the same, and a length is told on one side only; or its name means two things.
    Unclear,
    /// Neither takes in the other.
    Other,
}

/// What a change of a type means, under the ids of one language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TypeRules {
    pub widened: ContractRule,
    pub narrowed: ContractRule,
    pub changed: ContractRule,
    pub unclear: ContractRule,
}

impl TypeRules {
    /// The ids are those of what takes in more, what takes in less, what is another, and what is unclear.
    pub(crate) const fn called([widened, narrowed, changed, unclear]: [&'static str; 4]) -> Self {
        const VALUES: &str = "programs hold values in what was made for those that were promised";
        Self {
            widened: rule(
                widened,
                "A type, a length or digits take in more values: `INT` to `BIGINT`, `VARCHAR(20)` to `VARCHAR(50)`.",
                Breaking,
                Compatible,
                VALUES,
            ),
            narrowed: rule(
                narrowed,
                "A type, a length or digits take in fewer values: `BIGINT` to `INT`, `VARCHAR(50)` to `VARCHAR(20)`.",
                Compatible,
                Breaking,
                VALUES,
            ),
            changed: rule(changed, "A type is another one.", Breaking, Breaking, VALUES),
            unclear: rule(
                unclear,
                "A type, a length or digits are written in one edition only, or in a way that databases understand \
                 differently.",
                Unknown,
                Unknown,
                "what is not understood is not compatible",
            ),
        }
    }

    /// The rule for two types of which it is known how they relate; `None` where they are the same.
    pub(crate) const fn of(&self, relation: Relation) -> Option<&ContractRule> {
        match relation {
            Relation::Same => None,
            Relation::Wider => Some(&self.widened),
            Relation::Narrower => Some(&self.narrowed),
            Relation::Other => Some(&self.changed),
            Relation::Unclear => Some(&self.unclear),
        }
    }
}

/// Compares two types, written as SQL does: `DECIMAL(10,2)`. What is not known is the same only where it
/// is written alike.
pub(crate) fn relation(before: &str, after: &str) -> Relation {
    // Eight bytes to some databases, eight bits to others.
    let is_eight = |text: &str| normal(text).split('(').next().is_some_and(|name| name.trim_end() == "INT8");
    let is_bits = |text: &str| matches!(normal(text).as_str(), "INT16" | "INT32" | "INT64");
    if (is_eight(before) && is_bits(after)) || (is_bits(before) && is_eight(after)) {
        return Relation::Unclear;
    }
    match (widens(before, after), widens(after, before)) {
        (true, true) => Relation::Same,
        (true, false) => Relation::Wider,
        (false, true) => Relation::Narrower,
        (false, false) if is_unclear(before, after) => Relation::Unclear,
        (false, false) => Relation::Other,
    }
}

/// Whether a type of one name has its length or its digits on one side only.
fn is_unclear(before: &str, after: &str) -> bool {
    let parts = |text: &str| {
        let text = normal(text);
        let (name, arguments) = text.split_once('(').unwrap_or((&text, ""));
        (name.trim_end().to_owned(), arguments.is_empty())
    };
    let ((old, old_is_bare), (new, new_is_bare)) = (parts(before), parts(after));
    let family = |name: &str| parse(name).map(|parsed| parsed.family);
    old_is_bare != new_is_bare && (old == new || family(&old).is_some_and(|old| family(&new) == Some(old)))
}

/// Whether every value of `before` is one of `after`.
fn widens(before: &str, after: &str) -> bool {
    match (parse(before), parse(after)) {
        (Some(before), Some(after)) => match (before.family, after.family) {
            (Family::Decimal, Family::Decimal) => decimal_widens(&before.arguments, &after.arguments),
            (Family::Text(old), Family::Text(new)) => text_widens(old, &before.arguments, new, &after.arguments),
            (Family::Integer(old), Family::Integer(new)) | (Family::Float(old), Family::Float(new)) => old <= new,
            _ => false,
        },
        _ => normal(before) == normal(after) || is_longer(before, after),
    }
}

/// Whether a type that is not known has the same name and a length that is no shorter.
fn is_longer(before: &str, after: &str) -> bool {
    let parts = |text: &str| {
        let text = normal(text);
        let (name, rest) = text.split_once('(')?;
        Some((name.trim_end().to_owned(), rest.strip_suffix(')')?.trim().parse::<u32>().ok()?))
    };
    match (parts(before), parts(after)) {
        (Some((old, short)), Some((new, long))) => old == new && long >= short,
        _ => false,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// By width in bytes.
    Integer(u8),
    /// By width in bytes.
    Float(u8),
    Decimal,
    /// By whether its length is bound at all.
    Text(Length),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Bound,
    Unbound,
}

struct DataType {
    family: Family,
    arguments: Vec<u32>,
}

fn normal(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_uppercase();
    match text.as_str() {
        "BOOL" => "BOOLEAN".to_owned(),
        "TIMESTAMP WITH TIME ZONE" => "TIMESTAMPTZ".to_owned(),
        "TIMESTAMP WITHOUT TIME ZONE" => "TIMESTAMP".to_owned(),
        "TIME WITHOUT TIME ZONE" => "TIME".to_owned(),
        _ => text,
    }
}

fn parse(text: &str) -> Option<DataType> {
    let text = normal(text);
    let (name, arguments) = match text.split_once('(') {
        Some((name, rest)) => (name.trim_end(), rest.strip_suffix(')')?),
        None => (text.as_str(), ""),
    };
    let arguments: Result<Vec<u32>, _> =
        arguments.split(',').map(str::trim).filter(|argument| !argument.is_empty()).map(str::parse).collect();
    let family = match name {
        "TINYINT" | "INT1" => Family::Integer(1),
        "SMALLINT" | "INT2" | "INT16" | "SMALLSERIAL" => Family::Integer(2),
        "INTEGER" | "INT" | "INT4" | "INT32" | "SERIAL" => Family::Integer(4),
        "BIGINT" | "INT8" | "INT64" | "BIGSERIAL" => Family::Integer(8),
        "REAL" | "FLOAT4" => Family::Float(4),
        "DOUBLE" | "DOUBLE PRECISION" | "FLOAT8" | "FLOAT64" => Family::Float(8),
        "DECIMAL" | "NUMERIC" | "DEC" | "NUMBER" => Family::Decimal,
        "VARCHAR" | "CHARACTER VARYING" | "VARCHAR2" => Family::Text(Length::Bound),
        "TEXT" | "CLOB" | "STRING" => Family::Text(Length::Unbound),
        _ => return None,
    };
    Some(DataType { family, arguments: arguments.ok()? })
}

fn decimal_widens(before: &[u32], after: &[u32]) -> bool {
    let digits = |arguments: &[u32]| match arguments {
        [precision] => Some((*precision, 0)),
        [precision, scale] => Some((precision.checked_sub(*scale)?, *scale)),
        _ => None,
    };
    match (digits(before), digits(after)) {
        (Some((whole, fraction)), Some((new_whole, new_fraction))) => new_whole >= whole && new_fraction >= fraction,
        _ => before == after,
    }
}

fn text_widens(old: Length, before: &[u32], new: Length, after: &[u32]) -> bool {
    match (old, new) {
        // `STRING(50)` is as bound as `VARCHAR(50)`.
        (_, Length::Unbound) if after.is_empty() => true,
        (Length::Unbound, _) if before.is_empty() => false,
        (_, Length::Unbound) | (Length::Unbound, _) => matches!((before, after), ([old], [new]) if new >= old),
        (Length::Bound, Length::Bound) => match (before, after) {
            ([old], [new]) => new >= old,
            ([], []) => true,
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations() {
        for (before, after, expected) in [
            ("INTEGER", "int4", Relation::Same),
            ("INTEGER", "BIGINT", Relation::Wider),
            ("TEXT", "VARCHAR(3)", Relation::Narrower),
            ("VARCHAR", "VARCHAR(3)", Relation::Unclear),
            ("NUMERIC(3)", "DECIMAL", Relation::Unclear),
            ("RAW(10)", "RAW(20)", Relation::Wider),
            ("RAW", "RAW(20)", Relation::Unclear),
            ("DATE", "TIMESTAMP", Relation::Other),
            ("INT(11)", "INT", Relation::Same),
            ("INT64", "SMALLINT", Relation::Narrower),
            ("STRING(100)", "STRING(50)", Relation::Narrower),
            ("STRING(50)", "VARCHAR(100)", Relation::Wider),
            ("STRING(50)", "STRING", Relation::Wider),
            ("INT8", "INT64", Relation::Unclear),
            ("INT32", "INT8", Relation::Unclear),
            ("INT8", "BIGINT", Relation::Same),
            ("TIMESTAMP WITH TIME ZONE", "timestamptz", Relation::Same),
            ("TIMESTAMP", "TIMESTAMPTZ", Relation::Other),
            ("STRUCT<a INT>", "STRUCT<a INT, b INT>", Relation::Other),
        ] {
            assert_eq!(relation(before, after), expected, "{before} > {after}");
        }
    }

    #[test]
    fn wider_types() {
        for (before, after) in [
            ("INTEGER", "BIGINT"),
            ("int", "Integer"),
            ("smallint", "INT"),
            ("REAL", "double  precision"),
            ("VARCHAR(10)", "VARCHAR(20)"),
            ("VARCHAR(10)", "TEXT"),
            ("VARCHAR", "CHARACTER VARYING"),
            ("DECIMAL(10,2)", "NUMERIC(12, 2)"),
            ("DECIMAL(10,2)", "DECIMAL(12,4)"),
            ("geometry", "GEOMETRY"),
        ] {
            assert!(widens(before, after), "{before} > {after}");
        }
    }

    #[test]
    fn other_types() {
        for (before, after) in [
            ("BIGINT", "INTEGER"),
            ("INTEGER", "DOUBLE"),
            ("INTEGER", "VARCHAR"),
            ("TEXT", "VARCHAR(10)"),
            ("VARCHAR(20)", "VARCHAR(10)"),
            ("DECIMAL(10,2)", "DECIMAL(10,4)"),
            ("DECIMAL(1,5)", "DECIMAL(12,5)"),
            ("DATE", "TIMESTAMP"),
            ("VARCHAR(x)", "VARCHAR(y)"),
        ] {
            assert!(!widens(before, after), "{before} > {after}");
        }
    }
}
