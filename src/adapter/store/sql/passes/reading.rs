//! What a pass reads. Lists of names are bound as one JSON parameter, so that they may be as long
//! as a mesh is large; each query goes by an index from those names to the rows.

use std::collections::BTreeSet;

use crate::adapter::store::encode::{damaged, family, name_list};
use crate::adapter::store::sql::connection::{Connection, Forked, Row, query};
use crate::domain::descriptor::{Content, VersionRef};
use crate::domain::id::{ContainerId, Fqn, RepoPath, SourceName};
use crate::domain::source::Condition;
use crate::port::store::{ContainerRecord, RecordedVersion, SourceRecord, Standing, StoreError};

pub async fn source(connection: &mut Connection, name: &SourceName) -> Result<Option<SourceRecord>, StoreError> {
    let row = query(
        "SELECT name, revision, policies, platform, sequence, condition_reason, condition_message
         FROM sources WHERE name = $1",
    )
    .bind(name.as_str())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(source_record).transpose()
}

fn source_record(row: &Row) -> Result<SourceRecord, StoreError> {
    let condition = match (row.text_or_none("condition_reason")?, row.text_or_none("condition_message")?) {
        (Some(reason), message) => Some(Condition { reason, message: message.unwrap_or_default() }),
        (None, _) => None,
    };
    Ok(SourceRecord {
        name: row.name("name")?,
        revision: row.name_or_none("revision")?,
        policies: row.name_or_none("policies")?,
        platform: row.name_or_none("platform")?,
        sequence: row.count("sequence")?,
        condition,
    })
}

/// `CROSS JOIN` keeps SQLite from reading all files of a source to have them in the wanted order.
pub const DESCRIPTORS_READING: &str = "SELECT f.path
     FROM json_each($2) AS touched CROSS JOIN descriptor_files f
     WHERE f.source = $1 AND f.file = touched.value
     UNION
     SELECT d.path
     FROM json_each($2) AS touched CROSS JOIN descriptors d
     WHERE d.source = $1 AND d.path = touched.value
     ORDER BY 1";

pub async fn descriptors_reading(
    connection: &mut Connection,
    source: &SourceName,
    files: &[RepoPath],
) -> Result<Vec<RepoPath>, StoreError> {
    let rows = query(DESCRIPTORS_READING)
        .bind(source.as_str())
        .bind(name_list(files.iter().map(RepoPath::as_str)))
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| row.name("path")).collect()
}

pub async fn descriptors(
    connection: &mut Connection,
    source: &SourceName,
) -> Result<Vec<(RepoPath, Option<Fqn>)>, StoreError> {
    let rows = query("SELECT path, product FROM descriptors WHERE source = $1 ORDER BY path")
        .bind(source.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((row.name("path")?, row.name_or_none("product")?))).collect()
}

/// Without being told, SQLite would read all descriptors of the source, because they have the order.
pub const STANDING: Forked = Forked {
    sqlite: "SELECT path, errors, refusals FROM descriptors INDEXED BY descriptors_with_errors
             WHERE source = $1 AND (errors > 0 OR refusals > 0) ORDER BY path",
    postgres: "SELECT path, errors, refusals FROM descriptors
               WHERE source = $1 AND (errors > 0 OR refusals > 0) ORDER BY path",
};

pub async fn standing(connection: &mut Connection, source: &SourceName) -> Result<Vec<Standing>, StoreError> {
    let rows = query(STANDING.on(connection)).bind(source.as_str()).fetch_all(connection).await?;
    let count = |row: &Row, column| Ok::<_, StoreError>(u32::try_from(row.count(column)?).unwrap_or(u32::MAX));
    let each = |row: &Row| {
        Ok(Standing { path: row.name("path")?, errors: count(row, "errors")?, refusals: count(row, "refusals")? })
    };
    rows.iter().map(each).collect()
}

