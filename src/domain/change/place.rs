//! Where a field stands: as a path in the descriptor's own terms, and as a JSON pointer.

use std::fmt::Write as _;

use crate::domain::id::EntityKind;

/// The section of a descriptor with its ports; left out of paths.
pub(super) const INTERFACE: &str = "interfaceComponents";
/// The section of a descriptor with its components and stages; left out of paths.
pub(super) const INTERNAL: &str = "internalComponents";
/// The field with the stages.
pub(super) const LIFECYCLE: &str = "lifecycleInfo";

/// What kind of step leads to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// A section whose name is not part of a path.
    Heading(&'a str),
    /// A field that a specification defines.
    Field(&'a str),
    /// Something that its author named: an item of a list by its `name`, or a key of a map.
    Name(&'a str),
    /// An item of a list by its place, from 0.
    Position(usize),
    /// A member of a set; its path is the set's.
    Member,
}

impl<'a> Step<'a> {
    /// The step to a key of the object to which `steps` lead. The keys of some objects were chosen
    /// by their author, as those of a JSON Schema's `properties` are: such a key is never mistaken
    /// for a field of the same name.
    pub(super) fn to_key(steps: &[Step<'_>], key: &'a str) -> Self {
        const MAPS: [&str; 23] = [
            LIFECYCLE,
            "$defs",
            "callbacks",
            "channels",
            "content",
            "definitions",
            "dependentSchemas",
            "headers",
            "messages",
            "operations",
            "parameters",
            "paths",
            "patternProperties",
            "properties",
            "requestBodies",
            "responses",
            "schemas",
            "securitySchemes",
            "servers",
            "serverVariables",
            "services",
            "topics",
            "variables",
        ];
        match steps.last() {
            None if key == INTERFACE || key == INTERNAL => Step::Heading(key),
            Some(Step::Field(field)) if MAPS.contains(field) => Step::Name(key),
            _ => Step::Field(key),
        }
    }
}

/// Whether the order of a list of scalars to which `steps` lead has no meaning. What executors are
/// handed (`configurations`, `template`) is theirs, and its order is kept.
pub(super) fn is_set(steps: &[Step<'_>]) -> bool {
    const SETS: [&str; 7] = ["tags", "dependsOn", "consumesFrom", "providesTo", "required", "enum", "type"];
    matches!(steps.last(), Some(Step::Field(field)) if SETS.contains(field)) && !steps.contains(&Step::Field(LIFECYCLE))
}

/// How far a [`Place`] reached before it was entered further.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pointer: usize,
}

/// Where the comparison stands.
#[derive(Debug, Default)]
pub(super) struct Place<'a> {
    steps: Vec<Step<'a>>,
    /// Into the desired content; it stays behind where that ends earlier.
    pointer: String,
}

impl<'a> Place<'a> {
    /// The steps that lead here.
    pub(super) fn steps(&self) -> &[Step<'a>] {
        &self.steps
    }

    /// How many steps lead here.
    pub(super) fn depth(&self) -> usize {
        self.steps.len()
    }

    /// The JSON pointer to here, or to the nearest parent that the desired content has.
    pub(super) fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Goes to a key of the object that stands here. `there` says whether the desired content has it.
    pub(super) fn enter_key(&mut self, key: &'a str, there: bool) -> Mark {
        let mark = self.push(Step::to_key(&self.steps, key));
        if there {
            self.pointer.push('/');
            for part in key.chars() {
                match part {
                    '~' => self.pointer.push_str("~0"),
                    '/' => self.pointer.push_str("~1"),
                    other => self.pointer.push(other),
                }
            }
        }
        mark
    }

    /// Goes to an item of the list that stands here; `index` is its place in the desired content,
    /// where it is there.
    pub(super) fn enter_item(&mut self, step: Step<'a>, index: Option<usize>) -> Mark {
        let mark = self.push(step);
        if let Some(index) = index {
            let _ = write!(self.pointer, "/{index}");
        }
        mark
    }

    /// Goes back to where `mark` was made.
    pub(super) fn leave(&mut self, mark: Mark) {
        self.steps.pop();
        self.pointer.truncate(mark.pointer);
    }

    fn push(&mut self, step: Step<'a>) -> Mark {
        let mark = Mark { pointer: self.pointer.len() };
        self.steps.push(step);
        mark
    }

    /// Whether `key` is only a heading over things that are told one by one, even when the heading
    /// itself is new or gone.
    pub(super) fn spreads(&self, key: &str) -> bool {
        match self.steps.as_slice() {
            [] => key == INTERFACE || key == INTERNAL,
            [Step::Heading(INTERFACE)] => EntityKind::PORTS.iter().any(|kind| kind.field() == key),
            [Step::Heading(INTERNAL)] => {
                key == LIFECYCLE || key == EntityKind::Application.field() || key == EntityKind::Infrastructure.field()
            }
            _ => false,
        }
    }

    /// Whether the list that stands here is the list of a stage's tasks.
    pub(super) fn is_stage(&self) -> bool {
        matches!(self.steps.as_slice(), [Step::Heading(INTERNAL), Step::Field(LIFECYCLE), Step::Name(_)])
    }

    /// The path, as [`FieldChange::path`](super::FieldChange::path) has it: fields and names with
    /// dots between them, places in brackets, and names that would be misread in double quotes.
    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for (index, step) in self.steps.iter().enumerate() {
            match step {
                Step::Heading(text) if index + 1 == self.steps.len() => push_text(&mut path, text),
                Step::Heading(_) | Step::Member => {}
                Step::Field(text) | Step::Name(text) => push_text(&mut path, text),
                Step::Position(place) => {
                    let _ = write!(path, "[{place}]");
                }
            }
        }
        path
    }
}

fn push_text(path: &mut String, text: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    let misread = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '.' | '[' | ']' | '"');
    if text.is_empty() || text.contains(misread) {
        // A JSON string, whose `Display` escapes what has to be escaped.
        let _ = write!(path, "{}", serde_json::Value::from(text));
    } else {
        path.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_leave_the_sections_out_and_quote_what_would_be_misread() {
        let mut place = Place::default();
        place.enter_key(INTERFACE, true);
        assert_eq!(place.path(), "interfaceComponents");
        place.enter_key("outputPorts", true);
        place.enter_item(Step::Name("orders"), Some(0));
        place.enter_key("channels", true);
        place.enter_key("retail.orders/v1", true);
        place.enter_key("list", true);
        place.enter_item(Step::Position(3), Some(3));
        assert_eq!(place.path(), "outputPorts.orders.channels.\"retail.orders/v1\".list[3]");
        assert_eq!(place.pointer(), "/interfaceComponents/outputPorts/0/channels/retail.orders~1v1/list/3");
    }

    #[test]
    fn the_pointer_stays_behind_where_the_desired_content_ends() {
        let mut place = Place::default();
        place.enter_key("info", true);
        let mark = place.enter_key("gone", false);
        assert_eq!((place.path().as_str(), place.pointer()), ("info.gone", "/info"));
        place.leave(mark);
        place.enter_key("a~b", true);
        assert_eq!(place.pointer(), "/info/a~0b");
    }

    #[test]
    fn a_property_that_is_called_like_a_field_is_a_name() {
        let mut place = Place::default();
        place.enter_key("properties", true);
        place.enter_key("properties", true);
        place.enter_key("type", true);
        assert_eq!(place.steps(), [Step::Field("properties"), Step::Name("properties"), Step::Field("type")]);
    }
}
