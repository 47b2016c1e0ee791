//! What is leased: names here, containers beside their activities, looks beside their wakes.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::adapter::store::encode::to_column;
use crate::adapter::store::sql::connection::{Connection, Row, query, query_scalar};
use crate::domain::activity::FencingToken;
use crate::domain::plan::ActivityId;
use crate::domain::time::{Timestamp, to_millis};
use crate::port::store::{Lease, LeaseBook, LeaseName, LeaseRow, Leased, StoreError};

use crate::adapter::store::sql::{Scope, SqlStore};

/// How long the presence of a replica that is gone is remembered, in milliseconds.
const KEPT: i64 = 24 * 3_600 * 1_000;

/// Activities whose containers others hold.
pub const HELD_BY_OTHERS: &str = "SELECT activity FROM container_claims
     WHERE activity IS NOT NULL AND holder <> $1 AND until > $2";

/// The replicas that are there.
const PRESENT: &str = "SELECT holder FROM leases
     WHERE name LIKE 'replica/%' AND holder IS NOT NULL AND until > $1 ORDER BY holder";

/// All that is held.
const ALL_HELD: &str = "SELECT name AS subject, '' AS stage, 'name' AS kind, holder, token, since, until
         FROM leases WHERE holder IS NOT NULL AND until > 0
     UNION ALL
     SELECT product, stage, 'container', holder, token, at, until
         FROM container_claims WHERE holder IS NOT NULL AND until > 0
     UNION ALL
     SELECT source, proposal, 'look', holder, token, coalesce(since, 0), coalesce(until, 0)
         FROM wakes WHERE holder IS NOT NULL AND until > 0
     ORDER BY 3, 1, 2";

#[async_trait]
impl LeaseBook for SqlStore {
    async fn take_lease(
        &self,
        name: &LeaseName,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        let mut transaction = self.write(Scope::Rows).await?;
        let token = take(&mut transaction, name, holder, now, until).await?;
        transaction.commit().await?;
        Ok(token.map(|token| Lease { what: Leased::Named(name.clone()), token }))
    }

    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<bool, StoreError> {
        let (until, token) = (to_millis(until), to_column(lease.token.0));
        let renewal = match &lease.what {
            Leased::Named(name) => {
                query("UPDATE leases SET until = $3 WHERE name = $1 AND token = $2 AND holder IS NOT NULL")
                    .bind(name.as_str())
                    .bind(token)
                    .bind(until)
            }
            Leased::Container(container) => query(
                "UPDATE container_claims SET until = $4
                 WHERE product = $1 AND stage = $2 AND token = $3 AND holder IS NOT NULL",
            )
            .bind(container.product.as_str())
            .bind(container.stage.as_str())
            .bind(token)
            .bind(until),
            Leased::Look(id) => {
                query("UPDATE wakes SET until = $3 WHERE id = $1 AND token = $2 AND holder IS NOT NULL")
                    .bind(*id)
                    .bind(token)
                    .bind(until)
            }
        };
        let mut transaction = self.write(Scope::Rows).await?;
        let renewed = renewal.execute(&mut transaction).await? > 0;
        transaction.commit().await?;
        Ok(renewed)
    }

    async fn hand_back(&self, lease: &Lease) -> Result<(), StoreError> {
        let token = to_column(lease.token.0);
        let end = match &lease.what {
            Leased::Named(name) => query("UPDATE leases SET holder = NULL, until = 0 WHERE name = $1 AND token = $2")
                .bind(name.as_str())
                .bind(token),
            // Its activity goes on having it: the next to claim that one takes it over.
            Leased::Container(container) => query(
                "UPDATE container_claims SET until = 0
                 WHERE product = $1 AND stage = $2 AND token = $3 AND holder IS NOT NULL",
            )
            .bind(container.product.as_str())
            .bind(container.stage.as_str())
            .bind(token),
            Leased::Look(id) => {
                query("UPDATE wakes SET holder = NULL, since = NULL, until = NULL WHERE id = $1 AND token = $2")
                    .bind(*id)
                    .bind(token)
            }
        };
        let mut transaction = self.write(Scope::Rows).await?;
        end.execute(&mut transaction).await?;
        transaction.commit().await
    }

    async fn recover(&self, holder: &str, now: Timestamp) -> Result<u64, StoreError> {
        let mut transaction = self.write(Scope::Rows).await?;
        let over = query("UPDATE wakes SET until = $2 WHERE holder = $1 AND until > $2")
            .bind(holder)
            .bind(to_millis(now))
            .execute(&mut transaction)
            .await?;
        transaction.commit().await?;
        Ok(over)
    }

    async fn present(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        let mut transaction = self.read_once().await?;
        let rows = query(PRESENT).bind(to_millis(now)).fetch_all(&mut transaction).await?;
        rows.iter().map(|row| row.text("holder")).collect()
    }

    async fn held_by_others(&self, holder: &str, now: Timestamp) -> Result<BTreeSet<ActivityId>, StoreError> {
        let mut transaction = self.read_once().await?;
        let rows = query(HELD_BY_OTHERS).bind(holder).bind(to_millis(now)).fetch_all(&mut transaction).await?;
        rows.iter().map(|row| row.name("activity")).collect()
    }
}

async fn take(
    connection: &mut Connection,
    name: &LeaseName,
    holder: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<FencingToken>, StoreError> {
    let now = to_millis(now);
    if name.is_replica() {
        query("DELETE FROM leases WHERE name LIKE 'replica/%' AND until < $1")
            .bind(now.saturating_sub(KEPT))
            .execute(&mut *connection)
            .await?;
    }
    let taken = query(
        "INSERT INTO leases (name, token, holder, since, until) VALUES ($1, 1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET
             token = leases.token + 1, holder = excluded.holder, since = excluded.since, until = excluded.until
         WHERE leases.holder IS NULL OR leases.holder = excluded.holder OR leases.until <= excluded.since",
    )
    .bind(name.as_str())
    .bind(holder)
    .bind(now)
    .bind(to_millis(until))
    .execute(&mut *connection)
    .await?;
    if taken == 0 {
        return Ok(None);
    }
    let token: i64 =
        query_scalar("SELECT token FROM leases WHERE name = $1").bind(name.as_str()).fetch_one(connection).await?;
    Ok(Some(FencingToken(crate::adapter::store::encode::from_column(token))))
}

/// All that is held.
pub async fn rows(connection: &mut Connection) -> Result<Vec<LeaseRow>, StoreError> {
    let rows = query(ALL_HELD).fetch_all(connection).await?;
    let mut rows: Vec<LeaseRow> = rows.iter().map(lease_row).collect::<Result<_, _>>()?;
    rows.sort_by(|one, other| (&one.kind, &one.subject).cmp(&(&other.kind, &other.subject)));
    Ok(rows)
}

fn lease_row(row: &Row) -> Result<LeaseRow, StoreError> {
    let (subject, detail) = (row.text("subject")?, row.text("stage")?);
    let (kind, subject) = match row.text("kind")?.as_str() {
        "name" => match subject.split_once('/') {
            Some((kind, subject)) => (kind.to_owned(), subject.to_owned()),
            None => (subject, String::new()),
        },
        kind if detail.is_empty() => (kind.to_owned(), subject),
        kind => (kind.to_owned(), format!("{subject} {detail}")),
    };
    Ok(LeaseRow {
        kind,
        subject,
        holder: row.text("holder")?,
        token: row.count("token")?,
        since: row.time("since")?.to_string(),
        until: row.time("until")?.to_string(),
    })
}
