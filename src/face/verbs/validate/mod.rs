//! `validate [PATH…]`: rules, and policies when asked, on files that are not committed yet.

mod fixing;
mod scope;

pub use fixing::FixMode;
pub use scope::{Scope, scope};

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::check::fix::Wish;
use crate::check::{self, Assessment, Settings};
use crate::domain::descriptor::VersionRef;
use crate::domain::finding::arrange;
use crate::domain::id::{Fqn, RepoPath};
use crate::domain::plan::against_lifecycle;
use crate::domain::policy::{PolicyEvent, Question, Written, version_state};
use crate::domain::rule::Rule;
use crate::domain::stage::Platform;
use crate::face::cli::{DocumentFormat, FindingFormat};
use crate::face::render::{self, Counts, counted};
use crate::face::{ExitStatus, Output, ValidatedDescriptor, Validation};
use crate::port::judge::Judge;
use crate::port::tree::Tree;

/// So many descriptors are checked at a time, while policies are asked about those before.
const AT_ONCE: usize = 256;

/// The events at which a product that is not recorded meets policies.
const EVENTS: [PolicyEvent; 2] = [PolicyEvent::DataProductCreation, PolicyEvent::DataProductVersionCreation];

/// A larger file is shown without an excerpt.
const LARGEST_EXCERPT_FILE: u64 = 8 * 1024 * 1024;

/// What is validated, and how.
pub struct ValidateRequest<'a> {
    /// Files, and folders in which descriptors are looked for; relative to `current_folder`.
    pub paths: &'a [PathBuf],
    /// Where the user stands; absolute.
    pub current_folder: &'a Path,
    /// Globs of root files, relative to the tree's top.
    pub globs: &'a [String],
    /// What checking depends on.
    pub settings: &'a Settings,
    /// What descriptors are to run on, where a configuration says so.
    pub platform: Option<Arc<Platform>>,
    /// Who is asked, if policies are wanted.
    pub judge: Option<&'a dyn Judge>,
    /// All built-in rules, for SARIF.
    pub catalogue: &'a [&'a Rule],
    /// How findings are written.
    pub format: FindingFormat,
    /// Opens a folder as a tree.
    pub open: &'a dyn Fn(&Path) -> Arc<dyn Tree>,
    /// Whether, and how, what is safe to mend is mended.
    pub fix: Option<FixMode<'a>>,
}

impl std::fmt::Debug for ValidateRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ValidateRequest")
            .field("paths", &self.paths)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

/// Validates, and writes what was found. It ends with 1 when a finding is an error, when a path is
/// not there, and when no descriptor is found in one: whoever validates wants something validated.
/// After mending, what is left counts.
pub async fn validate(request: &ValidateRequest<'_>, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let scope = scope(request.current_folder, request.paths);
    let tree = (request.open)(&scope.top);
    let (mut validation, wishes) = examine(request, &scope, &tree).await;
    if let Some(mode) = request.fix {
        let is_text = request.format == FindingFormat::Text;
        let (to, colour) =
            if is_text { (&mut *output.out, output.colour) } else { (&mut *output.err, output.err_colour) };
        let fixing = fixing::fix(mode, tree.as_ref(), &scope, &wishes, to, colour)?;
        if fixing.has_written {
            (validation, _) = examine(request, &scope, &tree).await;
        }
        validation.problems.extend(fixing.problems);
        validation.fixes = Some(fixing.fixed);
    }
    write(request, &validation, &scope, tree.as_ref(), output)?;
    Ok(if validation.is_fine() { ExitStatus::Success } else { ExitStatus::Failed })
}

/// What has been examined so far.
#[derive(Default)]
struct Examined {
    validation: Validation,
    wishes: Vec<Wish>,
    /// Which descriptor describes a product.
    claimed: HashMap<Fqn, RepoPath>,
}

