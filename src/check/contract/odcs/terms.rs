//! What is promised around the data: service levels, servers, price, roles, terms.

use serde_json::Value;

use super::{Kind, Told, by_name, named, nameless, rules};
use crate::check::contract::document::Here;
use crate::check::contract::plain;
use crate::check::yaml::shown;

/// Fields of the contract that are compared, or on which nobody relies.
const KNOWN: [&str; 22] = [
    "apiVersion",
    "kind",
    "id",
    "name",
    "version",
    "status",
    "tenant",
    "domain",
    "dataProduct",
    "description",
    "tags",
    "team",
    "support",
    "authoritativeDefinitions",
    "customProperties",
    "contractCreatedTs",
    "schema",
    "servers",
    "slaProperties",
    "price",
    "roles",
    "slaDescription",
];

pub(super) fn compare<'a>(told: &mut Told, was: &Here<'a>, is: &Here<'a>) {
    status(told, was, is);
    service_levels(told, was, is);
    servers(told, was, is);
    price(told, was, is);
    roles(told, was, is);
    for key in ["usage", "limitations"] {
        let description = |of: &Here<'a>| match of.child("description") {
            Some(description) => description,
            None => Here { value: &Value::Null, ..of.clone() },
        };
        let (before, after) = (description(was), description(is));
        if told.is_sound(key, Kind::Text, &before, &after, &format!("description.{key}"))
            && before.text(key) != after.text(key)
        {
            let at = is.child("description").unwrap_or_else(|| is.clone());
            let path = format!("description.{key}");
            told.tell(&rules::TERMS, &at, &path, format!("what is said of {} differs", shown(key)));
        }
    }
    told.others(&KNOWN, was, is, "");
}

fn status(told: &mut Told, was: &Here<'_>, is: &Here<'_>) {
    let (before, after) = (was.text("status"), is.text("status"));
    if told.is_sound("status", Kind::Text, was, is, "status") && before != after {
        let text = |of: Option<&str>| of.map_or("not told".to_owned(), shown);
        let rule = if after == Some("retired") { &rules::RETIRED } else { &rules::STATUS };
        let at = is.child("status").unwrap_or_else(|| is.clone());
        told.tell(rule, &at, "status", format!("the status was {} and is {}", text(before), text(after)));
    }
}

/// What is better.
#[derive(Clone, Copy)]
enum Better {
    More,
    Less,
    Later,
    Earlier,
}

fn better(property: &str) -> Option<Better> {
    let plain: String = property.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    Some(match plain.as_str() {
        "availability" | "throughput" | "retention" | "re" | "av" | "th" | "uptime" => Better::More,
        "latency" | "ly" | "frequency" | "fy" | "errorrate" | "er" | "timetodetect" | "td" | "timetonotify" | "tn"
        | "timetorepair" | "tr" | "freshness" | "responsetime" => Better::Less,
        "endofsupport" | "es" | "endoflife" | "el" => Better::Later,
        "generalavailability" | "ga" => Better::Earlier,
        _ => return None,
    })
}

/// Seconds, where it is a unit of time; else 1 with the unit itself.
fn unit(text: Option<&str>) -> (f64, String) {
    let text = text.unwrap_or_default().trim().to_lowercase();
    let factor = match text.as_str() {
        "s" | "sec" | "second" | "seconds" => 1.0,
        "min" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hour" | "hours" => 3_600.0,
        "d" | "day" | "days" => 86_400.0,
        "w" | "week" | "weeks" => 604_800.0,
        "y" | "yr" | "year" | "years" => 31_557_600.0,
        _ => return (1.0, text),
    };
    (factor, "s".to_owned())
}

