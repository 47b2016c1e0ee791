//! Whether a text is one query that only reads.
//!
//! The text of a view comes from a descriptor, and that of a query from a person. Both are
//! accepted only as one `SELECT` (or `WITH … SELECT`). What the two dialects read differently
//! (nested comments, escape strings, dollar quotes) is refused, so that nothing can hide from this
//! reading in what it takes for a text or a comment. The database has its say as well: views are
//! made by a single prepared statement, and queries run where nothing can be written.

use super::dialect::Dialect;

/// The longest text, in bytes.
const LONGEST: usize = 64 * 1024;

/// The query without its final semicolon, or the rule that it breaks.
pub(super) fn single_query(sql: &str, dialect: Dialect) -> Result<&str, &'static str> {
    if sql.len() > LONGEST {
        return Err("it is longer than 64 KiB");
    }
    let bytes = sql.as_bytes();
    let at = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let (mut index, mut depth, mut end) = (0, 0_i64, None);
    let mut first: Option<&str> = None;
    while index < bytes.len() {
        let byte = at(index);
        if byte.is_ascii_whitespace() {
            index += 1;
            continue;
        }
        if byte == b'-' && at(index + 1) == b'-' {
            index = find(bytes, index, b"\n").unwrap_or(bytes.len());
            continue;
        }
        if byte == b'/' && at(index + 1) == b'*' {
            let close = find(bytes, index + 2, b"*/").ok_or("a comment is not closed")?;
            if find(bytes, index + 2, b"/*").is_some_and(|inner| inner < close) {
                return Err("a comment stands in a comment");
            }
            index = close + 2;
            continue;
        }
        if end.is_some() {
            return Err("it is more than one statement");
        }
        match byte {
            0..=31 | 127 => return Err("it has control characters"),
            b';' if depth == 0 => {
                end = Some(index);
                index += 1;
            }
            b';' => return Err("it is more than one statement"),
            b'\'' | b'"' => index = after_quoted(bytes, index, byte)?,
            b'`' | b'[' if dialect == Dialect::Sqlite => {
                return Err("identifiers are quoted with '\"', not with '`' or '['");
            }
            b'$' if !at(index + 1).is_ascii_digit() => return Err("dollar quotes are not accepted"),
            b'(' => {
                depth += 1;
                index += 1;
            }
            b')' => {
                depth -= 1;
                if depth < 0 {
                    return Err("a ')' has no '('");
                }
                index += 1;
            }
            byte if is_word(byte) => {
                let begin = index;
                while is_word(at(index)) {
                    index += 1;
                }
                let word = sql.get(begin..index).unwrap_or_default();
                if at(index) == b'\'' {
                    return Err("texts with a prefix (E'…', X'…') are not accepted");
                }
                if first.is_none() {
                    first = Some(word);
                }
                // Postgres creates a table with SELECT … INTO; SQLite has no such word.
                if word.eq_ignore_ascii_case("into") {
                    return Err("it has the word INTO outside of quotes");
                }
            }
            _ => index += 1,
        }
        if first.is_none() && depth == 0 {
            return Err("it does not begin with SELECT or WITH");
        }
    }
    if depth != 0 {
        return Err("a '(' is not closed");
    }
    match first {
        Some(word) if word.eq_ignore_ascii_case("select") || word.eq_ignore_ascii_case("with") => {
            Ok(sql.get(..end.unwrap_or(sql.len())).unwrap_or_default().trim())
        }
        _ => Err("it does not begin with SELECT or WITH"),
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(what.len()).position(|window| window == what).map(|position| from + position)
}

/// Behind a quoted text that begins at `from`; a doubled quote stands for itself.
fn after_quoted(bytes: &[u8], from: usize, quote: u8) -> Result<usize, &'static str> {
    let mut index = from + 1;
    loop {
        index = find(bytes, index, &[quote]).ok_or("a quote is not closed")? + 1;
        if bytes.get(index) != Some(&quote) {
            return Ok(index);
        }
        index += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_query_is_accepted() {
        for (sql, wanted) in [
            ("SELECT 1", "SELECT 1"),
            ("  with a as (select ';') select * from a ; -- done\n", "with a as (select ';') select * from a"),
            ("select \"a;b\", 'it''s' /* ; */ from t", "select \"a;b\", 'it''s' /* ; */ from t"),
        ] {
            for dialect in [Dialect::Sqlite, Dialect::Postgres] {
                assert_eq!(single_query(sql, dialect), Ok(wanted), "{sql}");
            }
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for sql in [
            "",
            "-- nothing",
            "DELETE FROM t",
            "select 1; drop table t",
            "select 1); drop table t; select (1",
            "(select 1",
            "select 'x",
            "select E'\\'' ; drop table t --'",
            "select $$ ; $$",
            "select /* /* */ ' */ ; drop table t; -- '",
            "select 1 into evil",
            "PRAGMA query_only = off",
            "ATTACH 'x' AS y",
            "select 1 \0",
        ] {
            for dialect in [Dialect::Sqlite, Dialect::Postgres] {
                assert!(single_query(sql, dialect).is_err(), "{sql}");
            }
        }
        assert!(single_query("select [ ' ] ; drop table t; -- '", Dialect::Sqlite).is_err());
    }
}
