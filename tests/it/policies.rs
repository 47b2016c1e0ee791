//! The judge with real worker processes: what a policy can do to a process, and that nobody else
//! suffers. And the shipped pack, on good and bad products; and cases, as folders.

#![expect(clippy::disallowed_methods, reason = "a test makes files, and a failure is its message")]

mod killed;

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use meshwright::adapter::policy_worker::{PolicySources, WorkerJudge, WorkerOptions, run_policy_tests};
use meshwright::check::policy::testing::PolicyTestOutcome;
use meshwright::domain::policy::{PolicyEvent, Question, Verdict, Written};
use meshwright::port::judge::Judge as _;
use serde_json::{Value, json};

const PLAIN: &str = "package plain\n\ndeny contains \"marked\" if input.afterState.marked\n";

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn options(&self) -> WorkerOptions {
        options(PolicySources::Folders(vec![self.0.path().to_owned()]))
    }

    fn judge(&self) -> WorkerJudge {
        WorkerJudge::new(self.options())
    }
}

fn options(sources: PolicySources) -> WorkerOptions {
    // Much longer than any question that ends takes, on a machine that is busy; tests of questions
    // that do not end say so.
    let timeout = Duration::from_secs(20);
    WorkerOptions { program: PathBuf::from(env!("CARGO_BIN_EXE_meshwright")), sources, timeout, memory_mib: 256 }
}

#[expect(clippy::needless_pass_by_value, reason = "questions are made from what is written down on the spot")]
fn question(after: Value) -> Question {
    Question {
        event: PolicyEvent::DataProductVersionCreation,
        current_state: None,
        after_state: Some(Written::of(&after)),
        change: None,
        stage: None,
        source: None,
    }
}

fn messages(verdict: &Verdict) -> Vec<&str> {
    verdict.violations.iter().map(|violation| violation.message.as_str()).collect()
}

/// Three questions, of which the middle one makes a policy do what it should not: the neighbours
/// are answered, and so is the same judge's next question.
async fn one_bad_question(bad_policy: &str, timeout: Duration, expected: &str) {
    let folder = Folder::with(&[("bad.rego", bad_policy), ("plain.rego", PLAIN)]);
    let judge = WorkerJudge::new(WorkerOptions { timeout, ..folder.options() });
    judge.reload().await.unwrap();
    let bad = question(json!({"bad": true, "n": 1}));
    let verdicts = judge.judge(vec![question(json!({})), bad, question(json!({"marked": true}))]).await;
    assert_eq!(verdicts.len(), 3);
    assert!(verdicts[0].allows(), "{:?}", verdicts[0]);
    assert!(!verdicts[1].allows());
    assert_eq!(verdicts[1].violations[0].rule.as_str(), "policy/not-evaluated");
    let message = &verdicts[1].violations[0].message;
    assert!(message.contains(expected), "{message}");
    assert_eq!(messages(&verdicts[2]), ["marked"]);
    assert!(judge.judge(vec![question(json!({}))]).await[0].allows());
}

/// A policy that goes wrong only when it is asked about something bad.
fn only_when_bad(body: &str) -> String {
    format!("package bad\n\ndeny contains \"x\" if {{\n\tinput.afterState.bad\n\t{body}\n}}\n")
}

#[tokio::test]
async fn a_policy_that_does_not_end_times_out() {
    let body = "count([1 | some a in numbers.range(1, 3000); some b in numbers.range(1, 3000); some c in \
                numbers.range(1, 3000); a + b + c == 0]) > 0";
    one_bad_question(&only_when_bad(body), Duration::from_millis(1500), "the policy 'bad' timed out after 1.5 s").await;
}

#[tokio::test]
async fn a_policy_that_allocates_runs_out_of_memory() {
    let body = "count(numbers.range(1, 300000000)) > 0";
    one_bad_question(&only_when_bad(body), Duration::from_secs(20), "the policy 'bad' ran out of memory").await;
}

#[tokio::test]
async fn a_policy_that_makes_a_huge_text_runs_out_of_memory() {
    let body = "text := sprintf(\"%s\", [concat(\"\", [\"0123456789abcdef\" | some n in numbers.range(1, 30000000)])])\n\tcount(text) > 0";
    one_bad_question(&only_when_bad(body), Duration::from_secs(20), "the policy 'bad' ran out of memory").await;
}

#[tokio::test]
async fn a_policy_that_prints_without_end_is_stopped() {
    let body = "every n in numbers.range(1, 100000) { every m in numbers.range(1, 100000) { print(\"and on and on and on\", n, m) } }";
    one_bad_question(&only_when_bad(body), Duration::from_secs(4), "the policy 'bad' ").await;
}

