//! All locks that writes take on a server, and their order.
//!
//! A write runs at READ COMMITTED: each of its statements sees what was committed before it. So whatever
//! is read in order to decide what to write has to be locked first. The locks are advisory ones, named by
//! what they are about and by the schema, and end with the transaction, however that ends; rows of
//! activities are locked as rows. In this order, which is the same everywhere, so that no two writes can
//! wait for each other:
//!
//! 1. a source (alone for what is decided about it; shared for events of its activities),
//! 2. the names of products (alone), where a pass takes a name or gets it back,
//! 3. a container (alone), for claims and events,
//! 4. rows of activities,
//! 5. rows that a statement writes, which PostgreSQL locks by itself.
//!
//! Named races:
//! - *Two passes of one source* wait for each other at 1; the second finds that its `sequence` is behind.
//! - *Two sources find the same new name at once*: they wait for each other at 2; the second finds it taken.
//! - *Two claims of one container* wait for each other at 3, though its row is not there yet.
//! - *A claim and a pass of another source that supersedes* (a product has moved): they meet at 4; whoever is
//!   second sees how the first left the activity.
//! - *A decision and a pass* of one source meet at 1; a rejection and an event of the activity do as well.
//! - *Two groups of deliveries* (of two replicas) wait for each other at a lock of their own, so that one id is
//!   recorded once and pushes are compared in the order in which they are recorded.

use crate::adapter::store::encode::name_list;
use crate::adapter::store::sql::Scope;
use crate::adapter::store::sql::connection::{Connection, query};
use crate::domain::id::SourceName;
use crate::domain::plan::ActivityId;
use crate::port::store::StoreError;

const SOURCE: &str = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/source/' || $1, 0))";
const DELIVERIES: &str = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/deliveries', 0))";
const NAMES: &str = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/names', 0))";
/// Both columns of `activities` never change.
const ACTIVITY: &str =
    "SELECT pg_advisory_xact_lock_shared(hashtextextended(current_schema() || '/source/' || source, 0)),
            pg_advisory_xact_lock(hashtextextended(current_schema() || '/container/' || product || ' ' || stage, 0))
     FROM activities WHERE id = $1";
const ROWS: &str = "SELECT 1 FROM activities
     WHERE id IN (SELECT value FROM json_each($1))
        OR (status = 'waiting' AND product IN (SELECT value FROM json_each($2)))
     ORDER BY number FOR UPDATE";

/// Takes the locks of a scope.
pub async fn take(connection: &mut Connection, scope: Scope<'_>) -> Result<(), StoreError> {
    match scope {
        Scope::Source(source) => of_source(connection, source).await,
        Scope::Activity(activity) => run(connection, ACTIVITY, Some(activity.as_str())).await,
        Scope::Deliveries => run(connection, DELIVERIES, None).await,
        Scope::Rows => Ok(()),
    }
}

async fn of_source(connection: &mut Connection, source: &SourceName) -> Result<(), StoreError> {
    run(connection, SOURCE, Some(source.as_str())).await
}

/// Keeps others from taking names of products until the transaction ends.
pub async fn names(connection: &mut Connection) -> Result<(), StoreError> {
    run(connection, NAMES, None).await
}

/// Keeps others from writing these activities, and those of these products that wait.
pub async fn activities<'a>(
    connection: &mut Connection,
    ids: impl IntoIterator<Item = &'a ActivityId>,
    products: impl IntoIterator<Item = &'a str>,
) -> Result<(), StoreError> {
    if let Connection::Postgres(_) = connection {
        let ids = name_list(ids.into_iter().map(ActivityId::as_str));
        query(ROWS).bind(ids).bind(name_list(products)).execute(connection).await?;
    }
    Ok(())
}

/// On a file there is one writer anyway.
async fn run(connection: &mut Connection, lock: &'static str, about: Option<&str>) -> Result<(), StoreError> {
    if let Connection::Postgres(_) = connection {
        let lock = query(lock);
        let lock = if about.is_some() { lock.bind(about) } else { lock };
        lock.execute(connection).await?;
    }
    Ok(())
}
