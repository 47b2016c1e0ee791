//! Lists: which item of the recorded list is which item of the desired one.
//!
//! | list | an item is known by | its order |
//! |---|---|---|
//! | objects that all have a `name` of their own (ports, tables, columns, tasks) | its name | has no meaning |
//! | the tasks of a stage | its name | means something where `order` does not settle it |
//! | tags, `dependsOn`, `consumesFrom`, `providesTo`; `required`, `enum`, `type` of a schema | its value | has no meaning |
//! | anything else | its place, after a longest common subsequence | means something |

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::FieldOp;
use super::diff::{Walk, same};
use super::place::{Step, is_set};
use crate::domain::canonical::canonical;

/// Above this many items that differ (of both lists together) the longest common subsequence is
/// not looked for, because it takes quadratic time; items are then known by their places alone.
const LARGEST_SEQUENCE: usize = 4_000;

/// Compares two lists that stand at the walk's place.
pub(super) fn compare<'a>(walk: &mut Walk<'a>, before: &'a [Value], after: &'a [Value]) {
    if is_set(walk.place.steps()) && before.iter().chain(after).all(is_scalar) {
        return sets(walk, before, after);
    }
    if let (Some(before_names), Some(after_names)) = (names(before), names(after)) {
        by_name(walk, before, &before_names, after, &after_names);
        if walk.place.is_stage() {
            run_order(walk, before, &before_names, after, &after_names);
        }
        return;
    }
    sequences(walk, before, after);
}

/// The names of a list's items, where all have one of their own.
pub(super) fn names(items: &[Value]) -> Option<Names<'_>> {
    let mut list = Vec::with_capacity(items.len());
    let mut places = HashMap::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let name = item.as_object()?.get("name")?.as_str()?;
        if places.insert(name, index).is_some() {
            return None;
        }
        list.push(name);
    }
    Some(Names { list, places })
}

/// Items by name, and names by place.
pub(super) struct Names<'a> {
    list: Vec<&'a str>,
    places: HashMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    fn pairs<'b>(&'b self, items: &'a [Value]) -> impl Iterator<Item = (usize, &'a str, &'a Value)> + 'b
    where
        'a: 'b,
    {
        self.list.iter().zip(items).enumerate().map(|(index, (name, item))| (index, *name, item))
    }

    pub(super) fn item(&self, name: &str, items: &'a [Value]) -> Option<&'a Value> {
        self.places.get(name).and_then(|index| items.get(*index))
    }
}

pub(super) fn is_scalar(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

fn by_name<'a>(
    walk: &mut Walk<'a>,
    before: &'a [Value],
    before_names: &Names<'a>,
    after: &'a [Value],
    after_names: &Names<'a>,
) {
    for (index, name, item) in after_names.pairs(after) {
        let mark = walk.place.enter_item(Step::Name(name), Some(index));
        match before_names.item(name, before) {
            Some(recorded) => walk.value(recorded, item),
            None => walk.report(FieldOp::Added, None, Some(item)),
        }
        walk.place.leave(mark);
    }
    for (_, name, item) in before_names.pairs(before) {
        if after_names.item(name, after).is_none() {
            let mark = walk.place.enter_item(Step::Name(name), None);
            walk.report(FieldOp::Removed, Some(item), None);
            walk.place.leave(mark);
        }
    }
}

/// Tasks without `order`, or with the same one, run as they are written. Where that changed, each
/// of them that now runs earlier or later among those tells it as a replaced `order`: the places
/// from 1, before and after.
fn run_order<'a>(
    walk: &mut Walk<'a>,
    before: &'a [Value],
    before_names: &Names<'a>,
    after: &'a [Value],
    after_names: &Names<'a>,
) {
    let settled: Vec<&str> = (before_names.list.iter())
        .filter(|name| match (before_names.item(name, before), after_names.item(name, after)) {
            (Some(recorded), Some(desired)) => order_of(recorded) == order_of(desired),
            _ => false,
        })
        .copied()
        .collect();
    let recorded_places = places(&settled, before, before_names);
    let desired_places = places(&settled, after, after_names);
    for (index, name, _) in after_names.pairs(after) {
        let (Some(was), Some(is)) = (recorded_places.get(name), desired_places.get(name)) else { continue };
        if was != is {
            let task = walk.place.enter_item(Step::Name(name), Some(index));
            let order = walk.place.enter_key("order", false);
            walk.report(FieldOp::Replaced, Some(&Value::from(*was)), Some(&Value::from(*is)));
            walk.place.leave(order);
            walk.place.leave(task);
        }
    }
}

