//! What the main job costs, on a repository of `MESHWRIGHT_BENCH_N` descriptors (10,000 when it is
//! not set; see [`generator`]), with the real parts: the mirror, the policy workers, the SQLite
//! record, the engine. Targets, figures and how to run it stand in `benches/README.md`.
//!
//! A benchmark, never a timed test: machines differ, and a test that fails on a slow one says
//! nothing about the code.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that cannot be set up is of no use, and one tells its figures"
)]

mod generator;
mod world;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group};
use meshwright::adapter::policy_worker::{PolicySources, WorkerJudge, WorkerOptions};
use meshwright::adapter::store::SqlStore;
use meshwright::check;
use meshwright::domain::canonical;
use meshwright::domain::change::compare;
use meshwright::domain::descriptor::Descriptor;
use meshwright::domain::policy::{PolicyEvent, Question, version_state};
use meshwright::domain::source::Head;
use meshwright::engine::PassOutcome;
use meshwright::face::Output;
use meshwright::face::cli::FindingFormat;
use meshwright::face::verbs::validate::{ValidateRequest, validate};
use meshwright::port::judge::Judge;
use meshwright::port::source::Source;
use meshwright::port::store::PassBook;
use meshwright::port::tree::Tree;
use serde_json::Value;
use tokio::runtime::Runtime;

