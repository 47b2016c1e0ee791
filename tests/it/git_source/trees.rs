//! Reading many files at once.

use std::fmt::Write as _;
use std::time::Instant;

use rayon::prelude::*;

use super::{Fixture, at};
use crate::support::repository::TestRepository;

/// How many files: enough that a cost per file that grows with the number of files would be felt.
const FILES: usize = 10_000;

fn content(number: usize) -> String {
    format!("number: {number}\n{}", "line: of some length\n".repeat(240))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_files_are_read_by_many_threads() {
    let repository = TestRepository::new();
    // Half of them in one folder, half in folders of their own.
    let name = |number: usize| match number % 2 {
        0 => format!("one/{number:05}.yaml"),
        _ => format!("many/{number:05}/descriptor.yaml"),
    };
    let mut import = "commit refs/heads/main\ncommitter Test <test@example.com> 1790000000 +0000\ndata 0\n".to_owned();
    for number in 0..FILES {
        let content = content(number);
        write!(import, "M 644 inline {}\ndata {}\n{content}\n", name(number), content.len()).unwrap();
    }
    repository.git_with_input(&["fast-import", "--quiet"], &import);
    let revision = repository.git(&["rev-parse", "refs/heads/main"]).parse().unwrap();
    let fixture = Fixture::of(repository.path().display());
    assert_eq!(fixture.fetch().await, at(&revision));

    let tree = fixture.tree(&revision).await;
    let start = Instant::now();
    let listing = tree.list(None).unwrap();
    let listed = start.elapsed();
    assert_eq!(listing.entries.len(), FILES);
    assert!(listing.entries.is_sorted_by_key(|entry| &entry.path));
    let start = Instant::now();
    let bytes: usize = listing.entries.par_iter().map(|entry| tree.read(&entry.path, 1 << 20).unwrap().len()).sum();
    eprintln!("listed in {listed:?}, read in {:?}", start.elapsed());
    assert_eq!(bytes, (0..FILES).map(|number| content(number).len()).sum::<usize>());
    let start = Instant::now();
    assert_eq!(fixture.fetch().await, at(&revision));
    eprintln!("looked again in {:?}", start.elapsed());
}
