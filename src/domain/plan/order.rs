//! Products after those that they read from.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::finding::{Finding, Severity};
use crate::domain::id::Fqn;
use crate::domain::rule::Rule;

use super::build::Desired;

/// Products read from each other in a circle.
pub const LINEAGE_CYCLE: Rule = Rule {
    id: "lineage/product-cycle",
    severity: Severity::Warning,
    meaning: "Products read from each other in a circle, so none of them can be rolled out after all the others. They are rolled out in the order of their names.",
    example: "orders reads from sales, and sales reads from orders",
    remedy: "Break the circle: one of the products should own the shared data.",
    source: "products are rolled out after those they depend on (DPDS 1.0.0, dependsOn)",
};

/// Sorts products so that each comes after those it reads from; among the others, the given order
/// stays. Products in a circle come last, with a finding each.
pub(super) fn in_dependency_order(products: Vec<&Desired>) -> (Vec<&Desired>, Vec<(Fqn, Finding)>) {
    let here: BTreeSet<&Fqn> = products.iter().map(|product| &product.descriptor.fqn).collect();
    let needs: BTreeMap<&Fqn, BTreeSet<Fqn>> = products
        .iter()
        .map(|product| {
            let owners = product.descriptor.upstream().iter().filter_map(Fqn::owner).collect::<BTreeSet<_>>();
            (&product.descriptor.fqn, owners.into_iter().filter(|owner| here.contains(owner)).collect())
        })
        .collect();

    let mut waiting: BTreeMap<Fqn, usize> = BTreeMap::new();
    let mut dependents: BTreeMap<Fqn, Vec<usize>> = BTreeMap::new();
    let mut ready = BTreeSet::new();
    for (index, product) in products.iter().enumerate() {
        let fqn = &product.descriptor.fqn;
        let needed = needs.get(fqn).map_or(0, BTreeSet::len);
        if needed == 0 {
            ready.insert(index);
        } else {
            waiting.insert(fqn.clone(), needed);
            for upstream in needs.get(fqn).into_iter().flatten() {
                dependents.entry(upstream.clone()).or_default().push(index);
            }
        }
    }
    let mut sorted = Vec::with_capacity(products.len());
    while let Some(index) = ready.pop_first() {
        let Some(product) = products.get(index) else { continue };
        sorted.push(*product);
        for dependent in dependents.remove(&product.descriptor.fqn).unwrap_or_default() {
            let Some(fqn) = products.get(dependent).map(|product| &product.descriptor.fqn) else { continue };
            if let Some(left) = waiting.get_mut(fqn) {
                *left -= 1;
                if *left == 0 {
                    waiting.remove(fqn);
                    ready.insert(dependent);
                }
            }
        }
    }
    let stuck: Vec<&Desired> =
        products.into_iter().filter(|product| waiting.contains_key(&product.descriptor.fqn)).collect();
    let names: Vec<&str> = stuck.iter().map(|product| product.descriptor.name.as_str()).collect();
    let findings = stuck
        .iter()
        .map(|product| {
            let location = (product.locate)("/info/name");
            let message = format!(
                "'{}' cannot come after all it reads from: {} read in a circle",
                product.descriptor.name,
                names.join(", ")
            );
            let finding = Finding::warning(LINEAGE_CYCLE.id(), location, "/info/name", message);
            (product.descriptor.fqn.clone(), finding.with_hint(LINEAGE_CYCLE.hint()))
        })
        .collect();
    sorted.extend(stuck);
    (sorted, findings)
}