async fn examine(request: &ValidateRequest<'_>, scope: &Scope, tree: &Arc<dyn Tree>) -> (Validation, Vec<Wish>) {
    let mut examined = Examined::default();
    let validation = &mut examined.validation;
    validation.problems.clone_from(&scope.problems);
    let mut roots: BTreeSet<RepoPath> = scope.files.iter().cloned().collect();
    for folder in &scope.folders {
        let listing = match tree.list(folder.as_ref()) {
            Ok(listing) => listing,
            Err(error) => {
                validation.problems.push(error.to_string());
                continue;
            }
        };
        let discovery = check::discover(&listing, request.globs);
        if discovery.roots.is_empty() {
            let shown = scope.shown_folder(folder.as_ref());
            validation
                .problems
                .push(format!("no descriptor was found in '{shown}', looking for {}", request.globs.join(", ")));
        }
        roots.extend(discovery.roots);
        validation.findings.extend(discovery.findings);
    }
    let roots: Vec<RepoPath> = roots.into_iter().collect();
    let mut checked = Vec::new();
    // Of all the parts: what is missing is looked for in all of the tree.
    let names = Arc::new(check::Names::default());
    for part in roots.chunks(AT_ONCE) {
        let (tree, paths, settings) = (Arc::clone(tree), part.to_vec(), request.settings.clone());
        let (names, platform) = (Arc::clone(&names), request.platform.clone());
        let is_asked_about = request.judge.is_some();
        let next = tokio::task::spawn_blocking(move || {
            let of_path = |path| {
                let assessment = check::assess_among(tree.as_ref(), &names, path, &settings);
                Checked::of(assessment, platform.as_deref(), is_asked_about)
            };
            paths.par_iter().map(of_path).collect()
        });
        examined.take_in(request, checked).await;
        checked = next.await.unwrap_or_else(|error| {
            let not_checked = format!("{} were not checked: {error}", counted(part.len(), "descriptor"));
            examined.validation.problems.push(not_checked);
            Vec::new()
        });
    }
    examined.take_in(request, checked).await;
    arrange(&mut examined.validation.findings);
    (examined.validation, examined.wishes)
}

/// A descriptor that was checked. Its content is let go at once: all that is needed of it is what
/// policies are asked about.
struct Checked {
    assessment: Assessment,
    version: Option<VersionRef>,
    /// What policies are asked about: nothing, when rules have refused it.
    state: Option<Written>,
}

impl Checked {
    fn of(mut assessment: Assessment, platform: Option<&Platform>, is_asked_about: bool) -> Self {
        let descriptor = assessment.descriptor.take();
        if let (Some(descriptor), Some(platform)) = (&descriptor, platform) {
            let found = against_lifecycle(descriptor, &|pointer| assessment.locate(pointer), platform);
            assessment.findings.extend(found);
        }
        Self {
            version: descriptor.as_ref().map(|descriptor| descriptor.version_ref()),
            state: descriptor.filter(|_| is_asked_about).map(|descriptor| version_state(&descriptor)),
            assessment,
        }
    }
}

impl Examined {
    /// Asks policies about descriptors that were checked, and takes in all that was found.
    async fn take_in(&mut self, request: &ValidateRequest<'_>, mut checked: Vec<Checked>) {
        if let Some(judge) = request.judge.filter(|_| !checked.is_empty()) {
            ask(judge, &mut checked, &mut self.validation.problems).await;
        }
        for Checked { mut assessment, version, .. } in checked {
            self.claim(&mut assessment);
            arrange(&mut assessment.findings);
            self.validation.mendable += assessment.fixes.iter().filter(|fix| fix.doubt.is_none()).count();
            if request.fix.is_some() {
                self.wishes.push(Wish {
                    root: assessment.path.clone(),
                    files: assessment.files,
                    fixes: assessment.fixes,
                });
            }
            self.validation.descriptors.push(ValidatedDescriptor {
                path: assessment.path,
                product: assessment.product,
                version: version.as_ref().map(|version| version.version.to_string()),
                digest: version.map(|version| version.digest),
                counts: Counts::of(&assessment.findings),
            });
            self.validation.findings.append(&mut assessment.findings);
        }
    }

