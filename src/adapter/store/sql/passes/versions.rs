//! Products, their versions and their contents.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::adapter::store::encode::{family, name_list, to_json};
use crate::adapter::store::postgres::locks;
use crate::adapter::store::sql::connection::{Bulk, Connection, query, query_scalar};
use crate::domain::change::ChangeKind;
use crate::domain::id::Fqn;
use crate::domain::time::to_millis;
use crate::port::store::{Pass, StoreError, VersionEntry};

use crate::adapter::store::sql::audit::AuditEvent;

const CONTENTS: Bulk =
    Bulk { into: "INSERT INTO contents (digest, body)", columns: 2, conflict: "ON CONFLICT (digest) DO NOTHING" };

const PRODUCTS: Bulk = Bulk {
    into: "INSERT INTO products (product, family, source, path, display_name, domain, owner, upstream, version)",
    columns: 9,
    conflict: "ON CONFLICT (product) DO UPDATE SET
        source = excluded.source,
        path = excluded.path,
        display_name = excluded.display_name,
        domain = excluded.domain,
        owner = excluded.owner,
        upstream = excluded.upstream,
        version = excluded.version,
        retired = 0",
};

/// A version that is recorded with this content already keeps the commit with which it came.
const VERSIONS: Bulk = Bulk {
    into: "INSERT INTO versions (product, version, digest, source, path, revision, policies, recorded_at)",
    columns: 8,
    conflict: "ON CONFLICT (product, version) DO UPDATE SET
            digest = excluded.digest,
            source = excluded.source,
            path = excluded.path,
            revision = excluded.revision,
            policies = excluded.policies,
            recorded_at = excluded.recorded_at
        WHERE versions.digest <> excluded.digest AND versions.released = 0",
};

/// Records new versions as their products' latest, marks products that left their source, and takes
/// the mark from those that came back. Answers with the products that were marked.
pub async fn write(
    connection: &mut Connection,
    pass: &Pass,
    decisions: &mut Vec<AuditEvent>,
) -> Result<BTreeSet<Fqn>, StoreError> {
    refuse_takeover(connection, pass).await?;
    let retired = retire(connection, pass, decisions).await?;
    let entries = changeable(connection, pass, decisions).await?;
    let absent = retired_of(connection, &entries).await?;
    write_entries(connection, pass, &entries).await?;
    for entry in &entries {
        let detail = json!({
            "digest": entry.version.digest.as_str(),
            "path": entry.path.as_str(),
            "plan": pass.plan.digest.as_str(),
            "policies": pass.plan.policies.as_str(),
        });
        decisions.push(AuditEvent { kind: "version-recorded", subject: subject(entry), detail });
    }
    let mut returned = absent;
    returned.extend(settle(connection, pass).await?);
    for product in &returned {
        let detail = json!({"plan": pass.plan.digest.as_str()});
        decisions.push(AuditEvent { kind: "product-returned", subject: product.to_string(), detail });
    }
    Ok(retired.into_iter().filter(|product| !returned.contains(product)).collect())
}

/// Two passes may find the same new name at the same moment, each in its own source. The one that is
/// recorded first keeps it; the other is planned anew, and then finds it taken.
async fn refuse_takeover(connection: &mut Connection, pass: &Pass) -> Result<(), StoreError> {
    let families: BTreeSet<String> = pass.versions.iter().map(|entry| family(&entry.product)).collect();
    if takes_names(connection, pass, &families).await? {
        locks::names(connection).await?;
    }
    let taken = query(
        "SELECT product, source FROM products
         WHERE family IN (SELECT value FROM json_each($1)) AND source <> $2 AND retired = 0 LIMIT 1",
    )
    .bind(name_list(families.iter().map(String::as_str)))
    .bind(pass.plan.source.as_str())
    .fetch_optional(connection)
    .await?;
    match taken {
        None => Ok(()),
        Some(row) => {
            let (product, source) = (row.text("product")?, row.text("source")?);
            Err(StoreError::Unavailable(format!(
                "'{product}' belongs to the source '{source}' by now; the pass has to be planned anew"
            )))
        }
    }
}

