//! Objectives, periods and prices inside definitions whose language nobody fixed: a value is known by the
//! words on the way to it.

use std::cmp::Ordering;

use serde_json::Value;

use super::measure::Measure;
use super::rules;
use crate::check::contract::fields::{Spot, is_for_people};
use crate::domain::compat::{ContractRule, Reason, Side};

/// Deeper than this, values are compared whole.
const DEEPEST: usize = 32;

/// What a definition is about, where its words do not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// `promises.slo`, `obligations.sla`.
    Objectives,
    /// `promises.deprecationPolicy`.
    Deprecation,
    /// `obligations.termsAndConditions`.
    Terms,
    /// `obligations.billingPolicy`.
    Billing,
}

/// What more of a value is to those who use the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// More is better.
    Gain,
    /// Less is better.
    Loss,
    /// A length of time that is theirs: longer is better.
    Period,
    /// What they pay.
    Price,
    /// How often something happens: as a length of time, less is better; as a number, nobody knows of what.
    Frequency,
}

/// Parts of words, in lower case, without anything but letters.
const WORDS: [(&str, Kind); 36] = [
    ("errorrate", Kind::Loss),
    ("downtime", Kind::Loss),
    ("retention", Kind::Period),
    ("notice", Kind::Period),
    ("deprecation", Kind::Period),
    ("grace", Kind::Period),
    ("sunset", Kind::Period),
    ("availability", Kind::Gain),
    ("uptime", Kind::Gain),
    ("completeness", Kind::Gain),
    ("accuracy", Kind::Gain),
    ("validity", Kind::Gain),
    ("uniqueness", Kind::Gain),
    ("quality", Kind::Gain),
    ("throughput", Kind::Gain),
    ("durability", Kind::Gain),
    ("guarantee", Kind::Gain),
    ("support", Kind::Gain),
    ("freshness", Kind::Loss),
    ("latency", Kind::Loss),
    ("delay", Kind::Loss),
    ("timeliness", Kind::Loss),
    ("responsetime", Kind::Loss),
    ("maxage", Kind::Loss),
    ("staleness", Kind::Loss),
    ("interval", Kind::Loss),
    ("frequency", Kind::Frequency),
    ("recovery", Kind::Loss),
    ("rpo", Kind::Loss),
    ("rto", Kind::Loss),
    ("discount", Kind::Gain),
    ("rebate", Kind::Gain),
    ("price", Kind::Price),
    ("cost", Kind::Price),
    ("fee", Kind::Price),
    ("charge", Kind::Price),
];

/// Those that are parts of quite other words as well (`startOffset`, `feed`): they have to be words of their own.
const SHORT: [&str; 7] = ["rpo", "rto", "fee", "cost", "charge", "grace", "delay"];

/// Names that say nothing of what the value is: that stands around it.
const NEUTRAL: [&str; 20] = [
    "value",
    "values",
    "min",
    "minimum",
    "max",
    "maximum",
    "amount",
    "target",
    "threshold",
    "limit",
    "level",
    "objective",
    "objectives",
    "goal",
    "percent",
    "percentage",
    "number",
    "quantity",
    "slo",
    "sla",
];

/// Words that are a period, or a price, in definitions about that.
const PERIODS: [&str; 4] = ["period", "duration", "time", "window"];
const PRICES: [&str; 3] = ["amount", "rate", "perunit"];

/// Compares two editions of a definition.
pub(super) fn compare(definition: &Spot<'_>, about: About, side: Side, reasons: &mut Vec<Reason>) {
    values(definition, &[], about, side, reasons, 0);
}

fn values<'a>(spot: &Spot<'a>, names: &[&'a str], about: About, side: Side, reasons: &mut Vec<Reason>, depth: usize) {
    let both = |test: fn(&Value) -> bool| spot.before.is_some_and(test) && spot.after.is_some_and(test);
    if depth < DEEPEST && both(Value::is_object) {
        for (field, inner) in
            spot.differing().into_iter().filter(|(field, _)| !is_for_people(field) && *field != "version")
        {
            values(&inner, &[names, &[field]].concat(), about, side, reasons, depth + 1);
        }
        return;
    }
    if depth < DEEPEST
        && both(Value::is_array)
        && let Some(items) =
            spot.items(|item| ["name", "metric", "property", "id"].iter().find_map(|field| item.get(field)?.as_str()))
    {
        for (name, inner) in items.into_iter().filter(|(_, inner)| !inner.is_same()) {
            values(&inner, &[names, &[name]].concat(), about, side, reasons, depth + 1);
        }
        return;
    }
    let outer = names.split_last().map_or([].as_slice(), |(_, outer)| outer);
    let is_part = outer.iter().any(|name| kinds(name).contains(&Kind::Price));
    value(spot, (kind(names, about), is_part), about, side, reasons);
}

