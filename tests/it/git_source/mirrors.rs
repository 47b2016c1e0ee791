//! Mirrors that are shared, broken, left behind half-written, or grown too large.

use std::fs;
use std::path::{Path, PathBuf};

use meshwright::adapter::git::{GitSourceSpec, GitSources};
use meshwright::domain::source::Head;
use meshwright::port::source::{FetchError, Source};

use super::{Fixture, at, files_below, name, spec};
use crate::support::repository::TestRepository;

fn with_end(folder: &Path, end: &str) -> Vec<PathBuf> {
    files_below(folder).into_iter().filter(|file| file.to_str().unwrap().ends_with(end)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_with_one_url_share_one_mirror() {
    let repository = TestRepository::new();
    let main = repository.commit(&[("a", "1")], "first");
    repository.git(&["branch", "next"]);
    let shown = repository.path().display().to_string();
    let next = GitSourceSpec { branch: "next".to_owned(), ..spec("next", format!("file://{shown}")) };
    let fixture = Fixture::new(vec![spec("mesh", &shown), spec("same", format!("{shown}/")), next]);
    let mut fetches = Vec::new();
    for source in ["mesh", "same", "next"].repeat(5) {
        let sources = std::sync::Arc::clone(&fixture.sources);
        fetches.push(tokio::spawn(async move { sources.fetch(&name(source)).await }));
    }
    for fetch in fetches {
        assert_eq!(fetch.await.unwrap(), at(&main));
    }
    let second = repository.commit(&[("a", "2")], "second");
    assert_eq!(fixture.sources.fetch(&name("next")).await, at(&main));
    assert_eq!(fixture.sources.fetch(&name("same")).await, at(&second));
    fixture.mirror();
}

type Breakage = (&'static str, fn(&Path));

const BREAKAGES: [Breakage; 9] = [
    ("pack cut in half", |mirror| {
        for pack in with_end(mirror, ".pack") {
            let bytes = fs::read(&pack).unwrap();
            fs::remove_file(&pack).unwrap();
            fs::write(&pack, &bytes[..bytes.len() / 2]).unwrap();
        }
    }),
    ("pack with other bytes in the middle", |mirror| {
        for pack in with_end(mirror, ".pack") {
            let mut bytes = fs::read(&pack).unwrap();
            let end = bytes.len() - 20;
            bytes[12..end].fill(0xff);
            fs::remove_file(&pack).unwrap();
            fs::write(&pack, &bytes).unwrap();
        }
    }),
    ("index removed", |mirror| with_end(mirror, ".idx").iter().for_each(|file| fs::remove_file(file).unwrap())),
    ("index emptied", |mirror| {
        for file in with_end(mirror, ".idx") {
            fs::remove_file(&file).unwrap();
            fs::write(&file, "").unwrap();
        }
    }),
    ("objects removed", |mirror| fs::remove_dir_all(mirror.join("objects")).unwrap()),
    ("HEAD removed", |mirror| fs::remove_file(mirror.join("HEAD")).unwrap()),
    ("configuration is no configuration", |mirror| fs::write(mirror.join("config"), "[core\0").unwrap()),
    ("ref is no ref", |mirror| {
        files_below(&mirror.join("refs")).iter().for_each(|file| fs::write(file, "nonsense\n").unwrap());
    }),
    ("folder is a file", |mirror| {
        fs::remove_dir_all(mirror).unwrap();
        fs::write(mirror, "").unwrap();
    }),
];

#[tokio::test]
async fn a_corrupt_mirror_is_cloned_again() {
    for (breakage, break_it) in BREAKAGES {
        for is_restarted in [false, true] {
            let repository = TestRepository::new();
            repository.commit(&[("a", "1"), ("folder/b", &"much ".repeat(5_000))], "first");
            let revision = repository.commit(&[("a", "2")], "second");
            let specs = || vec![spec("mesh", repository.path().display())];
            let mut fixture = Fixture::new(specs());
            assert_eq!(fixture.fetch().await, at(&revision));
            break_it(&fixture.mirror());
            if is_restarted {
                fixture = fixture.restarted(specs());
            }
            // A breakage may be seen by the fetch, or only by who reads; then the next fetch mends it.
            let context = format!("{breakage}, restarted: {is_restarted}");
            assert_eq!(fixture.fetch().await, at(&revision), "{context}");
            if fixture.read(&revision, "folder/b").await.is_err() {
                assert_eq!(fixture.fetch().await, at(&revision), "{context}");
            }
            assert_eq!(fixture.read(&revision, "folder/b").await.unwrap().len(), 25_000, "{context}");
            let third = repository.commit(&[("a", "3")], "third");
            assert_eq!(fixture.fetch().await, at(&third), "{context}");
            assert_eq!(fixture.read(&third, "a").await.unwrap(), "3", "{context}");
            assert!(
                fixture.entries_ending(".new").is_empty() && fixture.entries_ending(".old").is_empty(),
                "{context}"
            );
        }
    }
}

#[tokio::test]
async fn a_corrupt_mirror_that_cannot_be_cloned_again_has_its_own_outcome() {
    let repository = TestRepository::new();
    let revision = repository.commit(&[("a", "1")], "first");
    let specs = || vec![spec("mesh", repository.path().display())];
    let fixture = Fixture::new(specs());
    assert_eq!(fixture.fetch().await, at(&revision));
    fs::remove_file(with_end(&fixture.mirror(), ".pack").remove(0)).unwrap();
    // The repository still tells its branches, and has lost what they are made of.
    let lost = repository.file(".git/objects");
    fs::rename(&lost, repository.file("kept")).unwrap();
    fs::create_dir(&lost).unwrap();
    let fixture = fixture.restarted(specs());
    let outcome = fixture.fetch().await;
    assert!(!matches!(outcome, Ok(Head::EmptyRepository | Head::NoSuchBranch)), "{outcome:?}");
    fs::remove_dir(&lost).unwrap();
    fs::rename(repository.file("kept"), &lost).unwrap();

    // Here it can list, and cannot serve.
    let tree = repository.git(&["rev-parse", "HEAD^{tree}"]);
    let object = repository.file(&format!(".git/objects/{}/{}", &tree[..2], &tree[2..]));
    fs::rename(&object, repository.file("tree")).unwrap();
    let outcome = fixture.fetch().await;
    assert!(matches!(outcome, Err(FetchError::CorruptMirror(_))), "{outcome:?}");
    fs::rename(repository.file("tree"), &object).unwrap();
    assert_eq!(fixture.fetch().await, at(&revision));
    assert_eq!(fixture.read(&revision, "a").await.unwrap(), "1");
}

#[tokio::test]
async fn what_killed_processes_left_behind_is_removed() {
    let repository = TestRepository::new();
    let first = repository.commit(&[("a", "1")], "first");
    let fixture = Fixture::of(repository.path().display());
    assert_eq!(fixture.fetch().await, at(&first));
    let mirror = fixture.mirror();
    let reference = files_below(&mirror.join("refs")).remove(0);
    let left = [
        reference.with_extension("lock"),
        mirror.join("packed-refs.lock"),
        mirror.join("config.lock"),
        mirror.join("shallow.lock"),
        mirror.join("objects/pack/tmp_pack_Xy12"),
        mirror.join("objects/pack/pack-1234.keep"),
        mirror.with_extension("git.new").join("objects/half"),
        mirror.with_extension("git.old").join("HEAD"),
    ];
    for file in &left {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "left behind").unwrap();
    }
    let second = repository.commit(&[("a", "2")], "second");
    assert_eq!(fixture.fetch().await, at(&second));
    let still: Vec<_> = left.iter().filter(|file| file.exists()).collect();
    assert!(still.is_empty(), "{still:?}");
    assert_eq!(fixture.read(&second, "a").await.unwrap(), "2");
}

#[tokio::test]
async fn a_repository_over_the_limit_is_refused_once_and_not_transferred_again() {
    let repository = TestRepository::new();
    let small = repository.commit(&[("a", "1")], "small");
    let mirrors = tempfile::tempdir().unwrap();
    let specs = vec![spec("mesh", repository.path().display())];
    let sources = GitSources::with_limit(mirrors.path().to_owned(), specs, 1).unwrap();
    let mesh = name("mesh");
    let fetch = || sources.fetch(&mesh);
    assert_eq!(fetch().await, at(&small));

    // Digits that do not compress below the limit.
    let mut random = fastrand::Rng::with_seed(7);
    let large: String = (0..6_000_000).map(|_| random.alphanumeric()).collect();
    repository.commit(&[("large", &large)], "large");
    for _ in 0..2 {
        let outcome = fetch().await;
        assert!(matches!(&outcome, Err(FetchError::Refused(message)) if message.contains("1 MiB")), "{outcome:?}");
    }
    let bytes: u64 = files_below(mirrors.path()).iter().map(|file| file.metadata().unwrap().len()).sum();
    assert!(bytes < 1 << 20, "{bytes} bytes are left");
    assert!(sources.tree(&name("mesh"), &small).await.is_ok());

    repository.git(&["reset", "--quiet", "--hard", small.as_str()]);
    let mended = repository.commit(&[("a", "2")], "mended");
    assert_eq!(fetch().await, at(&mended));
}

#[tokio::test]
async fn many_small_packs_are_rolled_up_and_nothing_is_forgotten() {
    let repository = TestRepository::new();
    let fixture = Fixture::of(repository.path().display());
    let mut revisions = Vec::new();
    for number in 0..30 {
        let number = number.to_string();
        // Every commit forgets the one before.
        repository.git(&["checkout", "--quiet", "--orphan", &format!("b{number}")]);
        let revision = repository.commit(&[("a", &number)], &number);
        repository.git(&["branch", "--force", "main"]);
        assert_eq!(fixture.fetch().await, at(&revision));
        revisions.push((revision, number));
    }
    let packs = with_end(&fixture.mirror(), ".pack").len();
    assert!(packs <= 25, "{packs} packs");
    // Of the next process, which has no pack open that is no longer there.
    let fixture = fixture.restarted(vec![spec("mesh", repository.path().display())]);
    for (revision, number) in revisions {
        assert_eq!(fixture.read(&revision, "a").await.unwrap(), number);
    }
}
