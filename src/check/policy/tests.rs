//! Loading and asking, as a whole.

use serde_json::{Value, json};

use super::testing::{PolicyTestOutcome, TestSuite};
use super::{Evaluator, PolicyFile, PolicySet};
use crate::domain::policy::{Enforcement, PolicyEvent, Question, Verdict, Written};

fn files(list: &[(&str, &str)]) -> Vec<PolicyFile> {
    let file = |(name, text): &(&str, &str)| PolicyFile {
        folder: None,
        name: name.parse().unwrap(),
        text: (*text).to_owned(),
    };
    list.iter().map(file).collect()
}

fn shipped() -> Vec<PolicyFile> {
    static PACK: include_dir::Dir<'_> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/policies");
    let text = |file: &include_dir::File<'_>| file.contents_utf8().unwrap().to_owned();
    let file = |file| PolicyFile { folder: None, name: file_name(file), text: text(file) };
    PACK.files().map(file).collect()
}

fn file_name(file: &include_dir::File<'_>) -> crate::domain::id::RepoPath {
    file.path().to_str().unwrap().parse().unwrap()
}

/// Every problem as `file:line:column: message`.
fn problems(list: &[(&str, &str)]) -> Vec<String> {
    let problems = PolicySet::load(&files(list)).expect_err("the set should not load");
    problems.iter().map(|problem| format!("{}: {}", problem.location, problem.message)).collect()
}

fn question(after: &Value) -> Question {
    Question {
        event: PolicyEvent::DataProductVersionCreation,
        current_state: None,
        after_state: Some(Written::of(&json!({"dataProductVersion": after}))),
        change: None,
        stage: None,
        source: None,
    }
}

fn judge(list: &[(&str, &str)], after: &Value) -> Verdict {
    Evaluator::new(PolicySet::load(&files(list)).unwrap()).judge(&question(after))
}

#[test]
fn the_shipped_pack_loads_and_its_tests_pass() {
    let files = shipped();
    let set = PolicySet::load(&files).unwrap();
    assert!(set.packages().len() >= 10, "{}", set.packages().len());
    for package in set.packages() {
        let settings = &package.settings;
        assert!(
            settings.title.is_some() && settings.description.is_some() && settings.remedy.is_some(),
            "{}",
            package.name
        );
    }
    let results = TestSuite::load(&files).unwrap().run_all();
    let wrong: Vec<_> = results.iter().filter(|result| result.outcome != PolicyTestOutcome::Passed).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for package in set.packages() {
        let tests = format!("{}_test.", package.name);
        assert!(results.iter().any(|result| result.name.starts_with(&tests)), "{} has no tests", package.name);
    }
}

#[test]
fn deny_yields_objects_and_texts() {
    let verdict = judge(
        &[(
            "a.rego",
            "# METADATA\n# custom: {remedy: do it}\npackage mesh.a\n\ndeny contains \"plain\"\n\ndeny contains {\"msg\": \"m\", \
             \"pointer\": \"/info\", \"hint\": \"h\", \"rule\": \"r\"}\n\nwarn contains \"w\"\n",
        )],
        &json!({}),
    );
    let told: Vec<_> = verdict
        .violations
        .iter()
        .map(|v| (v.rule.as_str(), v.message.as_str(), v.pointer.as_deref(), v.hint.as_deref(), v.enforcement))
        .collect();
    assert_eq!(
        told,
        [
            ("policy/mesh.a.deny", "plain", None, Some("do it"), Enforcement::Block),
            ("policy/mesh.a.r", "m", Some("/info"), Some("h"), Enforcement::Block),
            ("policy/mesh.a.warn", "w", None, Some("do it"), Enforcement::Warn),
        ]
    );
}

#[test]
fn allow_refuses_unless_it_is_exactly_true() {
    for (body, allowed) in [
        ("default allow := false\nallow if input.afterState.dataProductVersion.fine", true),
        ("allow if input.afterState.dataProductVersion.missing", false),
        ("allow := \"true\"", false),
        ("allow := 1", false),
        ("allow := true", true),
    ] {
        let text = format!("package odm.a\n\n{body}\n");
        let verdict = judge(&[("a.rego", &text)], &json!({"fine": true}));
        assert_eq!(verdict.allows(), allowed, "{body}: {verdict:?}");
    }
}

