//! A policy set, loaded: every file parsed, every package understood, or everything that is wrong.

use std::collections::{BTreeMap, BTreeSet};

use regorus::{Engine, Value};

use super::file::{FileKind, MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES, PolicyFile, digest_of};
use super::graph::{Graph, ModuleShape};
use super::problem::{EngineError, problem};
use super::settings::{self, PackageSettings, Written};
use super::sight::Sight;
use crate::domain::finding::{Finding, arrange};
use crate::domain::id::{Digest, RepoPath};

/// The rules by which a package speaks.
pub(super) const SPEAKING: [&str; 3] = ["deny", "warn", "allow"];

/// A package that is asked.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its name, as in rule ids: `mesh.ownership`.
    pub name: String,
    /// What it says about itself.
    pub settings: PackageSettings,
    /// Which of `deny`, `warn` and `allow` it declares, with the path at which the engine finds it.
    pub(super) speaks: BTreeMap<&'static str, String>,
    /// Whether it may answer differently at another event with the same states.
    pub(super) sees_event: bool,
}

/// Policies that are loaded and can be asked.
#[derive(Debug, Clone)]
pub struct PolicySet {
    pub(super) engine: Engine,
    pub(super) packages: Vec<Package>,
    digest: Digest,
}

impl PolicySet {
    /// Loads a set. What is wrong with it comes back as findings in the policy files, all of them
    /// at once.
    pub fn load(files: &[PolicyFile]) -> Result<PolicySet, Vec<Finding>> {
        let mut loading = Loading::new(files, FileKind::Policy)?;
        let modules = loading.module_shapes();
        let graph = Graph::build(&modules, &mut loading.problems);
        loading.problems.extend(graph.recursions());
        let packages = loading.packages(&modules, &graph);
        if packages.is_empty() && loading.problems.is_empty() {
            let file = files.first().map(PolicyFile::path).or_else(|| "policies".parse().ok());
            let hint = "a policy is a `.rego` file whose package declares `deny`, `warn` or `allow`";
            loading.problems.extend(file.map(|file| problem(file, 1, 1, "there is no policy to ask").with_hint(hint)));
        }
        let engine = loading.finish()?;
        Ok(PolicySet { engine, packages, digest: digest_of(files) })
    }

    /// The digest of the files.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The packages that are asked, by name.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }
}

/// A set on its way: an engine with the modules, and what is wrong so far.
pub(super) struct Loading {
    pub(super) engine: Engine,
    /// The path and the settings of every module, in the engine's order.
    modules: Vec<(RepoPath, Written)>,
    /// What each of them can see, in the same order.
    sights: Vec<Sight>,
    pub(super) problems: Vec<Finding>,
}

