//! Keywords about lists.

use serde_json::Value;

use super::compare::{Comparison, Place};
use super::facts::End;
use super::rules;
use super::view::{Root, View};

/// More single places than this are not compared one by one.
const MOST_PLACES: usize = 100;

/// What a part says about the items: place by place, and about the rest.
struct Items<'a> {
    first: Vec<Root<'a>>,
    rest: Option<Root<'a>>,
}

fn items<'a>(view: &View<'a>) -> Vec<Items<'a>> {
    let of_part = |part| {
        let part: &super::view::Part<'a> = part;
        // The older drafts have a list in `items`, and the rest in `additionalItems`.
        let (first, rest) = match part.fields.get("items") {
            Some(Value::Array(first)) => (("items", Some(first)), "additionalItems"),
            _ => (("prefixItems", part.fields.get("prefixItems").and_then(Value::as_array)), "items"),
        };
        let (keyword, first) = first;
        let first = first.into_iter().flatten().enumerate();
        Items {
            first: first.map(|(index, schema)| Root::below(part, schema, &[keyword, &index.to_string()])).collect(),
            rest: (part.fields.get(rest).filter(|schema| **schema != Value::Bool(true)))
                .map(|schema| Root::below(part, schema, &[rest])),
        }
    };
    view.parts.iter().map(of_part).collect()
}

/// The schemas that hold for the item at a place, or for those after all places.
fn at<'a>(items: &[Items<'a>], place: Option<usize>) -> Vec<Root<'a>> {
    let schema = |items: &Items<'a>| place.and_then(|place| items.first.get(place)).or(items.rest.as_ref()).cloned();
    items.iter().filter_map(schema).collect()
}

pub(super) fn compare<'a>(told: &mut Comparison<'a>, before: &View<'a>, after: &View<'a>, place: &Place) {
    let (old, new) = (items(before), items(after));
    let places = old.iter().chain(&new).map(|items| items.first.len()).max().unwrap_or(0);
    if places > MOST_PLACES {
        let pointer = place.at(after, "prefixItems");
        told.tell(&rules::TOO_LARGE, &pointer, place, "too many items are described one by one".to_owned());
    }
    for index in 0..places.min(MOST_PLACES) {
        pair(told, &at(&old, Some(index)), &at(&new, Some(index)), after, place, &format!("[{index}]"));
    }
    pair(told, &at(&old, None), &at(&new, None), after, place, "[]");
    told.count(before, after, place, "minItems", End::Lower);
    told.count(before, after, place, "maxItems", End::Upper);
    if before.says("uniqueItems") != after.says("uniqueItems") {
        let pointer = place.at(after, "uniqueItems");
        let (rule, message) = match after.says("uniqueItems") {
            true => (&rules::BOUND_TIGHTENED, "no item may stand there twice"),
            false => (&rules::BOUND_LOOSENED, "an item may stand there twice"),
        };
        told.tell(rule, &pointer, place, message.to_owned());
    }
}

fn pair<'a>(
    told: &mut Comparison<'a>,
    old: &[Root<'a>],
    new: &[Root<'a>],
    after: &View<'a>,
    place: &Place,
    mark: &str,
) {
    if old.is_empty() && new.is_empty() {
        return;
    }
    let pointer = new.first().map_or_else(|| place.at(after, "items"), |root| root.pointer.clone());
    let inner = place.marked(mark, pointer.clone());
    let closed = |roots: &[Root<'_>]| roots.iter().any(|root| root.schema == &Value::Bool(false));
    match (closed(old), closed(new)) {
        (true, true) => {}
        (false, true) => told.tell(&rules::CLOSED, &pointer, &inner, "further items are refused".to_owned()),
        (true, false) => told.tell(&rules::OPENED, &pointer, &inner, "further items are allowed".to_owned()),
        (false, false) => told.schemas(old, new, &inner),
    }
}