#[tokio::test]
async fn a_call_that_is_too_deep_overflows_only_the_workers_stack() {
    // No recursion, so it loads; only each function calls the next one.
    let mut policy = only_when_bad("f0(1) > 0");
    for n in 0..12_000 {
        policy.push_str(&format!("\nf{n}(n) := f{}(n)", n + 1));
    }
    policy.push_str("\nf12000(n) := n\n");
    one_bad_question(&policy, Duration::from_secs(20), "the policy 'bad' overflowed its stack").await;
}

#[tokio::test]
async fn a_policy_that_prints_a_lot_and_ends_is_answered() {
    let loud = "package loud\n\nwarn contains \"done\" if every n in numbers.range(1, 20000) { print(\"a line of some length\", n) }\n";
    let folder = Folder::with(&[("loud.rego", loud)]);
    let verdicts = folder.judge().judge(vec![question(json!({})), question(json!({}))]).await;
    assert_eq!(messages(&verdicts[0]), ["done"]);
    assert_eq!(verdicts[0], verdicts[1]);
}

#[tokio::test]
async fn many_questions_are_answered_in_their_order_around_several_bad_ones() {
    let folder =
        Folder::with(&[("bad.rego", &only_when_bad("count(numbers.range(1, 300000000)) > 0")), ("plain.rego", PLAIN)]);
    let judge = folder.judge();
    let questions = (0..400).map(|n| question(json!({"marked": n % 3 == 0, "bad": n % 150 == 7, "n": n}))).collect();
    let verdicts = judge.judge(questions).await;
    for (n, verdict) in verdicts.iter().enumerate() {
        let expected: &[&str] = match n {
            _ if n % 150 == 7 => &["the policy 'bad' ran out of memory"],
            _ if n % 3 == 0 => &["marked"],
            _ => &[],
        };
        assert_eq!(messages(verdict), expected, "{n}");
    }
}

#[tokio::test]
async fn workers_end_with_their_judge_and_leave_no_zombies() {
    let folder = Folder::with(&[("plain.rego", PLAIN)]);
    let judge = folder.judge();
    judge.reload().await.unwrap();
    let worker = judge.idle_workers()[0];
    assert!(is_there(worker));
    drop(judge);
    until(|| !is_there(worker)).await;
}

#[test]
fn a_worker_ends_with_its_input_even_while_it_evaluates() {
    let frame = |kind: u8, json: &Value| {
        let json = json.to_string();
        let mut bytes = u32::try_from(json.len()).unwrap().to_be_bytes().to_vec();
        bytes.push(kind);
        bytes.extend_from_slice(json.as_bytes());
        bytes
    };
    let endless = only_when_bad(
        "count([1 | some a in numbers.range(1, 9000); some b in numbers.range(1, 9000); a + b == 0]) > 0",
    );
    let mut worker = std::process::Command::new(env!("CARGO_BIN_EXE_meshwright"))
        .args(["policy-worker", "256", "600000"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut input = worker.stdin.take().unwrap();
    let files = json!({"files": [{"folder": null, "name": "bad.rego", "text": endless}]});
    input.write_all(&frame(b'P', &files)).unwrap();
    input.write_all(&frame(b'Q', &serde_json::to_value(question(json!({"bad": true}))).unwrap())).unwrap();
    let mut answer = [0; 5];
    worker.stdout.as_mut().unwrap().read_exact(&mut answer).unwrap();
    assert_eq!(answer[4], b'P', "the policies are loaded, and the question is next");
    drop(input);
    let start = Instant::now();
    while worker.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(30), "the worker goes on without its input");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn the_smallest_memory_is_enough_for_the_shipped_pack() {
    let judge = WorkerJudge::new(WorkerOptions { memory_mib: 1, ..options(PolicySources::Shipped) });
    judge.reload().await.unwrap();
    assert!(
        judge.judge(vec![question(json!({}))]).await[0]
            .violations
            .iter()
            .all(|v| v.rule.as_str() != "policy/not-evaluated")
    );
}

/// What an allocator sets aside at the start does not come on top of the limit.
#[tokio::test]
async fn a_workers_limit_on_memory_is_what_it_was_told() {
    let folder = Folder::with(&[("plain.rego", PLAIN)]);
    let judge = folder.judge();
    judge.reload().await.unwrap();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", judge.idle_workers()[0])).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max address space")).unwrap();
    let bytes: u64 = line.split_whitespace().nth(3).unwrap().parse().unwrap();
    // For policies 256 MiB and for the stack 32; the rest is the binary, which is large without optimisation.
    assert!(bytes >> 20 < 256 + 32 + 600, "{line}");
}

