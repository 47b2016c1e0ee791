//! Types of columns, across dialects: which names mean the same, and which takes in more.

/// How one type stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::check::contract) enum Relation {
    Same,
    Wider,
    Narrower,
    Other,
    /// A size is written on one side only, and databases differ in what that means.
    Unclear,
}

struct Type {
    base: String,
    sizes: Option<Vec<i64>>,
}

/// How the second type stands to the first.
pub(in crate::check::contract) fn relation(was: &str, is: &str) -> Relation {
    if was == is {
        return Relation::Same;
    }
    let (was, is) = (Type::of(was), Type::of(is));
    if was.base == is.base {
        return sizes(&was, &is);
    }
    for ladder in [["TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT"].as_slice(), &["REAL", "FLOAT", "DOUBLE"]] {
        let step = |of: &Type| ladder.iter().position(|name| *name == of.base);
        if let (Some(before), Some(after)) = (step(&was), step(&is)) {
            return if before < after { Relation::Wider } else { Relation::Narrower };
        }
    }
    match (was.base.as_str(), is.base.as_str()) {
        ("VARCHAR", "TEXT") if was.sizes.is_some() => Relation::Wider,
        ("TEXT", "VARCHAR") if is.sizes.is_some() => Relation::Narrower,
        ("VARCHAR", "TEXT") | ("TEXT", "VARCHAR") => Relation::Unclear,
        _ => Relation::Other,
    }
}

fn sizes(was: &Type, is: &Type) -> Relation {
    let ordered = |more: bool, less: bool| match (more, less) {
        (true, true) => Relation::Same,
        (true, false) => Relation::Wider,
        (false, true) => Relation::Narrower,
        (false, false) => Relation::Other,
    };
    match (was.sizes.as_deref(), is.sizes.as_deref()) {
        (before, after) if before == after => Relation::Same,
        (None, _) | (_, None) => Relation::Unclear,
        (Some(before), Some(after)) if was.base == "DECIMAL" => {
            let digits = |sizes: &[i64]| {
                let scale = sizes.get(1).copied().unwrap_or(0);
                (sizes.first().copied().unwrap_or(0).saturating_sub(scale), scale)
            };
            let (before, after) = (digits(before), digits(after));
            ordered(after.0 >= before.0 && after.1 >= before.1, after.0 <= before.0 && after.1 <= before.1)
        }
        (Some([before]), Some([after])) => ordered(after >= before, after <= before),
        _ => Relation::Other,
    }
}

impl Type {
    /// A type as it is written, by the name that all dialects' names for it share.
    fn of(text: &str) -> Self {
        let text = text.to_ascii_uppercase();
        let mut base = String::new();
        let mut sizes = None;
        match text.split_once('(') {
            Some((before, rest)) => {
                let (inside, after) = rest.split_once(')').unwrap_or((rest, ""));
                let numbers: Option<Vec<i64>> =
                    inside.split(',').map(|part| part.trim().split(' ').next()?.parse().ok()).collect();
                match numbers {
                    Some(numbers) => {
                        sizes = Some(numbers);
                        base.push_str(before.trim());
                        base.push_str(after.trim_end());
                    }
                    None => base.push_str(&text),
                }
            }
            None => base.push_str(&text),
        }
        let base = match base.as_str() {
            "INTEGER" | "INT4" | "INT32" | "SERIAL" => "INT",
            "INT64" | "BIGSERIAL" | "LONG" => "BIGINT",
            "INT2" | "INT16" | "SMALLSERIAL" => "SMALLINT",
            "BOOL" => "BOOLEAN",
            "CHARACTER VARYING" | "CHAR VARYING" | "VARCHAR2" => "VARCHAR",
            "CHARACTER" => "CHAR",
            "STRING" | "CLOB" => "TEXT",
            "NUMERIC" | "DEC" | "NUMBER" => "DECIMAL",
            "FLOAT4" => "REAL",
            "DOUBLE PRECISION" | "FLOAT8" | "FLOAT64" => "DOUBLE",
            "TIMESTAMP WITH TIME ZONE" => "TIMESTAMPTZ",
            "TIMESTAMP WITHOUT TIME ZONE" => "TIMESTAMP",
            "TIME WITHOUT TIME ZONE" => "TIME",
            other => other,
        };
        // The number after a whole number is how wide it is shown, not how much it holds.
        let is_whole = ["TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT"].contains(&base);
        Self { base: base.to_owned(), sizes: sizes.filter(|_| !is_whole) }
    }
}

#[cfg(test)]
mod tests {
    use super::Relation::{Narrower, Other, Same, Unclear, Wider};
    use super::*;

    #[test]
    fn types_are_known_across_dialects() {
        for (was, is, expected) in [
            ("INT", "integer", Same),
            ("INT(11)", "INT", Same),
            ("INT", "BIGINT", Wider),
            ("INT64", "SMALLINT", Narrower),
            ("VARCHAR(20)", "CHARACTER VARYING(50)", Wider),
            ("VARCHAR(50)", "VARCHAR(20)", Narrower),
            ("VARCHAR(20)", "TEXT", Wider),
            ("VARCHAR", "TEXT", Unclear),
            ("VARCHAR(20)", "VARCHAR", Unclear),
            ("NUMERIC(10,2)", "DECIMAL(12, 2)", Wider),
            ("DECIMAL(10,2)", "DECIMAL(10,4)", Other),
            ("DECIMAL(10)", "DECIMAL(8,0)", Narrower),
            ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ", Same),
            ("TIMESTAMP", "TIMESTAMPTZ", Other),
            ("DATE", "TIMESTAMP", Other),
            ("FLOAT", "DOUBLE PRECISION", Wider),
            ("STRUCT<a INT>", "STRUCT<a INT, b INT>", Other),
            ("VARCHAR(MAX)", "VARCHAR(20)", Other),
        ] {
            assert_eq!(relation(was, is), expected, "{was} to {is}");
        }
    }
}
