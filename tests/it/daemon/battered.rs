//! The daemon under blows, with executors that keep a ledger of their own: what they did, by key, and
//! the greatest token that they have seen for each container.
//!
//! `cargo test` strikes a few times. As often as one likes:
//!
//! ```sh
//! MESHWRIGHT_KILLS=500 cargo test --release --test it daemon::battered::sqlite -- --nocapture
//! ```

mod replica;
mod replicas;
mod rolling;
mod sqlite;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fastrand::Rng;
use meshwright::domain::id::Revision;
use tempfile::TempDir;

use crate::support::repository::TestRepository;
use crate::support::world::{Descriptor, statuses};

use super::{NEVER, policy_text};

/// The tasks of a descriptor, in their order.
const TASKS: [&str; 3] = ["provision", "build", "deploy"];
/// How long the end is waited for after the last blow.
const PATIENCE: Duration = Duration::from_secs(180);
const STAGES: [&str; 2] = ["dev", "prod"];

/// What an executor does: once for each key whatever happens, and nothing for a holder whose time is over.
const EFFECT: &str = r#"#!/bin/sh
set -eu
cd "$(dirname "$0")"
container="$MESHWRIGHT_PRODUCT_NAME.$MESHWRIGHT_STAGE"
exec 9>>"locks/$container"
flock 9
last=$(cat "tokens/$container" 2>/dev/null || echo 0)
if [ "$MESHWRIGHT_TOKEN" -lt "$last" ]; then
    echo "$container $MESHWRIGHT_TASK: $MESHWRIGHT_TOKEN after $last" >> refused
    exit 1
fi
echo "$MESHWRIGHT_TOKEN" > "tokens/.$container"
mv "tokens/.$container" "tokens/$container"
made=$(mktemp effects/.XXXXXXXX)
echo "$MESHWRIGHT_PRODUCT_NAME $MESHWRIGHT_STAGE $MESHWRIGHT_TASK $MESHWRIGHT_VERSION" > "$made"
ln "$made" "effects/$MESHWRIGHT_TASK_KEY" 2>/dev/null || echo "$MESHWRIGHT_TASK_KEY" >> repeated
rm -f "$made"
sleep 0.02
"#;

/// Products that change over time, and executors that remember.
struct Field {
    folder: TempDir,
    repository: TestRepository,
    /// The patch number of each product.
    patches: Vec<u32>,
}

impl Field {
    /// So many products, every fourth of which reads from the one before it.
    fn new(products: usize) -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["effects", "locks", "tokens"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let program = folder.path().join("effect");
        std::fs::write(&program, EFFECT).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        write(&folder.path().join("policies/words.rego"), &policy_text(NEVER));
        let mut field = Self { folder, repository: TestRepository::new(), patches: vec![0; products] };
        field.commit(0..products);
        field
    }

    /// A few products move to their next patch version.
    fn change_some(&mut self, random: &mut Rng) -> Revision {
        let changed: BTreeSet<usize> = (0..3).map(|_| random.usize(..self.patches.len())).collect();
        for index in &changed {
            self.patches[*index] += 1;
        }
        self.commit(changed)
    }

    fn commit(&mut self, products: impl IntoIterator<Item = usize>) -> Revision {
        let files: Vec<(String, String)> = products
            .into_iter()
            .map(|index| {
                let product = Descriptor::new(&format!("p{index}"), &format!("1.0.{}", self.patches[index]));
                let product = if index % 4 == 3 { product.reads(&format!("p{}", index - 1)) } else { product };
                (product.path(), product.yaml())
            })
            .collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        self.repository.commit(&files, "a change")
    }

    /// A configuration with this `state`.
    fn configuration(&self, state: &str) -> String {
        let program = self.folder.path().join("effect");
        let executor = |phase: &&str| {
            format!("  {phase}: {{ kind: command, phase: {phase}, command: ['{}'] }}\n", program.display())
        };
        let executors: String = TASKS.iter().map(executor).collect();
        format!(
            "mesh: {{ namespace: com.example }}\n{state}sources:\n  - {{ name: retail, url: '{}', poll: 2s }}\nstages:\n  \
             - name: dev\n  - {{ name: prod, after: [dev] }}\npolicies: [{{ path: '{}' }}]\nexecutors:\n{executors}",
            self.repository.path().display(),
            self.path("policies").display(),
        )
    }

    /// The containers that Git asks for: product, stage, version.
    fn wanted(&self) -> BTreeSet<String> {
        let versions = self.patches.iter().enumerate();
        versions.flat_map(|(index, patch)| STAGES.map(|stage| format!("p{index} {stage} 1.0.{patch}"))).collect()
    }

    fn is_green(&self, revision: &Revision) -> bool {
        let statuses = statuses(self.repository.path(), revision);
        statuses.len() == 5 && statuses.values().all(|status| status.starts_with("success"))
    }

    /// What was done, and under which keys.
    fn effects(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut effects: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for entry in std::fs::read_dir(self.path("effects")).unwrap() {
            let entry = entry.unwrap();
            let key = entry.file_name().into_string().unwrap();
            if !key.starts_with('.') {
                let what = std::fs::read_to_string(entry.path()).unwrap();
                effects.entry(what.trim_end().to_owned()).or_default().insert(key);
            }
        }
        effects
    }

    /// How many lines a list of the executors has.
    fn count(&self, list: &str) -> usize {
        std::fs::read_to_string(self.path(list)).unwrap_or_default().lines().count()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Nothing was done twice under different keys, and all that runs was done.
    fn assert_effects(&self) {
        let effects = self.effects();
        let twice: Vec<_> = effects.iter().filter(|(_, keys)| keys.len() > 1).collect();
        assert!(twice.is_empty(), "done under more than one key: {twice:?}");
        for container in self.wanted() {
            let (place, version) = container.rsplit_once(' ').unwrap();
            for task in TASKS {
                let effect = format!("{place} {task} {version}");
                assert!(effects.contains_key(&effect), "never done: {effect}");
            }
        }
    }
}

/// Writes a file of a test.
fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A number that a person may set.
fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}
