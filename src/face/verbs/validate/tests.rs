use async_trait::async_trait;

use super::*;
use crate::domain::finding::RuleId;
use crate::domain::id::Digest;
use crate::domain::policy::{Enforcement, Verdict, Violation};
use crate::port::judge::PolicyLoadError;
use crate::port::tree::{Entry, EntryKind, Listing, ReadError};

const GOOD: &str = include_str!("../../../../tests/cases/validate/good/products/trips/data-product-descriptor.yaml");

/// Two descriptors; the second one is broken.
struct Files;

impl Tree for Files {
    fn list(&self, _: Option<&RepoPath>) -> Result<Listing, ReadError> {
        let entry = |path: &str| Entry { path: path.parse().unwrap(), kind: EntryKind::File };
        let entries = vec![entry("a/data-product-descriptor.yaml"), entry("b/data-product-descriptor.yaml")];
        Ok(Listing { entries, unusable: Vec::new() })
    }

    fn read(&self, path: &RepoPath, _: u64) -> Result<Vec<u8>, ReadError> {
        match path.as_str() {
            "a/data-product-descriptor.yaml" => Ok(GOOD.as_bytes().to_vec()),
            "b/data-product-descriptor.yaml" => Ok(b"info: [".to_vec()),
            _ => Err(ReadError::NotFound(path.clone())),
        }
    }
}

/// Says the same of everything; or forgets to answer.
struct Opinion {
    enforcement: Enforcement,
    answers: bool,
}

#[async_trait]
impl Judge for Opinion {
    fn policies(&self) -> Digest {
        Digest::of(b"")
    }

    async fn reload(&self) -> Result<Digest, PolicyLoadError> {
        Ok(self.policies())
    }

    async fn judge(&self, questions: Vec<Question>) -> Vec<Verdict> {
        let events: Vec<PolicyEvent> = questions.iter().map(|question| question.event).collect();
        assert_eq!(events, EVENTS, "only what rules have nothing against is asked about");
        let name = questions[0].after_state.as_ref().unwrap().value()["dataProductVersion"]["info"]["name"].clone();
        assert_eq!(name, "trips");
        let violation = Violation {
            rule: RuleId::policy("mesh", "owner"),
            enforcement: self.enforcement,
            message: "the owner is unknown".to_owned(),
            pointer: Some("/info/owner/id".to_owned()),
            within: None,
            hint: None,
        };
        let verdict = Verdict { policies: self.policies(), violations: vec![violation] };
        if self.answers { vec![verdict.clone(), verdict] } else { vec![] }
    }
}

async fn run(path: &str, judge: Option<&dyn Judge>) -> (ExitStatus, String, String) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::File::create_new(folder.path().join(name).join("data-product-descriptor.yaml")).unwrap();
    }
    let request = ValidateRequest {
        paths: &[path.into()],
        current_folder: folder.path(),
        globs: &["**/data-product-descriptor.yaml".to_owned()],
        settings: &Settings::default(),
        platform: None,
        judge,
        catalogue: &[],
        format: FindingFormat::Text,
        open: &|_| Arc::new(Files),
        fix: None,
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut output = Output { out: &mut out, err: &mut err, colour: false, err_colour: false, width: 100 };
    let status = validate(&request, &mut output).await.unwrap();
    (status, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

const ONE: &str = "a/data-product-descriptor.yaml";

#[tokio::test]
async fn what_policies_say_stands_at_its_line_once() {
    let warn = Opinion { enforcement: Enforcement::Warn, answers: true };
    let (status, out, _) = run(ONE, Some(&warn)).await;
    assert_eq!(status, ExitStatus::Success, "a warning refuses nothing: {out}");
    let wanted = "warning[policy/mesh.owner]: the owner is unknown\n --> a/data-product-descriptor.yaml:9:9\n";
    assert_eq!(out.matches(wanted).count(), 1, "{out}");
    let block = Opinion { enforcement: Enforcement::Block, answers: true };
    assert_eq!(run(ONE, Some(&block)).await.0, ExitStatus::Failed);
    assert_eq!(run(ONE, None).await.0, ExitStatus::Success);
}

#[tokio::test]
async fn policies_that_do_not_answer_refuse() {
    let silent = Opinion { enforcement: Enforcement::Warn, answers: false };
    let (status, _, err) = run(ONE, Some(&silent)).await;
    assert_eq!(status, ExitStatus::Failed);
    assert!(err.contains("policies were asked 2 questions and gave 0 answers"), "{err}");
}

#[tokio::test]
async fn a_broken_descriptor_does_not_stop_the_others() {
    let warn = Opinion { enforcement: Enforcement::Warn, answers: true };
    let (status, out, _) = run(".", Some(&warn)).await;
    assert_eq!(status, ExitStatus::Failed);
    assert!(out.contains("policy/mesh.owner") && out.contains("b/data-product-descriptor.yaml:1:7"), "{out}");
    assert!(out.contains("2 descriptors checked"), "{out}");
}
