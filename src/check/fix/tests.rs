use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::check::{Settings, assess, yaml};
use crate::domain::descriptor::{Compatibility, Leniency};
use crate::port::tree::{Listing, ReadError};

#[derive(Default, Clone)]
struct Files(BTreeMap<RepoPath, Vec<u8>>);

impl Files {
    fn with(mut self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.0.insert(path.parse().unwrap(), bytes.as_ref().to_vec());
        self
    }

    fn text(&self, path: &str) -> String {
        String::from_utf8(self.0[&path.parse::<RepoPath>().unwrap()].clone()).unwrap()
    }

    fn wishes(&self, roots: &[&str]) -> Vec<Wish> {
        let wish = |root: &&str| {
            let assessment = assess(self, &root.parse().unwrap(), &settings());
            Wish { root: assessment.path, files: assessment.files, fixes: assessment.fixes }
        };
        roots.iter().map(wish).collect()
    }

    /// The files as they are after mending, and what was not mended.
    fn mended(&self, roots: &[&str]) -> (Self, Vec<String>) {
        let mending = mend(self, &self.wishes(roots), &|_| true);
        let mut files = self.clone();
        for file in mending.files {
            assert_eq!(files.0.insert(file.path, file.after), Some(file.before));
        }
        (files, mending.left.into_iter().map(|(fix, why)| format!("{}: {why}", fix.location)).collect())
    }
}

impl Tree for Files {
    fn list(&self, _: Option<&RepoPath>) -> Result<Listing, ReadError> {
        Ok(Listing::default())
    }

    fn read(&self, path: &RepoPath, _: u64) -> Result<Vec<u8>, ReadError> {
        self.0.get(path).cloned().ok_or_else(|| ReadError::NotFound(path.clone()))
    }
}

fn settings() -> Settings {
    let warn = Leniency::Warn;
    let compatibility = Compatibility {
        slashless_references: warn,
        executors_in_braces: warn,
        odm_identity: warn,
        ..Default::default()
    };
    Settings { namespace: Some("com.example".parse().unwrap()), compatibility }
}

const FQN: &str = "urn:dpds:com.example:dataproducts:trips:1";
const ID: &str = "1b7f21ba-f9cc-5a1c-b31e-6a3a7a6a5a5a";

fn root(info: &str, rest: &str) -> String {
    format!(
        "dataProductDescriptor: 1.0.0 # é\ninfo:\n  name: trips\n  version: 1.2.0\n  domain: transport\n  owner: {{ id: a@example.com }}\n{info}interfaceComponents: {{ outputPorts: [] }}\n{rest}"
    )
}

fn in_yaml(info: &str, rest: &str) -> (String, Vec<String>) {
    let (files, left) = Files::default().with("d.yaml", root(info, rest)).mended(&["d.yaml"]);
    (files.text("d.yaml"), left)
}

#[track_caller]
fn becomes(info: &str, mended: &str) {
    assert_eq!(in_yaml(info, ""), (root(mended, ""), vec![]));
}

#[test]
fn a_text_is_changed_in_the_style_in_which_it_is_written() {
    let wrong = "urn:dpds:com.example:dataproducts:trips:2";
    for (before, after) in [
        (format!("  fullyQualifiedName: {wrong}\n"), format!("  fullyQualifiedName: {FQN}\n")),
        (format!("  fullyQualifiedName:   {wrong}   # why\n"), format!("  fullyQualifiedName:   {FQN}   # why\n")),
        (format!("  fullyQualifiedName: '{wrong}' # why\n"), format!("  fullyQualifiedName: '{FQN}' # why\n")),
        (format!("  fullyQualifiedName: \"{wrong}\" \n"), format!("  fullyQualifiedName: \"{FQN}\" \n")),
        (format!("  \"fullyQualifiedName\" : {wrong}\n"), format!("  \"fullyQualifiedName\" : {FQN}\n")),
        (format!("  fullyQualifiedName:\n    {wrong}\n"), format!("  fullyQualifiedName:\n    {FQN}\n")),
        (format!("  fullyQualifiedName: |-\n    {wrong}\n"), format!("  fullyQualifiedName: |-\n    {FQN}\n")),
        (format!("  fullyQualifiedName: !!str {wrong}\n"), format!("  fullyQualifiedName: !!str {FQN}\n")),
        (format!("  entityType: port\n  x-a: {wrong}\n"), format!("  entityType: dataproduct\n  x-a: {wrong}\n")),
        (
            format!("  fullyQualifiedName: \"urn\\u003A{}\"\n", &wrong[4..]),
            format!("  fullyQualifiedName: \"{FQN}\"\n"),
        ),
    ] {
        becomes(&before, &after);
        let with_returns = |text: &str| root(text, "").replace('\n', "\r\n");
        let files = Files::default().with("d.yaml", format!("\u{FEFF}{}", with_returns(&before)));
        let (files, left) = files.mended(&["d.yaml"]);
        assert_eq!((files.text("d.yaml"), left), (format!("\u{FEFF}{}", with_returns(&after)), vec![]));
    }
}