fn places<'a>(settled: &[&str], items: &'a [Value], names: &Names<'a>) -> BTreeMap<&'a str, usize> {
    let mut running: Vec<(usize, &'a str, &'a Value)> =
        names.pairs(items).filter(|(_, name, _)| settled.contains(name)).collect();
    running.sort_by_key(|(_, _, task)| run_key(task));
    running.into_iter().enumerate().map(|(place, (_, name, _))| (name, place + 1)).collect()
}

/// By what a stage's tasks are sorted (stably) to find the order in which they run: DPDS 1.0.0,
/// Lifecycle Task Object.
pub(super) fn run_key(task: &Value) -> (u8, i64) {
    order_of(task).map_or((1, 0), |order| (0, order))
}

fn order_of(task: &Value) -> Option<i64> {
    task.get("order").and_then(Value::as_i64)
}

fn sets<'a>(walk: &mut Walk<'a>, before: &'a [Value], after: &'a [Value]) {
    // How often a value occurs counts, because it counts in the digest.
    let mut left: HashMap<Vec<u8>, usize> = HashMap::with_capacity(before.len());
    for item in before {
        *left.entry(canonical(item)).or_default() += 1;
    }
    for (index, item) in after.iter().enumerate() {
        match left.get_mut(&canonical(item)).filter(|count| **count > 0) {
            Some(count) => *count -= 1,
            None => {
                let mark = walk.place.enter_item(Step::Member, Some(index));
                walk.report(FieldOp::Added, None, Some(item));
                walk.place.leave(mark);
            }
        }
    }
    for item in before {
        if let Some(count) = left.get_mut(&canonical(item)).filter(|count| **count > 0) {
            *count -= 1;
            let mark = walk.place.enter_item(Step::Member, None);
            walk.report(FieldOp::Removed, Some(item), None);
            walk.place.leave(mark);
        }
    }
}

fn sequences<'a>(walk: &mut Walk<'a>, before: &'a [Value], after: &'a [Value]) {
    let start = before.iter().zip(after).take_while(|(a, b)| same(a, b)).count();
    let (before_rest, after_rest) = (before.get(start..).unwrap_or(&[]), after.get(start..).unwrap_or(&[]));
    let end = before_rest.iter().rev().zip(after_rest.iter().rev()).take_while(|(a, b)| same(a, b)).count();
    let before_middle = before_rest.get(..before_rest.len() - end).unwrap_or(&[]);
    let after_middle = after_rest.get(..after_rest.len() - end).unwrap_or(&[]);
    let mut gone = Vec::new();
    for gap in gaps(before_middle, after_middle) {
        let (old, new) = (gap.old_range(), gap.new_range());
        let mut old_items = old.clone().zip(before_middle.get(old).unwrap_or(&[]));
        for (index, item) in new.clone().zip(after_middle.get(new).unwrap_or(&[])) {
            let mark = walk.place.enter_item(Step::Position(start + index), Some(start + index));
            match old_items.next() {
                Some((_, recorded)) => walk.value(recorded, item),
                None => walk.report(FieldOp::Added, None, Some(item)),
            }
            walk.place.leave(mark);
        }
        gone.extend(old_items);
    }
    for (index, item) in gone {
        // What is gone has only its recorded place.
        let mark = walk.place.enter_item(Step::Position(start + index), None);
        walk.report(FieldOp::Removed, Some(item), None);
        walk.place.leave(mark);
    }
}

