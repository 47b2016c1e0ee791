//! What a product reads of others.

use std::collections::{BTreeMap, BTreeSet};

use super::Descriptor;
use crate::domain::id::Fqn;

pub(super) fn upstream(descriptor: &Descriptor) -> Vec<Fqn> {
    let of_ports = descriptor.ports.iter().filter_map(|port| port.upstream.as_ref());
    let of_components =
        descriptor.components.iter().flat_map(|component| component.consumes_from.iter().chain(&component.depends_on));
    let foreign: BTreeSet<&Fqn> =
        of_ports.chain(of_components).filter(|fqn| fqn.owner().is_some_and(|owner| owner != descriptor.fqn)).collect();
    foreign.into_iter().cloned().collect()
}

pub(super) fn upstream_by_port(descriptor: &Descriptor) -> BTreeMap<String, Fqn> {
    let ports = descriptor.ports.iter();
    ports.filter_map(|port| Some((port.name.clone(), port.upstream.clone()?))).collect()
}
