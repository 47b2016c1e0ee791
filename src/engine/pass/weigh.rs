//! Desired against recorded, for every product that was read: what changed, what rules that know
//! the record say of it, and what policies say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use crate::check::{Assessment, contract, record, verdicts};
use crate::domain::change::{Change, ChangeKind, Difference, compare};
use crate::domain::descriptor::{Content, Descriptor};
use crate::domain::finding::{Finding, arrange};
use crate::domain::id::{Fqn, Namespace, RepoPath, SourceName};
use crate::domain::policy::{NOT_EVALUATED, PolicyEvent, Question, Written, version_state};
use crate::port::store::{RecordedVersion, VerdictEntry};

use super::super::Engine;
use super::scope::Look;
use super::{PassError, Sighting};

/// So many products' questions are in memory at once; their states are larger than all else of them.
const ASKED_AT_ONCE: usize = 512;

/// A product that was read, with all that is held for and against it.
pub(super) struct Weighed {
    pub assessment: Arc<Assessment>,
    /// Whether what failed before is tried again.
    pub retry: bool,
    /// What changed; `None` where there is no descriptor to compare, and where the product is another
    /// descriptor's: then nothing that stands here counts for it.
    pub change: Option<Change>,
    /// Findings of rules: those of the descriptor itself, and those that know the record.
    pub findings: Vec<Finding>,
    /// Findings of policies.
    pub policy_findings: Vec<Finding>,
}

impl Weighed {
    /// Whether something refuses it.
    pub fn is_refused(&self) -> bool {
        self.findings.iter().chain(&self.policy_findings).any(Finding::is_error)
    }

    /// Whether policies gave no answer.
    pub fn is_not_evaluated(&self) -> bool {
        self.policy_findings.iter().any(|finding| finding.rule == NOT_EVALUATED)
    }
}

/// All that was read, weighed.
pub(super) struct Scales {
    pub look: Look,
    pub products: Vec<Weighed>,
    pub retired: Vec<Change>,
    pub verdicts: Vec<VerdictEntry>,
}

impl Scales {
    pub fn assessments(&self) -> Vec<Arc<Assessment>> {
        self.products.iter().map(|product| Arc::clone(&product.assessment)).collect()
    }
}

/// The latest recorded versions of the products in question.
struct Latest {
    versions: BTreeMap<Fqn, RecordedVersion>,
    /// The recorded majors of each product name.
    majors: BTreeMap<String, BTreeMap<u64, Fqn>>,
}

impl Latest {
    fn new(recorded: Vec<RecordedVersion>) -> Self {
        let mut majors: BTreeMap<String, BTreeMap<u64, Fqn>> = BTreeMap::new();
        for version in &recorded {
            let Some(major) = version.product.major() else { continue };
            majors.entry(version.product.product_name().to_owned()).or_default().insert(major, version.product.clone());
        }
        Self { versions: recorded.into_iter().map(|version| (version.product.clone(), version)).collect(), majors }
    }

    fn get(&self, product: &Fqn) -> Option<&RecordedVersion> {
        self.versions.get(product)
    }

    /// The latest version of this major; for a new major, of the one before it.
    fn predecessor(&self, product: &Fqn) -> Option<&RecordedVersion> {
        self.get(product).or_else(|| {
            let (_, before) = self.majors.get(product.product_name())?.range(..product.major()?).next_back()?;
            self.get(before)
        })
    }

    /// The latest version of the highest major above this one that the same file described until now.
    fn above(&self, product: &Fqn, path: &RepoPath) -> Option<&RecordedVersion> {
        let majors = self.majors.get(product.product_name())?.range(product.major()?.checked_add(1)?..);
        let mut records = majors.rev().filter_map(|(_, major)| self.get(major));
        records.find(|record| record.path == *path && !record.retired)
    }

    /// A product of the same name that another source describes, in whatever major.
    fn of_another_source(&self, product: &Fqn, source: &SourceName) -> Option<&RecordedVersion> {
        let majors = self.majors.get(product.product_name())?;
        let mut records = majors.values().filter_map(|major| self.get(major));
        records.find(|record| record.source != *source && !record.retired)
    }
}

impl Engine {
    pub(super) async fn weigh(&self, sighting: &Sighting<'_>, mut look: Look) -> Result<Scales, PassError> {
        let assessments = std::mem::take(&mut look.assessments);
        let mut wanted: BTreeSet<Fqn> =
            assessments.iter().filter_map(|assessment| assessment.product.clone()).collect();
        wanted.extend(look.gone.iter().filter_map(|(_, product)| product.clone()));
        wanted.extend(look.let_go.iter().map(|(_, product)| product.clone()));
        let latest = self.ports.store.latest_versions(&wanted.iter().cloned().collect::<Vec<_>>()).await?;
        let latest = Latest::new(latest);

        let mut products = Vec::with_capacity(assessments.len());
        for assessment in assessments {
            let retry = !look.held.contains(&assessment.path);
            products.push(self.compare_with_record(assessment, retry, &latest).await?);
        }
        self.refuse_double_claims(sighting, &look, &latest, &mut products);
        self.warn_of_unknown_upstream(&mut products).await?;
        let verdicts = self.ask_policies(sighting, &latest, &mut products).await;
        for product in &mut products {
            arrange(&mut product.findings);
            arrange(&mut product.policy_findings);
        }
        let retired = retired(&look, &products, &latest);
        Ok(Scales { look, products, retired, verdicts })
    }

