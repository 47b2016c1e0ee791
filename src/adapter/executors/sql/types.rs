//! Column types: how descriptors name them (JDBC's type names and what is usual beside them), how
//! both dialects do, and which of them hold all values of which others.

use super::dialect::Dialect;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnType {
    Boolean,
    SmallInt,
    Integer,
    BigInt,
    /// Digits in all and behind the point; without them, any number.
    Decimal(Option<(u32, u32)>),
    Real,
    Double,
    Char(u32),
    VarChar(u32),
    /// Also `VARCHAR` without a length.
    Text,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Json,
    Uuid,
    Binary,
}

/// The most digits that PostgreSQL lets be declared.
const MOST_DIGITS: u32 = 1000;

/// The longest text that PostgreSQL lets be declared.
const LONGEST_TEXT: u32 = 10_485_760;

impl ColumnType {
    /// Reads a type. `length`, `precision` and `scale` are the descriptor's own fields; the text
    /// may have them in parentheses (`DECIMAL(10,2)`) as well. `None` for an unknown type.
    pub(super) fn parse(
        text: &str,
        length: Option<u32>,
        precision: Option<u32>,
        scale: Option<u32>,
    ) -> Option<ColumnType> {
        let (name, arguments, rest) = split(text)?;
        let word = format!("{name} {rest}").to_ascii_uppercase().replace('_', " ");
        let word = word.split_whitespace().collect::<Vec<_>>().join(" ");
        let length = arguments.first().copied().or(length);
        let kind = match word.as_str() {
            "BOOLEAN" | "BOOL" | "BIT" => ColumnType::Boolean,
            "TINYINT" | "SMALLINT" | "INT2" | "SHORT" => ColumnType::SmallInt,
            "INTEGER" | "INT" | "INT4" | "MEDIUMINT" => ColumnType::Integer,
            "BIGINT" | "INT8" | "INT64" | "LONG" => ColumnType::BigInt,
            "DECIMAL" | "NUMERIC" | "NUMBER" | "DEC" => {
                let digits = arguments.first().copied().or(precision).or(length);
                let scale = arguments.get(1).copied().or(scale).unwrap_or(0);
                match digits {
                    None => ColumnType::Decimal(None),
                    Some(digits) if (1..=MOST_DIGITS).contains(&digits) && scale <= digits => {
                        ColumnType::Decimal(Some((digits, scale)))
                    }
                    Some(_) => return None,
                }
            }
            "REAL" | "FLOAT4" => ColumnType::Real,
            "DOUBLE" | "DOUBLE PRECISION" | "FLOAT" | "FLOAT8" | "FLOAT64" => ColumnType::Double,
            "CHAR" | "CHARACTER" | "NCHAR" => match length {
                None => ColumnType::Char(1),
                Some(length) if (1..=LONGEST_TEXT).contains(&length) => ColumnType::Char(length),
                Some(_) => return None,
            },
            "VARCHAR" | "CHARACTER VARYING" | "NVARCHAR" | "VARCHAR2" | "LONGVARCHAR" | "LONGNVARCHAR" => {
                match length {
                    None => ColumnType::Text,
                    Some(length) if (1..=LONGEST_TEXT).contains(&length) => ColumnType::VarChar(length),
                    Some(_) => return None,
                }
            }
            "TEXT" | "STRING" | "CLOB" | "NCLOB" => ColumnType::Text,
            "DATE" => ColumnType::Date,
            "TIME" | "TIME WITHOUT TIME ZONE" => ColumnType::Time,
            "TIMESTAMP" | "DATETIME" | "TIMESTAMP WITHOUT TIME ZONE" => ColumnType::Timestamp,
            "TIMESTAMPTZ" | "TIMESTAMP WITH TIME ZONE" | "TIMESTAMP WITH TIMEZONE" => ColumnType::TimestampTz,
            "JSON" | "JSONB" => ColumnType::Json,
            "UUID" => ColumnType::Uuid,
            "BINARY" | "VARBINARY" | "LONGVARBINARY" | "BLOB" | "BYTEA" | "BYTES" => ColumnType::Binary,
            _ => return None,
        };
        Some(kind)
    }

    /// The type in a `CREATE TABLE`. What SQLite is told is read back by [`ColumnType::parse`].
    pub(super) fn ddl(self, dialect: Dialect) -> String {
        let word = match (self, dialect) {
            (ColumnType::Boolean, _) => "BOOLEAN",
            (ColumnType::SmallInt, _) => "SMALLINT",
            (ColumnType::Integer, _) => "INTEGER",
            (ColumnType::BigInt, _) => "BIGINT",
            (ColumnType::Decimal(None), _) => "NUMERIC",
            (ColumnType::Decimal(Some((digits, scale))), _) => return format!("NUMERIC({digits},{scale})"),
            (ColumnType::Real, _) => "REAL",
            (ColumnType::Double, _) => "DOUBLE PRECISION",
            (ColumnType::Char(length), _) => return format!("CHAR({length})"),
            (ColumnType::VarChar(length), _) => return format!("VARCHAR({length})"),
            (ColumnType::Text, _) => "TEXT",
            (ColumnType::Date, _) => "DATE",
            (ColumnType::Time, _) => "TIME",
            (ColumnType::Timestamp, _) => "TIMESTAMP",
            (ColumnType::TimestampTz, _) => "TIMESTAMP WITH TIME ZONE",
            (ColumnType::Json, Dialect::Sqlite) => "JSON",
            (ColumnType::Json, Dialect::Postgres) => "JSONB",
            (ColumnType::Uuid, _) => "UUID",
            (ColumnType::Binary, Dialect::Sqlite) => "BLOB",
            (ColumnType::Binary, Dialect::Postgres) => "BYTEA",
        };
        word.to_owned()
    }

