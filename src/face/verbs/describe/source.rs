//! A source: where it stands, its passes, its descriptors.

use serde_json::json;

use crate::face::Output;
use crate::face::cli::{DescribeArgs, DocumentFormat};
use crate::face::render::{Table, document, time_short};
use crate::face::verbs::get::{finding_table, name_and_major};
use crate::port::store::Store;

use super::{NotDescribed, field, section, unknown};

/// So many of the newest passes are shown.
const PASSES_SHOWN: usize = 10;

pub(super) async fn source(
    store: &dyn Store,
    args: &DescribeArgs,
    output: &mut Output<'_>,
) -> Result<(), NotDescribed> {
    let rows = store.sources().await?;
    let Some(row) = rows.iter().find(|row| row.name.as_str() == args.name) else {
        return Err(unknown("source", &args.name, rows.iter().map(|row| row.name.as_str())));
    };
    let passes = store.pass_rows(Some(&row.name), PASSES_SHOWN).await?;
    let descriptors = store.descriptors(&row.name).await?;
    let findings = store.finding_rows(Some(&row.name)).await?;
    if args.output != DocumentFormat::Text {
        let descriptors: Vec<_> =
            descriptors.iter().map(|(path, product)| json!({ "path": path, "product": product })).collect();
        let all = json!({ "source": row, "passes": passes, "descriptors": descriptors, "findings": findings });
        return Ok(document(output.out, &all, args.output)?);
    }
    field(output, "Name", row.name.as_str())?;
    field(output, "URL", &row.url)?;
    field(output, "Branch", &row.branch)?;
    field(output, "Revision", &row.revision.as_ref().map(ToString::to_string).unwrap_or_default())?;
    field(output, "Seen", &row.seen_at.as_deref().map(time_short).unwrap_or_default())?;
    field(output, "Condition", row.condition.as_deref().unwrap_or("ok"))?;
    field(output, "Message", row.message.as_deref().unwrap_or_default())?;
    section(output, "Latest passes")?;
    let mut table = Table::new(&["AT", "REVISION", "PLAN", "POLICIES"]);
    for pass in &passes {
        let (plan, policies) = (pass.plan.short().to_owned(), pass.policies.short().to_owned());
        table.row([time_short(&pass.at), pass.revision.short().to_owned(), plan, policies]);
    }
    table.write(output.out, &[], output.colour)?;
    section(output, "Descriptors")?;
    let mut table = Table::new(&["PRODUCT", "PATH"]);
    for (path, product) in &descriptors {
        table.row([product.as_ref().map(name_and_major).unwrap_or_default(), path.to_string()]);
    }
    table.write(output.out, &[], output.colour)?;
    if !findings.is_empty() {
        section(output, "Findings")?;
        finding_table(&findings).write(output.out, &["SEVERITY"], output.colour)?;
    }
    Ok(())
}
