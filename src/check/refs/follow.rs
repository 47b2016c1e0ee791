//! From the text of a reference to what it stands for, or to why not.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::Value;

use super::files::{Content, NoContent};
use super::item::{Item, Source};
use super::mode::{Instead, Mode};
use super::resolve::Resolver;
use super::rules;
use super::target::{self, NoTarget, Target};
use crate::check::limits::MAX_REFERENCE_DEPTH;
use crate::check::yaml::{self, Document, Located, Shape, Syntax, shown};
use crate::domain::finding::Finding;
use crate::domain::id::RepoPath;
use crate::domain::rule::Rule;
use crate::domain::suggest;

/// What a reference leads to.
pub(super) enum Followed {
    Part { source: Source, node: usize, fragment: String },
    Text(usize, Rc<str>),
}

impl Followed {
    fn shape(&self) -> Shape {
        match self {
            Followed::Part { source, node, .. } => {
                source.document.located.places.get(*node).map_or(Shape::Scalar, |place| place.shape)
            }
            Followed::Text(..) => Shape::Scalar,
        }
    }

    pub(super) fn is_list(&self) -> bool {
        self.shape() == Shape::List
    }
}

/// Why a reference cannot be replaced.
pub(super) enum Unfollowed {
    Cycle(String),
    Say(&'static Rule, String, Cow<'static, str>),
    Said,
}

/// The reference with the step that it lacks: what is not found at a place is there in one of the maps below it.
/// `at` is how many steps of the fragment lead to the place.
fn one_step_too_few(located: &Located, node: usize, fragment: &str, at: usize) -> Option<String> {
    /// More maps beside each other are not looked into, nor more names of each.
    const MOST: usize = 50;
    const MOST_NAMES: usize = 200;
    let missing = yaml::segments(fragment).nth(at)?;
    let is_map = |child: &usize| located.places.get(*child).is_some_and(|place| place.shape == Shape::Map);
    let has_it = |child: &usize| located.children(*child).take(MOST_NAMES).any(|inner| located.key(inner) == missing);
    let between = located.children(node).take(MOST).filter(is_map).find(has_it)?;
    let mut step = String::new();
    yaml::push_segment(&mut step, located.key(between));
    let (before, behind) = fragment.split_at_checked(fragment.match_indices('/').nth(at)?.0)?;
    (step != "/").then(|| format!("#{before}{step}{behind}"))
}

/// Whether a file holds one part, and not several under their names.
fn is_part(document: &Document) -> bool {
    document.value.get("name").is_some_and(Value::is_string)
}

/// What a JSON pointer does not find.
struct Missing {
    /// How far it leads.
    at: usize,
    /// What is missing there, as the end of a sentence.
    told: String,
}

impl Resolver<'_, '_> {
    /// What the text of a reference leads to.
    pub(super) fn followed(&mut self, item: Item<'_>, text: &str, mode: Mode) -> Result<Followed, Unfollowed> {
        match self.read_target(item, text) {
            Ok(target) => self.follow(item, &target, mode),
            Err(NoTarget::NoSlash(right, target)) => {
                // What was meant is plain, so it is followed: no second finding comes of the first. Where it leads
                // nowhere, the '/' is not what it lacks.
                let followed = self.follow(item, &target, mode)?;
                let message =
                    format!("{} has no '/' after its '#'; a JSON pointer would be {}", shown(text), shown(&right));
                if let Some(location) = self.location_of_reference(item) {
                    let rule = &rules::NO_SLASH;
                    let finding = Finding::new(rule.severity, rule.id(), location, self.pointer.as_str(), message);
                    let finding = finding.with_hint("write the '/' after the '#'");
                    self.findings.push_mendable(finding, text, &text.replacen('#', "#/", 1));
                }
                Ok(followed)
            }
            Err(reason) => Err(self.unread(text, reason)),
        }
    }

    fn unread(&self, text: &str, reason: NoTarget) -> Unfollowed {
        let shown_text = shown(text);
        let (rule, message, hint): (_, _, Cow<'static, str>) = match reason {
            NoTarget::Remote => (
                &rules::REMOTE,
                format!("{shown_text} leads to another machine, and only files of the same repository are read"),
                match self.pointer.rsplit('/').next() {
                    Some("externalDocs") => "call it '$href': that is an address, and nobody reads what is there",
                    Some("service") => "an executor is named, as the platform's configuration does: { $href: NAME }",
                    _ => "commit the file and reference it by its path",
                }
                .into(),
            ),
            NoTarget::Outside => (
                &rules::OUTSIDE,
                format!("{shown_text} leads out of the repository"),
                "paths are relative to the file in which they stand".into(),
            ),
            NoTarget::Backslashes(right) => (
                &rules::MALFORMED,
                format!("{shown_text} is not a reference: folders are separated by '/'"),
                format!("write {}", shown(&right)).into(),
            ),
            NoTarget::NoSlash(right, _) => (
                &rules::NO_SLASH,
                format!("{shown_text} has no '/' after its '#'"),
                format!("write {}", shown(&right)).into(),
            ),
            NoTarget::Malformed(why) => (
                &rules::MALFORMED,
                format!("{shown_text} is not a reference: {why}"),
                "write '#/components/…', 'file.yaml' or 'file.yaml#/pointer'".into(),
            ),
        };
        Unfollowed::Say(rule, message, hint)
    }