fn service_levels(told: &mut Told, was: &Here<'_>, is: &Here<'_>) {
    let key = |level: &Here<'_>| {
        let property = named(level, "property")?;
        Some(named(level, "element").map_or(property.clone(), |element| format!("{property} of {element}")))
    };
    nameless(told, "slaProperties", was, is, "", key);
    let (before, after) = (by_name(was, "slaProperties", key), by_name(is, "slaProperties", key));
    let at = is.child("slaProperties").unwrap_or_else(|| is.clone());
    for (name, old) in &before {
        let path = format!("sla {name}");
        match after.iter().find(|(other, _)| other == name) {
            Some((_, new)) => level(told, &path, old, new),
            None => told.tell(&rules::SLA_REMOVED, &at, &path, format!("{} is no longer promised", shown(name))),
        }
    }
    for (name, new) in after.iter().filter(|(name, _)| before.iter().all(|(old, _)| old != name)) {
        told.tell(&rules::SLA_ADDED, new, &format!("sla {name}"), format!("{} is promised now", shown(name)));
    }
}

fn level(told: &mut Told, path: &str, was: &Here<'_>, is: &Here<'_>) {
    let mut sound = true;
    for key in ["unit", "element"] {
        sound &= told.is_sound(key, Kind::Text, was, is, path);
    }
    let keys = ["value", "valueExt", "unit", "driver"];
    if !sound || keys.iter().all(|key| was.value.get(key) == is.value.get(key)) {
        return;
    }
    let text = |of: &Here<'_>| {
        let value = of.value.get("value").map(plain).unwrap_or_default();
        shown(format!("{value} {}", of.text("unit").unwrap_or_default()).trim())
    };
    let number = |of: &Here<'_>| {
        let (factor, unit) = unit(of.text("unit"));
        let value = of.value.get("value")?;
        let value = value.as_f64().or_else(|| value.as_str()?.trim().trim_end_matches('%').parse().ok())?;
        Some((value * factor, unit))
    };
    // Dates that are written alike compare as their texts do.
    let date = |of: &Here<'_>| {
        let text = of.text("value")?.to_owned();
        (text.len() >= 10 && text.as_bytes().get(4) == Some(&b'-')).then_some(text)
    };
    let is_better = match (better(was.text("property").unwrap_or_default()), number(was), number(is)) {
        (Some(Better::More), Some((before, one)), Some((after, other))) if one == other => Some(after >= before),
        (Some(Better::Less), Some((before, one)), Some((after, other))) if one == other => Some(after <= before),
        (Some(Better::Later), _, _) => date(was).zip(date(is)).map(|(before, after)| after >= before),
        (Some(Better::Earlier), _, _) => date(was).zip(date(is)).map(|(before, after)| after <= before),
        _ => None,
    };
    // An upper end or another reason is not weighed.
    let is_plain = ["valueExt", "driver"].iter().all(|key| was.value.get(key) == is.value.get(key));
    let rule = match is_better.filter(|_| is_plain) {
        Some(true) => &rules::SLA_RAISED,
        Some(false) => &rules::SLA_LOWERED,
        None => &rules::SLA_CHANGED,
    };
    let at = is.child("value").unwrap_or_else(|| is.clone());
    told.tell(rule, &at, path, format!("it was {} and is {}", text(was), text(is)));
}