/// A name in lower case, letters only.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphabetic()).collect::<String>().to_lowercase()
}

/// The words of a name, in lower case: `costPerGB` has `cost`, `per`, `gb`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphabetic() || (was_lower && c.is_uppercase()) {
            words.push(String::new());
        }
        was_lower = c.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| c.is_alphabetic()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The kinds of which a name has words.
fn kinds(name: &str) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    let (name, words) = (plain(name), words(name));
    let says = |word: &str| match SHORT.contains(&word) {
        true => words.iter().any(|own| own.strip_suffix('s').unwrap_or(own) == word),
        false => name.contains(word),
    };
    for (_, kind) in WORDS.iter().filter(|(word, _)| says(word)) {
        if !kinds.contains(kind) {
            kinds.push(*kind);
        }
    }
    kinds
}

/// What kind of value stands at the end of a way. Where its own name says nothing (`value`, `max`), the next
/// one does; where a name says two things, or something that is not known, nothing is known.
fn kind(names: &[&str], about: About) -> Option<Kind> {
    for name in names.iter().rev() {
        match kinds(name).as_slice() {
            [kind] => return Some(*kind),
            [] => {}
            _ => return None,
        }
        let name = plain(name);
        match about {
            About::Deprecation if PERIODS.iter().any(|word| name.contains(word)) => return Some(Kind::Period),
            About::Billing if PRICES.iter().any(|word| name.contains(word)) => return Some(Kind::Price),
            _ if NEUTRAL.contains(&name.as_str()) => {}
            _ => return None,
        }
    }
    None
}

/// `is_part` is whether the value is a part of a price.
fn value(spot: &Spot<'_>, (kind, is_part): (Option<Kind>, bool), about: About, side: Side, reasons: &mut Vec<Reason>) {
    let mut tell = |rule: &ContractRule| reasons.push(spot.tell(rule, side, format!("it {}", spot.was_and_is())));
    let unclear = match about {
        About::Objectives | About::Deprecation => &rules::OBJECTIVE_CHANGED,
        About::Terms | About::Billing => &rules::OBLIGATION_CHANGED,
    };
    let (before, after) = match (spot.before, spot.after) {
        (Some(before), Some(after)) => (before, after),
        (None, Some(_)) => {
            return tell(match (kind, about) {
                (Some(Kind::Price), _) => &rules::PRICE_RAISED,
                (_, About::Objectives | About::Deprecation) => &rules::PROMISE_ADDED,
                _ => unclear,
            });
        }
        (_, None) => {
            return tell(match (kind, about) {
                // A price without one of its parts may be higher or lower.
                (Some(Kind::Price), _) if is_part => unclear,
                (Some(Kind::Price), _) => &rules::PRICE_LOWERED,
                (_, About::Objectives | About::Deprecation) => &rules::PROMISE_REMOVED,
                _ => unclear,
            });
        }
    };
    let measures = measured(after, kind).zip(measured(before, kind)).or_else(|| amounts(after, before, kind));
    // 99.9 may be a share in percent, and 0.999 the same share.
    let mixed =
        |(after, before): &(Measure, Measure)| kind == Some(Kind::Gain) && after.is_share() != before.is_share();
    let odd = |(after, _): &(Measure, Measure)| kind == Some(Kind::Frequency) && !matches!(after, Measure::Time { .. });
    let order = measures.filter(|both| !mixed(both) && !odd(both)).and_then(|(after, before)| after.compare(before));
    let rule =
        match (order, kind) {
            // The same, written otherwise.
            (Some(Ordering::Equal), _) => return,
            (Some(Ordering::Greater), Some(Kind::Gain))
            | (Some(Ordering::Less), Some(Kind::Loss | Kind::Frequency)) => &rules::OBJECTIVE_RAISED,
            (Some(Ordering::Less), Some(Kind::Gain))
            | (Some(Ordering::Greater), Some(Kind::Loss | Kind::Frequency)) => &rules::OBJECTIVE_LOWERED,
            (Some(Ordering::Greater), Some(Kind::Period)) => &rules::PERIOD_EXTENDED,
            (Some(Ordering::Less), Some(Kind::Period)) => &rules::PERIOD_SHORTENED,
            (Some(Ordering::Greater), Some(Kind::Price)) => &rules::PRICE_RAISED,
            (Some(Ordering::Less), Some(Kind::Price)) => &rules::PRICE_LOWERED,
            (None, _) | (_, None) => unclear,
        };
    tell(rule);
}