    fn follow(&mut self, item: Item<'_>, target: &Target, mode: Mode) -> Result<Followed, Unfollowed> {
        let (file, content, fragment) = match target {
            Target::Here(fragment) => (item.source.file, Content::Document(Rc::clone(&item.source.document)), fragment),
            Target::File(path, fragment) => {
                let opened = self.files.open(path, &self.pointer, self.findings);
                let (file, content) = opened.map_err(|reason| match reason {
                    NoContent::Say { rule, message, hint } => {
                        Unfollowed::Say(rule, message, self.hint(rule, hint, item, path))
                    }
                    NoContent::Said => Unfollowed::Said,
                })?;
                (file, content, fragment)
            }
        };
        let document = match content {
            Content::Text(_) if !mode.takes_text() => {
                let message = format!("'{}' is neither a YAML nor a JSON file", self.path(file));
                let hint = "reference a file that ends in .yaml, .yml or .json";
                return Err(Unfollowed::Say(&rules::NOT_A_DOCUMENT, message, hint.into()));
            }
            Content::Text(_) if !fragment.is_empty() => {
                let message = format!("'{}' is neither YAML nor JSON, and has no parts to reference", self.path(file));
                return Err(Unfollowed::Say(&rules::NO_FRAGMENT, message, "reference the whole file".into()));
            }
            Content::Text(text) => return Ok(Followed::Text(file, text)),
            Content::Document(document) => document,
        };
        let node = match self.lookup(file, &document, 0, fragment) {
            Ok(node) => node,
            Err(Missing { told, .. }) => {
                let message = format!("'{}' {told}", self.path(file));
                let hint = match fragment.strip_prefix('/').filter(|name| !name.contains('/')) {
                    Some(name) if self.pointer.ends_with("/service") => {
                        format!("an executor is named by '$href': write {{ $href: {name} }}").into()
                    }
                    Some(_) if file != item.source.file && is_part(&document) => {
                        let text = item.value.get("$ref").and_then(Value::as_str).unwrap_or_default();
                        let behind = text.find('#').and_then(|at| text.get(at..)).unwrap_or_default();
                        format!("the file is the part itself: remove {}", shown(behind)).into()
                    }
                    _ => "look at the spelling; names in '#/…' are case-sensitive".into(),
                };
                return Err(Unfollowed::Say(&rules::NO_FRAGMENT, message, hint));
            }
        };
        let end = document.located.places.get(node).map_or(node, |place| place.end as usize);
        let contains_itself = file == item.source.file && (node..end).contains(&item.node);
        if contains_itself || self.stack.contains(&(file, node)) {
            return Err(Unfollowed::Cycle(self.cycle(file, node)));
        }
        if self.stack.len() > MAX_REFERENCE_DEPTH {
            let message = format!("references lead to references more than {MAX_REFERENCE_DEPTH} times");
            return Err(Unfollowed::Say(&rules::TOO_DEEP, message, "reference the part itself".into()));
        }
        Ok(Followed::Part { source: Source { file, document }, node, fragment: fragment.clone() })
    }

    /// How a reference in the place of a list is written as its items: `instead`, with what there is.
    pub(super) fn as_items(&self, item: Item<'_>, text: &str, followed: &Followed, instead: Instead) -> String {
        /// Longer ones are not repeated.
        const LONGEST: usize = 80;
        let Followed::Part { source, node, .. } = followed else { return instead.to_string() };
        let located = &source.document.located;
        let key = match followed.shape() {
            _ if instead == Instead::Texts || text.len() > LONGEST => return instead.to_string(),
            Shape::List => Some("0"),
            Shape::Map if located.child(*node, "name").is_some() || located.child(*node, "$ref").is_some() => None,
            Shape::Map => located.children(*node).next().map(|child| located.key(child)),
            Shape::Scalar => return instead.to_string(),
        };
        let mut one = text.to_owned();
        if let Some(key) = key.filter(|key| key.len() <= LONGEST) {
            one.push_str(if one.contains('#') { "" } else { "#" });
            yaml::push_segment(&mut one, key);
        }
        let one = shown(&one);
        let is_json = self.files.path(item.source.file).and_then(Syntax::of) == Some(Syntax::Json);
        let items =
            if key.is_none() { "a list of one" } else { "the list, with a reference in the place of each item" };
        match is_json {
            true => format!("write {items}: [{{ \"$ref\": \"{}\" }}]", one.trim_matches('\'')),
            false => format!("write {items}: - $ref: {one}"),
        }
    }

