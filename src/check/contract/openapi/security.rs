//! Who is let in.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::Comparison;
use super::rules;
use crate::check::contract::document::Here;
use crate::check::yaml::shown;

/// One way to be let in: schemes, each with its scopes, that are all asked for. None at all lets everybody in.
type Way = BTreeMap<String, BTreeSet<String>>;

fn ways(document: &Here<'_>, operation: &Here<'_>) -> Vec<Way> {
    let list = operation.get("security").or_else(|| document.get("security"));
    let ways: Vec<Way> = list.map(|list| list.items()).unwrap_or_default().iter().map(way).collect();
    if ways.is_empty() { vec![Way::new()] } else { ways }
}

fn way(requirement: &Here<'_>) -> Way {
    let scopes =
        |here: &Here<'_>| here.items().iter().filter_map(|scope| scope.value.as_str().map(str::to_owned)).collect();
    requirement.members().iter().map(|(scheme, here)| ((*scheme).to_owned(), scopes(here))).collect()
}

/// Whether who can go the one way can go the other.
fn opens(was: &Way, is: &Way) -> bool {
    is.iter().all(|(scheme, scopes)| was.get(scheme).is_some_and(|had| scopes.is_subset(had)))
}

fn text(way: &Way) -> String {
    let scheme = |(name, scopes): (&String, &BTreeSet<String>)| {
        if scopes.is_empty() {
            shown(name)
        } else {
            format!(
                "{} with {}",
                shown(name),
                scopes.iter().map(|scope| shown(scope)).collect::<Vec<_>>().join(" and ")
            )
        }
    };
    let all: Vec<String> = way.iter().map(scheme).collect();
    if all.is_empty() { "no proof at all".to_owned() } else { all.join(" and ") }
}

pub(super) fn requirements<'a>(told: &mut Comparison<'a>, path: &str, was: &Here<'a>, is: &Here<'a>) {
    let (before, after) = (ways(&told.was, was), ways(&told.is, is));
    let at = is.get("security").or_else(|| told.is.get("security")).unwrap_or_else(|| is.clone());
    for way in before.iter().filter(|way| !after.iter().any(|now| opens(way, now))) {
        let now = after.iter().map(text).collect::<Vec<_>>().join(", or ");
        let message = format!("{} was enough, and is not: {now} is asked for", text(way));
        told.tell(&rules::SECURITY_TIGHTENED, &at, path, message);
    }
    for way in after.iter().filter(|way| !before.iter().any(|then| opens(way, then))) {
        told.tell(&rules::SECURITY_LOOSENED, &at, path, format!("{} is enough now", text(way)));
    }
}

fn known<'a>(document: &Here<'a>) -> Option<Here<'a>> {
    document.get("components")?.get("securitySchemes")
}

/// The schemes that both documents know.
pub(super) fn schemes<'a>(told: &mut Comparison<'a>) {
    let (Some(before), Some(after)) = (known(&told.was), known(&told.is)) else { return };
    for (name, was) in before.members() {
        let Some(is) = after.get(name) else { continue };
        let path = format!("security scheme {name}");
        let differing =
            |keys: &[&'static str]| keys.iter().copied().find(|key| was.value.get(key) != is.value.get(key));
        if let Some(key) = differing(&["type", "in", "name", "scheme"]) {
            told.tell(&rules::SCHEME_CHANGED, &is, &path, format!("its '{key}' is another"));
        } else if let Some(key) = differing(&["flows", "openIdConnectUrl", "bearerFormat", "oauth2MetadataUrl"]) {
            told.tell(&rules::SCHEME_DETAILS, &is, &path, format!("its '{key}' is another"));
        }
    }
}
