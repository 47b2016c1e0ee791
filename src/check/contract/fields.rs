//! What every comparison of objects needs: which fields differ, and which items are the same by name.

use serde_json::Value;

use crate::domain::canonical::canonical;
use crate::domain::change::Impact;
use crate::domain::compat::{ContractRule, Reason, Side};

/// A row of a table of rules.
pub(crate) const fn rule(
    id: &'static str,
    meaning: &'static str,
    read: Impact,
    written: Impact,
    source: &'static str,
) -> ContractRule {
    ContractRule { id, meaning, read, written, source }
}

/// Where a comparison of objects stands, in both editions.
#[derive(Debug, Clone)]
pub(crate) struct Spot<'a> {
    /// The recorded value, where there is one.
    pub before: Option<&'a Value>,
    /// The desired value, where there is one.
    pub after: Option<&'a Value>,
    /// Where it stands in the desired content, or its nearest parent that does.
    pub pointer: String,
    /// In the contract's own terms.
    pub path: String,
}

impl<'a> Spot<'a> {
    /// Whether both are the same content.
    pub(crate) fn is_same(&self) -> bool {
        match (self.before, self.after) {
            (Some(before), Some(after)) => before == after || canonical(before) == canonical(after),
            (before, after) => before.is_none() && after.is_none(),
        }
    }

    /// A field.
    pub(crate) fn field(&self, name: &str) -> Self {
        let mut path = self.path.clone();
        if !name.is_empty() {
            path = super::joined(&path, name);
        }
        self.inner(
            self.before.and_then(|value| value.get(name)),
            self.after.and_then(|value| value.get(name)),
            name,
            path,
        )
    }

    /// The fields that differ: those of the desired value first. Where something is no object, and so has no
    /// fields, it is itself what differs, as a field without a name.
    pub(crate) fn differing(&self) -> Vec<(&'a str, Self)> {
        let fields = |value: Option<&'a Value>| value.and_then(Value::as_object);
        let keys = |value| fields(value).into_iter().flat_map(|fields| fields.keys());
        let gone = keys(self.before).filter(|key| fields(self.after).is_none_or(|after| !after.contains_key(*key)));
        let all = keys(self.after).chain(gone).map(|key| (key.as_str(), self.field(key)));
        let mut differing: Vec<_> = all.filter(|(_, spot)| !spot.is_same()).collect();
        if [self.before, self.after].into_iter().flatten().any(|value| !value.is_object()) && !self.is_same() {
            differing.push(("", self.clone()));
        }
        differing
    }

    /// The items of a list, by name; `None` where it is no list, an item has no name, or two have the same. `name_of` gives
    /// an item's name.
    pub(crate) fn items(&self, name_of: fn(&Value) -> Option<&str>) -> Option<Vec<(&'a str, Self)>> {
        let named = |value: Option<&'a Value>| -> Option<Vec<(usize, &'a str, &'a Value)>> {
            let mut seen = std::collections::HashSet::new();
            let items = value.map_or(Some([].as_slice()), |list| list.as_array().map(Vec::as_slice))?;
            let items = items.iter().enumerate();
            items
                .map(|(index, item)| name_of(item).filter(|name| seen.insert(*name)).map(|name| (index, name, item)))
                .collect()
        };
        let (before, after) = (named(self.before)?, named(self.after)?);
        let recorded: std::collections::HashMap<&str, &Value> =
            before.iter().map(|(_, name, item)| (*name, *item)).collect();
        let desired: std::collections::HashSet<&str> = after.iter().map(|(_, name, _)| *name).collect();
        let path = |name: &str| super::joined(&self.path, name);
        let mut items: Vec<(&'a str, Self)> = Vec::new();
        for (index, name, item) in &after {
            let spot = self.inner(recorded.get(name).copied(), Some(item), &index.to_string(), path(name));
            items.push((name, spot));
        }
        for (_, name, item) in before.iter().filter(|(_, name, _)| !desired.contains(name)) {
            items.push((name, self.inner(Some(item), None, "", path(name))));
        }
        Some(items)
    }

    /// A reason that stands here.
    pub(crate) fn tell(&self, rule: &ContractRule, side: Side, message: impl Into<String>) -> Reason {
        rule.reason(side, self.pointer.clone(), self.path.clone(), message)
    }

    /// The sentence for a field of which the comparison knows nothing.
    pub(crate) fn not_known(&self, field: &str) -> String {
        let name = if field.is_empty() { "it".to_owned() } else { format!("'{field}'") };
        format!("{name} {}; what that means is not known", self.was_and_is())
    }

    /// `was 'a' and is 'b'`, for a sentence.
    pub(crate) fn was_and_is(&self) -> String {
        match (self.before, self.after) {
            (Some(before), Some(after)) => format!("was {} and is {}", short(before), short(after)),
            (Some(before), None) => format!("was {} and is gone", short(before)),
            (None, Some(after)) => format!("is new: {}", short(after)),
            (None, None) => "is the same".to_owned(),
        }
    }

    fn inner(&self, before: Option<&'a Value>, after: Option<&'a Value>, step: &str, path: String) -> Self {
        let pointer = match after {
            Some(_) => format!("{}/{}", self.pointer, super::escaped(step)),
            None => self.pointer.clone(),
        };
        Self { before, after, pointer, path }
    }
}

/// A value for a sentence.
fn short(value: &Value) -> String {
    match value {
        Value::String(text) => super::listed([text]),
        Value::Object(_) => "an object".to_owned(),
        Value::Array(items) => format!("a list of {}", items.len()),
        other => other.to_string(),
    }
}

/// Fields that say something to people, or that a platform fills in.
pub(crate) fn is_for_people(field: &str) -> bool {
    const FOR_PEOPLE: [&str; 11] = [
        "displayName",
        "title",
        "summary",
        "description",
        "externalDocs",
        "contact",
        "componentGroup",
        "$comment",
        "id",
        "entityType",
        "examples",
    ];
    FOR_PEOPLE.contains(&field)
}
