//! What people commit, and what has to follow from it.
//!
//! A product's version number only grows with each change, over all branches, so a number stands for one
//! content unless somebody has changed the content and not the number. What has to run at the end is
//! therefore told by Git alone, whatever was seen of it in between.

pub mod proposals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use meshwright::domain::id::{Revision, SourceName};

use super::chance::Chance;
use super::git::{Files, Repositories, Repository};
use super::world::World;

/// What keeps a descriptor from being taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// It is no YAML.
    Syntax,
    /// It names an executor that is not there.
    Executor,
    /// It lacks what DPDS requires.
    Structure,
    /// Policies refuse it.
    Policy,
}

/// A product as its descriptor has it.
#[derive(Debug, Clone)]
struct Product {
    name: String,
    folder: String,
    number: u64,
    /// Counts contents, over all products.
    mark: u64,
    stages: Vec<&'static str>,
    tasks: usize,
    reads: Vec<String>,
    flaw: Option<Flaw>,
}

impl Product {
    fn version(&self) -> String {
        format!("1.{}.0", self.number)
    }

    fn path(&self) -> String {
        format!("{}/data-product-descriptor.yaml", self.folder)
    }

    fn yaml(&self) -> String {
        let description = if self.flaw == Some(Flaw::Policy) { "forbidden" } else { "allowed" };
        let owner = if self.flaw == Some(Flaw::Structure) { "nobody" } else { "{ id: a@example.com }" };
        let mut text = format!(
            "dataProductDescriptor: 1.0.0\ninfo:\n  name: {}\n  version: {}\n  description: {description} {}\n  domain: shop\n  \
             owner: {owner}\ninterfaceComponents:\n",
            self.name,
            self.version(),
            self.mark
        );
        if !self.reads.is_empty() {
            text += "  inputPorts:\n";
        }
        for other in &self.reads {
            let port = format!("urn:dpds:com.example:dataproducts:{other}:1:outputports:out");
            text += &format!("    - {{ name: {other}, version: 1.0.0, x-upstream: '{port}' }}\n");
        }
        text += "  outputPorts:\n    - { name: out, version: 1.0.0 }\ninternalComponents:\n  lifecycleInfo:\n";
        for stage in &self.stages {
            text += &format!("    {stage}:\n");
            for (index, task) in TASKS.iter().take(self.tasks).enumerate() {
                let executor = if self.flaw == Some(Flaw::Executor) { "nobody" } else { task };
                text +=
                    &format!("      - {{ name: {task}, order: {}, service: {{ $href: {executor} }} }}\n", index + 1);
            }
        }
        if self.flaw == Some(Flaw::Syntax) {
            text += "info: [\n";
        }
        text
    }
}

/// The tasks of a stage, each of which is also the name of its executor.
pub const TASKS: [&str; 3] = ["provision", "build", "deploy"];

/// What has to run in a container at the end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    pub product: String,
    pub stage: &'static str,
    pub version: String,
}

/// A source's products, as its branch has them.
type Branch = BTreeMap<String, Product>;

/// What people do to a branch, and how often.
const EDITS: [(u64, &str); 11] = [
    (30, "change"),
    (10, "change several"),
    (8, "add"),
    (6, "break"),
    (6, "mend"),
    (5, "change unbumped"),
    (5, "retire"),
    (5, "move"),
    (4, "stages"),
    (6, "revert"),
    (5, "force"),
];

fn files_of(branch: &Branch) -> Files {
    branch.values().map(|product| (product.path(), product.yaml())).collect()
}

#[derive(Debug, Default)]
struct Authors {
    /// What each commit of each source holds, in the order of the repository's commits.
    held: BTreeMap<SourceName, Vec<Branch>>,
    /// The highest number of each product.
    numbers: BTreeMap<String, u64>,
    /// Numbers that stand for more than one content.
    ambiguous: BTreeSet<(String, u64)>,
    marks: u64,
    products: u64,
}

/// Those who commit.
pub struct Mesh {
    world: Arc<World>,
    chance: Chance,
    pub repositories: Repositories,
    pub sources: Vec<SourceName>,
    authors: Mutex<Authors>,
}

impl Mesh {
    /// Sources with their first commits.
    pub fn new(world: &Arc<World>, seed: u64, sources: u64, products: u64) -> Self {
        let names = ["alpha", "beta", "gamma"].map(|name| name.parse::<SourceName>().unwrap());
        let sources: Vec<SourceName> = names.into_iter().take(usize::try_from(sources).unwrap()).collect();
        let mesh = Self {
            world: Arc::clone(world),
            chance: Chance::of(seed, "mesh"),
            repositories: Repositories::default(),
            authors: Mutex::default(),
            sources: sources.clone(),
        };
        for source in &sources {
            mesh.repositories.lock().unwrap().insert(source.clone(), Repository::default());
            let mut branch = Branch::new();
            for _ in 0..products {
                mesh.add(&mut branch);
            }
            mesh.push(source, None, branch);
        }
        mesh
    }