impl Loading {
    /// Parses the policies, and for [`FileKind::Test`] the tests too. Gives up only where nothing
    /// more can be said.
    pub(super) fn new(files: &[PolicyFile], up_to: FileKind) -> Result<Self, Vec<Finding>> {
        let mut problems = Vec::new();
        check_limits(files, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut loading = Self { engine: Engine::new(), modules: Vec::new(), sights: Vec::new(), problems };
        let mut beside = loading.settings_files(files);
        let mut sorted: Vec<&PolicyFile> = files.iter().collect();
        sorted.sort();
        for file in sorted {
            match file.kind() {
                FileKind::Policy => {
                    let beside = beside.remove(&file.stem()).map(|(_, written)| written).unwrap_or_default();
                    loading.add_policy(file, beside);
                }
                FileKind::Test if up_to == FileKind::Test => loading.add_policy(file, Written::default()),
                FileKind::Data => loading.add_data(file),
                FileKind::Test | FileKind::Settings | FileKind::Other => {}
            }
        }
        for (path, _) in beside.into_values() {
            let problem = problem(path.clone(), 1, 1, "the settings belong to no policy");
            loading
                .problems
                .push(problem.with_hint("name the file like the `.rego` file beside it; data is named `data.yaml`"));
        }
        Ok(loading)
    }

    fn settings_files(&mut self, files: &[PolicyFile]) -> BTreeMap<String, (RepoPath, Written)> {
        let mut found = BTreeMap::new();
        for file in files.iter().filter(|file| file.kind() == FileKind::Settings) {
            let written = settings::from_file(&file.path(), &file.text, &mut self.problems);
            if found.insert(file.stem(), (file.path(), written)).is_some() {
                let problem = problem(file.path(), 1, 1, "the policy has two settings files");
                self.problems.push(problem.with_hint("keep either the `.yaml` or the `.yml`"));
            }
        }
        found
    }

    fn add_policy(&mut self, file: &PolicyFile, beside: Written) {
        let path = file.path();
        let written = beside.over(settings::from_annotation(&path, &file.text, &mut self.problems));
        let v0 = written.is_rego_v0();
        self.engine.set_rego_v0(v0);
        match self.engine.add_policy(path.to_string(), file.text.clone()) {
            Ok(_) => {
                self.modules.push((path, written));
                self.sights.push(Sight::of(&file.text));
            }
            Err(error) => {
                let error = EngineError::read(&error);
                let mut problem = problem(path, error.line, error.column, error.message);
                if !v0 && parses_as_v0(file) {
                    problem = problem.with_hint(
                        "the file is Rego from before OPA 1.0: rewrite it with `opa fmt --write --v0-v1`, or say \
                         `custom: {rego: v0}` in its METADATA annotation",
                    );
                }
                self.problems.push(problem);
            }
        }
    }

    fn add_data(&mut self, file: &PolicyFile) {
        let parsed = match file.name.file_name() {
            "data.json" => {
                serde_json::from_str(&file.text).map_err(|error| (error.line(), error.column(), error.to_string()))
            }
            _ => serde_yaml::from_str(&file.text).map_err(|error: serde_yaml::Error| {
                let (line, column) = error.location().map_or((1, 1), |place| (place.line(), place.column()));
                (line, column, error.to_string())
            }),
        };
        let data: serde_json::Value = match parsed {
            Ok(data) => data,
            Err((line, column, message)) => {
                let (line, column) = (u32::try_from(line).unwrap_or(1), u32::try_from(column).unwrap_or(1));
                self.problems.push(problem(file.path(), line, column, format!("the data cannot be read: {message}")));
                return;
            }
        };
        let folders = file.name.parent();
        let mounted = folders
            .iter()
            .flat_map(|folder| folder.as_str().rsplit('/'))
            .fold(data, |inner, folder| serde_json::Value::Object([(folder.to_owned(), inner)].into_iter().collect()));
        if let Err(error) = self.engine.add_data(Value::from(mounted)) {
            let message = format!("the data cannot be taken in: {}", EngineError::read(&error).message);
            let hint = "data is a mapping, and no two files give different values for the same key";
            self.problems.push(problem(file.path(), 1, 1, message).with_hint(hint));
        }
    }

    /// What the parsed modules look like.
    pub(super) fn module_shapes(&mut self) -> Vec<ModuleShape> {
        let packages = self.engine.get_policy_package_components().unwrap_or_default();
        let modules = self.engine.get_modules();
        let described = self.modules.iter().zip(packages).zip(modules);
        described
            .map(|(((path, _), package), module)| ModuleShape::new(path.clone(), package.components, module))
            .collect()
    }

    /// The packages that are asked, with their settings; those that would never say anything are problems.
    fn packages(&mut self, modules: &[ModuleShape], graph: &Graph) -> Vec<Package> {
        let mut by_name: BTreeMap<&[String], Vec<(&ModuleShape, &Written)>> = BTreeMap::new();
        let mut sights: BTreeMap<&[String], Sight> = BTreeMap::new();
        for ((module, (_, written)), sight) in modules.iter().zip(&self.modules).zip(&self.sights) {
            by_name.entry(&module.package).or_default().push((module, written));
            let all = sights.entry(&module.package).or_insert(*sight);
            *all = Sight { event: all.event || sight.event, others: all.others || sight.others };
        }
        let any_sees = sights.values().any(|sight| sight.event);
        let mut packages = Vec::new();
        for (name, parts) in by_name {
            let mut settings = Written::default();
            for (module, written) in &parts {
                if !settings.agrees_with(written) {
                    let message = format!("two files say different things about the package '{}'", name.join("."));
                    let hint = "keep the events and the enforcement of a package in one file";
                    self.problems.push(problem(module.file.clone(), 1, 1, message).with_hint(hint));
                }
                settings = settings.over((*written).clone());
            }
            self.problems.extend(from_two_folders(name, &parts));
            let rules: BTreeSet<&str> = parts
                .iter()
                .flat_map(|(module, _)| &module.rules)
                .filter_map(|rule| Some(rule.path.first()?.as_str()))
                .collect();
            let speaks: BTreeMap<&'static str, String> = SPEAKING
                .into_iter()
                .filter(|rule| rules.contains(rule))
                .map(|rule| (rule, rule_path(name, rule)))
                .collect();
            if !speaks.is_empty() {
                let sees_event = sights.get(name).is_none_or(|sight| sight.event || (sight.others && any_sees));
                packages.push(Package { name: name.join("."), settings: settings.complete(), speaks, sees_event });
            } else if (settings.says_when() || !graph.is_used(name))
                && let Some((module, _)) = parts.first()
            {
                let message = format!("the package '{}' has neither `deny` nor `warn` nor `allow`", name.join("."));
                let hint = "a policy speaks through one of them; a library is used by a policy and has no settings";
                self.problems.push(problem(module.file.clone(), 1, 1, message).with_hint(hint));
            }
        }
        packages
    }

    /// The engine, ready to evaluate, if nothing is wrong.
    pub(super) fn finish(mut self) -> Result<Engine, Vec<Finding>> {
        if self.problems.is_empty() {
            // Preparing finds what parsing cannot: variables that are never bound, two defaults of one rule.
            self.engine.set_gather_prints(true);
            if let Err(error) = self.engine.eval_query("true".to_owned(), false) {
                let error = EngineError::read(&error);
                let file = error.file.as_deref().and_then(|file| file.parse().ok());
                let file = file.or_else(|| self.modules.first().map(|(path, _)| path.clone()));
                self.problems.extend(file.map(|file| problem(file, error.line, error.column, error.message)));
            }
        }
        if self.problems.is_empty() {
            return Ok(self.engine);
        }
        arrange(&mut self.problems);
        Err(self.problems)
    }
}

fn check_limits(files: &[PolicyFile], problems: &mut Vec<Finding>) {
    for file in files.iter().filter(|file| file.text.len() > MAX_FILE_BYTES) {
        let message = format!("the file has {} bytes, and {MAX_FILE_BYTES} are the most", file.text.len());
        problems.push(problem(file.path(), 1, 1, message));
    }
    let total: usize = files.iter().map(|file| file.text.len()).sum();
    let (Some(first), true) = (files.first(), files.len() > MAX_FILES || total > MAX_TOTAL_BYTES) else { return };
    let message = format!(
        "the policies are {} files of {total} bytes, and {MAX_FILES} files of {MAX_TOTAL_BYTES} bytes are the most",
        files.len()
    );
    problems.push(problem(first.path(), 1, 1, message));
}

/// One package in two folders would be one package with the rules of both, without anybody having
/// meant it.
fn from_two_folders(name: &[String], parts: &[(&ModuleShape, &Written)]) -> Option<Finding> {
    let folder = |file: &RepoPath| file.parent();
    let (first, _) = parts.first()?;
    let (other, _) = parts.iter().find(|(module, _)| folder(&module.file) != folder(&first.file))?;
    let message = format!("the package '{}' stands in {} too", name.join("."), first.file);
    let hint = "keep the files of a package in one folder, or give one of the two another name";
    Some(problem(other.file.clone(), 1, 1, message).with_hint(hint))
}

fn parses_as_v0(file: &PolicyFile) -> bool {
    let mut engine = Engine::new();
    engine.set_rego_v0(true);
    engine.add_policy(file.path().to_string(), file.text.clone()).is_ok()
}

/// The path at which the engine finds a rule: `data.mesh.tags.deny`, `data["my-mesh"].deny`.
pub(super) fn rule_path(package: &[String], rule: &str) -> String {
    let mut path = "data".to_owned();
    for part in package.iter().map(String::as_str).chain([rule]) {
        let is_identifier = part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_identifier {
            path.push('.');
            path.push_str(part);
        } else {
            path.push_str(&format!("[{}]", serde_json::Value::from(part)));
        }
    }
    path
}