/// Whether products may come to this source with the pass. Those that it has already cannot leave it while it is
/// locked, because only it lets go of them.
async fn takes_names(
    connection: &mut Connection,
    pass: &Pass,
    families: &BTreeSet<String>,
) -> Result<bool, StoreError> {
    let source = pass.plan.source.as_str();
    let ours: i64 = query_scalar(
        "SELECT count(DISTINCT family) FROM products
         WHERE family IN (SELECT value FROM json_each($1)) AND source = $2 AND retired = 0",
    )
    .bind(name_list(families.iter().map(String::as_str)))
    .bind(source)
    .fetch_one(&mut *connection)
    .await?;
    if usize::try_from(ours).unwrap_or(0) < families.len() {
        return Ok(true);
    }
    let read = name_list(pass.descriptors.iter().filter_map(|entry| entry.product.as_ref()).map(Fqn::as_str));
    let returning: Option<i64> = query_scalar(
        "SELECT 1 FROM products WHERE product IN (SELECT value FROM json_each($1)) AND retired = 1 LIMIT 1",
    )
    .bind(read)
    .fetch_optional(connection)
    .await?;
    Ok(returning.is_some())
}

fn subject(entry: &VersionEntry) -> String {
    format!("{} {}", entry.product, entry.version.version)
}

/// Marks products of `Retired` changes, where it is still this source that describes them: another
/// source may have taken a product over.
async fn retire(
    connection: &mut Connection,
    pass: &Pass,
    decisions: &mut Vec<AuditEvent>,
) -> Result<BTreeSet<Fqn>, StoreError> {
    let left = pass.plan.changes.iter().filter(|change| change.kind == ChangeKind::Retired);
    let left = name_list(left.map(|change| change.product.as_str()));
    let rows = query(
        "UPDATE products SET retired = 1
         WHERE source = $1 AND retired = 0 AND product IN (SELECT value FROM json_each($2))
         RETURNING product",
    )
    .bind(pass.plan.source.as_str())
    .bind(left)
    .fetch_all(connection)
    .await?;
    let retired: BTreeSet<Fqn> = rows.iter().map(|row| row.name("product")).collect::<Result<_, _>>()?;
    for product in &retired {
        let detail = json!({"plan": pass.plan.digest.as_str()});
        decisions.push(AuditEvent { kind: "product-retired", subject: product.to_string(), detail });
    }
    Ok(retired)
}

/// The pass's versions without those whose number was released with other content. The engine finds
/// and refuses these before; should one come through, what was released stays.
async fn changeable<'a>(
    connection: &mut Connection,
    pass: &'a Pass,
    decisions: &mut Vec<AuditEvent>,
) -> Result<Vec<&'a VersionEntry>, StoreError> {
    let names = name_list(pass.versions.iter().map(|entry| entry.product.as_str()));
    let rows = query(
        "SELECT product, version, digest FROM versions
         WHERE product IN (SELECT value FROM json_each($1)) AND released = 1",
    )
    .bind(names)
    .fetch_all(connection)
    .await?;
    let mut released: BTreeMap<(String, String), String> = BTreeMap::new();
    for row in &rows {
        released.insert((row.text("product")?, row.text("version")?), row.text("digest")?);
    }
    let mut entries = Vec::with_capacity(pass.versions.len());
    for entry in &pass.versions {
        match released.get(&(entry.product.to_string(), entry.version.version.to_string())) {
            Some(digest) if digest != entry.version.digest.as_str() => {
                tracing::error!(product = %entry.product, version = %entry.version.version, "a released version came with other content and is kept as it was");
                let detail = json!({"digest": digest, "refused": entry.version.digest.as_str()});
                decisions.push(AuditEvent { kind: "version-kept", subject: subject(entry), detail });
            }
            _ => entries.push(entry),
        }
    }
    Ok(entries)
}