use world::{GLOBS, World};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many descriptors there are.
fn size() -> usize {
    std::env::var("MESHWRIGHT_BENCH_N").ok().map_or(10_000, |text| text.parse().unwrap())
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

fn settings() -> check::Settings {
    check::Settings { namespace: Some(generator::NAMESPACE.parse().unwrap()), ..Default::default() }
}

/// A judge with the shipped policies that has started nothing yet.
fn judge() -> WorkerJudge {
    let mut options = WorkerOptions::new(PolicySources::Shipped).unwrap();
    options.program = PathBuf::from(env!("CARGO_BIN_EXE_meshwright"));
    options.timeout = Duration::from_secs(20);
    WorkerJudge::new(options)
}

/// The same, with its policies loaded.
fn loaded_judge(runtime: &Runtime) -> Arc<dyn Judge> {
    let judge = judge();
    runtime.block_on(judge.reload()).unwrap();
    Arc::new(judge)
}

/// The content of a descriptor, as it is recorded.
fn descriptor(index: usize, round: usize) -> Descriptor {
    let resolved: Value = serde_yaml::from_str(&generator::descriptor(index, round)).unwrap();
    Descriptor::from_resolved_owned(&generator::NAMESPACE.parse().unwrap(), resolved).unwrap()
}

fn contents(criterion: &mut Criterion) {
    let (old, new) = (descriptor(1, 0).content.value(), descriptor(1, 1).content.value());
    let mut group = criterion.benchmark_group("content");
    group.throughput(Throughput::Bytes(canonical::canonical(&old).len() as u64));
    group.bench_function("digest", |bencher| bencher.iter(|| canonical::digest(black_box(&old))));
    group.bench_function("compare", |bencher| {
        bencher.iter(|| compare(black_box(&old), black_box(&new)));
    });
    group.finish();
}

fn policies(criterion: &mut Criterion) {
    let runtime = runtime();
    let judge = judge();
    runtime.block_on(judge.reload()).unwrap();
    let questions: Vec<Question> = (0..1_000)
        .map(|index| Question {
            event: PolicyEvent::DataProductVersionCreation,
            current_state: None,
            after_state: Some(version_state(&descriptor(index * 10, 0))),
            change: None,
            stage: None,
            source: None,
        })
        .collect();
    let mut group = criterion.benchmark_group("policies");
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(questions.len() as u64));
    group.bench_function("1000 questions", |bencher| {
        bencher.iter_batched(
            || questions.clone(),
            |questions| runtime.block_on(judge.judge(questions)),
            criterion::BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn validation(criterion: &mut Criterion) {
    let runtime = runtime();
    let repository = tempfile::tempdir().unwrap();
    let mirrors = tempfile::tempdir().unwrap();
    let revision = generator::repository(repository.path(), size()).unwrap().parse().unwrap();
    let name = "mesh".parse().unwrap();
    runtime.block_on(world::sources(repository.path(), mirrors.path()).fetch(&name)).unwrap();
    let globs = GLOBS.map(str::to_owned);
    let settings = settings();
    // The mirror is opened anew each time, and the workers are started; the file cache stays warm.
    let tree = || -> Arc<dyn Tree> {
        runtime.block_on(world::sources(repository.path(), mirrors.path()).tree(&name, &revision)).unwrap()
    };
    let mut group = criterion.benchmark_group("validate");
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(size() as u64));
    group.bench_function(format!("{} from git, rules alone", size()), |bencher| {
        bencher.iter(|| {
            let tree = tree();
            let found = check::discover(&tree.list(None).unwrap(), &globs);
            black_box(check::assess_all(tree.as_ref(), &found.roots, &settings))
        });
    });
    group.bench_function(format!("{} from git, rules and policies", size()), |bencher| {
        bencher.iter(|| {
            let (out, err) = runtime.block_on(validate_all(repository.path(), tree(), true));
            assert!(out.len() > size(), "{}", String::from_utf8_lossy(&err));
        });
    });
    group.bench_function("one descriptor, rules alone", |bencher| {
        let tree = tree();
        let path = generator::path(0).parse().unwrap();
        bencher.iter(|| black_box(check::assess(tree.as_ref(), &path, &settings)));
    });
    group.finish();
}

/// The verb `validate` on everything; what it writes to both outputs.
async fn validate_all(folder: &Path, tree: Arc<dyn Tree>, with_policies: bool) -> (Vec<u8>, Vec<u8>) {
    let judge = judge();
    let request = ValidateRequest {
        paths: &[".".into()],
        current_folder: folder,
        globs: &GLOBS.map(str::to_owned),
        settings: &settings(),
        platform: None,
        judge: with_policies.then_some(&judge as &dyn Judge),
        catalogue: &[],
        format: FindingFormat::Json,
        open: &|_| Arc::clone(&tree),
        fix: None,
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut output = Output { out: &mut out, err: &mut err, colour: false, err_colour: false, width: 100 };
    validate(&request, &mut output).await.unwrap();
    (out, err)
}

/// Validates a repository once, with its mirror in the folder beside it; what to put behind `time`,
/// which counts the workers too.
fn validate_once(folder: &Path, with_policies: bool) {
    let runtime = runtime();
    let sources = world::sources(folder, &folder.with_extension("mirrors"));
    let name = "mesh".parse().unwrap();
    let head = runtime.block_on(sources.fetch(&name)).unwrap();
    let Head::At { revision } = head else { panic!("{head:?}") };
    let start = std::time::Instant::now();
    let tree = runtime.block_on(sources.tree(&name, &revision)).unwrap();
    let (out, err) = runtime.block_on(validate_all(folder, tree, with_policies));
    println!("{:?}, {} bytes of findings", start.elapsed(), out.len());
    eprint!("{}", String::from_utf8_lossy(&err));
}

fn passes(criterion: &mut Criterion) {
    let runtime = runtime();
    let world = runtime.block_on(World::new(size(), loaded_judge(&runtime)));
    let mut group = criterion.benchmark_group("pass");
    group.sampling_mode(SamplingMode::Flat);

    // Each time into a record of its own.
    group.bench_function(format!("first pass over {}, beyond the fetch", size()), |bencher| {
        bencher.iter_custom(|times| {
            (0..times)
                .map(|_| {
                    let world = runtime.block_on(World::new(size(), loaded_judge(&runtime)));
                    let (outcome, took) = runtime.block_on(world.pass());
                    assert!(matches!(outcome, PassOutcome::Recorded { .. }));
                    took
                })
                .sum::<Duration>()
        });
    });

    let draft = runtime.block_on(world.engine.draft(&world.target, None)).unwrap().unwrap();
    group.bench_function(format!("record a first pass over {}", size()), |bencher| {
        bencher.iter_custom(|times| {
            (0..times)
                .map(|_| {
                    let folder = tempfile::tempdir().unwrap();
                    let store = runtime.block_on(SqlStore::open(&folder.path().join("state.db"))).unwrap();
                    let start = std::time::Instant::now();
                    runtime.block_on(store.record_pass(&draft.pass)).unwrap();
                    start.elapsed()
                })
                .sum::<Duration>()
        });
    });
    drop(draft);

    runtime.block_on(world.settle());
    group.bench_function("fetch, nothing new", |bencher| {
        bencher.iter(|| runtime.block_on(world.source.fetch(&world.target.source)).unwrap());
    });
    group.bench_function(format!("{} unchanged, beyond the fetch", size()), |bencher| {
        bencher.iter_custom(|times| {
            (0..times)
                .map(|_| {
                    let (outcome, took) = runtime.block_on(world.pass());
                    assert!(matches!(outcome, PassOutcome::Unchanged { .. }));
                    took
                })
                .sum::<Duration>()
        });
    });
    let mut round = 0;
    group.bench_function(format!("one changed in {}, beyond the fetch", size()), |bencher| {
        bencher.iter_custom(|times| {
            (0..times)
                .map(|_| {
                    round += 1;
                    // Each time another one without mistakes, in the middle of the lineage.
                    generator::change_one(world.repository.path(), round * 10 % size() + 1, round).unwrap();
                    let (outcome, took) = runtime.block_on(world.pass());
                    let PassOutcome::Recorded { plan } = outcome else { panic!("{outcome:?}") };
                    assert_eq!((plan.changes.len(), plan.activities.len()), (1, 2));
                    took
                })
                .sum::<Duration>()
        });
    });
    group.finish();
}

criterion_group! {
    name = mesh;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_secs(1));
    targets = contents, policies, validation, passes
}

/// Measures; or, with `MESHWRIGHT_BENCH_REPOSITORY`, only makes the repository in that folder, for
/// whoever wants to look at the daemon over it. With `MESHWRIGHT_BENCH_VALIDATE` (`rules` or
/// `policies`), validates what was made there, once.
fn main() {
    if let Some(folder) = std::env::var_os("MESHWRIGHT_BENCH_REPOSITORY") {
        if let Some(with) = std::env::var_os("MESHWRIGHT_BENCH_VALIDATE") {
            validate_once(folder.as_ref(), with == "policies");
            return;
        }
        std::fs::create_dir_all(&folder).unwrap();
        generator::repository(folder.as_ref(), size()).unwrap();
        return;
    }
    mesh();
    Criterion::default().configure_from_args().final_summary();
}
