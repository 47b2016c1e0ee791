//! The queue of looks.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::adapter::store::encode::{damaged, to_column};
use crate::adapter::store::sql::connection::{Bulk, Connection, Row, query, query_scalar};
use crate::domain::activity::FencingToken;
use crate::domain::id::SourceName;
use crate::domain::source::Target;
use crate::domain::time::{Timestamp, from_millis, to_millis};
use crate::port::store::{Lane, Lease, Leased, LookEnd, StoreError, TakeWake, TakenWake, Wake, WakeBook, WakeRow};

use crate::adapter::store::sql::{Scope, SqlStore};

/// The next target of a lane whose source comes after another one. What waits longest comes first of its
/// source; a proposal beside another of its source that is being looked at is passed over.
macro_rules! next {
    () => {
        "SELECT w.id, w.source, w.proposal, w.lane, w.next_lane, w.edition, w.failures, w.interruptions,
                w.token, w.holder
         FROM wakes w
         WHERE w.lane = $1 AND w.source > $2 AND w.due <= $3 AND (w.until IS NULL OR w.until <= $3)
           AND (w.proposal = '' OR NOT EXISTS (
               SELECT 1 FROM wakes o WHERE o.source = w.source AND o.until > $3 AND o.proposal <> ''))
         ORDER BY w.source, w.due, w.id LIMIT 1"
    };
}

/// How a target comes to be left alone until its time.
macro_rules! left_alone {
    () => {
        "lane = CASE WHEN next_lane = 0 THEN 0 ELSE 2 END,
             due = CASE WHEN next_lane = 0 AND next_due < $4 THEN next_due ELSE $4 END, next_lane = NULL,
             next_due = NULL, message = $3, holder = NULL, since = NULL, until = NULL
         WHERE id = $1 AND token = $2 AND holder IS NOT NULL"
    };
}

/// In a file, where nobody else takes one meanwhile.
pub const NEXT: &str = next!();
/// On a server, where others may be taking one right now.
pub const NEXT_SKIPPING: &str = concat!(next!(), " FOR UPDATE OF w SKIP LOCKED");

/// When the next target may be taken.
pub const NEXT_DUE: &str = "SELECT min(CASE WHEN until IS NOT NULL AND until > due THEN until ELSE due END) FROM wakes";

/// A wake that changes nothing writes nothing. What is left alone has a message that says why. While a target is looked at, each of its wakes counts.
const WAKES: Bulk = Bulk {
    into: "INSERT INTO wakes (source, proposal, lane, due, edition, failures, token)",
    columns: 7,
    conflict: "ON CONFLICT (source, proposal) DO UPDATE SET
         edition = wakes.edition + 1,
         lane = CASE WHEN wakes.holder IS NULL AND excluded.lane < wakes.lane THEN excluded.lane ELSE wakes.lane END,
         due = CASE WHEN wakes.holder IS NULL AND excluded.due < wakes.due
                     AND (wakes.message IS NULL OR excluded.lane = 0) THEN excluded.due ELSE wakes.due END,
         next_lane = CASE WHEN wakes.holder IS NULL THEN NULL
                          WHEN wakes.next_lane < excluded.lane THEN wakes.next_lane ELSE excluded.lane END,
         next_due = CASE WHEN wakes.holder IS NULL THEN NULL
                         WHEN wakes.next_due < excluded.due THEN wakes.next_due ELSE excluded.due END
       WHERE wakes.holder IS NOT NULL OR excluded.lane < wakes.lane
          OR (excluded.due < wakes.due AND (wakes.message IS NULL OR excluded.lane = 0))",
};

#[async_trait]
impl WakeBook for SqlStore {
    async fn wake(&self, wakes: &[Wake]) -> Result<(), StoreError> {
        if wakes.is_empty() {
            return Ok(());
        }
        let mut transaction = self.write(Scope::Rows).await?;
        wake(&mut transaction, wakes).await?;
        transaction.commit().await
    }