#[test]
fn what_the_schema_finds_malformed_is_computed_as_well() {
    let (mended, left) = in_yaml("  id: none\n  fullyQualifiedName: trips\n", "");
    assert_eq!(left, Vec::<String>::new());
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_DNS, FQN.as_bytes());
    assert_eq!(mended, root(&format!("  id: {id}\n  fullyQualifiedName: {FQN}\n"), ""));
}

#[test]
fn what_may_be_right_is_left_and_what_follows_from_it() {
    let wrong = "  fullyQualifiedName: urn:dpds:com.example:dataproducts:trip:1\n  id: none\n";
    let (kept, left) = in_yaml(wrong, "");
    let why = "it differs by a letter or two, so 'name' may be misspelt as well";
    assert_eq!((kept, left), (root(wrong, ""), vec![format!("d.yaml:7:23: {why}"), format!("d.yaml:8:7: {why}")]));
    // The dependencies tell which of the two is right.
    let parts = |product: &str| {
        format!(
            "internalComponents:\n  applicationComponents:\n    - {{ name: aa, version: 1.0.0, dependsOn: ['urn:dpds:com.example:dataproducts:{product}:1:applications:bb'] }}\n    - {{ name: bb, version: 1.0.0 }}\n"
        )
    };
    let given = |product: &str| format!("  fullyQualifiedName: urn:dpds:com.example:dataproducts:{product}:1\n");
    assert_eq!(in_yaml(&given("trip"), &parts("trips")), (root(&given("trips"), &parts("trips")), vec![]));
    for other in ["trip", "buses"] {
        let (kept, left) = in_yaml(&given(other), &parts(other));
        assert_eq!(kept, root(&given(other), &parts(other)));
        let why = "other names in the descriptor agree with it, so 'name' or 'version' may be wrong";
        assert_eq!(left, [format!("d.yaml:7:23: {why}")]);
    }
}

#[test]
fn references_and_executors_are_mended_where_they_stand() {
    let rest = |ref_: &str, href: &str| {
        format!(
            "internalComponents:\n  lifecycleInfo:\n    dev:\n    - {{ service: {{ $href: {href} }}, template: {{ $ref: {ref_} }} }}\ncomponents:\n  templates:\n    t: {{ name: tt, version: 1.0.0, specification: s, definition: {{}} }}\n"
        )
    };
    let (mended, left) = in_yaml("", &rest("'#components/templates/t'", "'{azure-devops}'"));
    assert_eq!((mended, left), (root("", &rest("'#/components/templates/t'", "'azure-devops'")), vec![]));
    let other = "{ name: tt, version: 1.0.0, specification: s, definition: {} }";
    let files = Files::default()
        .with("d.yaml", root("", &rest("lib.yaml#t", "'{no}'")))
        .with("lib.yaml", format!("t: {other}\n"));
    let (files, left) = files.mended(&["d.yaml"]);
    assert_eq!((files.text("d.yaml"), left), (root("", &rest("lib.yaml#/t", "'no'")), vec![]));
}

#[test]
fn json_is_mended_and_its_layout_stays() {
    let text = |fqn: &str, kind: &str| {
        format!(
            "{{\"dataProductDescriptor\":\"1.0.0\",\r\n\t\"info\" : {{\"é\\n\": 0, \"fullyQualifiedName\":  {fqn} ,\"entityType\":{kind}, \"name\":\"trips\",\"version\":\"1.2.0\",\"domain\":\"d\",\"owner\":{{\"id\":\"a\"}}}},\n\"interfaceComponents\":{{\"outputPorts\":[]}}}}"
        )
    };
    let files = Files::default().with("d.json", text("\"urn:dpds:x:\\u0064ataproducts:y:1\"", "\"port\""));
    let (files, left) = files.mended(&["d.json"]);
    assert_eq!((files.text("d.json"), left), (text(&format!("\"{FQN}\""), "\"dataproduct\""), vec![]));
}

#[test]
fn what_would_change_more_is_left_and_said() {
    let shared = "  fullyQualifiedName: &a urn:x:1\n  x-same: *a\n";
    let (text, left) = in_yaml(shared, "");
    assert_eq!(text, root(shared, ""));
    assert_eq!(left, ["d.yaml:7:23: it is used in several places, by an anchor"]);
    for (written, why) in [
        ("  fullyQualifiedName: \"urn:x\\x31\"\n", "it is written in a form that only a person can change"),
        ("  fullyQualifiedName: |\n    urn:x\n", "it is written in a form that only a person can change"),
    ] {
        let (text, left) = in_yaml(written, "");
        assert_eq!(text, root(written, ""));
        assert!(left.len() == 1 && left[0].ends_with(why), "{left:?}");
    }
}