    async fn compare_with_record(
        &self,
        assessment: Assessment,
        retry: bool,
        latest: &Latest,
    ) -> Result<Weighed, PassError> {
        let assessment = Arc::new(assessment);
        let mut findings = assessment.findings.clone();
        let Some(descriptor) = &assessment.descriptor else {
            return Ok(Weighed { change: None, retry, assessment, findings, policy_findings: Vec::new() });
        };
        let predecessor = latest.predecessor(&descriptor.fqn);
        let same_major = predecessor.filter(|version| version.product == descriptor.fqn);
        let kind = match same_major {
            None => ChangeKind::Created,
            Some(version) if is_recorded_as(version, &assessment, descriptor) => ChangeKind::Unchanged,
            Some(_) => ChangeKind::Updated,
        };
        let difference = match predecessor {
            Some(version) if kind != ChangeKind::Unchanged => {
                compare(&version.content.value(), &descriptor.content.value())
            }
            _ => Difference::default(),
        };
        let compatibility = predecessor.filter(|version| version.version.digest != descriptor.digest).map(|version| {
            let mut told =
                contract::compare(&version.content.value(), &descriptor.content.value(), &version.version.version);
            let places = assessment.locator();
            told.locate(|pointer, within| places.locate_within(pointer, within));
            told
        });
        if kind == ChangeKind::Updated {
            let recorded = self.ports.store.version_numbers(&descriptor.fqn).await?;
            let before = same_major.and_then(|version| descriptor_of(&self.settings.namespace, &version.content));
            let required = compatibility.as_ref();
            findings.extend(record::versions(&assessment, descriptor, before.as_ref(), &recorded, required));
        }
        if kind == ChangeKind::Created
            && let Some(above) = latest.above(&descriptor.fqn, &assessment.path)
        {
            findings.push(record::went_back(&assessment, &descriptor.version, &above.version.version));
        }
        let change = Change {
            product: descriptor.fqn.clone(),
            kind,
            path: assessment.path.clone(),
            from: predecessor.map(|version| version.version.clone()),
            to: Some(descriptor.version_ref()),
            succeeds: match same_major {
                Some(_) => None,
                None => predecessor.map(|version| version.product.clone()),
            },
            difference,
            compatibility,
        };
        Ok(Weighed { assessment, retry, change: Some(change), findings, policy_findings: Vec::new() })
    }

    /// One product has one descriptor: the one that was recorded first, or else the first by path.
    fn refuse_double_claims(&self, sighting: &Sighting<'_>, look: &Look, latest: &Latest, products: &mut [Weighed]) {
        let mut claimed: BTreeMap<Fqn, RepoPath> = BTreeMap::new();
        for product in products.iter_mut() {
            let Some(fqn) = product.assessment.product.clone() else { continue };
            // The name belongs to one source, with all its majors.
            if let Some(record) = latest.of_another_source(&fqn, sighting.source) {
                product.findings.push(record::claimed_twice(&product.assessment, Some(&record.source), &record.path));
                product.change = None;
                continue;
            }
            if let Some(record) = latest.get(&fqn).filter(|record| !record.retired) {
                // It may have left long ago, and what stands elsewhere was refused until now.
                let moved =
                    !look.present.contains(&record.path) || look.let_go.contains(&(record.path.clone(), fqn.clone()));
                if record.path != product.assessment.path && !moved {
                    product.findings.push(record::claimed_twice(&product.assessment, None, &record.path));
                    product.change = None;
                    continue;
                }
            }
            if let Some(first) = claimed.get(&fqn) {
                product.findings.push(record::claimed_twice(&product.assessment, None, first));
                product.change = None;
            } else {
                claimed.insert(fqn, product.assessment.path.clone());
            }
        }
    }