/// The products whose newest activity at some stage was skipped.
macro_rules! newest_skipped {
    () => {
        "UNION
         SELECT p.path
         FROM activities a
         JOIN products p ON p.product = a.product AND p.source = $1 AND p.retired = 0
         WHERE a.status = 'skipped'
           AND NOT EXISTS (
             SELECT 1 FROM activities later
             WHERE later.product = a.product AND later.stage = a.stage AND later.number > a.number)
         ORDER BY 1"
    };
}

/// Asked by each pass, also when nothing has changed. Without being told, SQLite would read all descriptors of
/// the source here too.
pub const HELD_BACK: Forked = Forked {
    sqlite: concat!(
        "SELECT path FROM descriptors INDEXED BY descriptors_again WHERE source = $1 AND again = 1
         UNION
         SELECT path FROM descriptors INDEXED BY descriptors_to_retry WHERE source = $1 AND retry = 1 ",
        newest_skipped!()
    ),
    postgres: concat!(
        "SELECT path FROM descriptors WHERE source = $1 AND again = 1
         UNION
         SELECT path FROM descriptors WHERE source = $1 AND retry = 1 ",
        newest_skipped!()
    ),
};

pub async fn held_back(connection: &mut Connection, source: &SourceName) -> Result<Vec<RepoPath>, StoreError> {
    let rows = query(HELD_BACK.on(connection)).bind(source.as_str()).fetch_all(connection).await?;
    rows.iter().map(|row| row.name("path")).collect()
}

pub const LATEST_VERSIONS: &str =
    "SELECT p.product, v.version, v.digest, c.body, p.source, p.path, p.retired, v.released
     FROM products p
     JOIN versions v ON v.product = p.product AND v.version = p.version
     JOIN contents c ON c.digest = v.digest
     WHERE p.family IN (SELECT value FROM json_each($1))
     ORDER BY p.product";

pub async fn latest_versions(
    connection: &mut Connection,
    products: &[Fqn],
) -> Result<Vec<RecordedVersion>, StoreError> {
    let families: BTreeSet<String> = products.iter().map(family).collect();
    let rows =
        query(LATEST_VERSIONS).bind(name_list(families.iter().map(String::as_str))).fetch_all(connection).await?;
    let each = |row: &Row| {
        Ok(RecordedVersion {
            product: row.name("product")?,
            version: row.version()?,
            content: Content::from_json(&row.text("body")?).map_err(|error| damaged("a content", error))?,
            source: row.name("source")?,
            path: row.name("path")?,
            retired: row.flag("retired")?,
            released: row.flag("released")?,
        })
    };
    rows.iter().map(each).collect()
}

pub async fn version_numbers(
    connection: &mut Connection,
    product: &Fqn,
) -> Result<Vec<(VersionRef, bool)>, StoreError> {
    let rows = query("SELECT version, digest, released FROM versions WHERE product = $1 ORDER BY id")
        .bind(product.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((row.version()?, row.flag("released")?))).collect()
}

pub const CONTAINERS: &str = concat!(
    "SELECT product, stage, version, digest, revision, activity, results, since,
         CAST(CASE WHEN ",
    is_disturbed!(),
    " THEN 1 ELSE 0 END AS BIGINT) AS is_disturbed
     FROM containers
     WHERE product IN (SELECT value FROM json_each($1))
     ORDER BY product, stage"
);

pub async fn containers(connection: &mut Connection, products: &[Fqn]) -> Result<Vec<ContainerRecord>, StoreError> {
    let rows = query(CONTAINERS).bind(name_list(products.iter().map(Fqn::as_str))).fetch_all(connection).await?;
    let each = |row: &Row| {
        Ok(ContainerRecord {
            container: ContainerId { product: row.name("product")?, stage: row.name("stage")? },
            version: row.version()?,
            revision: row.name("revision")?,
            activity: row.name("activity")?,
            results: row.json("results")?,
            since: row.time("since")?,
            is_disturbed: row.flag("is_disturbed")?,
        })
    };
    rows.iter().map(each).collect()
}