/// A port that two products have in common is called differently in each.
#[test]
fn a_file_of_several_descriptors_is_mended_only_when_they_agree() {
    let descriptor = |name: &str| {
        root("", "").replace("name: trips", &format!("name: {name}")).replace("[]", "[{ $ref: port.yaml }]")
    };
    let port = |fqn: &str| format!("name: pp\nversion: 1.0.0\nentityType: port\nfullyQualifiedName: {fqn}\n");
    let right = format!("{FQN}:outputports:pp");
    let files = |fqn: &str| {
        let files = Files::default().with("a.yaml", descriptor("trips")).with("b.yaml", descriptor("buses"));
        files.with("port.yaml", port(fqn))
    };
    let (mended, left) = files("urn:x").mended(&["a.yaml", "b.yaml"]);
    assert_eq!(mended.text("port.yaml"), port("urn:x").replace("entityType: port", "entityType: outputport"));
    assert_eq!(left, ["port.yaml:4:21: it stands for several parts, and each would need another text"]);
    let (mended, left) = files(&right).mended(&["a.yaml", "b.yaml"]);
    assert_eq!(mended.text("port.yaml"), port(&right).replace("entityType: port", "entityType: outputport"));
    assert_eq!(left, ["port.yaml:4:21: 'a.yaml' reads it as well, and finds no fault with it"]);
    let (mended, left) = files("urn:x").mended(&["a.yaml"]);
    assert!(mended.text("port.yaml").contains(&right) && left.is_empty(), "{left:?}");
}

#[test]
fn files_that_may_not_be_touched_are_left() {
    let files = Files::default().with("d.yaml", root("  entityType: port\n", ""));
    let mending = mend(&files, &files.wishes(&["d.yaml"]), &|_| false);
    assert!(mending.files.is_empty());
    assert_eq!(mending.left[0].1, "it is outside of what was to be mended");
}

/// The platform computes with its own namespace, which nobody has told us.
#[test]
fn names_are_not_computed_from_a_namespace_that_is_guessed() {
    let files = Files::default().with("d.yaml", root("  fullyQualifiedName: urn:trips\n  entityType: port\n", ""));
    let assessment = assess(&files, &"d.yaml".parse().unwrap(), &Settings::default());
    let rules: Vec<_> = assessment.fixes.iter().map(|fix| fix.rule.as_str()).collect();
    assert_eq!(rules, ["identity/entity-type"]);
}

#[test]
fn what_a_switch_accepts_is_no_fault() {
    let task = "internalComponents: { lifecycleInfo: { dev: [{ service: { $href: '{a}' } }] } }\n";
    let files = Files::default().with("d.yaml", root("", task));
    let accepting = Compatibility { executors_in_braces: Leniency::Accept, ..Default::default() };
    let accepted = assess(&files, &"d.yaml".parse().unwrap(), &Settings { compatibility: accepting, ..settings() });
    assert!(accepted.fixes.is_empty() && accepted.descriptor.is_some());
    assert_eq!(files.wishes(&["d.yaml"])[0].fixes.len(), 1);
}

/// The values at which two documents differ: pointer, before, after.
fn differences(pointer: &str, before: &Value, after: &Value, found: &mut Vec<(String, Value, Value)>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            assert!(before.keys().eq(after.keys()), "the same keys in the same order");
            for (key, value) in before {
                differences(&format!("{pointer}/{key}"), value, &after[key], found);
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            assert_eq!(before.len(), after.len());
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                differences(&format!("{pointer}/{index}"), before, after, found);
            }
        }
        _ if before == after => {}
        _ => found.push((pointer.to_owned(), before.clone(), after.clone())),
    }
}

/// A scalar as people write it.
fn written(style: usize, text: &str) -> String {
    match style {
        0 if yaml::is_plain_text(text) => format!("{text}  "),
        1 => format!("\"{text}\""),
        2 => format!("\"{text}\" # é: '{text}'"),
        3 => format!("'{text}' # \"{text}\""),
        _ => format!("'{text}'"),
    }
}

