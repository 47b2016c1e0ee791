//! What a package says about itself: at which events it is asked, whether it blocks, what to do.
//!
//! It says so in an OPA annotation above its `package` line (a comment block that begins with
//! `# METADATA` and is YAML behind the `#`), or in `name.yaml` beside `name.rego`; where both say
//! something, the YAML file wins.

use serde::Deserialize;

use super::problem::problem;
use crate::domain::finding::Finding;
use crate::domain::id::RepoPath;
use crate::domain::policy::{Enforcement, PolicyEvent};

/// The settings of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageSettings {
    /// A short name, for people.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// When it is asked.
    pub events: Vec<PolicyEvent>,
    /// What its `deny` and `allow` do.
    pub enforcement: Enforcement,
    /// What to do about its violations, where they do not say so themselves.
    pub remedy: Option<String>,
}

impl Default for PackageSettings {
    /// A package that says nothing is asked about every new version, and blocks. Each product that
    /// is new or has changed brings a version, so nothing is asked twice about the same state.
    fn default() -> Self {
        Self {
            title: None,
            description: None,
            events: vec![PolicyEvent::DataProductVersionCreation],
            enforcement: Enforcement::Block,
            remedy: None,
        }
    }
}

/// What one place says; every part may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Written {
    title: Option<String>,
    description: Option<String>,
    events: Option<Vec<PolicyEvent>>,
    enforcement: Option<Enforcement>,
    remedy: Option<String>,
    /// Whether the file is written in the Rego of OPA before 1.0.
    rego_v0: Option<bool>,
}

/// The part of an annotation that is ours. OPA leaves `custom` to its users, so what is not ours passes.
#[derive(Debug, Default, Deserialize)]
struct Custom {
    events: Option<Vec<String>>,
    enforcement: Option<String>,
    remedy: Option<String>,
    rego: Option<String>,
}

/// An annotation of OPA's, as far as we read it.
#[derive(Debug, Default, Deserialize)]
struct Annotation {
    scope: Option<String>,
    title: Option<String>,
    description: Option<String>,
    #[serde(default)]
    custom: Option<Custom>,
}

/// The YAML file beside a policy. It is ours alone, so an unknown key is a mistake.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    title: Option<String>,
    description: Option<String>,
    events: Option<Vec<String>>,
    enforcement: Option<String>,
    remedy: Option<String>,
    rego: Option<String>,
    #[serde(default)]
    custom: Option<Custom>,
}

impl Written {
    /// What `self` says, and `other` where `self` is silent.
    pub(super) fn over(self, other: Written) -> Written {
        Written {
            title: self.title.or(other.title),
            description: self.description.or(other.description),
            events: self.events.or(other.events),
            enforcement: self.enforcement.or(other.enforcement),
            remedy: self.remedy.or(other.remedy),
            rego_v0: self.rego_v0.or(other.rego_v0),
        }
    }

    /// Whether anything is said about how the package is asked.
    pub(super) fn says_when(&self) -> bool {
        self.events.is_some() || self.enforcement.is_some()
    }

    /// Whether the file is written in the Rego of OPA before 1.0.
    pub(super) fn is_rego_v0(&self) -> bool {
        self.rego_v0.unwrap_or(false)
    }

    /// Whether two files of one package can both be right.
    pub(super) fn agrees_with(&self, other: &Written) -> bool {
        fn same<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
            a.is_none() || b.is_none() || a == b
        }
        same(self.events.as_ref(), other.events.as_ref()) && same(self.enforcement.as_ref(), other.enforcement.as_ref())
    }

    /// The settings, completed.
    pub(super) fn complete(self) -> PackageSettings {
        let silent = PackageSettings::default();
        PackageSettings {
            title: self.title,
            description: self.description,
            events: self.events.unwrap_or(silent.events),
            enforcement: self.enforcement.unwrap_or(silent.enforcement),
            remedy: self.remedy,
        }
    }
}