    /// What to do about a file without content: a missing one may be there under another name.
    fn hint(&mut self, rule: &Rule, hint: &'static str, item: Item<'_>, missing: &RepoPath) -> Cow<'static, str> {
        if rule.id != rules::NOT_FOUND.id || !self.findings.wants(rule.severity) {
            return hint.into();
        }
        let text = item.value.get("$ref").and_then(Value::as_str).unwrap_or_default();
        let is_name = !text.is_empty() && !text.contains(['/', '.', '#']);
        if is_name && self.pointer.ends_with("/service") {
            return format!("an executor is named by '$href': write {{ $href: {text} }}").into();
        }
        if self.pointer.ends_with("/externalDocs") {
            return format!("{hint}; an address is given by '$href', and not read").into();
        }
        let document = &item.source.document.value;
        let mut libraries = document.get("components").and_then(Value::as_object).into_iter().flatten();
        let library = libraries.find(|(_, parts)| is_name && parts.get(text).is_some());
        let meant = library.map_or_else(|| format!("/{text}"), |(library, _)| format!("/components/{library}/{text}"));
        if document.pointer(&meant).is_some() {
            return format!("did you mean {}? Without the '#/' it is the path of a file", shown(&format!("#{meant}")))
                .into();
        }
        let base = self.files.path(item.source.file).zip(self.files.path(0));
        match base.and_then(|(base, root)| self.names.meant(self.files.tree(), missing, base, root)) {
            Some(meant) => format!("did you mean {}? {hint}", shown(&meant)).into(),
            None => hint.into(),
        }
    }

    /// Says of a reference of another language to its own document that there is no such part.
    pub(super) fn look_inside(&mut self, item: Item<'_>, text: &str) {
        // In examples, values stand for themselves.
        const FREE: [&str; 6] = ["example", "examples", "default", "const", "enum", "value"];
        let Ok(Target::Here(fragment)) = self.read_target(item, text) else { return };
        let free = |step: Cow<'_, str>| FREE.contains(&step.as_ref()) || step.starts_with("x-");
        let is_wanted = self.findings.wants(rules::LEADS_NOWHERE.severity);
        if !is_wanted || fragment.is_empty() || yaml::segments(&self.pointer).any(free) {
            return;
        }
        let file = item.source.file;
        let document = Rc::clone(&item.source.document);
        let mut roots: Vec<usize> = self.roots.iter().filter(|root| root.0 == file).map(|root| root.1).collect();
        roots.push(0);
        let mut told = None;
        for root in roots {
            match self.lookup(file, &document, root, &fragment) {
                Ok(_) => return,
                // Many look further behind a reference, though a pointer ends there.
                Err(missing) if document.located.child(missing.at, "$ref").is_some() => return,
                Err(missing) => told = told.or(Some(missing.told)),
            }
        }
        if let Some(told) = told {
            let location = self.location_of_reference(item);
            let hint = "look at the spelling; names in '#/…' are case-sensitive";
            self.say(&rules::LEADS_NOWHERE, location, format!("the definition {told}"), hint);
        }
    }

    /// The place to which a JSON pointer leads from another, or what is missing on the way.
    fn lookup(&mut self, file: usize, document: &Document, from: usize, fragment: &str) -> Result<usize, Missing> {
        let located = &document.located;
        let mut node = from;
        for (step, segment) in yaml::segments(fragment).enumerate() {
            match self.child(file, located, node, &segment) {
                Some(child) => node = child,
                None => {
                    let names = located.children(node).map(|child| located.key(child));
                    let near = suggest::nearest(&segment, names);
                    let near = near.map(str::to_owned).or_else(|| one_step_too_few(located, node, fragment, step));
                    let near = near.map(|name| format!("; did you mean {}?", shown(&name))).unwrap_or_default();
                    let told = format!("has no {} at {}{near}", shown(&segment), shown(&format!("#{fragment}")));
                    return Err(Missing { at: node, told });
                }
            }
        }
        Ok(node)
    }

    /// A child by its key or index. Large maps and lists get an index the first time, because a
    /// descriptor may have ten thousand references into ten thousand parts.
    fn child(&mut self, file: usize, located: &Located, node: usize, segment: &str) -> Option<usize> {
        const LARGE: usize = 64;
        let place = located.places.get(node)?;
        if place.shape != Shape::Map || (place.end as usize).saturating_sub(node) <= LARGE {
            return located.child(node, segment);
        }
        let index = self
            .indexes
            .entry((file, node))
            .or_insert_with(|| located.children(node).map(|child| (located.key(child).to_owned(), child)).collect());
        index.get(segment).copied()
    }

    /// The way around, as file names and pointers.
    fn cycle(&self, file: usize, node: usize) -> String {
        let from = self.stack.iter().position(|entered| *entered == (file, node)).unwrap_or(self.stack.len());
        let mut way: Vec<&str> = Vec::new();
        for (file, _) in self.stack.iter().skip(from).chain([&(file, node)]) {
            way.push(self.path(*file));
        }
        format!("the reference leads back to where it stands: {}", way.join(" -> "))
    }

    pub(super) fn read_target(&self, item: Item<'_>, text: &str) -> Result<Target, NoTarget> {
        match self.files.path(item.source.file) {
            Some(base) => target::read(text, base),
            // A file that is being walked was opened, so its path is always known.
            None => Err(NoTarget::Outside),
        }
    }
}