    fn head(&self, source: &SourceName) -> (Option<usize>, Branch) {
        let head = self.repositories.lock().unwrap().get(source).and_then(|repository| repository.head);
        let authors = self.authors.lock().unwrap();
        (head, head.map(|head| authors.held[source][head].clone()).unwrap_or_default())
    }

    /// A new commit, to which no branch moves.
    fn commit(&self, source: &SourceName, parent: Option<usize>, branch: Branch) -> usize {
        let files = files_of(&branch);
        let mut repositories = self.repositories.lock().unwrap();
        let repository = repositories.get_mut(source).unwrap();
        let commit = repository.commit(parent, files);
        self.authors.lock().unwrap().held.entry(source.clone()).or_default().push(branch);
        self.world.tell(format_args!("commit {source} {}", repository.commits[commit].revision.short()));
        commit
    }

    /// A new commit of the branch.
    fn push(&self, source: &SourceName, parent: Option<usize>, branch: Branch) {
        let commit = self.commit(source, parent, branch);
        self.repositories.lock().unwrap().get_mut(source).unwrap().move_to(commit);
    }

    fn add(&self, branch: &mut Branch) {
        let mut authors = self.authors.lock().unwrap();
        let name = format!("p{}", authors.products);
        authors.products += 1;
        authors.marks += 1;
        // Only what was there before is read, so there is no circle.
        let known: Vec<String> = (0..authors.products - 1).map(|number| format!("p{number}")).collect();
        let mut reads = BTreeSet::new();
        for _ in 0..self.chance.number(0..=2) {
            reads.extend(self.chance.pick(&known).cloned());
        }
        let stages = if self.chance.one_in(2) { vec!["dev"] } else { vec!["dev", "prod"] };
        let product = Product {
            folder: name.clone(),
            number: 0,
            mark: authors.marks,
            stages,
            tasks: usize::try_from(self.chance.number(1..=3)).unwrap(),
            reads: reads.into_iter().collect(),
            flaw: None,
            name: name.clone(),
        };
        authors.numbers.insert(name.clone(), 0);
        branch.insert(name, product);
    }

    /// Gives a product new content under a new number.
    fn bump(&self, product: &mut Product) {
        let mut authors = self.authors.lock().unwrap();
        authors.marks += 1;
        product.mark = authors.marks;
        let number = authors.numbers.get_mut(&product.name).unwrap();
        *number += 1;
        product.number = *number;
    }

    /// Somebody changes something of a source.
    pub fn change(&self, source: &SourceName) {
        let (head, mut branch) = self.head(source);
        let what = self.chance.weighed(&EDITS);
        let Some(name) = self.pick(&branch) else { return };
        self.world.tell(format_args!("author {source} {what} {name}"));
        if let "revert" | "force" = what {
            let commits = self.authors.lock().unwrap().held[source].len();
            let older = usize::try_from(self.chance.number(0..=commits as u64 - 1)).unwrap();
            if what == "force" {
                self.repositories.lock().unwrap().get_mut(source).unwrap().move_to(older);
                return;
            }
            branch = self.authors.lock().unwrap().held[source][older].clone();
        } else {
            self.edit(&mut branch, what, name);
        }
        self.push(source, head, branch);
    }

    /// One of the products.
    fn pick(&self, branch: &Branch) -> Option<String> {
        let names: Vec<String> = branch.keys().cloned().collect();
        self.chance.pick(&names).cloned()
    }

    fn edit(&self, branch: &mut Branch, what: &str, name: String) {
        match what {
            "change several" => {
                for product in branch.values_mut() {
                    if self.chance.one_in(2) {
                        self.bump(product);
                        product.flaw = None;
                    }
                }
            }
            "add" => self.add(branch),
            "retire" if branch.len() > 1 => {
                branch.remove(&name);
            }
            _ => {
                let product = branch.get_mut(&name).unwrap();
                match what {
                    "break" => {
                        self.bump(product);
                        let flaws = [Flaw::Syntax, Flaw::Executor, Flaw::Structure, Flaw::Policy];
                        product.flaw = self.chance.pick(&flaws).copied();
                    }
                    "change unbumped" => {
                        let mut authors = self.authors.lock().unwrap();
                        authors.marks += 1;
                        product.mark = authors.marks;
                        authors.ambiguous.insert((name, product.number));
                    }
                    "move" => product.folder = format!("moved/{}-{}", product.name, self.chance.number(1..=3)),
                    "stages" => {
                        product.stages = if product.stages.len() == 1 { vec!["dev", "prod"] } else { vec!["dev"] };
                        self.bump(product);
                    }
                    _ => {
                        self.bump(product);
                        product.flaw = None;
                    }
                }
            }
        }
    }

