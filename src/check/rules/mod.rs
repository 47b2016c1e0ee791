//! What a schema cannot say: that names are unique, that given read-only fields are the computed
//! ones, that what depends on each other exists and goes in no circle. Each rule looks at what has
//! the right shape and leaves the rest to the schema, so that nothing is said twice.
//!
//! What needs more than one document is absent: whether a version was released before, whether
//! another product exists.

mod definitions;
mod document;
mod doubt;
mod identity;
mod lifecycle;
mod lineage;
mod meant;
mod names;
mod odm;
#[expect(clippy::module_inception, reason = "each room keeps its catalogue in a file of this name")]
pub(super) mod rules;
mod version;

pub(super) use document::{Form, form};

use serde_json::Value;

use self::doubt::Evidence;
use super::refs::Entries;
use super::yaml::{Located, push_segment};
use crate::check::report::Report;
use crate::domain::finding::{Finding, Location};
use crate::domain::id::{EntityKind, Fqn, Namespace, RepoPath};
use crate::domain::rule::Rule;

/// What the rules look at.
pub(super) struct Subject<'a> {
    /// The content, references replaced.
    pub content: &'a Value,
    /// Where it stands.
    pub located: &'a Located,
    /// Where the references stood that were replaced.
    pub entries: &'a Entries,
    /// The root file.
    pub root: &'a RepoPath,
    /// The mesh's namespace.
    pub namespace: &'a Namespace,
    /// Whether nobody said which namespace that is.
    pub is_namespace_guessed: bool,
    /// The product, when its name and version can be told.
    pub product: Option<&'a Fqn>,
}

/// A port or component with a name.
#[derive(Clone, Copy)]
struct Entity<'a> {
    kind: EntityKind,
    section: &'static str,
    index: usize,
    name: &'a str,
    value: &'a Value,
}

impl Entity<'_> {
    fn pointer(&self) -> String {
        format!("/{}/{}/{}", self.section, self.kind.field(), self.index)
    }
}

/// Applies all rules.
pub(super) fn check(subject: &Subject<'_>, findings: &mut Report) {
    let entities: Vec<Entity<'_>> = subject.entities().collect();
    document::check(subject, &entities, findings);
    let evidence = Evidence::new(subject, &entities);
    identity::check(&evidence, &entities, findings);
    names::check(subject, &entities, findings);
    version::check(subject, &entities, findings);
    lineage::check(&evidence, &entities, findings);
    lifecycle::check(subject, &entities, findings);
    definitions::check(subject, &entities, findings);
}

impl<'a> Subject<'a> {
    /// Ports and components, in the order of DPDS' lists.
    fn entities(&self) -> impl Iterator<Item = Entity<'a>> {
        let content = self.content;
        let ports = EntityKind::PORTS.into_iter().map(|kind| ("interfaceComponents", kind));
        let components = [EntityKind::Application, EntityKind::Infrastructure].into_iter();
        ports.chain(components.map(|kind| ("internalComponents", kind))).flat_map(move |(section, kind)| {
            let list = content.get(section).and_then(|it| it.get(kind.field())).and_then(Value::as_array);
            list.into_iter().flatten().enumerate().filter_map(move |(index, value)| {
                let name = value.get("name")?.as_str()?;
                Some(Entity { kind, section, index, name, value })
            })
        })
    }

    /// Stages with their tasks, and the pointer of each stage.
    fn stages(&self) -> impl Iterator<Item = (&'a str, &'a [Value], String)> {
        let stages = self.content.pointer("/internalComponents/lifecycleInfo").and_then(Value::as_object);
        stages.into_iter().flatten().map(|(stage, tasks)| {
            let mut pointer = String::from("/internalComponents/lifecycleInfo");
            push_segment(&mut pointer, stage);
            (stage.as_str(), tasks.as_array().map_or(&[][..], Vec::as_slice), pointer)
        })
    }

    fn location(&self, pointer: &str) -> Location {
        self.located.location(pointer).unwrap_or_else(|| Location::top_of(self.root.clone()))
    }

    fn finding(&self, rule: &'static Rule, pointer: String, message: String, hint: impl Into<String>) -> Finding {
        let location = self.location(&pointer);
        Finding::new(rule.severity, rule.id(), location, pointer, message).with_hint(hint)
    }

    /// A finding about a key instead of its value.
    fn key_finding(&self, rule: &'static Rule, pointer: String, message: String, hint: impl Into<String>) -> Finding {
        let location = self.located.key_location(&pointer);
        let location = location.unwrap_or_else(|| Location::top_of(self.root.clone()));
        Finding::new(rule.severity, rule.id(), location, pointer, message).with_hint(hint)
    }
}
