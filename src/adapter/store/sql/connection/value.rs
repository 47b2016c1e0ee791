//! Values of parameters. An absent one keeps its kind, because PostgreSQL wants to know it.

use std::borrow::Cow;

use sqlx::Arguments;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;

/// One value of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value<'v> {
    /// A whole number, or none.
    Number(Option<i64>),
    /// A text, or none.
    Text(Option<Cow<'v, str>>),
    /// Bytes, or none.
    Bytes(Option<Cow<'v, [u8]>>),
}

impl Value<'_> {
    /// Adds the value for SQLite.
    pub fn add_to_sqlite(self, arguments: &mut SqliteArguments) -> Result<(), BoxDynError> {
        match self {
            Value::Number(number) => Arguments::add(arguments, number),
            Value::Text(text) => Arguments::add(arguments, text.map(Cow::into_owned)),
            Value::Bytes(bytes) => Arguments::add(arguments, bytes.map(Cow::into_owned)),
        }
    }

    /// Adds the value for PostgreSQL.
    pub fn add_to_postgres(self, arguments: &mut PgArguments) -> Result<(), BoxDynError> {
        match self {
            Value::Number(number) => Arguments::add(arguments, number),
            Value::Text(text) => Arguments::add(arguments, text.as_deref().map(without_nul)),
            Value::Bytes(bytes) => Arguments::add(arguments, bytes.as_deref()),
        }
    }
}

/// Begins what stands for the one character that PostgreSQL does not keep. It is a code point that
/// Unicode has set aside for a program's own use and that no text is made of; where it comes all the
/// same, it is kept too.
const ESCAPE: char = '\u{fdd0}';
const NUL: &str = "\u{fdd0}0";
const ITSELF: &str = "\u{fdd0}1";

/// The text as PostgreSQL takes it: without the character U+0000.
fn without_nul(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(ESCAPE, ITSELF).replace('\0', NUL))
}

/// The text as it was before [`without_nul`].
pub fn with_nul(text: &str) -> Cow<'_, str> {
    if !text.contains(ESCAPE) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(NUL, "\0").replace(ITSELF, "\u{fdd0}"))
}

macro_rules! values {
    ($($kind:ty => $variant:ident($value:ident) $from:expr;)+) => {
        $(
            impl<'v> From<$kind> for Value<'v> {
                fn from($value: $kind) -> Self {
                    Value::$variant(Some($from))
                }
            }

            impl<'v> From<Option<$kind>> for Value<'v> {
                fn from(value: Option<$kind>) -> Self {
                    Value::$variant(value.map(|$value| $from))
                }
            }
        )+
    };
}

values! {
    i64 => Number(number) number;
    bool => Number(flag) i64::from(flag);
    &'v str => Text(text) Cow::Borrowed(text);
    String => Text(text) Cow::Owned(text);
    &'v String => Text(text) Cow::Borrowed(text.as_str());
    Cow<'v, str> => Text(text) text;
    &'v [u8] => Bytes(bytes) Cow::Borrowed(bytes);
    Vec<u8> => Bytes(bytes) Cow::Owned(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_as_it_went() {
        for text in ["", "a", "\0", "a\0b\0", "\u{fdd0}", "\u{fdd0}0", "\u{fdd0}1\0\u{fdd0}\u{fdd0}0", "é\u{fdd1}"] {
            let kept = without_nul(text);
            assert!(!kept.contains('\0'));
            assert_eq!(with_nul(&kept), text, "{kept:?}");
        }
    }
}
