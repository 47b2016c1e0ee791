//! Letting go of history. Each statement says itself what the present is explained by and has to stay; a
//! batch is one short transaction, so that nobody waits for it.

use async_trait::async_trait;

use crate::adapter::store::encode::to_column;
use crate::adapter::store::sql::connection::{Connection, query, query_scalar};
use crate::domain::plan::{PlannedActivity, TaskKey};
use crate::domain::time::to_millis;
use crate::port::store::{History, HistoryBook, Kept, StoreError};

use super::{Scope, SqlStore};

/// What goes of a part, as a query of its keys with `$1` for a moment and `$2` for a number; how many at the
/// most is the last parameter. Then what is done about them.
struct Statements {
    /// How many would go.
    count: &'static str,
    /// One after the other; each takes the same parameters.
    letting_go: &'static [&'static str],
}

macro_rules! part {
    ($name:ident, $keys:expr, [$($before:expr, $after:expr);+]) => {
        const $name: Statements = Statements {
            count: concat!("SELECT count(*) FROM (", $keys, ") AS gone"),
            letting_go: &[$(concat!($before, $keys, $after)),+],
        };
    };
}

// An activity that was superseded leads to the one that took its place, and what waits for it waits for that
// one: so nothing goes that was planned for the source since the oldest plan that has not come to its end.
// Whether something failed before is asked of the newest activity of a container that was not superseded.
part!(
    ACTIVITIES,
    "SELECT a.id FROM activities a
     WHERE a.status NOT IN ('waiting', 'running')
       AND (a.number <= (SELECT max(number) FROM activities) - $2
            OR coalesce((SELECT max(e.at) FROM activity_events e WHERE e.activity = a.id), a.planned_at) < $1)
       AND a.id NOT IN (SELECT c.activity FROM containers c)
       AND EXISTS (SELECT 1 FROM activities later
                   WHERE later.product = a.product AND later.stage = a.stage AND later.number > a.number
                     AND later.status <> 'superseded')
       AND NOT EXISTS (SELECT 1 FROM sources s WHERE s.name = a.source AND s.revision = a.revision)
       AND NOT EXISTS (SELECT 1 FROM activities open JOIN activities beside ON beside.plan = open.plan
                       WHERE open.status IN ('waiting', 'running') AND open.source = a.source
                         AND beside.number <= a.number)
     ORDER BY a.number LIMIT $3",
    ["DELETE FROM activities WHERE id IN (", ")"]
);

// What is shown on a commit is settled as one that was looked at, also when the branch has left it, or goes
// through it once more.
part!(
    PASSES,
    "SELECT p.id FROM passes p
     WHERE p.at < $1 AND $2 >= 0
       AND p.id NOT IN (SELECT max(id) FROM passes GROUP BY source)
       AND NOT EXISTS (SELECT 1 FROM activities a WHERE a.plan = p.plan)
       AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.source = p.source AND r.subject = p.revision)
     ORDER BY p.id LIMIT $3",
    ["DELETE FROM passes WHERE id IN (", ")"]
);

part!(
    PLANS,
    "SELECT p.digest FROM plans p
     WHERE p.recorded_at < $1 AND $2 >= 0
       AND NOT EXISTS (SELECT 1 FROM activities a WHERE a.plan = p.digest)
       AND NOT EXISTS (SELECT 1 FROM passes q WHERE q.plan = p.digest)
       AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.plan = p.digest)
     ORDER BY p.digest LIMIT $3",
    ["DELETE FROM approvals WHERE plan IN (", ")"; "DELETE FROM plans WHERE digest IN (", ")"]
);

// A comment of a proposal that is still known is edited and not written anew: its report has the forge's id.
part!(
    REPORTS,
    "SELECT r.id FROM reports r
     WHERE r.wanted_at < $1 AND $2 >= 0 AND r.state <> 'pending' AND (r.published >= r.edition OR r.given_up = 1)
       AND NOT EXISTS (SELECT 1 FROM sources s WHERE s.name = r.source AND s.revision = r.revision)
       AND NOT EXISTS (SELECT 1 FROM proposals p WHERE p.source = r.source
                       AND (p.proposal = r.subject OR p.head = r.revision OR p.result = r.revision))
       AND NOT EXISTS (SELECT 1 FROM activities a WHERE a.source = r.source AND a.revision = r.revision
                       AND a.status IN ('waiting', 'running'))
     ORDER BY r.wanted_at, r.id LIMIT $3",
    ["DELETE FROM reports WHERE id IN (", ")"]
);