async fn retired_of(connection: &mut Connection, entries: &[&VersionEntry]) -> Result<BTreeSet<Fqn>, StoreError> {
    let rows = query("SELECT product FROM products WHERE product IN (SELECT value FROM json_each($1)) AND retired = 1")
        .bind(name_list(entries.iter().map(|entry| entry.product.as_str())))
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| row.name("product")).collect()
}

async fn write_entries(connection: &mut Connection, pass: &Pass, entries: &[&VersionEntry]) -> Result<(), StoreError> {
    let recorded: BTreeSet<String> =
        query("SELECT digest FROM contents WHERE digest IN (SELECT value FROM json_each($1))")
            .bind(name_list(entries.iter().map(|entry| entry.version.digest.as_str())))
            .fetch_all(&mut *connection)
            .await?
            .iter()
            .map(|row| row.text("digest"))
            .collect::<Result<_, _>>()?;
    let new: Vec<&&VersionEntry> =
        entries.iter().filter(|entry| !recorded.contains(entry.version.digest.as_str())).collect();
    CONTENTS
        .insert(connection, &new, |values, entry| {
            values.put(entry.version.digest.as_str()).put(entry.content.canonical());
        })
        .await?;
    let upstream: Vec<(&VersionEntry, String)> = entries
        .iter()
        .map(|entry| Ok((*entry, to_json("upstream names", &entry.upstream)?)))
        .collect::<Result<_, StoreError>>()?;
    let source = pass.plan.source.as_str();
    PRODUCTS
        .upsert(&[0], connection, &upstream, |values, (entry, upstream)| {
            values
                .put(entry.product.as_str())
                .put(family(&entry.product))
                .put(source)
                .put(entry.path.as_str())
                .put(entry.display_name.as_str())
                .put(entry.domain.as_str())
                .put(entry.owner.as_str())
                .put(upstream.as_str())
                .put(entry.version.version.to_string());
        })
        .await?;
    VERSIONS
        .upsert(&[0, 1], connection, entries, |values, entry| {
            values
                .put(entry.product.as_str())
                .put(entry.version.version.to_string())
                .put(entry.version.digest.as_str())
                .put(source)
                .put(entry.path.as_str())
                .put(pass.plan.revision.as_str())
                .put(pass.plan.policies.as_str())
                .put(to_millis(pass.at));
        })
        .await?;
    Ok(())
}

/// Completes a statement on `products` to those whose latest content was read in the pass, without
/// errors, from a descriptor `d`.
macro_rules! of_those_read {
    ($update:literal, $condition:literal) => {
        concat!(
            $update,
            " FROM descriptors d, versions v
             WHERE d.source = $1 AND d.path IN (SELECT value FROM json_each($2))
               AND d.errors = 0 AND d.refusals = 0
               AND products.product = d.product
               AND v.product = products.product AND v.version = products.version AND v.digest = d.digest
               AND ",
            $condition
        )
    };
}

const BACK: &str = of_those_read!(
    "UPDATE products SET retired = 0, source = $1, path = d.path",
    "products.retired = 1 RETURNING products.product"
);
const MOVED: &str =
    of_those_read!("UPDATE products SET path = d.path", "products.source = $1 AND products.path <> d.path");

/// A product whose latest content was read again without errors is there, wherever its file stands
/// by now: it came back, or it moved. Answers with those that came back.
async fn settle(connection: &mut Connection, pass: &Pass) -> Result<BTreeSet<Fqn>, StoreError> {
    let source = pass.plan.source.as_str();
    let read = name_list(pass.descriptors.iter().map(|entry| entry.path.as_str()));
    let rows = query(BACK).bind(source).bind(&read).fetch_all(&mut *connection).await?;
    query(MOVED).bind(source).bind(&read).execute(connection).await?;
    rows.iter().map(|row| row.name("product")).collect()
}
