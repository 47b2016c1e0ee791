//! What the main job costs, on a repository of `MESHWRIGHT_BENCH_N` descriptors (10,000 when it is
//! not set; see [`generator`]). The targets are for two cores:
//!
//! | work | target |
//! |---|---|
//! | `validate`: list, read, parse, resolve and check all of a commit | 2 s |
//! | a pass over an unchanged source | 20 ms beyond the fetch |
//! | one changed: wake to recorded plan | 50 ms beyond the fetch |
//!
//! A benchmark, never a timed test: machines differ, and a test that fails on a slow one says
//! nothing about the code.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up is of no use")]

#[expect(dead_code, reason = "commits on top of the first one are for the passes, which are still to be measured")]
mod generator;
mod mirror;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use meshwright::check;
use meshwright::domain::canonical;
use meshwright::port::tree::Tree;
use tempfile::TempDir;

use mirror::MirrorTree;

/// How many descriptors there are.
fn size() -> usize {
    std::env::var("MESHWRIGHT_BENCH_N").ok().map_or(10_000, |text| text.parse().unwrap())
}

/// A repository of that size, and its commit.
fn repository() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let revision = generator::repository(folder.path(), size()).unwrap();
    (folder, revision)
}

fn canonical_digest(criterion: &mut Criterion) {
    let texts: Vec<String> = (0..100).map(|index| generator::descriptor(index, 0)).collect();
    let values: Vec<serde_json::Value> = texts.iter().map(|text| serde_yaml::from_str(text).unwrap()).collect();
    let bytes: usize = values.iter().map(|value| canonical::canonical(value).len()).sum();
    let mut group = criterion.benchmark_group("canonical");
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("digest of 100 descriptors", |bencher| {
        bencher.iter(|| {
            for value in &values {
                black_box(canonical::digest(black_box(value)));
            }
        });
    });
    group.finish();
}

fn validate(criterion: &mut Criterion) {
    let (folder, revision) = repository();
    let globs = ["**/data-product-descriptor.{yaml,yml,json}".to_owned()];
    let settings = check::Settings { namespace: Some(generator::NAMESPACE.parse().unwrap()) };
    let mut group = criterion.benchmark_group("validate");
    group.throughput(Throughput::Elements(size() as u64));
    group.bench_function(format!("{} descriptors from git, cold", size()), |bencher| {
        bencher.iter(|| {
            // The mirror is opened anew each time, as `validate` does it; the file cache stays warm.
            let tree = MirrorTree::open(folder.path(), &revision);
            let found = check::discover(&tree.list(None).unwrap(), &globs);
            black_box(check::assess_all(&tree, &found.roots, &settings))
        });
    });
    group.bench_function("one descriptor", |bencher| {
        let tree = MirrorTree::open(folder.path(), &revision);
        let path = generator::path(0).parse().unwrap();
        bencher.iter(|| black_box(check::assess(&tree, &path, &settings)));
    });
    group.finish();
}

// Still to be measured here, once what they need is there:
// * policies: `adapter::policy_worker::WorkerJudge` with the shipped pack, 100 questions at once
//   (DATA_PRODUCT_VERSION_CREATION of `generator::descriptor`), and the start of a worker;
// * passes: a recorded source of `size()` descriptors, then a pass with nothing changed, and a pass
//   after `generator::change_one`, each without the fetch.

criterion_group! {
    name = mesh;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_secs(1));
    targets = canonical_digest, validate
}
criterion_main!(mesh);