    /// Somebody mends all that is wrong in a source.
    pub fn mend(&self, source: &SourceName) {
        let (head, mut branch) = self.head(source);
        for product in branch.values_mut() {
            let is_ambiguous = self.authors.lock().unwrap().ambiguous.contains(&(product.name.clone(), product.number));
            if product.flaw.take().is_some() || is_ambiguous {
                self.bump(product);
            }
        }
        self.push(source, head, branch);
    }

    /// The commit at which a source's branch stands.
    pub fn head_of(&self, source: &SourceName) -> Option<Revision> {
        let repositories = self.repositories.lock().unwrap();
        let repository = repositories.get(source)?;
        Some(repository.commits[repository.head?].revision.clone())
    }

    /// What has to run when all that can be done is done. Of products with flaws, of those whose number
    /// stands for more than one content, and of those that read from such, Git alone does not tell.
    pub fn wanted(&self) -> BTreeSet<Wanted> {
        let mut all: BTreeMap<String, (SourceName, Product)> = BTreeMap::new();
        let mut twice = BTreeSet::new();
        for source in &self.sources {
            for (name, product) in self.head(source).1 {
                if all.insert(name.clone(), (source.clone(), product)).is_some() {
                    twice.insert(name);
                }
            }
        }
        let ambiguous = self.authors.lock().unwrap().ambiguous.clone();
        let mut sure: BTreeMap<(String, &'static str), bool> = BTreeMap::new();
        let is_good = |product: &Product| {
            product.flaw.is_none()
                && !twice.contains(&product.name)
                && !ambiguous.contains(&(product.name.clone(), product.number))
        };
        fn runs(
            name: &str,
            stage: &'static str,
            all: &BTreeMap<String, (SourceName, Product)>,
            is_good: &dyn Fn(&Product) -> bool,
            sure: &mut BTreeMap<(String, &'static str), bool>,
        ) -> bool {
            if let Some(known) = sure.get(&(name.to_owned(), stage)) {
                return *known;
            }
            let runs = all.get(name).is_some_and(|(_, product)| {
                is_good(product)
                    && product.stages.contains(&stage)
                    && (stage == "dev" || runs(name, "dev", all, is_good, sure))
                    && product.reads.iter().all(|other| runs(other, stage, all, is_good, sure))
            });
            sure.insert((name.to_owned(), stage), runs);
            runs
        }
        let mut wanted = BTreeSet::new();
        for (name, (_, product)) in &all {
            for stage in &product.stages {
                if runs(name, stage, &all, &is_good, &mut sure) {
                    wanted.insert(Wanted { product: name.clone(), stage, version: product.version() });
                }
            }
        }
        wanted
    }

    /// Whether the branch ever stood at this commit.
    pub fn stood_at(&self, source: &SourceName, revision: &Revision) -> bool {
        let repositories = self.repositories.lock().unwrap();
        repositories.get(source).is_some_and(|repository| repository.stood_at(revision))
    }

    /// The products without a flaw that a commit has at a stage, with their versions. Those are left out
    /// whose number stands for more than one content.
    pub fn good_at(&self, source: &SourceName, revision: &Revision, stage: &str) -> Vec<(String, String)> {
        let Some(place) = self.repositories.lock().unwrap()[source].place(revision) else { return Vec::new() };
        let authors = self.authors.lock().unwrap();
        let is_good = |product: &&Product| {
            product.flaw.is_none()
                && product.stages.contains(&stage)
                && !authors.ambiguous.contains(&(product.name.clone(), product.number))
        };
        let good = authors.held[source][place].values().filter(is_good);
        good.map(|product| (product.name.clone(), product.version())).collect()
    }

    /// Whether nothing is wrong in any source: then Git says of every container what runs there, and every
    /// status of a head is green.
    pub fn is_whole(&self) -> bool {
        let all: usize = self
            .sources
            .iter()
            .map(|source| self.head(source).1.values().map(|product| product.stages.len()).sum::<usize>())
            .sum();
        self.wanted().len() == all
    }
}
