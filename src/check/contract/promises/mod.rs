//! A port: what it promises beside the shape of its data, what it expects, and what it obliges to.

mod rules;
mod measure;
mod objectives;

pub(super) use rules::RULES;

use std::collections::BTreeSet;

use serde_json::Value;

use self::objectives::About;
use super::fields::{Spot, is_for_people};
use super::{definition, listed, privacy};
use crate::domain::canonical::canonical;
use crate::domain::compat::{ContractRule, Reason, Side};
use crate::domain::id::EntityKind;

/// Compares two editions of a port, of which one may be missing.
pub(super) fn compare(kind: EntityKind, port: &Spot<'_>) -> Vec<Reason> {
    let side = if kind == EntityKind::InputPort { Side::Written } else { Side::Read };
    let reads_another = |port: Option<&Value>| {
        kind == EntityKind::InputPort && port.is_some_and(|port| port.get("x-upstream").is_some())
    };
    match (port.before, port.after) {
        (None, _) => return vec![port.tell(&rules::PORT_ADDED, side, "the port is new")],
        (_, None) if reads_another(port.before) => {
            return vec![port.tell(&rules::SOURCE_DROPPED, side, "the port is gone; it read another product")];
        }
        (_, None) => return vec![port.tell(&rules::PORT_REMOVED, side, "the port is gone")],
        _ => {}
    }
    let mut telling = Telling { side, reasons: privacy::compare(port, side) };
    for (field, spot) in port.differing() {
        match field {
            "name" | "version" | "fullyQualifiedName" => {}
            // Which product an input port reads is nobody's but its own.
            "x-upstream" if kind == EntityKind::InputPort => {}
            "promises" => telling.promises(&spot),
            "expectations" => telling.expectations(&spot),
            // The draft calls them contracts.
            "obligations" | "contracts" => telling.obligations(&spot),
            _ => telling.other(field, &spot),
        }
    }
    // Nobody sends anything through a port that reads another product.
    if reads_another(port.before) && reads_another(port.after) {
        return Vec::new();
    }
    telling.reasons
}

struct Telling {
    side: Side,
    reasons: Vec<Reason>,
}

impl Telling {
    fn tell(&mut self, spot: &Spot<'_>, rule: &ContractRule, message: impl Into<String>) {
        self.reasons.push(spot.tell(rule, self.side, message));
    }

    fn other(&mut self, field: &str, spot: &Spot<'_>) {
        if !is_for_people(field) && !privacy::is_mark(field) {
            let message = spot.not_known(field);
            self.tell(spot, &rules::PORT_FIELD, message);
        }
    }

    fn promises(&mut self, promises: &Spot<'_>) {
        for (field, spot) in promises.differing() {
            let (rule, what) = match field {
                "platform" => (&rules::PLATFORM_MOVED, "the platform"),
                "servicesType" => (&rules::SERVICE_CHANGED, "the kind of service"),
                "api" => (&rules::PORT_FIELD, "the API"),
                "slo" => (&rules::PORT_FIELD, "the objectives"),
                "deprecationPolicy" => (&rules::PORT_FIELD, "the deprecation policy"),
                _ => {
                    self.other(field, &spot);
                    continue;
                }
            };
            match (spot.before, spot.after) {
                (None, _) => self.tell(&spot, &rules::PROMISE_ADDED, format!("{what} is promised")),
                (_, None) => self.tell(&spot, &rules::PROMISE_REMOVED, format!("{what} is promised no longer")),
                _ => match field {
                    "api" => self.reasons.extend(definition::compare(&spot, self.side)),
                    "slo" => self.objectives(&spot, About::Objectives),
                    "deprecationPolicy" => self.objectives(&spot, About::Deprecation),
                    _ => self.tell(&spot, rule, format!("{what} {}", spot.was_and_is())),
                },
            }
        }
    }

    /// A definition of objectives, periods or prices that is there in both editions.
    fn objectives(&mut self, standard: &Spot<'_>, about: About) {
        for (field, spot) in standard.differing() {
            match field {
                "definition" => objectives::compare(&spot, about, self.side, &mut self.reasons),
                "name" | "version" | "tags" | "fullyQualifiedName" => {}
                _ => self.other(field, &spot),
            }
        }
    }

    fn expectations(&mut self, expectations: &Spot<'_>) {
        for (field, spot) in expectations.differing() {
            match (field, spot.before, spot.after) {
                ("audience", _, None) => self.tell(&spot, &rules::AUDIENCE_GREW, "no audience is named any more"),
                ("audience", None, _) => {
                    self.tell(&spot, &rules::EXPECTATION_CHANGED, "an audience is named where none was");
                }
                ("audience", ..) => self.audience(&spot),
                ("usage", _, None) => {
                    self.tell(&spot, &rules::EXPECTATION_DROPPED, "nothing is expected any more of how it is used");
                }
                ("usage", ..) => self.standard(&spot, &rules::EXPECTATION_CHANGED, "what is expected of its use"),
                _ => self.other(field, &spot),
            }
        }
    }