/// Reads the annotation above the `package` line of a policy.
pub(super) fn from_annotation(file: &RepoPath, text: &str, problems: &mut Vec<Finding>) -> Written {
    let Some((first_line, yaml)) = package_annotation(text) else { return Written::default() };
    let annotation: Annotation = match serde_yaml::from_str(&yaml) {
        Ok(annotation) => annotation,
        Err(error) => {
            problems.push(unreadable(file, first_line, "METADATA annotation", &error));
            return Written::default();
        }
    };
    if annotation.scope.is_some_and(|scope| scope != "package" && scope != "subpackages") {
        return Written::default();
    }
    let source = Source { file, first_line, yaml: &yaml };
    let custom = source.read(annotation.custom.unwrap_or_default(), problems);
    Written { title: annotation.title, description: annotation.description, ..custom }
}

/// Reads the YAML file beside a policy.
pub(super) fn from_file(file: &RepoPath, text: &str, problems: &mut Vec<Finding>) -> Written {
    let settings: SettingsFile = match serde_yaml::from_str::<Option<SettingsFile>>(text) {
        Ok(settings) => settings.unwrap_or_default(),
        Err(error) => {
            problems.push(unreadable(file, 1, "settings file", &error));
            return Written::default();
        }
    };
    let source = Source { file, first_line: 1, yaml: text };
    let custom = source.read(settings.custom.unwrap_or_default(), problems);
    let flat = Custom {
        events: settings.events,
        enforcement: settings.enforcement,
        remedy: settings.remedy,
        rego: settings.rego,
    };
    let flat = source.read(flat, problems);
    Written { title: settings.title, description: settings.description, ..flat.over(custom) }
}

/// Where settings stand, so that a word in them can be pointed at.
struct Source<'a> {
    file: &'a RepoPath,
    first_line: u32,
    yaml: &'a str,
}

impl Source<'_> {
    fn read(&self, custom: Custom, problems: &mut Vec<Finding>) -> Written {
        let events = custom.events.map(|names| {
            if names.is_empty() {
                let message = "the package is asked at no event, so it would never say anything";
                problems.push(self.at("events", message).with_hint("name at least one event, or leave `events` out"));
            }
            names.iter().filter_map(|name| self.event(name, problems)).collect()
        });
        let enforcement = custom.enforcement.and_then(|word| match word.as_str() {
            "block" => Some(Enforcement::Block),
            "warn" => Some(Enforcement::Warn),
            _ => {
                let message = format!("'{word}' is not an enforcement");
                problems.push(self.at(&word, message).with_hint("write `block` or `warn`"));
                None
            }
        });
        let rego_v0 = custom.rego.and_then(|word| match word.as_str() {
            "v0" => Some(true),
            "v1" => Some(false),
            _ => {
                problems
                    .push(self.at(&word, format!("'{word}' is not a Rego version")).with_hint("write `v0` or `v1`"));
                None
            }
        });
        Written { title: None, description: None, events, enforcement, remedy: custom.remedy, rego_v0 }
    }

    fn event(&self, name: &str, problems: &mut Vec<Finding>) -> Option<PolicyEvent> {
        let event = PolicyEvent::ALL.into_iter().find(|event| event_name(*event) == name);
        if event.is_none() {
            let known = PolicyEvent::ALL.map(event_name).join(", ");
            let problem = self.at(name, format!("'{name}' is not an event at which policies are asked"));
            problems.push(problem.with_hint(format!("the events are {known}")));
        }
        event
    }

    /// A problem at the first line on which `word` stands.
    fn at(&self, word: &str, message: impl Into<String>) -> Finding {
        let found = self.yaml.lines().enumerate().find_map(|(index, line)| Some((index, line.find(word)?)));
        let (line, column) = found.unwrap_or((0, 0));
        let line = self.first_line + u32::try_from(line).unwrap_or(0);
        problem(self.file.clone(), line, u32::try_from(column).unwrap_or(0) + 1, message)
    }
}

/// The name of an event, as Open Data Mesh and annotations write it.
pub(super) const fn event_name(event: PolicyEvent) -> &'static str {
    match event {
        PolicyEvent::DataProductCreation => "DATA_PRODUCT_CREATION",
        PolicyEvent::DataProductUpdate => "DATA_PRODUCT_UPDATE",
        PolicyEvent::DataProductVersionCreation => "DATA_PRODUCT_VERSION_CREATION",
        PolicyEvent::ActivityStageTransition => "ACTIVITY_STAGE_TRANSITION",
        PolicyEvent::TaskExecutionResult => "TASK_EXECUTION_RESULT",
        PolicyEvent::ActivityExecutionResult => "ACTIVITY_EXECUTION_RESULT",
    }
}

