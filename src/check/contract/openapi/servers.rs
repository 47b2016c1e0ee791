//! Where an API is served.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::paths::Comparison;
use super::rules;
use crate::check::contract::document::Here;
use crate::check::contract::{listed, plain};
use crate::check::yaml::shown;

/// Servers by their addresses. Without any, it is the one that serves the document.
fn servers<'a>(of: &Here<'a>) -> BTreeMap<String, Option<Here<'a>>> {
    let listed = of.get("servers").map(|servers| servers.items()).unwrap_or_default();
    let by_address = |server: Here<'a>| Some((server.text("url")?.trim_end_matches('/').to_owned(), Some(server)));
    let all: BTreeMap<_, _> = listed.into_iter().filter_map(by_address).collect();
    if all.is_empty() { BTreeMap::from([(String::new(), None)]) } else { all }
}

pub(super) fn compare<'a>(told: &mut Comparison<'a>, was: &Here<'a>, is: &Here<'a>) {
    let (before, after) = (servers(was), servers(is));
    let at = is.get("servers").unwrap_or_else(|| is.clone());
    let name = |url: &str| if url.is_empty() { "the one that serves the document".to_owned() } else { shown(url) };
    for (url, old) in &before {
        match after.get(url) {
            Some(Some(new)) => variables(told, url, old.as_ref(), new),
            Some(None) => {}
            None => told.tell(&rules::SERVER_REMOVED, &at, "servers", format!("server {} is gone", name(url))),
        }
    }
    for url in after.keys().filter(|url| !before.contains_key(*url)) {
        told.tell(&rules::SERVER_ADDED, &at, "servers", format!("server {} is new", name(url)));
    }
}

/// What a variable stands for where nobody chooses, and among what is chosen; `None` for any text at all.
#[derive(Debug, PartialEq, Eq)]
struct Variable<'a> {
    default: Option<&'a Value>,
    values: Option<BTreeSet<String>>,
}

fn variable<'a>(server: Option<&Here<'a>>, name: &str) -> Variable<'a> {
    let found = server.and_then(|server| server.get("variables")?.get(name));
    let default = found.as_ref().and_then(|variable| variable.value.get("default"));
    let values = found.as_ref().and_then(|variable| variable.value.get("enum")?.as_array());
    Variable { default, values: values.map(|values| values.iter().map(plain).collect()) }
}

/// The variables of an address, which is the same in both editions.
fn variables<'a>(told: &mut Comparison<'a>, url: &str, was: Option<&Here<'a>>, is: &Here<'a>) {
    let names: BTreeSet<&str> = url.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect();
    for name in names {
        let (before, after) = (variable(was, name), variable(Some(is), name));
        let path = format!("servers {url} {name}");
        if before.default != after.default {
            let text = |value: Option<&Value>| value.map_or("not told".to_owned(), |value| shown(&plain(value)));
            let message = format!(
                "variable {} was {} by default and is {}",
                shown(name),
                text(before.default),
                text(after.default)
            );
            told.tell(&rules::SERVER_VARIABLE, is, &path, message);
        }
        let gone = match (&before.values, &after.values) {
            (None, Some(left)) => Some(format!("can only be {} now", listed(left))),
            (Some(had), Some(left)) if !had.is_subset(left) => {
                Some(format!("can no longer be {}", listed(had.difference(left))))
            }
            _ => None,
        };
        if let Some(what) = gone {
            told.tell(&rules::SERVER_VARIABLE, is, &path, format!("variable {} {what}", shown(name)));
        } else if before.values != after.values {
            told.tell(&rules::SERVER_VALUE, is, &path, format!("variable {} may have more values", shown(name)));
        }
    }
}
