//! The whole way of one descriptor: read, locate, resolve, check.

use std::collections::HashSet;
use std::sync::Arc;

use rayon::prelude::*;
use semver::Version;
use serde_json::Value;

use super::fix::Fix;
use super::leniency;
use super::limits::MAX_FINDINGS;
use super::refs::{self, Names, Resolution};
use super::report::Report;
use super::rules::{self, Subject};
use super::schema;
use super::yaml::Located;
use crate::domain::descriptor::{Compatibility, Descriptor};
use crate::domain::finding::{Finding, Location, Stretch, arrange};
use crate::domain::id::{Fqn, Namespace, RepoPath};
use crate::port::tree::Tree;

/// What checking depends on beside the files.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The mesh's namespace. Without one, it is taken from `info.fullyQualifiedName`, else `local`.
    pub namespace: Option<Namespace>,
    /// Which forms of older descriptors are let in.
    pub compatibility: Compatibility,
}

/// What became of one descriptor.
#[derive(Debug, Clone)]
pub struct Assessment {
    /// The root file.
    pub path: RepoPath,
    /// All files that were read for it (or looked for in vain), the root file first.
    pub files: Vec<RepoPath>,
    /// The product, where its name and version could be told, even when something else is wrong.
    pub product: Option<Fqn>,
    /// The descriptor, when no finding is an error.
    pub descriptor: Option<Arc<Descriptor>>,
    /// What was found, arranged.
    pub findings: Vec<Finding>,
    /// How some of it can be mended.
    pub fixes: Vec<Fix>,
    places: Places,
}

/// Where the values of the content stand.
#[derive(Clone)]
enum Places {
    Known(Arc<Located>),
    /// They were let go, and can be read again: the files of a commit do not change.
    InTree(Arc<dyn Tree>),
}

impl std::fmt::Debug for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Places::Known(_) => "Known",
            Places::InTree(_) => "InTree",
        })
    }
}

impl Assessment {
    /// Where a JSON pointer into the resolved content stands in the files; the nearest parent that
    /// is there, for one that is not.
    pub fn locate(&self, pointer: &str) -> Location {
        self.locator().locate(pointer)
    }

    /// The same for many pointers.
    pub fn locator(&self) -> Locator<'_> {
        let located = match &self.places {
            Places::Known(located) => Arc::clone(located),
            Places::InTree(tree) => Arc::new(refs::resolve(tree.as_ref(), &Names::none(), &self.path).located),
        };
        Locator { root: &self.path, located }
    }

    /// Keeps as little memory as possible: the content is packed, and where its values stand is read
    /// again from the commit, when it is asked for.
    fn shrink(&mut self, tree: &Arc<dyn Tree>) {
        if let Some(descriptor) = &mut self.descriptor {
            Arc::make_mut(descriptor).pack();
        }
        self.places = Places::InTree(Arc::clone(tree));
    }
}

/// Tells where pointers into one descriptor's content stand.
#[derive(Debug)]
pub struct Locator<'a> {
    root: &'a RepoPath,
    located: Arc<Located>,
}

impl Locator<'_> {
    /// As [`Assessment::locate`].
    pub fn locate(&self, pointer: &str) -> Location {
        self.locate_within(pointer, None)
    }

    /// The same of a stretch of the text to which the pointer leads.
    pub fn locate_within(&self, pointer: &str, within: Option<Stretch>) -> Location {
        let location = self.located.location_within(pointer, within);
        location.unwrap_or_else(|| Location::top_of(self.root.clone()))
    }
}

/// Reads and checks one descriptor. It never fails: what is wrong is a finding.
pub fn assess(tree: &dyn Tree, path: &RepoPath, settings: &Settings) -> Assessment {
    assess_among(tree, &Names::default(), path, settings)
}

/// The same for one of many. `names` are of the same tree, and the same for all of them.
pub fn assess_among(tree: &dyn Tree, names: &Names, path: &RepoPath, settings: &Settings) -> Assessment {
    let Resolution { content, located, entries, files, mut findings } = refs::resolve(tree, names, path);
    let mut product = None;
    let mut descriptor = None;
    if let Some(content) = content
        && let Some((namespace, is_namespace_guessed)) = namespace(&content, settings)
    {
        product = tell_product(&content, &namespace);
        let subject = Subject {
            content: &content,
            located: &located,
            entries: &entries,
            root: path,
            namespace: &namespace,
            is_namespace_guessed,
            product: product.as_ref(),
        };
        check(&subject, &mut findings);
        findings.ease(|rule| leniency::of_rule(rule, &settings.compatibility));
        if !findings.has_errors() {
            descriptor = read(&namespace, content, &located, path, &mut findings);
        }
    }
    let (findings, fixes) = tidy(findings, path);
    let places = Places::Known(Arc::new(located));
    Assessment { path: path.clone(), files, product, descriptor, findings, fixes, places }
}

/// Reads and checks many, on all cores, in the order of `paths`.
pub fn assess_all(tree: &dyn Tree, paths: &[RepoPath], settings: &Settings) -> Vec<Assessment> {
    let names = Names::default();
    paths.par_iter().map(|path| assess_among(tree, &names, path, settings)).collect()
}

/// The same for the tree of a commit, so that what comes back takes little memory, however many
/// descriptors the commit has.
pub fn assess_commit(tree: &Arc<dyn Tree>, paths: &[RepoPath], settings: &Settings) -> Vec<Assessment> {
    let names = Names::default();
    let of_path = |path| {
        let mut assessment = assess_among(tree.as_ref(), &names, path, settings);
        assessment.shrink(tree);
        assessment
    };
    paths.par_iter().map(of_path).collect()
}

