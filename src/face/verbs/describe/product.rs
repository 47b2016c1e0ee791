//! A product, and one version of it.

use serde_json::json;

use crate::domain::id::Fqn;
use crate::face::Output;
use crate::face::cli::{DescribeArgs, DocumentFormat};
use crate::face::render::{document, harmless_line, time_short};
use crate::face::verbs::get::{activity_table, container_table, finding_table, name_and_major, version_table};
use crate::face::verbs::is_meant;
use crate::port::store::{ProductRow, Store};

use super::{NotDescribed, field, section, unknown};

/// So many of the newest activities are searched.
const ACTIVITIES_SEARCHED: usize = 10_000;

/// So many of them are shown.
const ACTIVITIES_SHOWN: usize = 10;

/// The one product that is meant. Of several majors, all must be named apart.
fn the_one(rows: Vec<ProductRow>, name: &str) -> Result<(ProductRow, Vec<ProductRow>), NotDescribed> {
    let meant: Vec<usize> =
        rows.iter().enumerate().filter(|(_, row)| is_meant(&row.product, name)).map(|(at, _)| at).collect();
    match meant.as_slice() {
        [one] => {
            let mut others = rows;
            let product = others.swap_remove(*one);
            others.sort_by(|a, b| a.product.cmp(&b.product));
            Ok((product, others))
        }
        [] => {
            let names: Vec<String> = rows.iter().map(|row| name_and_major(&row.product)).collect();
            Err(unknown("product", name, names.iter().map(String::as_str)))
        }
        several => {
            let names: Vec<&str> =
                several.iter().filter_map(|at| rows.get(*at)).map(|row| row.product.as_str()).collect();
            Err(NotDescribed::Unknown {
                message: format!("'{name}' is the name of {} products", names.len()),
                hint: format!("name one of {}", names.join(", ")),
            })
        }
    }
}

pub(super) async fn product(
    store: &dyn Store,
    args: &DescribeArgs,
    output: &mut Output<'_>,
) -> Result<(), NotDescribed> {
    let (row, others) = the_one(store.products().await?, &args.name)?;
    let versions = store.versions(Some(&row.product)).await?;
    let mut containers = store.container_rows().await?;
    containers.retain(|container| container.product == row.product);
    let mut activities = store.activity_rows(ACTIVITIES_SEARCHED).await?;
    activities.retain(|activity| activity.product == row.product);
    activities.truncate(ACTIVITIES_SHOWN);
    let mut findings = store.finding_rows(Some(&row.source)).await?;
    findings.retain(|finding| finding.finding.location.file.as_str() == row.path);
    let reads = |other: &&ProductRow| other.upstream.iter().any(|port| port.owner().as_ref() == Some(&row.product));
    let downstream: Vec<&Fqn> = others.iter().filter(reads).map(|other| &other.product).collect();
    if args.output != DocumentFormat::Text {
        let all = json!({
            "product": row, "downstream": downstream, "versions": versions,
            "containers": containers, "activities": activities, "findings": findings,
        });
        return Ok(document(output.out, &all, args.output)?);
    }
    field(output, "Name", row.product.product_name())?;
    field(output, "Display name", &row.display_name)?;
    field(output, "Product", row.product.as_str())?;
    field(output, "Id", &row.product.id().to_string())?;
    field(output, "Domain", &row.domain)?;
    field(output, "Owner", &row.owner)?;
    field(output, "Version", &row.version)?;
    field(output, "Digest", row.digest.as_str())?;
    field(output, "Source", row.source.as_str())?;
    field(output, "Path", &row.path)?;
    field(output, "State", if row.retired { "retired: it has left its source" } else { "recorded" })?;
    let list = |names: &[&Fqn]| names.iter().map(|fqn| fqn.as_str()).collect::<Vec<_>>().join("\n              ");
    section(output, "Lineage")?;
    let upstream: Vec<&Fqn> = row.upstream.iter().collect();
    // The names were parsed, so a line end between them is ours.
    writeln!(
        output.out,
        "  reads:      {}",
        if upstream.is_empty() { "nothing of others".to_owned() } else { list(&upstream) }
    )?;
    writeln!(
        output.out,
        "  is read by: {}",
        if downstream.is_empty() { "nobody known".to_owned() } else { list(&downstream) }
    )?;
    section(output, "Containers")?;
    if containers.is_empty() {
        writeln!(output.out, "nothing runs")?;
    } else {
        container_table(&containers).write(output.out, &[], output.colour)?;
    }
    section(output, "Versions")?;
    version_table(&versions).write(output.out, &[], output.colour)?;
    if !activities.is_empty() {
        section(output, "Latest activities")?;
        activity_table(&activities).write(output.out, &["STATUS"], output.colour)?;
    }
    if !findings.is_empty() {
        section(output, "Findings")?;
        finding_table(&findings).write(output.out, &["SEVERITY"], output.colour)?;
    }
    Ok(())
}

pub(super) async fn version(
    store: &dyn Store,
    args: &DescribeArgs,
    output: &mut Output<'_>,
) -> Result<(), NotDescribed> {
    let Some((name, number)) = args.name.rsplit_once('@') else {
        return Err(NotDescribed::Unknown {
            message: format!("'{}' does not say which version", args.name),
            hint: "write product@version, such as trips@1.2.0".to_owned(),
        });
    };
    let (row, _) = match the_one(store.products().await?, name) {
        // `trips@2.0.1` can only be of trips:2.
        Err(NotDescribed::Unknown { .. }) if !name.contains(':') => {
            let major = number.split('.').next().unwrap_or_default();
            the_one(store.products().await?, &format!("{name}:{major}"))?
        }
        other => other?,
    };
    let versions = store.versions(Some(&row.product)).await?;
    let Some(version) = versions.iter().find(|version| version.version == number) else {
        return Err(unknown("version", &args.name, versions.iter().map(|version| version.version.as_str())));
    };
    let content = store.content(&version.digest).await?;
    if args.output != DocumentFormat::Text {
        return Ok(document(output.out, &json!({ "version": version, "content": content }), args.output)?);
    }
    field(output, "Product", version.product.as_str())?;
    field(output, "Version", &version.version)?;
    field(output, "Digest", version.digest.as_str())?;
    field(output, "Revision", version.revision.as_str())?;
    field(output, "Released", if version.released { "yes: it has run, and never changes" } else { "no" })?;
    field(output, "Recorded", &time_short(&version.recorded_at))?;
    section(output, "Content")?;
    let text = serde_yaml::to_string(&content).map_err(std::io::Error::other)?;
    for line in text.lines() {
        writeln!(output.out, "  {}", harmless_line(line))?;
    }
    Ok(())
}