#[test]
fn only_those_that_listen_are_asked() {
    let text = "# METADATA\n# custom: {events: [TASK_EXECUTION_RESULT]}\npackage a\n\ndeny contains \"no\"\n";
    let mut evaluator = Evaluator::new(PolicySet::load(&files(&[("a.rego", text)])).unwrap());
    assert!(evaluator.judge(&question(&json!({}))).allows());
    let task = Question { event: PolicyEvent::TaskExecutionResult, ..question(&json!({})) };
    assert!(!evaluator.judge(&task).allows());
}

#[test]
fn the_same_states_at_another_event_are_answered_anew_only_by_those_that_see_the_event() {
    let always = "# METADATA\n# custom: {events: [DATA_PRODUCT_CREATION, DATA_PRODUCT_UPDATE]}\n";
    let sees = format!("{always}package a\ndeny contains sprintf(\"%s\", [input.event]) if true");
    let blind =
        format!("{always}package b\ndeny contains sprintf(\"%v\", [input.afterState.dataProductVersion.x]) if true");
    let through = format!("{always}package c\nimport data.a\ndeny contains sprintf(\"c %v\", [x]) if some x in a.deny");
    let list = [("a.rego", sees.as_str()), ("b.rego", &blind), ("c.rego", &through)];
    let mut evaluator = Evaluator::new(PolicySet::load(&files(&list)).unwrap());
    let mut asked = Vec::new();
    let mut ask = |event: PolicyEvent, x: i32| {
        let question = Question { event, ..question(&json!({"x": x})) };
        let json = serde_json::to_string(&question).unwrap();
        let mut positions = Vec::new();
        let verdict = evaluator.judge_json(&json, &mut |position| positions.push(position));
        asked.push(positions);
        verdict.violations.into_iter().map(|violation| violation.message).collect::<Vec<_>>()
    };
    assert_eq!(ask(PolicyEvent::DataProductCreation, 1), ["DATA_PRODUCT_CREATION", "1", "c DATA_PRODUCT_CREATION"]);
    assert_eq!(ask(PolicyEvent::DataProductUpdate, 1), ["DATA_PRODUCT_UPDATE", "1", "c DATA_PRODUCT_UPDATE"]);
    assert_eq!(ask(PolicyEvent::DataProductUpdate, 2), ["DATA_PRODUCT_UPDATE", "2", "c DATA_PRODUCT_UPDATE"]);
    assert_eq!(asked, [vec![0, 1, 2], vec![0, 2], vec![0, 1, 2]]);
}

#[test]
fn the_question_before_is_asked_again_at_another_event_and_never_out_of_nothing() {
    let text = "# METADATA\n# custom: {events: [DATA_PRODUCT_CREATION, DATA_PRODUCT_UPDATE]}\npackage a\n\ndeny contains sprintf(\"%s %v\", [input.event, input.afterState.dataProductVersion.x]) if true\n";
    let mut evaluator = Evaluator::new(PolicySet::load(&files(&[("a.rego", text)])).unwrap());
    let nothing = evaluator.judge_again(PolicyEvent::DataProductUpdate, &mut |_| {});
    assert!(!nothing.allows(), "{nothing:?}");
    let first = Question { event: PolicyEvent::DataProductCreation, ..question(&json!({"x": 1})) };
    let second = Question { event: PolicyEvent::DataProductUpdate, ..first.clone() };
    assert_eq!(evaluator.judge(&first).violations[0].message, "DATA_PRODUCT_CREATION 1");
    let again = evaluator.judge_again(PolicyEvent::DataProductUpdate, &mut |_| {});
    assert_eq!(again.violations[0].message, "DATA_PRODUCT_UPDATE 1");
    assert_eq!(again, Evaluator::new(PolicySet::load(&files(&[("a.rego", text)])).unwrap()).judge(&second));
    assert!(!evaluator.judge_json("{", &mut |_| {}).allows());
    let lost = evaluator.judge_again(PolicyEvent::DataProductUpdate, &mut |_| {});
    assert_eq!(lost.violations[0].rule.as_str(), "policy/not-evaluated", "what was not read is not asked again");
}