#[tokio::test]
async fn a_judge_that_is_dropped_half_way_gives_no_old_answers() {
    let folder = Folder::with(&[("plain.rego", PLAIN)]);
    let judge = folder.judge();
    judge.reload().await.unwrap();
    for n in 0..20 {
        let questions = (0..200).map(|m| question(json!({"marked": true, "n": n, "m": m}))).collect();
        let asking = judge.judge(questions);
        let _ = tokio::time::timeout(Duration::from_micros(200 * n), asking).await;
        assert!(judge.judge(vec![question(json!({"marked": false}))]).await[0].allows());
    }
}

#[tokio::test]
async fn concurrent_callers_get_their_own_answers() {
    let echo = "package echo\n\ndeny contains sprintf(\"%d\", [input.afterState.n])\n";
    let folder = Folder::with(&[("echo.rego", echo)]);
    let judge = folder.judge();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..16 {
        let judge = judge.clone();
        callers.spawn(async move {
            let verdicts = judge.judge((0..50).map(|n| question(json!({"n": caller * 1000 + n}))).collect()).await;
            for (n, verdict) in verdicts.iter().enumerate() {
                assert_eq!(messages(verdict), [(caller * 1000 + n).to_string()]);
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
    assert!(judge.idle_workers().len() <= 4);
}

#[tokio::test]
async fn a_policy_that_always_dies_does_not_cost_a_process_each_time() {
    let folder =
        Folder::with(&[("bad.rego", "package bad\n\ndeny contains \"x\" if count(numbers.range(1, 300000000)) > 0\n")]);
    let judge = folder.judge();
    let start = Instant::now();
    let verdicts = judge.judge((0..2000).map(|n| question(json!({"n": n}))).collect()).await;
    assert!(verdicts.iter().all(|verdict| messages(verdict)[0].starts_with("the policy 'bad' ran out of memory")));
    assert!(messages(&verdicts[1999])[0].contains("is not asked again for"), "{:?}", verdicts[1999]);
    // Two thousand starts of a process would take minutes.
    assert!(start.elapsed() < Duration::from_secs(40), "{:?}", start.elapsed());
}

#[tokio::test]
async fn policies_that_do_not_load_refuse_everything_until_they_do() {
    let folder = Folder::with(&[("mesh/bad.rego", "package bad\n\ndeny contains \"x\" if {\n\ttrue = = false\n}\n")]);
    let judge = folder.judge();
    let error = judge.reload().await.unwrap_err().to_string();
    assert!(error.contains("/mesh/bad.rego:4:"), "{error}");
    let verdicts = judge.judge(vec![question(json!({})), question(json!({}))]).await;
    for verdict in &verdicts {
        assert!(!verdict.allows());
        assert!(messages(verdict)[0].contains("/mesh/bad.rego:4:"), "{verdict:?}");
    }
    let before = judge.policies();
    folder.write("mesh/bad.rego", PLAIN);
    let digest = judge.reload().await.unwrap();
    assert_ne!(before, digest);
    assert_eq!(judge.policies(), digest);
    let verdicts = judge.judge(vec![question(json!({}))]).await;
    assert!(verdicts[0].allows());
    assert_eq!(verdicts[0].policies, digest);
    folder.write("mesh/bad.rego", "package bad\n\nf(n) := f(n + 1)\n\ndeny contains \"x\" if f(1)\n");
    let error = judge.reload().await.unwrap_err().to_string();
    assert!(error.contains("the rule calls itself: bad.f -> bad.f"), "{error}");
    assert!(!judge.judge(vec![question(json!({}))]).await[0].allows());
}

#[tokio::test]
async fn reloading_the_same_policies_keeps_the_workers() {
    let folder = Folder::with(&[("plain.rego", PLAIN)]);
    let judge = folder.judge();
    let first = judge.reload().await.unwrap();
    let workers = judge.idle_workers();
    assert_eq!(judge.reload().await.unwrap(), first);
    assert_eq!(judge.idle_workers(), workers);
}

#[tokio::test]
async fn missing_policies_refuse() {
    let folder = Folder::with(&[("README.md", "nothing here")]);
    let gone = folder.0.path().join("gone");
    for (sources, expected) in [
        (vec![], "no policy folder is configured"),
        (vec![gone], "cannot be read"),
        (vec![folder.0.path().to_owned()], "has no policy in it"),
    ] {
        let judge = WorkerJudge::new(options(PolicySources::Folders(sources)));
        let error = judge.reload().await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        let verdicts = judge.judge(vec![question(json!({}))]).await;
        assert!(!verdicts[0].allows());
        assert!(messages(&verdicts[0])[0].contains(expected), "{verdicts:?}");
    }
}

#[tokio::test]
async fn a_worker_that_cannot_be_started_refuses() {
    let folder = Folder::with(&[("plain.rego", PLAIN)]);
    for program in ["/nowhere/meshwright", "/bin/false", "/bin/cat"] {
        let judge = WorkerJudge::new(WorkerOptions { program: program.into(), ..folder.options() });
        judge.reload().await.unwrap_err();
        assert!(!judge.judge(vec![question(json!({}))]).await[0].allows());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_followed_inside_of_the_folder_only() {
    let folder = Folder::with(&[(".hidden/plain.rego", PLAIN)]);
    let link = folder.0.path().join("plain.rego");
    std::os::unix::fs::symlink(".hidden/plain.rego", &link).unwrap();
    folder.judge().reload().await.unwrap();
    let elsewhere = Folder::with(&[("plain.rego", PLAIN)]);
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(elsewhere.0.path().join("plain.rego"), &link).unwrap();
    let error = folder.judge().reload().await.unwrap_err().to_string();
    assert!(error.contains("leads out of the policy folder"), "{error}");
}

#[tokio::test]
async fn tests_that_loop_or_crash_are_errors_and_the_others_run() {
    let tests = "package plain_test\n\nimport data.plain\n\ntest_first if \"marked\" in plain.deny with input.afterState.marked as true\n\n\
                 test_hungry if count(numbers.range(1, 300000000)) > 0\n\ntest_endless if count([1 | some a in numbers.range(1, 9000); \
                 some b in numbers.range(1, 9000); some c in numbers.range(1, 9000); a + b + c == 0]) == 0\n\n\
                 test_last if {\n\tprint(\"here\")\n\tfalse\n}\n";
    let folder = Folder::with(&[("plain.rego", PLAIN), ("plain_test.rego", tests)]);
    let options = WorkerOptions { timeout: Duration::from_secs(3), ..folder.options() };
    let results = run_policy_tests(&options).await.unwrap();
    let told: Vec<_> = results.iter().map(|r| (r.name.as_str(), r.outcome, r.message.as_deref())).collect();
    assert_eq!(
        told,
        [
            ("plain_test.test_first", PolicyTestOutcome::Passed, None),
            ("plain_test.test_hungry", PolicyTestOutcome::Error, Some("the test ran out of memory")),
            ("plain_test.test_endless", PolicyTestOutcome::Error, Some("the test timed out after 3 s")),
            ("plain_test.test_last", PolicyTestOutcome::Failed, Some("the rule is undefined")),
        ]
    );
    assert_eq!(results[3].printed.len(), 1);
    assert!(results[3].printed[0].ends_with("plain_test.rego:12: here"), "{:?}", results[3].printed);
}

#[tokio::test]
async fn the_shipped_packs_own_tests_pass_in_a_worker() {
    let results = run_policy_tests(&options(PolicySources::Shipped)).await.unwrap();
    assert!(results.len() > 40, "{}", results.len());
    for result in &results {
        assert_eq!(result.outcome, PolicyTestOutcome::Passed, "{result:?}");
    }
}

#[tokio::test]
async fn the_shipped_pack_and_the_folder_it_was_made_of_have_one_digest() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let shipped = WorkerJudge::new(options(PolicySources::Shipped)).reload().await.unwrap();
    assert_eq!(WorkerJudge::new(options(PolicySources::Folders(vec![folder]))).reload().await.unwrap(), shipped);
}

/// Every folder of `tests/cases/policy`: its policies, asked about `input.json`, say `expected.json`.
#[tokio::test]
async fn cases() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/policy");
    let (mut count, mut wrong) = (0, Vec::new());
    for case in std::fs::read_dir(cases).unwrap() {
        let case = case.unwrap().path();
        let read =
            |name: &str| serde_json::from_str::<Value>(&std::fs::read_to_string(case.join(name)).unwrap()).unwrap();
        let has_policies =
            std::fs::read_dir(&case).unwrap().any(|file| file.unwrap().path().extension().is_some_and(|e| e == "rego"));
        let sources = if has_policies { PolicySources::Folders(vec![case.clone()]) } else { PolicySources::Shipped };
        let judge = WorkerJudge::new(options(sources));
        judge.reload().await.unwrap_or_else(|error| panic!("{}: {error}", case.display()));
        let question: Question = serde_json::from_value(read("input.json")).unwrap();
        let verdicts = judge.judge(vec![question]).await;
        let found = serde_json::to_value(&verdicts[0].violations).unwrap();
        if found != read("expected.json") {
            wrong.push(format!("{}: {found:#}", case.display()));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "these cases say something else than their expected.json:\n{}", wrong.join("\n"));
    assert!(count >= 8, "{count}");
}

/// Whether the process is there, a zombie included.
fn is_there(process: u32) -> bool {
    Path::new(&format!("/proc/{process}")).exists()
}

async fn until(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(30), "it did not come to pass");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