    async fn warn_of_unknown_upstream(&self, products: &mut [Weighed]) -> Result<(), PassError> {
        let here: BTreeSet<Fqn> = products.iter().filter_map(|product| product.assessment.product.clone()).collect();
        let owners: BTreeSet<Fqn> = products
            .iter()
            .filter_map(|product| product.assessment.descriptor.as_ref())
            .flat_map(|descriptor| descriptor.upstream())
            .filter_map(|fqn| fqn.owner())
            .filter(|owner| !here.contains(owner))
            .collect();
        let recorded = self.ports.store.latest_versions(&owners.into_iter().collect::<Vec<_>>()).await?;
        let known: BTreeSet<Fqn> = recorded.into_iter().map(|version| version.product).chain(here).collect();
        for product in products.iter_mut() {
            let Some(descriptor) = &product.assessment.descriptor else { continue };
            for upstream in descriptor.upstream() {
                if upstream.owner().is_some_and(|owner| !known.contains(&owner)) {
                    let finding = record::upstream_not_found(&product.assessment, descriptor, &upstream);
                    product.findings.push(finding);
                }
            }
        }
        Ok(())
    }

    /// Asks the policies about every product that rules let through.
    async fn ask_policies(
        &self,
        sighting: &Sighting<'_>,
        latest: &Latest,
        products: &mut [Weighed],
    ) -> Vec<VerdictEntry> {
        let mut entries = Vec::with_capacity(products.len());
        for part in products.chunks_mut(ASKED_AT_ONCE) {
            let of_product = |(index, product): (usize, &Weighed)| {
                let questions = self.questions(sighting, latest, product);
                questions.into_iter().map(move |question| ((index, question.event), question))
            };
            let (asked, questions): (Vec<_>, Vec<_>) = part.par_iter().enumerate().flat_map_iter(of_product).unzip();
            let answers = self.ports.judge.judge(questions).await;
            for ((index, event), verdict) in asked.into_iter().zip(answers) {
                let Some(product) = part.get_mut(index) else { continue };
                let Some(fqn) = product.assessment.product.clone() else { continue };
                product.policy_findings.extend(verdicts::findings(&product.assessment, &verdict));
                entries.push(VerdictEntry { product: fqn, event, stage: None, verdict });
            }
        }
        entries
    }

    /// What policies are asked about a product; nothing, when rules have refused it.
    fn questions(&self, sighting: &Sighting<'_>, latest: &Latest, product: &Weighed) -> Vec<Question> {
        let (Some(descriptor), Some(change)) = (&product.assessment.descriptor, &product.change) else {
            return Vec::new();
        };
        if product.findings.iter().any(Finding::is_error) {
            return Vec::new();
        }
        let current = latest.predecessor(&descriptor.fqn).and_then(|version| self.product_version(&version.content));
        let after = version_state(descriptor);
        let described = Written::of(change);
        let question = |event| Question {
            event,
            current_state: current.clone(),
            after_state: Some(after.clone()),
            change: Some(described.clone()),
            stage: None,
            source: Some(sighting.source.clone()),
        };
        events(change).into_iter().map(question).collect()
    }

    fn product_version(&self, content: &Content) -> Option<Written> {
        Some(version_state(&descriptor_of(&self.settings.namespace, content)?))
    }
}

/// What was recorded, as a descriptor.
fn descriptor_of(namespace: &Namespace, content: &Content) -> Option<Descriptor> {
    Descriptor::from_resolved_owned(namespace, Arc::unwrap_or_clone(content.value())).ok()
}

/// Whether the record has the product just so: this content, in this file, and not retired.
fn is_recorded_as(version: &RecordedVersion, assessment: &Assessment, descriptor: &Descriptor) -> bool {
    version.version.digest == descriptor.digest && version.path == assessment.path && !version.retired
}

/// The moments that a change is for policies. A product that did not change is asked about too,
/// as if it had changed: it is read again because policies changed, or because it was held back.
fn events(change: &Change) -> Vec<PolicyEvent> {
    match change.kind {
        ChangeKind::Created => vec![PolicyEvent::DataProductCreation, PolicyEvent::DataProductVersionCreation],
        ChangeKind::Updated => vec![PolicyEvent::DataProductUpdate, PolicyEvent::DataProductVersionCreation],
        ChangeKind::Unchanged => vec![PolicyEvent::DataProductUpdate, PolicyEvent::DataProductVersionCreation],
        ChangeKind::Retired => Vec::new(),
    }
}

/// Products whose root file is gone, and that no other file describes.
fn retired(look: &Look, products: &[Weighed], latest: &Latest) -> Vec<Change> {
    let here: BTreeSet<&Fqn> = products.iter().filter_map(|product| product.assessment.product.as_ref()).collect();
    let gone = look.gone.iter().filter_map(|(path, product)| Some((path, product.as_ref()?)));
    gone.chain(look.let_go.iter().map(|(path, product)| (path, product)))
        .filter(|(_, product)| !here.contains(product))
        .filter_map(|(path, product)| {
            let record = latest.get(product).filter(|record| !record.retired)?;
            if record.path != *path && look.present.contains(&record.path) {
                return None;
            }
            Some(Change {
                product: product.clone(),
                kind: ChangeKind::Retired,
                path: path.clone(),
                from: Some(record.version.clone()),
                to: None,
                succeeds: None,
                difference: Difference::default(),
                compatibility: None,
            })
        })
        .collect()
}
