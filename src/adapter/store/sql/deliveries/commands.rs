//! What people asked for, until somebody has done it.

use crate::adapter::store::encode::{name_list, to_column, to_json};
use crate::adapter::store::sql::connection::{Connection, Row, query};
use crate::adapter::store::sql::sharing::terms;
use crate::domain::forge::delivery::CommandRequest;
use crate::domain::id::{Revision, SourceName};
use crate::domain::time::{Timestamp, to_millis};
use crate::port::store::{AnsweredCommand, PRESSED_AGAIN, StoreError};

/// Commands that nobody has done, oldest first.
pub const OPEN: &str = "SELECT forge, delivery, origin, source, pull, comment, head, author, asked, at
     FROM command_requests
     WHERE done_at IS NULL AND source NOT IN (SELECT value FROM json_each($2)) ORDER BY number LIMIT $1";

/// What became of those under a pull request, the newest first. A button that counted again keeps its number.
pub const ANSWERED: &str = "SELECT author, asked, comment, outcome FROM command_requests
     WHERE source = $1 AND pull = $2 AND done_at IS NOT NULL ORDER BY done_at DESC, number DESC LIMIT $3";

/// What became of the same origin elsewhere.
pub const ELSEWHERE: &str = "SELECT outcome FROM command_requests
     WHERE forge = $1 AND origin = $2 AND source <> $3 ORDER BY source";

/// Takes down what was not asked before; a button counts again for a while, once it was answered.
pub const ASK: &str =
    "INSERT INTO command_requests (forge, source, origin, delivery, pull, comment, head, author, asked, at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT (forge, source, origin) DO UPDATE SET
         delivery = excluded.delivery, author = excluded.author, outcome = NULL, done_at = NULL
     WHERE command_requests.comment IS NULL AND command_requests.done_at IS NOT NULL
       AND command_requests.delivery <> excluded.delivery AND command_requests.at >= excluded.at - $11";

/// The end of one.
pub const DONE: &str = "UPDATE command_requests SET outcome = $4, done_at = $5, pull = coalesce(pull, $6)
     WHERE forge = $1 AND source = $2 AND origin = $3 AND done_at IS NULL";

/// Those that were done long ago.
pub const FORGET: &str = "DELETE FROM command_requests WHERE done_at IS NOT NULL AND done_at < $1";

/// Takes down what was not asked before.
pub async fn ask(connection: &mut Connection, commands: &[&CommandRequest]) -> Result<(), StoreError> {
    let again = i64::try_from(PRESSED_AGAIN.as_millis()).unwrap_or(i64::MAX);
    for command in commands {
        query(ASK)
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
            .bind(again)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Commands that are open.
pub async fn open(
    connection: &mut Connection,
    limit: usize,
    except: &[SourceName],
) -> Result<Vec<CommandRequest>, StoreError> {
    let except = name_list(except.iter().map(SourceName::as_str));
    let rows = query(OPEN).bind(to_column(limit as u64)).bind(except).fetch_all(connection).await?;
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

/// What became of those under a pull request.
pub async fn answered(
    connection: &mut Connection,
    source: &SourceName,
    pull: u64,
    limit: usize,
) -> Result<Vec<AnsweredCommand>, StoreError> {
    let rows = query(ANSWERED)
        .bind(source.as_str())
        .bind(to_column(pull))
        .bind(to_column(limit as u64))
        .fetch_all(connection)
        .await?;
    let each = |row: &Row| {
        Ok(AnsweredCommand {
            author: row.text("author")?,
            asked: row.json("asked")?,
            is_pressed: row.count_or_none("comment")?.is_none(),
            outcome: row.text_or_none("outcome")?.unwrap_or_default(),
        })
    };
    rows.iter().map(each).collect()
}

/// What became of the same origin at other sources.
pub async fn elsewhere(
    connection: &mut Connection,
    command: &CommandRequest,
) -> Result<Vec<Option<String>>, StoreError> {
    let rows = query(ELSEWHERE)
        .bind(command.forge.as_str())
        .bind(&command.origin)
        .bind(command.source.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| row.text_or_none("outcome")).collect()
}

/// Writes down what became of one. Who works out what its proposal is told has to see it.
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
        .bind(command.pull.map(to_column))
        .execute(&mut *connection)
        .await?;
    terms::was_said(connection, &command.source).await
}

/// Forgets those that were done before.
pub async fn forget(connection: &mut Connection, before: Timestamp) -> Result<(), StoreError> {
    query(FORGET).bind(to_millis(before)).execute(connection).await?;
    Ok(())
}