fn scalar() -> impl Strategy<Value = (usize, usize)> {
    (0..5_usize, 0..5_usize)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Mended twice is mended once; nothing but the places named differs, in the bytes and in what they
    /// say; what is left is no worse than it was; and what was no fault has the same digest as before.
    #[test]
    fn mending_changes_just_what_it_says(
        name in scalar(), id in scalar(), kind in scalar(), port in scalar(), executor in scalar(), template in scalar(),
        returns in any::<bool>(), mark in any::<bool>(),
    ) {
        let pick = |choice: (usize, usize), texts: [&str; 5]| written(choice.0, texts[choice.1]);
        let mut text = root(
            &format!(
                "  fullyQualifiedName: {}\n  id: {}\n  # kept\n  entityType: {}\n",
                pick(name, [FQN, "urn:dpds:com.example:dataproducts:trips:2", "urn:com.example:dataproducts:trips", "trips", "urn:x"]),
                pick(id, [ID, "1f541d38-37fc-3753-beb8-e69f480c6916", "none", "", "0"]),
                pick(kind, ["dataproduct", "port", "no", "", "x: y"]),
            ),
            &format!(
                "internalComponents:\n  lifecycleInfo:\n    dev:\n    -   service:\n            $href: {}\n        template:\n            $ref: {}\ncomponents:\n  templates:\n    t: {{ name: tt, version: 1.0.0, specification: s, definition: {{}} }}\n",
                pick(executor, ["azure", "{azure}", "{no}", "{}", "{a b}"]),
                pick(template, ["#/components/templates/t", "#components/templates/t", "#t", "lib.yaml#t", "lib.yaml"]),
            ),
        ).replace("[]", &format!("[{{ name: p1, version: 1.0.0, entityType: {} }}]", pick(port, ["outputport", "inputport", "port b", "a#b", "x"]).replace(" # é", "").split(": '").next().unwrap().split(" # \"").next().unwrap()));
        if returns {
            text = text.replace('\n', "\r\n");
        }
        if mark {
            text.insert(0, '\u{FEFF}');
        }
        let lib = "t: { name: tt, version: 1.0.0, specification: s, definition: {} }\n";
        let files = Files::default().with("d.yaml", &text).with("lib.yaml", lib);
        let path: RepoPath = "d.yaml".parse().unwrap();
        let wishes = files.wishes(&["d.yaml"]);
        let mending = mend(&files, &wishes, &|_| true);
        prop_assert!(mending.left.is_empty(), "{:?}\n{text}", mending.left);
        prop_assert_eq!(mending.files.iter().map(|file| file.fixes.len()).sum::<usize>(), wishes[0].fixes.len());
        let (once, _) = files.mended(&["d.yaml"]);
        let (twice, _) = once.mended(&["d.yaml"]);
        prop_assert_eq!(once.text("d.yaml"), twice.text("d.yaml"));
        prop_assert_eq!(once.text("lib.yaml"), lib);

        // What the texts say differs where it was mended, and as it was said.
        let say = |text: &str| yaml::read(text.as_bytes(), Syntax::Yaml).0.map(|document| document.value);
        if let (Some(before), Some(after)) = (say(&text), say(&once.text("d.yaml"))) {
            let mut found = Vec::new();
            differences("", &before, &after, &mut found);
            let mut changes: Vec<(String, String)> =
                found.iter().map(|(_, from, to)| (from.as_str().unwrap().to_owned(), to.as_str().unwrap().to_owned())).collect();
            let mut wanted: Vec<(String, String)> =
                wishes[0].fixes.iter().map(|fix| (fix.from.clone(), fix.to.clone())).collect();
            changes.sort();
            wanted.sort();
            prop_assert_eq!(changes, wanted);
        }

        // And so do the bytes: lines are the same but for those with a place, and these but for the text.
        let mended = once.text("d.yaml");
        prop_assert_eq!(text.matches('\n').count(), mended.matches('\n').count());
        for (index, (was, is)) in text.split('\n').zip(mended.split('\n')).enumerate() {
            let here = wishes[0].fixes.iter().filter(|fix| fix.location.line as usize == index + 1);
            // An empty text stands on the line everywhere.
            if here.clone().any(|fix| fix.from.is_empty()) {
                continue;
            }
            prop_assert_eq!(here.fold(was.to_owned(), |line, fix| line.replacen(&fix.from, &fix.to, 1)), is);
        }

        // What is computed is no content, so a descriptor that was let in is the same one.
        let (before, after) = (assess(&files, &path, &settings()), assess(&once, &path, &settings()));
        let errors = |assessment: &crate::check::Assessment| {
            let errors = assessment.findings.iter().filter(|finding| finding.is_error());
            errors.map(|finding| (finding.rule.clone(), finding.pointer.clone())).collect::<Vec<_>>()
        };
        let errors_before = errors(&before);
        prop_assert!(errors(&after).iter().all(|error| errors_before.contains(error)));
        if let (Some(was), Some(is)) = (&before.descriptor, &after.descriptor)
            && !wishes[0].fixes.iter().any(|fix| fix.rule.as_str().starts_with("lifecycle/"))
        {
            prop_assert_eq!(&was.digest, &is.digest);
        }
    }
}