#[test]
fn a_policy_that_fails_refuses_and_its_neighbours_still_speak() {
    let broken = "package a\n\ndeny contains \"x\" if startswith(input.afterState.dataProductVersion.number, \"x\")\n";
    let mut evaluator = Evaluator::new(
        PolicySet::load(&files(&[("a.rego", broken), ("b.rego", "package b\n\nwarn contains \"heard\"\n")])).unwrap(),
    );
    for _ in 0..2 {
        let verdict = evaluator.judge(&question(&json!({"number": 7})));
        assert!(!verdict.allows());
        assert_eq!(verdict.violations[0].rule.as_str(), "policy/not-evaluated");
        assert!(verdict.violations[0].message.contains("the policy 'a' failed"), "{verdict:?}");
        assert_eq!(verdict.violations[1].message, "heard");
    }
    assert!(evaluator.judge(&question(&json!({"number": "y"}))).allows());
}

#[test]
fn an_answer_that_is_no_violation_refuses() {
    for body in ["deny := 7", "deny contains {\"message_\": \"m\"}", "deny := {\"a\": 1}"] {
        let verdict = judge(&[("a.rego", &format!("package a\n\n{body}\n"))], &json!({}));
        assert_eq!(verdict.violations[0].rule.as_str(), "policy/not-evaluated", "{body}");
    }
    let map = judge(&[("a.rego", "package a\n\ndeny[msg] if msg := \"as meant\"\n")], &json!({}));
    assert_eq!(map.violations[0].message, "as meant");
    let many = judge(
        &[("a.rego", "package a\n\ndeny contains sprintf(\"%d\", [n]) if some n in numbers.range(1, 500)\n")],
        &json!({}),
    );
    assert_eq!(many.violations.len(), 201);
    assert!(many.violations[200].message.contains("300 more"));
}

#[test]
fn a_syntax_error_has_its_place() {
    let found = problems(&[("mesh/a.rego", "package mesh.a\n\ndeny contains \"x\" if {\n\ttrue = = false\n}\n")]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("mesh/a.rego:4:"), "{found:?}");
}

#[test]
fn old_rego_is_refused_with_a_hint_or_taken_when_it_is_said_to_be_old() {
    let old = "package a\n\ndeny[msg] { msg := \"old\" }\n";
    let found = PolicySet::load(&files(&[("a.rego", old)])).unwrap_err();
    assert!(found[0].hint.as_deref().unwrap().contains("rego: v0"), "{found:?}");
    let said = format!("# METADATA\n# custom: {{rego: v0}}\n{old}");
    assert_eq!(judge(&[("a.rego", &said)], &json!({})).violations[0].message, "old");
    assert_eq!(judge(&[("a.rego", old), ("a.yaml", "rego: v0")], &json!({})).violations[0].message, "old");
}

#[test]
fn recursion_is_refused_with_its_circle() {
    let found = problems(&[("a.rego", "package a\n\nf(n) := f(n + 1)\n\ndeny contains \"x\" if f(1)\n")]);
    assert_eq!(found, ["a.rego:3:1: the rule calls itself: a.f -> a.f"]);
    let found = problems(&[
        ("a.rego", "package a\n\nimport data.b as other\n\ndeny contains \"x\" if other.g(1)\n\nf(n) := other.g(n)\n"),
        ("b.rego", "package b\n\ng(n) := [data.a.f(m) | some m in [n]]\n"),
    ]);
    assert_eq!(found, ["a.rego:7:1: the rule calls itself: a.f -> b.g -> a.f"]);
}

#[test]
fn what_only_looks_like_recursion_is_fine() {
    let text = "package a\n\nmessage := shout(\"x\")\n\nshout(message) := upper(message)\n\ndeny contains message\n";
    assert_eq!(judge(&[("a.rego", text)], &json!({})).violations.len(), 1);
}

#[test]
fn functions_that_are_not_there_or_look_at_the_world_are_refused() {
    let found = problems(&[(
        "a.rego",
        "package a\n\ndeny contains \"x\" if time.now_ns() > 0\n\ndeny contains \"y\" if strats_with(\"a\", \"b\")\n\n\
         deny contains \"z\" if http.send({\"url\": \"x\"}).body\n",
    )]);
    assert_eq!(
        found,
        [
            "a.rego:3:22: 'time.now_ns' cannot be called: its answer is not a matter of the input",
            "a.rego:5:22: there is no function 'strats_with'",
            "a.rego:7:22: 'http.send' cannot be called: its answer is not a matter of the input",
        ]
    );
}