/// A value that is compared, also where it is written as the bound that it is: `>= 99%`, `within 5 minutes`.
fn measured(value: &Value, kind: Option<Kind>) -> Option<Measure> {
    const AT_LEAST: [&str; 4] = [">=", "≥", ">", "at least "];
    const AT_MOST: [&str; 6] = ["<=", "≤", "<", "at most ", "up to ", "within "];
    Measure::of(value).or_else(|| {
        let text = value.as_str()?.trim();
        let bounds = match kind? {
            Kind::Gain | Kind::Period => AT_LEAST.as_slice(),
            Kind::Loss | Kind::Frequency => AT_MOST.as_slice(),
            Kind::Price => return None,
        };
        let bare = bounds.iter().find_map(|bound| text.strip_prefix(bound))?;
        Measure::of(&Value::from(bare.trim()))
    })
}

/// Two amounts of money of one currency, and for the same.
fn amounts(after: &Value, before: &Value, kind: Option<Kind>) -> Option<(Measure, Measure)> {
    let money = |value: &Value| value.as_str().filter(|_| kind == Some(Kind::Price)).and_then(Measure::money);
    let ((after, for_now), (before, for_then)) = (money(after)?, money(before)?);
    let is_free = [(after, &for_now), (before, &for_then)]
        .into_iter()
        .any(|(amount, beside)| beside.is_empty() && amount == Measure::Number(0.0));
    (is_free || for_now == for_then).then_some((after, before))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(before: &Value, after: &Value, about: About) -> Vec<String> {
        let spot = Spot { before: Some(before), after: Some(after), pointer: String::new(), path: String::new() };
        let mut reasons = Vec::new();
        compare(&spot, about, Side::Read, &mut reasons);
        reasons.into_iter().map(|reason| reason.rule).collect()
    }

    #[test]
    fn a_name_that_says_two_things_is_unknown() {
        for (name, before, after, expected) in [
            ("supportResponseTime", "4h", "24h", "promises/objective-changed"),
            ("guaranteedLatency", "5m", "1h", "promises/objective-changed"),
            ("latency", "5m", "1h", "promises/objective-lowered"),
            ("guaranteedUptime", "99%", "99.9%", "promises/objective-raised"),
            ("accuracy", ">= 99%", ">= 95%", "promises/objective-lowered"),
            ("accuracy", "<= 99%", "<= 95%", "promises/objective-changed"),
            ("maxAge", "within 1 hour", "within 2 hours", "promises/objective-lowered"),
            ("timeliness", "T+1", "T+3", "promises/objective-lowered"),
            ("updateFrequency", "hourly", "daily", "promises/objective-lowered"),
            ("updateFrequency", "24", "1", "promises/objective-changed"),
            ("retention", "forever", "30d", "promises/period-shortened"),
            ("startOffset", "10", "5", "promises/objective-changed"),
            ("feedSize", "10", "5", "promises/objective-changed"),
            ("monthlyFee", "10", "12", "promises/price-raised"),
            ("price", "free", "10 EUR", "promises/price-raised"),
            ("price", "10 EUR", "12 EUR", "promises/price-raised"),
            ("price", "12 EUR", "10 CHF", "promises/objective-changed"),
            ("price", "12", "10 EUR", "promises/objective-changed"),
            ("price", "10 EUR / month", "9 EUR / day", "promises/objective-changed"),
        ] {
            assert_eq!(told(&json!({name: before}), &json!({name: after}), About::Objectives), [expected], "{name}");
        }
        let of = |value: u32| json!({"availability": {"target": value}});
        assert_eq!(told(&of(90), &of(99), About::Objectives), ["promises/objective-raised"]);
        let of = |value: u32| json!({"availability": {"measurements": value}});
        assert_eq!(told(&of(90), &of(99), About::Objectives), ["promises/objective-changed"]);
    }

    #[test]
    fn parts_of_a_price_are_no_prices() {
        let of = |part: &str, value: Value| json!({"price": {"amount": 3, part: value}});
        for (before, after) in [
            (of("period", json!("P1Y")), of("period", json!("P1M"))),
            (of("includedUnits", json!(100)), of("includedUnits", json!(10))),
            (of("discount", json!(10)), json!({"price": {"amount": 3}})),
            (json!({"price": {"amount": 3, "max": 5}}), json!({"price": {"max": 5}})),
        ] {
            assert_eq!(told(&before, &after, About::Billing), ["promises/obligation-changed"], "{before}");
        }
        assert_eq!(told(&of("max", json!(5)), &of("max", json!(4)), About::Billing), ["promises/price-lowered"]);
    }
}
