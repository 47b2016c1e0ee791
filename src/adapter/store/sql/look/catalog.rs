//! Sources, products, versions and findings.

use serde_json::Value;

use crate::adapter::store::sql::connection::{Connection, Row, query};
use crate::domain::id::{Digest, Fqn, SourceName};
use crate::port::store::{FindingRow, ProductRow, SourceRow, StoreError, VersionRow};

pub async fn sources(connection: &mut Connection) -> Result<Vec<SourceRow>, StoreError> {
    let rows = query(
        // What keeps the source from being looked at comes before what keeps its reports from being written.
        "SELECT s.name, s.url, s.branch, s.revision, s.seen_at,
                coalesce(s.condition_reason, CASE WHEN d.message IS NOT NULL THEN 'forge-denied' END)
                    AS condition_reason,
                CASE WHEN s.condition_reason IS NULL THEN d.message ELSE s.condition_message END
                    AS condition_message,
                (SELECT count(*) FROM descriptors d WHERE d.source = s.name) AS descriptors,
                (SELECT count(*) FROM descriptors d
                 WHERE d.source = s.name AND (d.errors > 0 OR d.refusals > 0)) AS with_errors
         FROM sources s
         LEFT JOIN (
             SELECT p.source, CASE p.sort WHEN 'status' THEN 'statuses' ELSE p.sort || 's' END
                        || ' cannot be written: ' || p.message AS message
             FROM forge_pauses p
             WHERE p.sort <> '' AND substr(p.sort, 1, 1) <> '~' AND NOT EXISTS (
                 SELECT 1 FROM forge_pauses o
                 WHERE o.source = p.source AND o.sort <> '' AND substr(o.sort, 1, 1) <> '~' AND o.sort < p.sort)
         ) d ON d.source = s.name
         ORDER BY s.name",
    )
    .fetch_all(connection)
    .await?;
    let each = |row: &Row| {
        Ok(SourceRow {
            name: row.name("name")?,
            url: row.text("url")?,
            branch: row.text("branch")?,
            revision: row.name_or_none("revision")?,
            descriptors: row.count("descriptors")?,
            with_errors: row.count("with_errors")?,
            seen_at: Some(row.time("seen_at")?.to_string()),
            condition: row.text_or_none("condition_reason")?,
            message: row.text_or_none("condition_message")?,
        })
    };
    rows.iter().map(each).collect()
}

pub async fn products(connection: &mut Connection) -> Result<Vec<ProductRow>, StoreError> {
    let rows = query(
        "SELECT p.product, p.display_name, p.domain, p.owner, v.version, v.digest, p.source, p.path, p.retired, p.upstream
         FROM products p JOIN versions v ON v.product = p.product AND v.version = p.version
         ORDER BY p.product",
    )
    .fetch_all(connection)
    .await?;
    let each = |row: &Row| {
        Ok(ProductRow {
            product: row.name("product")?,
            display_name: row.text("display_name")?,
            domain: row.text("domain")?,
            owner: row.text("owner")?,
            version: row.text("version")?,
            digest: row.name("digest")?,
            source: row.name("source")?,
            path: row.text("path")?,
            retired: row.flag("retired")?,
            upstream: row.json("upstream")?,
        })
    };
    rows.iter().map(each).collect()
}

pub async fn versions(connection: &mut Connection, product: Option<&Fqn>) -> Result<Vec<VersionRow>, StoreError> {
    let rows = query(
        "SELECT product, version, digest, revision, released, recorded_at FROM versions
         WHERE $1 IS NULL OR product = $1
         ORDER BY product, id",
    )
    .bind(product.map(Fqn::as_str))
    .fetch_all(connection)
    .await?;
    let each = |row: &Row| {
        Ok(VersionRow {
            product: row.name("product")?,
            version: row.text("version")?,
            digest: row.name("digest")?,
            revision: row.name("revision")?,
            released: row.flag("released")?,
            recorded_at: row.time("recorded_at")?.to_string(),
        })
    };
    rows.iter().map(each).collect()
}

pub async fn content(connection: &mut Connection, digest: &Digest) -> Result<Option<Value>, StoreError> {
    let row = query("SELECT body FROM contents WHERE digest = $1 AND body <> ''")
        .bind(digest.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(|row| row.json("body")).transpose()
}

pub async fn findings(connection: &mut Connection, source: Option<&SourceName>) -> Result<Vec<FindingRow>, StoreError> {
    let rows = query("SELECT source, revision, body FROM findings WHERE $1 IS NULL OR source = $1 ORDER BY source, id")
        .bind(source.map(SourceName::as_str))
        .fetch_all(connection)
        .await?;
    let each = |row: &Row| {
        Ok(FindingRow { source: row.name("source")?, revision: row.name("revision")?, finding: row.json("body")? })
    };
    let mut found: Vec<FindingRow> = rows.iter().map(each).collect::<Result<_, StoreError>>()?;
    found.sort_by(|a, b| {
        let place = |row: &FindingRow| (row.source.clone(), row.finding.location.clone(), row.finding.rule.clone());
        place(a).cmp(&place(b))
    });
    Ok(found)
}
