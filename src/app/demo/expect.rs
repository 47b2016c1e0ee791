//! What has to be true after each commit of the demo.

use std::collections::BTreeMap;

use crate::domain::report::ReportState;
use crate::port::store::ContainerRow;

use super::DemoError;

/// The products of the mesh, in the order of their names.
const PRODUCTS: [&str; 6] =
    ["customers", "dailySales", "deliveryPerformance", "orderFulfilment", "orders", "shipments"];
/// Its stages.
const STAGES: [&str; 2] = ["dev", "prod"];

/// The question of the consumer-aligned product, and its answer.
pub(super) const QUESTION: &str = "SELECT name, segment, late, deliveries, worst_days_late FROM customer_deliveries \
     WHERE late > 0 ORDER BY late_percent DESC, worst_days_late DESC";
const ANSWER: [[&str; 5]; 3] = [
    ["Tomasz Wilk", "private", "2", "2", "2"],
    ["Ines Moreau", "business", "2", "3", "5"],
    ["Aoife Byrne", "private", "1", "2", "3"],
];

/// Every product runs at every stage, in its first version or in the one that is named.
pub(super) fn all_run(rows: &[ContainerRow], newer: &BTreeMap<&str, &str>) -> Result<(), DemoError> {
    for product in PRODUCTS {
        for stage in STAGES {
            let wanted = newer.get(product).copied().unwrap_or("1.0.0");
            let row = rows.iter().find(|row| row.product.product_name() == product && row.stage == stage);
            let found = row.map(|row| row.version.as_str());
            expect(found == Some(wanted), || {
                format!("{product} should run in version {wanted} at {stage}, and has {}", found.unwrap_or("nothing"))
            })?;
        }
    }
    expect(rows.len() == PRODUCTS.len() * STAGES.len(), || format!("{} containers run", rows.len()))
}

pub(super) fn statuses(found: &BTreeMap<String, ReportState>, wanted: &[(&str, ReportState)]) -> Result<(), DemoError> {
    for (context, state) in wanted {
        let shown = found.get(&format!("meshwright/{context}"));
        expect(shown == Some(state), || {
            let shown = shown.map_or("nothing", |state| state.as_str());
            format!("the status meshwright/{context} should be {}, and is {shown}", state.as_str())
        })?;
    }
    Ok(())
}

pub(super) fn answer(rows: &[Vec<Option<String>>]) -> Result<(), DemoError> {
    let as_wanted = rows.len() == ANSWER.len()
        && rows.iter().zip(ANSWER).all(|(row, wanted)| row.iter().map(Option::as_deref).eq(wanted.map(Some)));
    expect(as_wanted, || format!("the answer is another: {rows:?}"))
}

pub(super) fn expect(fine: bool, otherwise: impl FnOnce() -> String) -> Result<(), DemoError> {
    if fine { Ok(()) } else { Err(DemoError::Unexpected(otherwise())) }
}