fn unreadable(file: &RepoPath, first_line: u32, what: &str, error: &serde_yaml::Error) -> Finding {
    let (line, column) = error.location().map_or((1, 1), |place| (place.line(), place.column()));
    let line = first_line + u32::try_from(line).unwrap_or(1).saturating_sub(1);
    let message = format!("the {what} cannot be read: {error}");
    problem(file.clone(), line, u32::try_from(column).unwrap_or(1), message)
}

/// The YAML of the last `# METADATA` block before the `package` line, with the line of the file on
/// which it begins. Only the `#` is taken off, so columns differ from the file's by one.
fn package_annotation(text: &str) -> Option<(u32, String)> {
    let mut found = None;
    let mut open: Option<(u32, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let number = u32::try_from(index).ok()? + 1;
        let trimmed = line.trim();
        match trimmed.strip_prefix('#') {
            Some(comment) if comment.trim() == "METADATA" => open = Some((number + 1, String::new())),
            Some(comment) => {
                if let Some((_, yaml)) = &mut open {
                    yaml.push_str(comment);
                    yaml.push('\n');
                }
            }
            None => {
                found = open.take().or(found);
                if trimmed.split_whitespace().next() == Some("package") {
                    break;
                }
                if !trimmed.is_empty() {
                    return None;
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (PackageSettings, Vec<String>) {
        let mut problems = Vec::new();
        let written = from_annotation(&"a.rego".parse().unwrap(), text, &mut problems);
        (
            written.complete(),
            problems.iter().map(|problem| format!("{}: {}", problem.location, problem.message)).collect(),
        )
    }

    #[test]
    fn an_annotation_above_the_package_is_read() {
        let text = "# Copyright\n\n# METADATA\n# title: Owners\n# custom:\n#   events: [TASK_EXECUTION_RESULT]\n#   \
                    enforcement: warn\n#   remedy: ask\n#   severity: HIGH\n\npackage a\n";
        let (settings, problems) = read(text);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(settings.title.as_deref(), Some("Owners"));
        assert_eq!(settings.events, [PolicyEvent::TaskExecutionResult]);
        assert_eq!(settings.enforcement, Enforcement::Warn);
        assert_eq!(settings.remedy.as_deref(), Some("ask"));
    }

    #[test]
    fn a_package_that_says_nothing_blocks_at_three_events() {
        let (settings, problems) = read("package a\n# METADATA\n# custom: {enforcement: warn}\nx := 1\n");
        assert_eq!((settings, problems), (PackageSettings::default(), Vec::new()));
    }

    #[test]
    fn mistakes_are_found_at_their_line() {
        let (_, problems) = read("# METADATA\n# custom:\n#   events: [ON_CREATION]\n#   enforcement: maybe\npackage a");
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("a.rego:3:"), "{problems:?}");
        assert!(problems[1].starts_with("a.rego:4:"), "{problems:?}");
        let (_, problems) = read("# METADATA\n# title: [\npackage a");
        assert_eq!(problems.len(), 1, "{problems:?}");
    }

    #[test]
    fn the_file_wins_and_knows_its_keys() {
        let mut problems = Vec::new();
        let path = "a.yaml".parse().unwrap();
        let file = from_file(&path, "enforcement: warn\ncustom: {remedy: x, enforcement: block}\n", &mut problems);
        let annotation =
            from_annotation(&path, "# METADATA\n# title: t\n# custom: {enforcement: block}\npackage a", &mut problems);
        let settings = file.over(annotation).complete();
        assert_eq!((settings.enforcement, settings.remedy.as_deref()), (Enforcement::Warn, Some("x")));
        assert_eq!(settings.title.as_deref(), Some("t"));
        assert!(problems.is_empty(), "{problems:?}");
        from_file(&path, "enforcment: warn", &mut problems);
        assert_eq!(problems.len(), 1);
    }
}