    async fn take_wake(&self, ask: &TakeWake<'_>) -> Result<Option<TakenWake>, StoreError> {
        let mut transaction = self.write(Scope::Rows).await?;
        let Some(row) = next(&mut transaction, ask).await? else { return Ok(None) };
        let taken = take(&mut transaction, &row, ask).await?;
        transaction.commit().await?;
        Ok(Some(taken))
    }

    async fn settle_wake(&self, taken: &TakenWake, end: &LookEnd, _: Timestamp) -> Result<bool, StoreError> {
        let Leased::Look(id) = taken.lease.what else { return Ok(false) };
        let mut transaction = self.write(Scope::Rows).await?;
        let settled = settle(&mut transaction, id, taken, end).await?;
        transaction.commit().await?;
        Ok(settled)
    }

    async fn next_wake(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut transaction = self.read_once().await?;
        let next: Option<i64> = query_scalar(NEXT_DUE).fetch_one(&mut transaction).await?;
        Ok(next.map(from_millis))
    }
}

/// Wants targets to be looked at, each once.
pub async fn wake(connection: &mut Connection, wakes: &[Wake]) -> Result<(), StoreError> {
    let mut each: BTreeMap<&Target, (Lane, Timestamp)> = BTreeMap::new();
    for wake in wakes {
        let entry = each.entry(&wake.target).or_insert((wake.lane, wake.due));
        *entry = (entry.0.min(wake.lane), entry.1.min(wake.due));
    }
    let each: Vec<_> = each.into_iter().collect();
    let written = WAKES.insert(connection, &each, |values, (target, (lane, due))| {
        let proposal = target.proposal.as_ref().map(ToString::to_string).unwrap_or_default();
        values
            .put(target.source.as_str())
            .put(proposal)
            .put(number(*lane))
            .put(to_millis(*due))
            .put(1_i64)
            .put(0_i64)
            .put(0_i64);
    });
    written.await
}

async fn next(connection: &mut Connection, ask: &TakeWake<'_>) -> Result<Option<Row>, StoreError> {
    let statement = match connection {
        Connection::Sqlite(_) => NEXT,
        Connection::Postgres(_) => NEXT_SKIPPING,
    };
    for (lane, served) in &ask.order {
        let after = served.as_ref().map_or("", SourceName::as_str);
        // All sources come after the empty name.
        for after in [after, ""].iter().take(if after.is_empty() { 1 } else { 2 }) {
            let found = query(statement).bind(number(*lane)).bind(*after).bind(to_millis(ask.now));
            if let Some(row) = found.fetch_optional(&mut *connection).await? {
                return Ok(Some(row));
            }
        }
    }
    Ok(None)
}

async fn take(connection: &mut Connection, row: &Row, ask: &TakeWake<'_>) -> Result<TakenWake, StoreError> {
    let id = row.number("id")?;
    let was_interrupted = row.text_or_none("holder")?.is_some();
    let waited = row.number("lane")?;
    let lane = row.number_or_none("next_lane")?.map_or(waited, |next| next.min(waited));
    let (token, interruptions) = (row.number("token")? + 1, row.number("interruptions")? + i64::from(was_interrupted));
    query(
        "UPDATE wakes SET token = $2, holder = $3, since = $4, until = $5, interruptions = $6, lane = $7,
             next_lane = NULL, next_due = NULL
         WHERE id = $1",
    )
    .bind(id)
    .bind(token)
    .bind(ask.holder)
    .bind(to_millis(ask.now))
    .bind(to_millis(ask.until))
    .bind(interruptions)
    .bind(lane)
    .execute(connection)
    .await?;
    Ok(TakenWake {
        target: target(row)?,
        lane: lane_of(waited)?,
        lease: Lease { what: Leased::Look(id), token: FencingToken(crate::adapter::store::encode::from_column(token)) },
        edition: row.count("edition")?,
        failures: times(row, "failures")?,
        interruptions: u32::try_from(interruptions).unwrap_or(u32::MAX),
        was_interrupted,
    })
}

