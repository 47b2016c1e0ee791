//! Numbers and names that are reserved, to be asked for one field or value after the other.

use std::collections::HashSet;

use prost_types::{DescriptorProto, EnumDescriptorProto};

use crate::check::contract::listed;

/// What a message or an enum reserves.
#[derive(Debug)]
pub(super) struct Reserved<'a> {
    names: HashSet<&'a str>,
    /// From and to, both reserved; sorted, and none within reach of another.
    ranges: Vec<(i32, i32)>,
}

impl<'a> Reserved<'a> {
    /// The end of a message's range is the first number behind it.
    pub(super) fn of_message(message: &'a DescriptorProto) -> Self {
        let ranges = message.reserved_range.iter().map(|range| (range.start(), range.end().saturating_sub(1)));
        Self::of(&message.reserved_name, ranges.collect())
    }

    /// The end of an enum's range is its last number.
    pub(super) fn of_enum(one: &'a EnumDescriptorProto) -> Self {
        let ranges = one.reserved_range.iter().map(|range| (range.start(), range.end()));
        Self::of(&one.reserved_name, ranges.collect())
    }

    fn of(names: &'a [String], mut all: Vec<(i32, i32)>) -> Self {
        all.sort_unstable();
        let mut ranges: Vec<(i32, i32)> = Vec::with_capacity(all.len());
        for (from, to) in all {
            match ranges.last_mut() {
                Some((_, last)) if from <= *last => *last = to.max(*last),
                _ => ranges.push((from, to)),
            }
        }
        Self { names: names.iter().map(String::as_str).collect(), ranges }
    }

    /// What is reserved here and not there, for a sentence.
    pub(super) fn let_go(&self, later: &Self) -> Option<String> {
        let mut names: Vec<&str> = self.names.iter().filter(|name| !later.has_name(name)).copied().collect();
        names.sort_unstable();
        let numbers = self.ranges.iter().filter_map(|range| later.first_missing(*range));
        let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
        let all = names.into_iter().map(str::to_owned).chain(numbers);
        let listed = listed(all);
        (!listed.is_empty()).then(|| format!("{listed}: no longer reserved, and may be used again"))
    }

    /// The first number of a range that is not reserved.
    fn first_missing(&self, (from, to): (i32, i32)) -> Option<i32> {
        let mut number = from;
        while number <= to {
            let after = self.ranges.partition_point(|(from, _)| *from <= number);
            let around = after.checked_sub(1).and_then(|index| self.ranges.get(index));
            match around.filter(|(_, last)| number <= *last) {
                Some((_, last)) => number = last.checked_add(1)?,
                None => return Some(number),
            }
        }
        None
    }

    /// The first number from this one on that is not reserved.
    pub(super) fn free_from(&self, number: i32) -> i32 {
        self.first_missing((number, i32::MAX)).unwrap_or(i32::MAX)
    }

    pub(super) fn has_name(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    pub(super) fn has_number(&self, number: i32) -> bool {
        let after = self.ranges.partition_point(|(from, _)| *from <= number);
        after.checked_sub(1).and_then(|index| self.ranges.get(index)).is_some_and(|(_, to)| number <= *to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_in_ranges_that_overlap() {
        let reserved = Reserved::of(&[], vec![(9, 11), (2, 2), (4, 7), (5, 6), (i32::MAX - 1, i32::MAX)]);
        let found: Vec<i32> = (0..13).filter(|number| reserved.has_number(*number)).collect();
        assert_eq!(found, [2, 4, 5, 6, 7, 9, 10, 11]);
        assert!(reserved.has_number(i32::MAX) && !reserved.has_number(i32::MIN));
    }

    #[test]
    fn what_is_no_longer_reserved_is_told() {
        let (names, others) = (["a".to_owned(), "b".to_owned()], ["b".to_owned()]);
        let was = Reserved::of(&names, vec![(2, 9), (20, i32::MAX)]);
        assert_eq!(was.let_go(&was), None);
        let is = Reserved::of(&others, vec![(2, 4), (5, 8), (20, i32::MAX)]);
        assert_eq!(was.let_go(&is).unwrap(), "'a', '9': no longer reserved, and may be used again");
        assert_eq!(is.let_go(&was), None);
    }
}