#[test]
fn a_package_that_would_never_speak_is_refused_and_a_library_is_not() {
    let found = problems(&[("a.rego", "package a\n\ndenied contains \"x\"\n")]);
    assert_eq!(found, ["a.rego:1:1: the package 'a' has neither `deny` nor `warn` nor `allow`"]);
    let library = ("lib.rego", "package lib\n\nf(x) := x\n");
    assert!(PolicySet::load(&files(&[library, ("a.rego", "package a\n\ndeny contains data.lib.f(\"x\")\n")])).is_ok());
    assert_eq!(problems(&[library]).len(), 1);
    assert_eq!(problems(&[]).len(), 1);
    assert_eq!(problems(&[("README.md", "")]), ["README.md:1:1: there is no policy to ask"]);
}

#[test]
fn one_package_in_two_minds_or_two_folders_is_refused() {
    let say = |word| format!("# METADATA\n# custom: {{enforcement: {word}}}\npackage a\n\ndeny contains \"x\"\n");
    assert_eq!(problems(&[("a.rego", &say("warn")), ("b.rego", &say("block"))]).len(), 1);
    let found = problems(&[("x/a.rego", &say("warn")), ("y/a.rego", &say("warn"))]);
    assert_eq!(found, ["y/a.rego:1:1: the package 'a' stands in x/a.rego too"]);
}

#[test]
fn data_is_mounted_where_its_folder_says() {
    let policy = ("a.rego", "package a\n\ndeny contains data.x.y.word\n\ndeny contains data.top\n");
    let verdict =
        judge(&[policy, ("x/y/data.yaml", "word: below\n"), ("data.json", "{\"top\": \"above\"}")], &json!({}));
    let told: Vec<_> = verdict.violations.iter().map(|violation| violation.message.as_str()).collect();
    assert_eq!(told, ["above", "below"]);
    let found = problems(&[policy, ("data.json", "{\n  nonsense")]);
    assert!(found[0].starts_with("data.json:2:"), "{found:?}");
    assert_eq!(problems(&[policy, ("data.json", "[1]")]).len(), 1);
    assert_eq!(problems(&[policy, ("b.yaml", "title: b")]), ["b.yaml:1:1: the settings belong to no policy"]);
}

#[test]
fn limits_are_kept() {
    let big = format!("package a\n# {}\n", "x".repeat(super::MAX_FILE_BYTES));
    assert!(problems(&[("a.rego", &big)])[0].contains("are the most"));
    let names: Vec<String> = (0..=super::MAX_FILES).map(|n| format!("p{n}.rego")).collect();
    let many: Vec<(&str, &str)> =
        names.iter().map(|name| (name.as_str(), "package a\n\ndeny contains \"x\"\n")).collect();
    assert!(problems(&many)[0].contains("501 files"));
}

#[test]
fn tests_pass_fail_and_err_and_what_they_print_is_kept() {
    let tests = "package a_test\n\nimport data.a\n\ntest_good if \"x\" in a.deny\n\ntest_bad if \"y\" in a.deny\n\ntest_loud if {\n\t\
                 print(\"here\", 1)\n\tfalse\n}\n\ntest_broken if startswith(1, \"x\")\n\nhelper := 1\n";
    let suite =
        TestSuite::load(&files(&[("a.rego", "package a\n\ndeny contains \"x\"\n"), ("a_test.rego", tests)])).unwrap();
    let results = suite.run_all();
    let ends: Vec<_> = results.iter().map(|result| (result.name.as_str(), result.outcome)).collect();
    assert_eq!(
        ends,
        [
            ("a_test.test_good", PolicyTestOutcome::Passed),
            ("a_test.test_bad", PolicyTestOutcome::Failed),
            ("a_test.test_loud", PolicyTestOutcome::Failed),
            ("a_test.test_broken", PolicyTestOutcome::Error),
        ]
    );
    assert_eq!(results[2].printed, ["a_test.rego:10: here 1"]);
    assert_eq!(results[2].location.to_string(), "a_test.rego:9:1");
}