    /// A product has one descriptor: where nothing is recorded, the first by its path.
    fn claim(&mut self, assessment: &mut Assessment) {
        let Some(product) = assessment.product.clone() else { return };
        match self.claimed.entry(product) {
            Entry::Occupied(first) => {
                let finding = check::record::claimed_twice(assessment, None, first.get());
                assessment.findings.push(finding);
            }
            Entry::Vacant(free) => {
                free.insert(assessment.path.clone());
            }
        }
    }
}

/// Asks policies about every descriptor that rules have nothing against, and adds what they say.
async fn ask(judge: &dyn Judge, checked: &mut [Checked], problems: &mut Vec<String>) {
    let (mut asked, mut questions) = (Vec::new(), Vec::new());
    for (place, checked) in checked.iter_mut().enumerate() {
        let Some(state) = checked.state.take() else { continue };
        for event in EVENTS {
            asked.push(place);
            questions.push(Question {
                event,
                current_state: None,
                after_state: Some(state.clone()),
                change: None,
                stage: None,
                source: None,
            });
        }
    }
    let verdicts = judge.judge(questions).await;
    if verdicts.len() != asked.len() {
        problems.push(format!(
            "policies were asked {} and gave {}",
            counted(asked.len(), "question"),
            counted(verdicts.len(), "answer")
        ));
    }
    for (place, verdict) in asked.into_iter().zip(&verdicts) {
        if let Some(Checked { assessment, .. }) = checked.get_mut(place) {
            let found = check::verdicts::findings(assessment, verdict);
            assessment.findings.extend(found);
        }
    }
}

fn write(
    request: &ValidateRequest<'_>,
    validation: &Validation,
    scope: &Scope,
    tree: &dyn Tree,
    output: &mut Output<'_>,
) -> io::Result<()> {
    match request.format {
        FindingFormat::Text => {
            let text_of = |path: &RepoPath| {
                let bytes = tree.read(path, LARGEST_EXCERPT_FILE).ok()?;
                Some(String::from_utf8_lossy(&bytes).into_owned())
            };
            let shown = |path: &RepoPath| scope.shown(path);
            render::findings(output.out, &validation.findings, &shown, &text_of, output.colour, output.width)?;
            for problem in &validation.problems {
                output.error(problem, None)?;
            }
            let counts = Counts::of(&validation.findings);
            writeln!(output.out, "{}", summary(validation, output.colour))?;
            fixing::tell(validation, scope, output)?;
            if counts.errors + counts.warnings > 0 {
                writeln!(output.err, "`meshwright explain RULE` says more about a rule.")?;
            }
            if validation.mendable > 0 && request.fix.is_none() {
                writeln!(output.err, "`meshwright validate --fix` mends what is safe to mend, and shows it.")?;
            }
            Ok(())
        }
        FindingFormat::Json => {
            let document = render::validation_json(validation);
            render::document(output.out, &document, DocumentFormat::Json)?;
            report(validation, scope, output)
        }
        FindingFormat::Sarif => {
            let document = render::sarif(validation, request.catalogue);
            render::document(output.out, &document, DocumentFormat::Json)?;
            report(validation, scope, output)
        }
        FindingFormat::Github => {
            render::github(output.out, validation)?;
            report(validation, scope, output)
        }
        FindingFormat::Junit => {
            render::junit(output.out, validation)?;
            report(validation, scope, output)
        }
    }
}

/// What a person at the terminal wants to know while the document goes into a file.
fn report(validation: &Validation, scope: &Scope, output: &mut Output<'_>) -> io::Result<()> {
    for problem in &validation.problems {
        output.error(problem, None)?;
    }
    writeln!(output.err, "{}", summary(validation, output.err_colour))?;
    fixing::tell(validation, scope, output)
}

fn summary(validation: &Validation, colour: bool) -> String {
    let counts = Counts::of(&validation.findings);
    if validation.descriptors.is_empty() && counts == Counts::default() {
        return "Nothing was checked.".to_owned();
    }
    format!("{} checked: {}", counted(validation.descriptors.len(), "descriptor"), counts.words(colour))
}

#[cfg(test)]
mod tests;