/// The stretches in which two lists differ. Within one, the first items are taken for each other.
fn gaps(before: &[Value], after: &[Value]) -> Vec<DiffOp> {
    if before.is_empty() && after.is_empty() {
        return Vec::new();
    }
    if before.len() + after.len() > LARGEST_SEQUENCE {
        return vec![DiffOp::Replace { old_index: 0, old_len: before.len(), new_index: 0, new_len: after.len() }];
    }
    let before: Vec<Vec<u8>> = before.iter().map(canonical).collect();
    let after: Vec<Vec<u8>> = after.iter().map(canonical).collect();
    let ops = capture_diff_slices(Algorithm::RawMyers, &before, &after);
    ops.into_iter().filter(|op| !matches!(op, DiffOp::Equal { .. })).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{FieldChange, compare};
    use super::*;
    use serde_json::json;

    fn told(before: &Value, after: &Value) -> Vec<String> {
        let line = |field: FieldChange| {
            let value = |value: Option<Value>| value.map_or("-".to_owned(), |value| value.to_string());
            format!("{} {} > {}", field.path, value(field.before), value(field.after))
        };
        compare(before, after).fields.into_iter().map(line).collect()
    }

    #[test]
    fn named_items_may_change_places() {
        let before = json!({"tables": [{"name": "a", "x": 1}, {"name": "b", "x": 2}]});
        let after = json!({"tables": [{"name": "b", "x": 2}, {"name": "a", "x": 3}]});
        assert_eq!(told(&before, &after), ["tables.a.x 1 > 3"]);
    }

    #[test]
    fn a_name_that_occurs_twice_is_no_identity() {
        let before = json!({"list": [{"name": "a", "x": 1}, {"name": "a", "x": 2}]});
        let after = json!({"list": [{"name": "a", "x": 0}, {"name": "a", "x": 1}, {"name": "a", "x": 2}]});
        assert_eq!(told(&before, &after), ["list[0] - > {\"name\":\"a\",\"x\":0}"]);
    }

    #[test]
    fn sets_have_no_order_but_count() {
        let fields = compare(&json!({"tags": ["a", "b", "b"]}), &json!({"tags": ["c", "b", "a"]})).fields;
        assert_eq!(fields.len(), 2);
        assert_eq!((fields[0].path.as_str(), fields[0].pointer.as_str()), ("tags", "/tags/0"));
        assert_eq!((fields[1].op, fields[1].before.clone()), (FieldOp::Removed, Some(json!("b"))));
        assert_eq!(told(&json!({"other": ["a", "b"]}), &json!({"other": ["b", "a"]})).len(), 2);
    }

    #[test]
    fn what_stands_around_a_new_item_stays_what_it_is() {
        let before = json!({"list": [{"a": 1}, {"b": 2}, {"c": 3}]});
        let after = json!({"list": [{"new": 0}, {"a": 1}, {"b": 9}, {"c": 3}]});
        assert_eq!(told(&before, &after), ["list[0] - > {\"new\":0}", "list[2].b 2 > 9"]);
        assert_eq!(told(&after, &before), ["list[1].b 9 > 2", "list[0] {\"new\":0} > -"]);
    }

    #[test]
    fn long_lists_are_compared_by_place() {
        let long = |shift: usize| json!({"list": (0..3_000).map(|i| i + shift).collect::<Vec<_>>()});
        assert_eq!(told(&long(0), &long(1)).len(), 3_000);
        let mut changed = long(0);
        changed["list"][1_500] = json!(-1);
        assert_eq!(told(&long(0), &changed), ["list[1500] 1500 > -1"]);
    }

    #[test]
    fn tasks_that_run_in_another_order_say_so() {
        let stage = |tasks: Value| json!({"internalComponents": {"lifecycleInfo": {"dev": tasks}}});
        let before = stage(json!([{"name": "a"}, {"name": "b"}, {"name": "c", "order": 1}]));
        let after = stage(json!([{"name": "c", "order": 1}, {"name": "b"}, {"name": "a"}]));
        assert_eq!(told(&before, &after), ["lifecycleInfo.dev.b.order 3 > 2", "lifecycleInfo.dev.a.order 2 > 3"]);
        let same_run = stage(json!([{"name": "a"}, {"name": "c", "order": 1}, {"name": "b"}]));
        assert!(told(&before, &same_run).is_empty());
        let fields = compare(&before, &after).fields;
        assert_eq!(fields[0].pointer, "/internalComponents/lifecycleInfo/dev/1");
    }

    #[test]
    fn a_new_task_moves_nobody() {
        let stage = |tasks: Value| json!({"internalComponents": {"lifecycleInfo": {"dev": tasks}}});
        let before = stage(json!([{"name": "a"}, {"name": "b"}]));
        let after = stage(json!([{"name": "new"}, {"name": "a"}, {"name": "b"}]));
        assert_eq!(told(&before, &after), ["lifecycleInfo.dev.new - > {\"name\":\"new\"}"]);
    }
}