    /// Whether every value of `self` is a value of `wider`, unchanged, so that a column may be
    /// widened without a look at its rows.
    pub(super) fn widens_to(self, wider: ColumnType) -> bool {
        use ColumnType::{BigInt, Char, Decimal, Double, Integer, Real, SmallInt, Text, VarChar};
        // Digits before the point that the integer types can have.
        let fits = |digits: u32, to: Option<(u32, u32)>| to.is_none_or(|(all, behind)| all - behind >= digits);
        match (self, wider) {
            (from, to) if from == to => true,
            (SmallInt, Integer | BigInt) | (Integer, BigInt) | (Real, Double) => true,
            (SmallInt | Integer, Double) => true,
            (SmallInt, Decimal(to)) => fits(5, to),
            (Integer, Decimal(to)) => fits(10, to),
            (BigInt, Decimal(to)) => fits(19, to),
            (Decimal(Some(_)), Decimal(None)) => true,
            (Decimal(Some((digits, scale))), Decimal(Some((all, behind)))) => {
                behind >= scale && all - behind >= digits - scale
            }
            (Char(from), Char(to)) | (VarChar(from) | Char(from), VarChar(to)) => to >= from,
            (Char(_) | VarChar(_), Text) => true,
            _ => false,
        }
    }
}

/// `DECIMAL(10, 2) X` is `DECIMAL`, `[10, 2]` and `X`.
fn split(text: &str) -> Option<(&str, Vec<u32>, &str)> {
    let text = text.trim();
    let Some((name, rest)) = text.split_once('(') else { return Some((text, Vec::new(), "")) };
    let (arguments, rest) = rest.split_once(')')?;
    let numbers: Option<Vec<u32>> = arguments.split(',').map(|number| number.trim().parse().ok()).collect();
    Some((name.trim(), numbers?, rest.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [ColumnType; 18] = [
        ColumnType::Boolean,
        ColumnType::SmallInt,
        ColumnType::Integer,
        ColumnType::BigInt,
        ColumnType::Decimal(None),
        ColumnType::Decimal(Some((10, 2))),
        ColumnType::Real,
        ColumnType::Double,
        ColumnType::Char(3),
        ColumnType::VarChar(50),
        ColumnType::Text,
        ColumnType::Date,
        ColumnType::Time,
        ColumnType::Timestamp,
        ColumnType::TimestampTz,
        ColumnType::Json,
        ColumnType::Uuid,
        ColumnType::Binary,
    ];

    #[test]
    fn what_is_declared_is_read_back() {
        for kind in ALL {
            for dialect in [Dialect::Sqlite, Dialect::Postgres] {
                assert_eq!(ColumnType::parse(&kind.ddl(dialect), None, None, None), Some(kind));
            }
        }
    }

    #[test]
    fn descriptors_words_are_understood() {
        for (text, length, wanted) in [
            ("varchar", Some(50), Some(ColumnType::VarChar(50))),
            ("VARCHAR(20)", None, Some(ColumnType::VarChar(20))),
            ("VARCHAR", None, Some(ColumnType::Text)),
            ("TIMESTAMP_WITH_TIMEZONE", None, Some(ColumnType::TimestampTz)),
            ("decimal( 12 , 3 )", None, Some(ColumnType::Decimal(Some((12, 3))))),
            ("decimal(2,3)", None, None),
            ("ARRAY", None, None),
            ("VARCHAR(x)", None, None),
            ("VARCHAR(5); DROP TABLE x", None, None),
        ] {
            assert_eq!(ColumnType::parse(text, length, None, None), wanted, "{text}");
        }
        assert_eq!(ColumnType::parse("NUMERIC", None, Some(8), Some(2)), Some(ColumnType::Decimal(Some((8, 2)))));
    }

    #[test]
    fn widening_never_loses_a_value() {
        use ColumnType::{BigInt, Decimal, Double, Integer, Text, Timestamp, TimestampTz, VarChar};
        for (from, to, fine) in [
            (VarChar(50), VarChar(100), true),
            (VarChar(100), VarChar(50), false),
            (VarChar(5), Text, true),
            (Text, VarChar(5), false),
            (Integer, BigInt, true),
            (BigInt, Integer, false),
            (BigInt, Double, false),
            (Integer, Decimal(Some((10, 2))), false),
            (Integer, Decimal(Some((12, 2))), true),
            (Decimal(Some((10, 2))), Decimal(Some((12, 2))), true),
            (Decimal(Some((10, 2))), Decimal(Some((10, 4))), false),
            (Timestamp, TimestampTz, false),
        ] {
            assert_eq!(from.widens_to(to), fine, "{from:?} {to:?}");
        }
    }
}