    fn audience(&mut self, audience: &Spot<'_>) {
        for (field, spot) in audience.differing() {
            match field {
                "definition" => self.listeners(&spot),
                "name" | "version" | "tags" | "fullyQualifiedName" => {}
                _ => self.other(field, &spot),
            }
        }
    }

    /// The lists of who is welcome and who is not, by their names.
    fn listeners(&mut self, definition: &Spot<'_>) {
        const WELCOME: [&str; 9] =
            ["include", "includes", "included", "audience", "roles", "groups", "teams", "domains", "consumers"];
        const NOT_WELCOME: [&str; 3] = ["exclude", "excludes", "excluded"];
        if !(definition.before.is_some_and(Value::is_object) && definition.after.is_some_and(Value::is_object)) {
            return self.tell(definition, &rules::EXPECTATION_CHANGED, "the audience differs");
        }
        for (field, spot) in definition.differing().into_iter().filter(|(field, _)| !is_for_people(field)) {
            let members = |list: Option<&Value>| -> Option<BTreeSet<Vec<u8>>> {
                list.map_or(Some(BTreeSet::new()), |list| Some(list.as_array()?.iter().map(canonical).collect()))
            };
            let (Some(was), Some(is)) = (members(spot.before), members(spot.after)) else {
                self.tell(&spot, &rules::EXPECTATION_CHANGED, "the audience differs");
                continue;
            };
            let words = |set: BTreeSet<&Vec<u8>>| {
                listed(set.into_iter().map(|one| String::from_utf8_lossy(one).trim_matches('"').to_owned()))
            };
            let (gained, lost): (BTreeSet<_>, BTreeSet<_>) =
                (is.difference(&was).collect(), was.difference(&is).collect());
            let (welcome, not_welcome) = (WELCOME.contains(&field), NOT_WELCOME.contains(&field));
            if !(welcome || not_welcome) {
                self.tell(&spot, &rules::EXPECTATION_CHANGED, format!("'{field}' of the audience differs"));
                continue;
            }
            // A list of the welcome that comes is a limit, one that goes is the end of it.
            match (spot.before, spot.after) {
                (None, _) if welcome => {
                    self.tell(&spot, &rules::AUDIENCE_SHRANK, format!("only {} is welcome", words(gained)));
                    continue;
                }
                (_, None) if welcome => {
                    self.tell(&spot, &rules::AUDIENCE_GREW, format!("not only {} is welcome", words(lost)));
                    continue;
                }
                _ => {}
            }
            let (more, fewer) = if welcome { (gained, lost) } else { (lost, gained) };
            if !more.is_empty() {
                self.tell(&spot, &rules::AUDIENCE_GREW, format!("{} is welcome as well", words(more)));
            }
            if !fewer.is_empty() {
                self.tell(&spot, &rules::AUDIENCE_SHRANK, format!("{} is not welcome any more", words(fewer)));
            }
        }
    }

    fn obligations(&mut self, obligations: &Spot<'_>) {
        for (field, spot) in obligations.differing() {
            match (field, spot.before, spot.after) {
                ("sla", None, _) => self.tell(&spot, &rules::PROMISE_ADDED, "a service level is agreed"),
                ("sla", _, None) => self.tell(&spot, &rules::PROMISE_REMOVED, "no service level is agreed any more"),
                ("sla", ..) => self.objectives(&spot, About::Objectives),
                ("billingPolicy", None, _) => self.tell(&spot, &rules::PRICE_RAISED, "it is billed from now on"),
                ("billingPolicy", _, None) => self.tell(&spot, &rules::PRICE_LOWERED, "it is billed no longer"),
                ("billingPolicy", ..) => self.objectives(&spot, About::Billing),
                ("termsAndConditions", None, _) => {
                    self.tell(&spot, &rules::OBLIGATION_CHANGED, "there are terms where there were none");
                }
                ("termsAndConditions", _, None) => {
                    self.tell(&spot, &rules::OBLIGATION_DROPPED, "there are no terms any more");
                }
                ("termsAndConditions", ..) => self.objectives(&spot, About::Terms),
                _ => self.other(field, &spot),
            }
        }
    }

    /// A definition of which only is known that it differs.
    fn standard(&mut self, standard: &Spot<'_>, rule: &ContractRule, what: &str) {
        if standard.before.is_none() {
            return self.tell(standard, rule, format!("{what} is new"));
        }
        for (field, spot) in standard.differing() {
            match field {
                "name" | "version" | "tags" | "fullyQualifiedName" => {}
                field if is_for_people(field) => {}
                _ => self.tell(&spot, rule, format!("{what} differs in '{field}'")),
            }
        }
    }
}
