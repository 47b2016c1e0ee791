//! The local forge: statuses as git notes.

use std::collections::BTreeMap;

use meshwright::adapter::local_forge::LocalForge;
use meshwright::domain::id::Revision;
use meshwright::domain::report::{Report, ReportContext, ReportState};
use meshwright::port::forge::{Forge as _, ForgeError};

use super::name;
use crate::support::repository::TestRepository;

fn report(revision: &Revision, context: &ReportContext, state: ReportState, description: &str) -> Report {
    Report::new(&name("mesh"), revision, context, state, description)
}

fn stage(text: &str) -> ReportContext {
    ReportContext::Stage(text.parse().unwrap())
}

fn forge_of(repository: &TestRepository) -> LocalForge {
    LocalForge::new(BTreeMap::from([(name("mesh"), repository.path().to_owned())]))
}

#[tokio::test]
async fn statuses_are_notes_that_git_shows() {
    let repository = TestRepository::new();
    let revision = repository.commit(&[("a", "1")], "first");
    let forge = forge_of(&repository);
    let pending = report(&revision, &ReportContext::Validate, ReportState::Pending, "being looked at");
    let mut valid = report(&revision, &ReportContext::Validate, ReportState::Success, "10 descriptors, no errors");
    valid.target_url = Some("https://mesh.example.com/passes/1".to_owned());
    let dev = report(&revision, &stage("dev"), ReportState::Failure, "build failed:\nsee the log");
    for report in [&pending, &dev, &valid] {
        forge.publish(report, None).await.unwrap();
    }
    let shown = repository.git(&["notes", "--ref=meshwright", "show", revision.as_str()]);
    let expected = "\
failure  meshwright/dev       build failed: see the log
success  meshwright/validate  10 descriptors, no errors
         https://mesh.example.com/passes/1";
    assert_eq!(shown, expected);
    assert!(repository.git(&["log", "--notes=meshwright"]).contains("success  meshwright/validate"));

    // The same once more writes nothing; what is no more than pending is not left behind.
    let tip = || repository.git(&["rev-parse", "refs/notes/meshwright"]);
    let before = tip();
    forge.publish(&valid, None).await.unwrap();
    forge.publish(&dev, None).await.unwrap();
    assert_eq!(tip(), before);
    assert_eq!(repository.git(&["for-each-ref", "refs/meshwright"]), "");
    assert_eq!(
        repository.git(&["log", "-1", "--format=%s", "refs/notes/meshwright"]).split(" on ").next(),
        Some("success meshwright/validate")
    );

    let read = LocalForge::read(repository.path(), &revision).unwrap();
    let read: Vec<_> = read.iter().map(|status| (status.context.as_str(), status.state)).collect();
    assert_eq!(read, [("meshwright/dev", ReportState::Failure), ("meshwright/validate", ReportState::Success)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_that_know_nothing_of_each_other_lose_nothing() {
    let repository = TestRepository::new();
    let first = repository.commit(&[("a", "1")], "first");
    let second = repository.commit(&[("a", "2")], "second");
    let mut writers = Vec::new();
    for writer in 0..4 {
        let forge = forge_of(&repository);
        let revisions = [first.clone(), second.clone()];
        writers.push(tokio::spawn(async move {
            for number in 0..4 {
                for revision in &revisions {
                    let context = stage(&format!("stage-{writer}-{number}"));
                    let report = report(revision, &context, ReportState::Success, "runs");
                    while let Err(error) = forge.publish(&report, None).await {
                        assert!(matches!(error, ForgeError::Transient(_)), "{error}");
                    }
                }
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    for revision in [&first, &second] {
        assert_eq!(LocalForge::read(repository.path(), revision).unwrap().len(), 16);
    }
    assert_eq!(repository.git(&["for-each-ref", "refs/meshwright"]), "");
    assert_eq!(repository.git(&["rev-list", "--count", "refs/notes/meshwright"]), "32");
}

#[tokio::test]
async fn notes_of_people_and_bare_repositories_are_respected() {
    let repository = TestRepository::new();
    let revision = repository.commit(&[("a", "1")], "first");
    repository.git(&["notes", "--ref=meshwright", "add", "-m", "seen by Anna", revision.as_str()]);
    repository.git(&["clone", "--quiet", "--mirror", ".", "bare.git"]);
    let bare = repository.file("bare.git");
    let forge = LocalForge::new(BTreeMap::from([(name("mesh"), bare.clone()), (name("other"), bare.clone())]));
    forge.publish(&report(&revision, &ReportContext::Plan, ReportState::Success, "no change"), None).await.unwrap();
    let shown = repository.git(&["--git-dir=bare.git", "notes", "--ref=meshwright", "show", revision.as_str()]);
    // Two sources read this repository, and each has a status of its own.
    assert_eq!(shown, "success  meshwright/plan@mesh  no change\nseen by Anna");
}

#[tokio::test]
async fn what_will_not_pass_is_told_from_what_may() {
    let repository = TestRepository::new();
    let revision = repository.commit(&[("a", "1")], "first");
    let forge = forge_of(&repository);
    let unknown: Revision = "0123456789012345678901234567890123456789".parse().unwrap();
    let say = |revision: &Revision| report(revision, &ReportContext::Plan, ReportState::Success, "no change");
    let outcome = forge.publish(&say(&unknown), None).await;
    assert!(matches!(outcome, Err(ForgeError::Permanent(_))), "{outcome:?}");
    let other = Report { source: name("other"), ..say(&revision) };
    assert!(matches!(forge.publish(&other, None).await, Err(ForgeError::Permanent(_))));

    {
        std::fs::create_dir_all(repository.file(".git/refs/notes")).unwrap();
        std::fs::write(repository.file(".git/refs/notes/meshwright.lock"), "").unwrap();
    }
    let outcome = forge.publish(&say(&revision), None).await;
    assert!(matches!(outcome, Err(ForgeError::Transient(_))), "{outcome:?}");
    std::fs::remove_file(repository.file(".git/refs/notes/meshwright.lock")).unwrap();
    forge.publish(&say(&revision), None).await.unwrap();

    std::fs::rename(repository.file(".git"), repository.file("gone")).unwrap();
    let outcome = forge.publish(&say(&revision), None).await;
    assert!(matches!(outcome, Err(ForgeError::Permanent(_))), "{outcome:?}");
}
