//! Servers, paths and operations.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{operation, rules, security, servers};
use crate::check::contract::document::{Here, SchemaPairs};
use crate::check::contract::notes::Notes;
use crate::check::yaml::shown;
use crate::domain::compat::{ContractRule, Reason, Side};

const METHODS: [&str; 9] = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];
/// Callbacks inside callbacks.
const DEEPEST: usize = 4;
/// Path items of callbacks that are compared.
const MOST_CALLED: usize = 10_000;

pub(super) struct Comparison<'a> {
    pub was: Here<'a>,
    pub is: Here<'a>,
    pub notes: Notes,
    pub schemas: SchemaPairs,
    pub depth: usize,
    /// Pairs of callbacks that were compared, and who is on the other side.
    called: HashSet<(usize, usize, bool)>,
    /// Path items of callbacks that may still be compared.
    left: usize,
}

/// What holds for all operations of a path item.
pub(super) struct Item<'a> {
    pub here: Here<'a>,
    /// The names of the path's parameters, in their order.
    pub names: Vec<String>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(side: Side, was: Here<'a>, is: Here<'a>) -> Self {
        Self {
            was,
            is,
            notes: Notes::new(side),
            schemas: SchemaPairs::new(&rules::TOO_LARGE),
            depth: 0,
            called: HashSet::new(),
            left: MOST_CALLED,
        }
    }

    pub(super) fn into_reasons(self) -> Vec<Reason> {
        self.notes.into_reasons()
    }

    pub(super) fn tell(&mut self, rule: &ContractRule, at: &Here<'a>, path: &str, message: impl Into<String>) {
        self.notes.tell(rule, &at.pointer, path, message);
    }

    pub(super) fn documents(&mut self) {
        let (was, is) = (self.was.clone(), self.is.clone());
        servers::compare(self, &was, &is);
        self.items(was.get("paths").as_ref(), is.get("paths").as_ref(), Side::Written, "");
        self.items(was.get("webhooks").as_ref(), is.get("webhooks").as_ref(), Side::Read, "webhook ");
        security::schemes(self);
    }

    /// Path items by their templates. `asked` is who is on the other side of a request.
    pub(super) fn items(&mut self, was: Option<&Here<'a>>, is: Option<&Here<'a>>, asked: Side, prefix: &str) {
        let by_template = |of: Option<&Here<'a>>| -> BTreeMap<String, (&'a str, Item<'a>)> {
            let members = of.map(Here::members).unwrap_or_default().into_iter();
            let members = members.filter(|(path, _)| !path.starts_with("x-"));
            let item = |(path, here): (&'a str, Here<'a>)| {
                let (template, names) = template(path);
                (template, (path, Item { here, names }))
            };
            members.map(item).collect()
        };
        let (before, mut after) = (by_template(was), by_template(is));
        let parent = is.cloned().unwrap_or_else(|| self.is.clone());
        for (template, (path, item)) in before {
            let path = format!("{prefix}{path}");
            match after.remove(&template) {
                Some((_, now)) => self.item(&path, &item, &now, asked),
                None => self.tell(&rules::PATH_REMOVED, &parent, &path, format!("path {} is gone", shown(&path))),
            }
        }
        for (path, item) in after.into_values() {
            let path = format!("{prefix}{path}");
            self.tell(&rules::PATH_ADDED, &item.here, &path, format!("path {} is new", shown(&path)));
        }
    }

    fn item(&mut self, path: &str, was: &Item<'a>, is: &Item<'a>, asked: Side) {
        if self.stray(&was.here, &is.here, path) {
            return;
        }
        let own = [was.here.get("servers"), is.here.get("servers")];
        if own.iter().any(Option::is_some) {
            servers::compare(self, &was.here, &is.here);
        }
        for method in METHODS {
            let name = format!("{} {path}", method.to_uppercase());
            match (was.here.get(method), is.here.get(method)) {
                (Some(before), Some(now)) => operation::compare(self, &name, (was, &before), (is, &now), asked),
                (Some(_), None) => {
                    self.tell(&rules::OPERATION_REMOVED, &is.here, &name, "the operation is gone");
                }
                (None, Some(now)) => self.tell(&rules::OPERATION_ADDED, &now, &name, "the operation is new"),
                (None, None) => {}
            }
        }
    }

    /// Whether one of the two is a reference that leads out of the document; told where they differ.
    pub(super) fn stray(&mut self, was: &Here<'a>, is: &Here<'a>, path: &str) -> bool {
        let (before, after) = (was.stray(), is.stray());
        if before != after {
            let text = after.or(before).unwrap_or_default();
            self.tell(&rules::REFERENCE, is, path, format!("the reference {} is not followed", shown(text)));
        }
        before.is_some() || after.is_some()
    }

    /// Callbacks of an operation: there, the API is the one that calls.
    pub(super) fn callbacks(&mut self, was: &Here<'a>, is: &Here<'a>, asked: Side, path: &str) {
        let (before, after) = (was.get("callbacks"), is.get("callbacks"));
        if before.is_none() && after.is_none() {
            return;
        }
        if self.depth == DEEPEST {
            return self.tell(&rules::TOO_LARGE, is, path, "there are callbacks of callbacks of callbacks");
        }
        self.depth += 1;
        let named = |of: &Option<Here<'a>>| -> BTreeMap<&'a str, Here<'a>> {
            of.as_ref().map(Here::members).unwrap_or_default().into_iter().collect()
        };
        let (olds, news) = (named(&before), named(&after));
        let all: BTreeSet<&str> = olds.keys().chain(news.keys()).copied().collect();
        let flipped = if asked == Side::Written { Side::Read } else { Side::Written };
        let address = |of: Option<&Here<'a>>| of.map_or(0, |here| std::ptr::from_ref(here.value).addr());
        let count = |of: Option<&Here<'a>>| of.and_then(|here| here.value.as_object()).map_or(0, serde_json::Map::len);
        for name in all {
            let (old, new) = (olds.get(name), news.get(name));
            // The same two at several places are told at the first.
            if !self.called.insert((address(old), address(new), flipped == Side::Read)) {
                continue;
            }
            match self.left.checked_sub(count(old) + count(new) + 1) {
                Some(left) => self.left = left,
                None if self.left == 0 => break,
                None => {
                    self.left = 0;
                    self.tell(&rules::TOO_LARGE, is, path, "there are too many callbacks to compare them all");
                    break;
                }
            }
            self.items(old, new, flipped, &format!("{path} callback {name} "));
        }
        self.depth -= 1;
    }
}

/// `/orders/{id}` as `/orders/{}`, and the names.
fn template(path: &str) -> (String, Vec<String>) {
    let mut template = String::with_capacity(path.len());
    let mut names = Vec::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        template.push_str(before);
        template.push_str("{}");
        let (name, left) = after.split_once('}').unwrap_or((after, ""));
        names.push(name.to_owned());
        rest = left;
    }
    template.push_str(rest);
    (template, names)
}