fn check(subject: &Subject<'_>, findings: &mut Report) {
    // With a limit reached, the content was cut, and what is missing is no mistake.
    if subject.located.places.first().is_some_and(|root| root.broken) {
        return;
    }
    schema::check(subject, findings);
    rules::check(subject, findings);
}

/// The namespace of the mesh: from the settings, else from the first name that the descriptor gives
/// itself or one of its parts, in either of the forms that are in use; else `local`, which is a guess.
fn namespace(content: &Value, settings: &Settings) -> Option<(Namespace, bool)> {
    if let Some(namespace) = &settings.namespace {
        return Some((namespace.clone(), false));
    }
    let sections = ["interfaceComponents", "internalComponents"].into_iter().filter_map(|name| content.get(name));
    let lists = sections.filter_map(Value::as_object).flat_map(|section| section.values());
    let parts = lists.filter_map(Value::as_array).flatten();
    let named = content.get("info").into_iter().chain(parts);
    let mut names = named.filter_map(|part| part.get("fullyQualifiedName")?.as_str());
    let told = names.find_map(namespace_of).or_else(|| of_dependencies(content));
    told.map(|namespace| (namespace, false)).or_else(|| Some(("local".parse().ok()?, true)))
}

/// The namespace in which components name other parts of their own product.
fn of_dependencies(content: &Value) -> Option<Namespace> {
    let local = tell_product(content, &"local".parse().ok()?)?;
    let lists = content.get("internalComponents")?.as_object()?.values().filter_map(Value::as_array);
    let fields = lists.flatten().filter_map(Value::as_object).flatten();
    let fields = fields.filter(|(field, _)| matches!(field.as_str(), "dependsOn" | "consumesFrom" | "providesTo"));
    let mut named = fields.filter_map(|(_, names)| names.as_array()).flatten().filter_map(Value::as_str);
    named.find_map(|name| {
        let namespace = namespace_of(name)?;
        let owner = name.parse::<Fqn>().ok()?.owner()?;
        (owner.product_name() == local.product_name() && owner.major() == local.major()).then_some(namespace)
    })
}

fn namespace_of(name: &str) -> Option<Namespace> {
    let parts: Vec<&str> = name.split(':').collect();
    match parts.as_slice() {
        ["urn", "dpds", namespace, "dataproducts", ..] | ["urn", namespace, "dataproducts", ..] => {
            namespace.parse().ok()
        }
        _ => None,
    }
}

fn tell_product(content: &Value, namespace: &Namespace) -> Option<Fqn> {
    let name = content.pointer("/info/name")?.as_str().filter(|name| schema::formats::is_name(name))?;
    let version = Version::parse(content.pointer("/info/version")?.as_str()?).ok()?;
    Some(Fqn::product(namespace, name, version.major))
}

fn read(
    namespace: &Namespace,
    content: Value,
    located: &Located,
    path: &RepoPath,
    findings: &mut Report,
) -> Option<Arc<Descriptor>> {
    match Descriptor::from_resolved_owned(namespace, content) {
        Ok(descriptor) => Some(Arc::new(descriptor)),
        Err(error) => {
            // The rules have said all that can be missing; should one have been forgotten, the
            // descriptor is refused and not lost.
            let location = located.location(&error.pointer).unwrap_or_else(|| Location::top_of(path.clone()));
            let rule = &schema::rules::OTHER;
            let message = error.to_string();
            findings.push(Finding::error(rule.id(), location, error.pointer, message).with_hint(rule.hint()));
            None
        }
    }
}

/// What others would make of a scalar is not said where the scalar is wrong in any case.
fn leave_out_doubts(findings: &mut Vec<Finding>) {
    let is_doubt = |finding: &Finding| super::yaml::rules::DOUBTS.iter().any(|rule| rule.id == finding.rule.as_str());
    if !findings.iter().any(is_doubt) {
        return;
    }
    let wrong: HashSet<Location> =
        findings.iter().filter(|finding| !is_doubt(finding)).map(|finding| finding.location.clone()).collect();
    findings.retain(|finding| !(is_doubt(finding) && wrong.contains(&finding.location)));
}

/// Puts findings in order, says what is said about one place once (a part of `components` is
/// looked at where it stands and where it is referenced), and keeps no more than anybody reads.
fn tidy(report: Report, path: &RepoPath) -> (Vec<Finding>, Vec<Fix>) {
    let (mut findings, dropped, mut fixes) = report.into_parts();
    let in_library = |finding: &Finding| finding.pointer.starts_with("/components/");
    findings.sort_by_key(in_library);
    let mut said = HashSet::new();
    findings.retain(|finding| said.insert((finding.rule.clone(), finding.location.clone(), finding.message.clone())));
    leave_out_doubts(&mut findings);
    if dropped || findings.len() > MAX_FINDINGS {
        findings.sort_by_key(|finding| !finding.is_error());
        findings.truncate(MAX_FINDINGS);
        let rule = &rules::rules::TOO_MANY_FINDINGS;
        let message = format!("there are more than the {} findings that are shown", findings.len());
        let location = Location::top_of(path.clone());
        findings.push(Finding::new(rule.severity, rule.id(), location, "", message).with_hint(rule.hint()));
    }
    arrange(&mut findings);
    // What the switches accept is no fault, and is left as it is.
    fixes.retain(|fix| findings.iter().any(|finding| finding.rule == fix.rule && finding.location == fix.location));
    (findings, fixes)
}
