//! Writing many rows with few statements: each statement is a round trip to the connection's
//! thread, and ten thousand of them would take longer than the writing itself.

use sqlx::error::BoxDynError;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Encode, Sqlite, SqliteConnection, Type};

/// Rows per statement; with the widest table, a tenth of the parameters that SQLite takes.
const ROWS: usize = 200;

/// An insertion of any number of rows.
#[derive(Debug, Clone, Copy)]
pub struct Bulk {
    /// `INSERT INTO table (columns)`.
    pub into: &'static str,
    /// How many columns there are.
    pub columns: usize,
    /// What to do with rows that are there already; may be empty.
    pub conflict: &'static str,
}

/// The values of the rows of one statement.
#[derive(Debug, Default)]
pub struct Values {
    arguments: SqliteArguments,
    failed: Option<BoxDynError>,
}

impl Values {
    /// Adds the next value of the row.
    pub fn put<'t, T: Encode<'t, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> &mut Self {
        if let Err(error) = Arguments::add(&mut self.arguments, value) {
            self.failed.get_or_insert(error);
        }
        self
    }
}

impl Bulk {
    /// Inserts all rows in their order; `put` adds the values of one, in the columns' order.
    pub async fn insert<T>(
        &self,
        connection: &mut SqliteConnection,
        rows: &[T],
        put: impl Fn(&mut Values, &T),
    ) -> Result<(), sqlx::Error> {
        for chunk in rows.chunks(ROWS) {
            let mut values = Values::default();
            Arguments::reserve(&mut values.arguments, chunk.len() * self.columns, 0);
            for row in chunk {
                put(&mut values, row);
            }
            if let Some(error) = values.failed {
                return Err(sqlx::Error::Encode(error));
            }
            debug_assert_eq!(values.arguments.len(), chunk.len() * self.columns, "{}", self.into);
            // Full statements are kept prepared; the rest comes in too many lengths.
            sqlx::query_with(AssertSqlSafe(self.text(chunk.len())), values.arguments)
                .persistent(chunk.len() == ROWS || chunk.len() == 1)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }

    /// The statement; nothing of it comes from data.
    fn text(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.columns].join(", "));
        format!("{} VALUES {} {}", self.into, vec![row; rows].join(", "), self.conflict)
    }
}