part!(
    CONTENTS,
    "SELECT c.digest FROM contents c
     WHERE c.body <> '' AND $2 >= 0
       AND c.digest NOT IN (SELECT v.digest FROM versions v JOIN products p ON p.product = v.product
                            WHERE v.version = p.version OR v.recorded_at >= $1)
       AND c.digest NOT IN (SELECT k.digest FROM containers k)
       AND c.digest NOT IN (SELECT a.digest FROM activities a WHERE a.status IN ('waiting', 'running'))
     LIMIT $3",
    ["UPDATE contents SET body = '' WHERE digest IN (", ")"]
);

part!(
    AUDIT,
    "SELECT e.id FROM audit_events e
     WHERE (e.at < $1 OR e.id <= (SELECT max(id) FROM audit_events) - $2)
       AND e.subject NOT IN (SELECT c.activity FROM containers c)
       AND e.subject NOT IN (SELECT c.product || ' ' || c.version FROM containers c)
       AND e.subject NOT IN (SELECT a.plan FROM activities a JOIN containers c ON c.activity = a.id)
       AND e.subject NOT IN (SELECT a.id FROM activities a WHERE a.status IN ('waiting', 'running'))
       AND e.subject NOT IN (SELECT a.plan FROM activities a WHERE a.status IN ('waiting', 'running'))
     ORDER BY e.id LIMIT $3",
    ["DELETE FROM audit_events WHERE id IN (", ")"]
);

const NEEDED: &str = "SELECT a.planned FROM activities a
     WHERE a.status IN ('waiting', 'running') OR a.id IN (SELECT c.activity FROM containers c)";

#[async_trait]
impl HistoryBook for SqlStore {
    async fn prune(&self, part: History, keep: &Kept, most: usize, dry_run: bool) -> Result<u64, StoreError> {
        let statements: &[Statements] = match part {
            History::Activities => &[ACTIVITIES],
            History::Reports => &[REPORTS],
            History::Plans => &[PASSES, PLANS],
            History::Contents => &[CONTENTS],
            History::Audit => &[AUDIT],
        };
        if dry_run {
            let mut transaction = self.read().await?;
            let mut all = 0;
            for statements in statements {
                let (since, number) = limits(part, keep);
                let counted: i64 = query_scalar(statements.count)
                    .bind(since)
                    .bind(number)
                    .bind(i64::MAX)
                    .fetch_one(&mut transaction)
                    .await?;
                all += u64::try_from(counted).unwrap_or(0);
            }
            return Ok(all);
        }
        self.deliveries.quiet().await;
        let mut transaction = self.write(Scope::Rows).await?;
        let mut gone = 0;
        for statements in statements {
            gone += let_go(&mut transaction, statements, part, keep, most).await?;
        }
        transaction.commit().await?;
        Ok(gone)
    }

    async fn needed_tasks(&self) -> Result<Vec<TaskKey>, StoreError> {
        let rows = query(NEEDED).fetch_all(&mut *self.read_once().await?).await?;
        let mut keys = Vec::new();
        for row in &rows {
            let planned: PlannedActivity = row.json("planned")?;
            keys.extend(planned.tasks.into_iter().map(|task| task.key));
        }
        Ok(keys)
    }
}

/// The moment and the number that a part is kept by.
fn limits(part: History, keep: &Kept) -> (i64, i64) {
    match part {
        History::Activities => (to_millis(keep.rollouts_since), to_column(keep.activities)),
        History::Plans | History::Reports => (to_millis(keep.rollouts_since), 0),
        History::Contents => (to_millis(keep.contents_since), 0),
        History::Audit => (to_millis(keep.audit_since), to_column(keep.audit)),
    }
}

async fn let_go(
    connection: &mut Connection,
    statements: &Statements,
    part: History,
    keep: &Kept,
    most: usize,
) -> Result<u64, StoreError> {
    let (since, number) = limits(part, keep);
    let mut gone = 0;
    for statement in statements.letting_go {
        let statement = query(statement).bind(since).bind(number).bind(to_column(most as u64));
        gone = statement.execute(connection).await?;
    }
    Ok(gone)
}