async fn settle(connection: &mut Connection, id: i64, taken: &TakenWake, end: &LookEnd) -> Result<bool, StoreError> {
    let token = to_column(taken.lease.token.0);
    let settled = match end {
        LookEnd::Done => {
            let forgotten =
                query("DELETE FROM wakes WHERE id = $1 AND token = $2 AND holder IS NOT NULL AND edition = $3")
                    .bind(id)
                    .bind(token)
                    .bind(to_column(taken.edition))
                    .execute(&mut *connection)
                    .await?;
            if forgotten > 0 {
                return Ok(true);
            }
            query(
                "UPDATE wakes SET lane = coalesce(next_lane, lane), due = coalesce(next_due, due), next_lane = NULL,
                     next_due = NULL, failures = 0, interruptions = 0, message = NULL, holder = NULL, since = NULL,
                     until = NULL
                 WHERE id = $1 AND token = $2 AND holder IS NOT NULL",
            )
            .bind(id)
            .bind(token)
        }
        // Somebody who waits for it ends the pause, and others do not.
        LookEnd::Failed { message, again } => {
            query(concat!("UPDATE wakes SET failures = failures + 1, interruptions = 0, ", left_alone!()))
                .bind(id)
                .bind(token)
                .bind(message.as_str())
                .bind(to_millis(*again))
        }
        LookEnd::LeftAlone { message, again } => query(concat!("UPDATE wakes SET ", left_alone!()))
            .bind(id)
            .bind(token)
            .bind(message.as_str())
            .bind(to_millis(*again)),
        LookEnd::HandedBack => query(
            "UPDATE wakes SET lane = CASE WHEN next_lane < lane THEN next_lane ELSE lane END, next_lane = NULL,
                 next_due = NULL, holder = NULL, since = NULL, until = NULL
             WHERE id = $1 AND token = $2 AND holder IS NOT NULL",
        )
        .bind(id)
        .bind(token),
    };
    Ok(settled.execute(connection).await? > 0)
}

/// What waits and what is looked at.
pub async fn rows(connection: &mut Connection, limit: usize) -> Result<Vec<WakeRow>, StoreError> {
    let rows = query(
        "SELECT source, nullif(proposal, '') AS proposal, lane, due, holder, failures, interruptions, message
         FROM wakes ORDER BY source, proposal LIMIT $1",
    )
    .bind(to_column(limit as u64))
    .fetch_all(connection)
    .await?;
    rows.iter().map(wake_row).collect()
}

fn wake_row(row: &Row) -> Result<WakeRow, StoreError> {
    let holder = row.text_or_none("holder")?;
    let message = row.text_or_none("message")?;
    let state = match holder {
        Some(_) => "looking",
        None if message.is_some() => "backing-off",
        None => "waiting",
    };
    Ok(WakeRow {
        source: row.name("source")?,
        proposal: row.text_or_none("proposal")?,
        state: state.to_owned(),
        lane: lane_of(row.number("lane")?)?.as_str().to_owned(),
        due: row.time("due")?.to_string(),
        holder,
        failures: times(row, "failures")?,
        interruptions: times(row, "interruptions")?,
        message,
    })
}

fn times(row: &Row, column: &str) -> Result<u32, StoreError> {
    Ok(u32::try_from(row.number(column)?).unwrap_or(u32::MAX))
}

fn target(row: &Row) -> Result<Target, StoreError> {
    let proposal = row.text("proposal")?;
    let source = row.name("source")?;
    Ok(match proposal.as_str() {
        "" => Target::branch(source),
        text => Target::proposal(source, text.parse().map_err(|error| damaged("a proposal", error))?),
    })
}

const fn number(lane: Lane) -> i64 {
    lane as i64
}

fn lane_of(number: i64) -> Result<Lane, StoreError> {
    let known = usize::try_from(number).ok().and_then(|index| Lane::ALL.get(index).copied());
    known.ok_or_else(|| damaged("a lane", number))
}
