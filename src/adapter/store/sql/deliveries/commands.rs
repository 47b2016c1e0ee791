//! What people asked for, until somebody has done it.

use crate::adapter::store::encode::{to_column, to_json};
use crate::adapter::store::sql::connection::{Connection, Row, query};
use crate::domain::forge::delivery::CommandRequest;
use crate::domain::id::Revision;
use crate::domain::time::{Timestamp, to_millis};
use crate::port::store::StoreError;

/// Commands that nobody has done, oldest first.
pub const OPEN: &str = "SELECT forge, delivery, origin, source, pull, comment, head, author, asked, at
     FROM command_requests WHERE done_at IS NULL ORDER BY number LIMIT $1";

/// The end of one.
pub const DONE: &str = "UPDATE command_requests SET outcome = $4, done_at = $5
     WHERE forge = $1 AND source = $2 AND origin = $3 AND done_at IS NULL";

/// Those that were done long ago.
pub const FORGET: &str = "DELETE FROM command_requests WHERE done_at IS NOT NULL AND done_at < $1";

/// Takes down what was not asked before.
pub async fn ask(connection: &mut Connection, commands: &[&CommandRequest]) -> Result<(), StoreError> {
    for command in commands {
        query(
            "INSERT INTO command_requests (forge, source, origin, delivery, pull, comment, head, author, asked, at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (forge, source, origin) DO NOTHING",
        )
        .bind(command.forge.as_str())
        .bind(command.source.as_str())
        .bind(&command.origin)
        .bind(command.delivery.as_str())
        .bind(command.pull.map(to_column))
        .bind(command.comment.map(to_column))
        .bind(command.head.as_ref().map(Revision::as_str))
        .bind(&command.author)
        .bind(to_json("what was asked", &command.asked)?)
        .bind(to_millis(command.at))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Commands that are open.
pub async fn open(connection: &mut Connection, limit: usize) -> Result<Vec<CommandRequest>, StoreError> {
    let rows = query(OPEN).bind(to_column(limit as u64)).fetch_all(connection).await?;
    let each = |row: &Row| {
        Ok(CommandRequest {
            forge: row.name("forge")?,
            delivery: row.name("delivery")?,
            origin: row.text("origin")?,
            source: row.name("source")?,
            pull: row.count_or_none("pull")?,
            comment: row.count_or_none("comment")?,
            head: row.name_or_none("head")?,
            author: row.text("author")?,
            asked: row.json("asked")?,
            at: row.time("at")?,
        })
    };
    rows.iter().map(each).collect()
}

/// Writes down what became of one.
pub async fn done(
    connection: &mut Connection,
    command: &CommandRequest,
    outcome: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    query(DONE)
        .bind(command.forge.as_str())
        .bind(command.source.as_str())
        .bind(&command.origin)
        .bind(outcome)
        .bind(to_millis(at))
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets those that were done before.
pub async fn forget(connection: &mut Connection, before: Timestamp) -> Result<(), StoreError> {
    query(FORGET).bind(to_millis(before)).execute(connection).await?;
    Ok(())
}
