//! What was meant by the name of a part that the product does not have, and whether it may be there unseen: below a
//! reference that leads nowhere, or in a list whose name is misspelt. Its absence comes of that mistake then.

use std::cell::OnceCell;

use serde_json::Value;

use super::{Entity, Subject};
use crate::check::schema::formats::is_name;
use crate::check::yaml::shown;
use crate::domain::id::{EntityKind, Fqn};
use crate::domain::suggest;

/// What a name of a part can be of.
const KINDS: [EntityKind; 7] = [
    EntityKind::InputPort,
    EntityKind::OutputPort,
    EntityKind::DiscoveryPort,
    EntityKind::ObservabilityPort,
    EntityKind::ControlPort,
    EntityKind::Application,
    EntityKind::Infrastructure,
];

/// The parts of a product.
pub(super) struct Parts<'s> {
    subject: &'s Subject<'s>,
    product: &'s Fqn,
    entities: &'s [Entity<'s>],
    hidden: OnceCell<Vec<EntityKind>>,
}

impl<'s> Parts<'s> {
    pub(super) fn new(subject: &'s Subject<'s>, product: &'s Fqn, entities: &'s [Entity<'s>]) -> Self {
        Self { subject, product, entities, hidden: OnceCell::new() }
    }

    /// Message and hint about a name of this product that none of its parts has. `None` where that comes of another
    /// mistake.
    pub(super) fn told_missing(&self, field: &str, name: &str) -> Option<(String, String)> {
        let rest = name.strip_prefix(self.product.as_str())?.trim_start_matches(':');
        let hidden = self.hidden.get_or_init(|| KINDS.into_iter().filter(|kind| self.is_hidden(*kind)).collect());
        // Behind the name, some write a version.
        let mut steps = rest.split(':');
        let (first, second) = (steps.next().unwrap_or_default(), steps.next());
        let (segment, part) = second.map_or(("", first), |part| (first, part));
        let segments = KINDS.iter().map(|kind| kind.fqn_segment());
        let near = suggest::nearest(segment, segments).unwrap_or(segment);
        let kind = KINDS.into_iter().find(|kind| kind.fqn_segment() == near);
        if kind.map_or(!hidden.is_empty(), |kind| hidden.contains(&kind)) {
            return None;
        }
        if rest.is_empty() {
            let message = format!("'{field}' names the product itself, and not a part of it");
            return Some((message, format!("name one of its parts: '{}:…'", self.product)));
        }
        let meant = self.meant(kind, part);
        // That its own name is none, the schema has said.
        if meant.is_some_and(|meant| !is_name(meant.name)) {
            return None;
        }
        let message = format!("'{field}' names {}, which this product does not have", shown(rest));
        let hint = match meant {
            // Names are never cut here: what differs stands near their end.
            Some(meant) => format!("did you mean '{}'?", self.product.component(meant.kind, meant.name)),
            None if kind.is_none() => {
                let all: Vec<&str> = KINDS.iter().map(|kind| kind.fqn_segment()).collect();
                format!("behind '{}:' goes one of {}, and then the part's name", self.product, all.join(", "))
            }
            None => "correct the name, or add what it names".to_owned(),
        };
        Some((message, hint))
    }

    /// The part that was probably meant: one of the same name, or else one with a name like it; of the kind, if there
    /// is such a one.
    fn meant(&self, kind: Option<EntityKind>, part: &str) -> Option<&'s Entity<'s>> {
        let of_kind = |entity: &&Entity<'_>| Some(entity.kind) == kind;
        let same = |entity: &&Entity<'_>| entity.name.eq_ignore_ascii_case(part);
        let entities = || self.entities.iter();
        let named = |name: &str| entities().find(|entity| entity.name == name);
        let near = |name: Option<&'s str>, is_kind: bool| match is_kind {
            true => name.and_then(|name| entities().filter(of_kind).find(|entity| entity.name == name)),
            false => name.and_then(named),
        };
        entities()
            .filter(of_kind)
            .find(same)
            .or_else(|| entities().find(same))
            .or_else(|| near(suggest::nearest(part, entities().filter(of_kind).map(|entity| entity.name)), true))
            .or_else(|| near(suggest::nearest(part, entities().map(|entity| entity.name)), false))
    }

    /// Whether there may be parts of a kind that are not seen.
    fn is_hidden(&self, kind: EntityKind) -> bool {
        let (content, located) = (self.subject.content, self.subject.located);
        let is_port = EntityKind::PORTS.contains(&kind);
        let section = if is_port { "interfaceComponents" } else { "internalComponents" };
        let pointer = format!("/{section}/{}", kind.field());
        let found = located.find(&pointer);
        match content.pointer(&pointer) {
            _ if found.broken => true,
            Some(Value::Array(items)) => {
                let broken = |node: usize| located.places.get(node).is_some_and(|place| place.broken);
                let nodes = found.node.into_iter().flat_map(|node| located.children(node));
                items
                    .iter()
                    .zip(nodes)
                    .any(|(item, node)| broken(node) || !item.get("name").is_some_and(Value::is_string))
            }
            Some(_) => true,
            None => {
                // The section or the list may be there under another name, or in another place.
                let places = [Some(content), content.get("interfaceComponents"), content.get("internalComponents")];
                let has = |wanted: &str| {
                    let keys = places.into_iter().flatten().filter_map(Value::as_object).flat_map(|it| it.keys());
                    let keys = keys.map(String::as_str);
                    keys.clone().any(|key| key == wanted)
                        || suggest::nearest(wanted, keys.filter(|key| !is_known(key))).is_some()
                };
                (content.get(section).is_none() && has(section)) || has(kind.field())
            }
        }
    }
}

/// Whether a key is one of those among which lists of parts stand.
fn is_known(key: &str) -> bool {
    const OTHERS: [&str; 8] = [
        "dataProductDescriptor",
        "info",
        "interfaceComponents",
        "internalComponents",
        "components",
        "tags",
        "externalDocs",
        "lifecycleInfo",
    ];
    key.starts_with("x-") || OTHERS.contains(&key) || KINDS.iter().any(|kind| kind.field() == key)
}