fn servers(told: &mut Told, was: &Here<'_>, is: &Here<'_>) {
    let key = |server: &Here<'_>| named(server, "server").or_else(|| named(server, "type"));
    nameless(told, "servers", was, is, "", key);
    let (before, after) = (by_name(was, "servers", key), by_name(is, "servers", key));
    let at = is.child("servers").unwrap_or_else(|| is.clone());
    for (name, old) in &before {
        let path = format!("server {name}");
        let Some((_, new)) = after.iter().find(|(other, _)| other == name) else {
            told.tell(&rules::SERVER_REMOVED, &at, &path, format!("server {} is gone", shown(name)));
            continue;
        };
        // On another platform, all the rest is another, too.
        let platform = [old, new].map(|server| server.text("type").unwrap_or("not told"));
        if let [before, after] = platform
            && before != after
        {
            let message = format!("it was on {} and is on {}", shown(before), shown(after));
            told.tell(&rules::SERVER_MOVED, new, &path, message);
            continue;
        }
        let for_people = ["description", "roles", "customProperties", "id", "environment"];
        let keys = old.value.as_object().into_iter().chain(new.value.as_object()).flat_map(serde_json::Map::keys);
        let keys: std::collections::BTreeSet<&String> = keys.collect();
        for key in keys.into_iter().filter(|key| !for_people.contains(&key.as_str())) {
            let (before, after) = (old.value.get(key), new.value.get(key));
            if before != after {
                let text = |of: Option<&Value>| of.map_or("not told".to_owned(), |one| shown(&plain(one)));
                let message = format!("its {} was {} and is {}", shown(key), text(before), text(after));
                told.tell(&rules::SERVER_MOVED, new, &path, message);
            }
        }
    }
    for (name, new) in after.iter().filter(|(name, _)| before.iter().all(|(old, _)| old != name)) {
        told.tell(&rules::SERVER_ADDED, new, &format!("server {name}"), format!("server {} is new", shown(name)));
    }
}

fn price(told: &mut Told, was: &Here<'_>, is: &Here<'_>) {
    let amount = |of: &Here<'_>| {
        let price = of.child("price")?;
        Some((price.value.get("priceAmount")?.as_f64()?, named(&price, "priceCurrency"), named(&price, "priceUnit")))
    };
    if was.value.get("price") == is.value.get("price") {
        return;
    }
    let words = ["priceCurrency", "priceUnit"];
    if let (Some(before), Some(after)) = (was.child("price"), is.child("price"))
        && !words.into_iter().all(|key| told.is_sound(key, Kind::Text, &before, &after, "price"))
    {
        return;
    }
    let at = is.child("price").unwrap_or_else(|| is.clone());
    let text = |amount: f64, currency: &Option<String>| {
        format!("{amount} {}", currency.as_deref().unwrap_or_default()).trim().to_owned()
    };
    let (rule, message) = match (amount(was), amount(is)) {
        (None, Some((after, currency, _))) if after > 0.0 => {
            (&rules::PRICE_RAISED, format!("it costs {} now", text(after, &currency)))
        }
        (Some((before, currency, _)), None) if is.child("price").is_none() => {
            (&rules::PRICE_LOWERED, format!("it no longer costs {}", text(before, &currency)))
        }
        (Some((before, old, unit)), Some((after, new, other))) => {
            let message = format!("it cost {} and costs {}", text(before, &old), text(after, &new));
            if unit != other {
                (&rules::PRICE_CHANGED, format!("{message}, for another unit"))
            } else if old != new || after > before {
                (&rules::PRICE_RAISED, message)
            } else {
                (&rules::PRICE_LOWERED, message)
            }
        }
        _ => (&rules::PRICE_CHANGED, "the price is written otherwise".to_owned()),
    };
    told.tell(rule, &at, "price", message);
}

fn roles(told: &mut Told, was: &Here<'_>, is: &Here<'_>) {
    let key = |role: &Here<'_>| named(role, "role");
    nameless(told, "roles", was, is, "", key);
    let (before, after) = (by_name(was, "roles", key), by_name(is, "roles", key));
    let at = is.child("roles").unwrap_or_else(|| is.clone());
    for (name, old) in &before {
        let path = format!("role {name}");
        match after.iter().find(|(other, _)| other == name) {
            Some((_, new)) => {
                let for_people = ["role", "id", "description", "customProperties", "firstLevelApprovers"];
                let known: Vec<&str> = for_people.into_iter().chain(["secondLevelApprovers"]).collect();
                told.others(&known, old, new, &path);
            }
            None => told.tell(&rules::ROLE_REMOVED, &at, &path, format!("role {} is gone", shown(name))),
        }
    }
}
