//! Descriptors, the files they read, and the findings that stand.

use crate::adapter::store::encode::{error_counts, name_list, to_json};
use crate::adapter::store::sql::connection::{Bulk, Connection, query};
use crate::domain::finding::Finding;
use crate::domain::id::{Digest, Fqn, RepoPath};
use crate::port::store::{DescriptorEntry, Pass, StoreError};

const DESCRIPTORS: Bulk = Bulk {
    into: "INSERT INTO descriptors (source, path, product, digest, revision, errors, refusals, again)",
    columns: 8,
    conflict: "ON CONFLICT (source, path) DO UPDATE SET
        product = excluded.product,
        digest = excluded.digest,
        revision = excluded.revision,
        errors = excluded.errors,
        refusals = excluded.refusals,
        again = excluded.again,
        retry = 0",
};

const FILES: Bulk =
    Bulk { into: "INSERT INTO descriptor_files (source, file, path)", columns: 3, conflict: "ON CONFLICT DO NOTHING" };

const FINDINGS: Bulk =
    Bulk { into: "INSERT INTO findings (source, path, revision, rule, severity, body)", columns: 6, conflict: "" };

/// Puts what the pass read in the place of what was read before: of the same descriptors, or, where
/// the pass is complete, of all of the source.
pub async fn write(connection: &mut Connection, pass: &Pass) -> Result<(), StoreError> {
    forget(connection, pass).await?;
    let source = pass.plan.source.as_str();
    let revision = pass.plan.revision.as_str();
    DESCRIPTORS
        .upsert(&[0, 1], connection, &pass.descriptors, |values, entry| {
            let (errors, refusals) = error_counts(&entry.findings);
            values
                .put(source)
                .put(entry.path.as_str())
                .put(entry.product.as_ref().map(Fqn::as_str))
                .put(entry.digest.as_ref().map(Digest::as_str))
                .put(revision)
                .put(errors)
                .put(refusals)
                .put(i64::from(entry.again));
        })
        .await?;
    let files: Vec<(&RepoPath, &RepoPath)> =
        pass.descriptors.iter().flat_map(|entry| entry.files.iter().map(move |file| (file, &entry.path))).collect();
    FILES
        .insert(connection, &files, |values, (file, path)| {
            values.put(source).put(file.as_str()).put(path.as_str());
        })
        .await?;
    let findings = findings(pass)?;
    FINDINGS
        .insert(connection, &findings, |values, (path, finding, body)| {
            values
                .put(source)
                .put(path.map(RepoPath::as_str))
                .put(revision)
                .put(finding.rule.as_str())
                .put(finding.severity.as_str())
                .put(body.as_str());
        })
        .await?;
    Ok(())
}

/// Removes descriptors that are gone, and what was found in those that were read again. Files and
/// findings go with their descriptors.
async fn forget(connection: &mut Connection, pass: &Pass) -> Result<(), StoreError> {
    let source = pass.plan.source.as_str();
    let read = name_list(pass.descriptors.iter().map(|entry: &DescriptorEntry| entry.path.as_str()));
    let gone = name_list(pass.gone.iter().map(RepoPath::as_str));
    query("DELETE FROM descriptors WHERE source = $1 AND path IN (SELECT value FROM json_each($2))")
        .bind(source)
        .bind(gone)
        .execute(&mut *connection)
        .await?;
    if pass.complete {
        query("DELETE FROM descriptors WHERE source = $1 AND path NOT IN (SELECT value FROM json_each($2))")
            .bind(source)
            .bind(&read)
            .execute(&mut *connection)
            .await?;
    }
    query("DELETE FROM descriptor_files WHERE source = $1 AND path IN (SELECT value FROM json_each($2))")
        .bind(source)
        .bind(&read)
        .execute(&mut *connection)
        .await?;
    query("DELETE FROM findings WHERE source = $1 AND path IN (SELECT value FROM json_each($2))")
        .bind(source)
        .bind(&read)
        .execute(&mut *connection)
        .await?;
    query("DELETE FROM findings WHERE source = $1 AND path IS NULL").bind(source).execute(connection).await?;
    Ok(())
}

type Said<'a> = (Option<&'a RepoPath>, &'a Finding, String);

fn findings(pass: &Pass) -> Result<Vec<Said<'_>>, StoreError> {
    let of_descriptors = pass
        .descriptors
        .iter()
        .flat_map(|entry| entry.findings.iter().map(move |finding| (Some(&entry.path), finding)));
    let of_the_source = pass.findings.iter().map(|finding| (None, finding));
    of_descriptors
        .chain(of_the_source)
        .map(|(path, finding)| Ok((path, finding, to_json("a finding", finding)?)))
        .collect()
}
