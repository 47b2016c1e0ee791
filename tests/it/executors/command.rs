//! The contract of the `command` executor, with programs that behave in every way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use meshwright::adapter::executors::{ArtifactStore, CommandExecutor, CommandSpec};
use meshwright::config::SecretRef;
use meshwright::domain::activity::FailureKind;
use meshwright::domain::plan::TaskKey;
use meshwright::port::executor::{Executor as _, Progress, TaskCall, TaskError, TaskOutcome, Upstream};

use super::{Files, Told, call, until};

/// An executor with all its folders in a temporary one.
pub(super) struct Stand {
    pub(super) folder: tempfile::TempDir,
    pub(super) executor: CommandExecutor,
    pub(super) told: Told,
}

impl Stand {
    fn with(change: impl FnOnce(&mut CommandSpec)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut spec = CommandSpec {
            name: "builder".into(),
            command: vec!["./bin/run".into(), "argument one".into()],
            env: Vec::new(),
            secrets: BTreeMap::new(),
            max_output: 64 * 1024,
            compensate: None,
        };
        change(&mut spec);
        let artifacts = ArtifactStore::new(folder.path().join("artifacts"));
        let executor = CommandExecutor::new(spec, artifacts, folder.path().join("work"));
        Self { folder, executor, told: Told::default() }
    }

    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) async fn run(&self, call: &TaskCall) -> Result<TaskOutcome, TaskError> {
        let outcome = self.executor.run(call, &self.told).await;
        assert_eq!(self.left(), Vec::<PathBuf>::new(), "the private folder is removed");
        outcome
    }

    /// What lies in the folder of private folders.
    pub(super) fn left(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join("work")).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    }

    /// A path outside of the private folders, for programs to tell the test something.
    pub(super) fn note(&self) -> String {
        self.folder.path().join("note").display().to_string()
    }
}

/// A task whose program is this shell script.
pub(super) fn script(text: &str) -> TaskCall {
    call(
        "orders",
        Files::of(&[
            ("products/one/bin/run", &format!("#!/bin/sh\n{text}\n")),
            ("products/one/data.csv", "1\n"),
            ("other/x", ""),
        ]),
    )
}

#[expect(clippy::disallowed_methods, reason = "a test reads what a program wrote")]
pub(super) fn text_of(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Whether a process lives: it is there, and is no zombie.
pub(super) fn lives(pid: &str) -> bool {
    let stat = text_of(format!("/proc/{}/stat", pid.trim()));
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().next());
    matches!(state, Some(state) if state != "Z" && state != "X")
}

#[tokio::test]
async fn a_program_gets_its_task_its_files_and_nothing_else() {
    let stand = Stand::new();
    let call = script(
        "cat > \"$MESHWRIGHT_OUTPUT/task.json\"; env > \"$MESHWRIGHT_OUTPUT/env\"; find . | sort; pwd; echo \"[$1]\"; ls -ld ..",
    );
    let outcome = stand.run(&call).await.unwrap();
    let lines = stand.told.lines();
    assert_eq!(lines[..4], [".", "./bin", "./bin/run", "./data.csv"], "only the product's files");
    assert_eq!(lines[5], "[argument one]");
    assert!(lines[4].ends_with("/product") && lines[6].starts_with("drwx------"), "{lines:?}");

    let file = |name: &str| text_of(stand.folder.path().join("artifacts").join(call.key.as_str()).join(name));
    let task: Value = serde_json::from_str(&file("task.json")).unwrap();
    let keys: Vec<&str> = task.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "key",
            "activity",
            "product",
            "stage",
            "version",
            "task",
            "phase",
            "attempt",
            "token",
            "template",
            "configurations",
            "descriptor",
            "revision",
            "source",
            "upstream",
            "output"
        ]
    );
    assert_eq!(task["key"], call.key.as_str());
    assert_eq!(task["phase"], "build");
    assert_eq!(task["product"], "urn:dpds:com.example:dataproducts:orders:1");

    let env = file("env");
    let names: Vec<&str> = env.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    for name in &names {
        let known =
            name.starts_with("MESHWRIGHT_") || ["PATH", "HOME", "TMPDIR", "PWD", "SHLVL", "OLDPWD", "_"].contains(name);
        assert!(known, "{name} has leaked");
    }
    assert!(env.contains("MESHWRIGHT_STAGE=dev\n") && env.contains("MESHWRIGHT_VERSION=1.2.3\n"), "{env}");
    assert_eq!(outcome.results["files"]["task"], format!("artifact:{}/task.json", call.key));
    assert_eq!(outcome.results["artifacts"]["env"], format!("artifact:{}/env", call.key));
    assert!(stand.told.handle().is_some());
    assert_eq!(stand.executor.observe(&call.container).await.unwrap(), None);
}

#[tokio::test]
async fn results_come_from_the_file_or_the_last_line() {
    for (text, wanted) in [
        ("echo hello", json!({})),
        ("echo '{\"rows\": 3}'", json!({"rows": 3})),
        ("echo '{\"rows\": 3}'; echo; echo done", json!({})),
        ("echo '{\"rows\": 3}'; echo '{\"rows\": 4}' > \"$MESHWRIGHT_RESULT\"", json!({"rows": 4})),
        ("echo '{\"status\": \"succeeded\", \"results\": {\"a\": [1]}}'", json!({"a": [1]})),
        ("echo '{\"artifacts\": {\"x\": \"artifact:of-another\"}, \"files\": 1, \"b\": 2}'", json!({"b": 2})),
        ("echo '[1]'", json!({})),
    ] {
        let outcome = Stand::new().run(&script(text)).await.unwrap();
        assert_eq!(Value::Object(outcome.results), wanted, "{text}");
    }
}

#[tokio::test]
async fn bad_ends_are_told_with_their_reason() {
    let big = "head -c 300000 /dev/zero | tr '\\0' ' ' > \"$MESHWRIGHT_RESULT\"";
    for (text, kind, part) in [
        ("echo boom >&2; exit 3", FailureKind::Permanent, "exit code 3: boom"),
        ("exit 75", FailureKind::Transient, "exit code 75"),
        ("kill -9 $$", FailureKind::Permanent, "SIGKILL"),
        ("kill -11 $$", FailureKind::Permanent, "SIGSEGV"),
        ("echo nonsense > \"$MESHWRIGHT_RESULT\"", FailureKind::Permanent, "not JSON"),
        ("echo '[1]' > \"$MESHWRIGHT_RESULT\"", FailureKind::Permanent, "no object"),
        (": > \"$MESHWRIGHT_RESULT\"", FailureKind::Permanent, "not JSON"),
        (big, FailureKind::Permanent, "256 KiB"),
        ("ln -s /etc/passwd \"$MESHWRIGHT_RESULT\"", FailureKind::Permanent, "cannot be read"),
        ("mkfifo \"$MESHWRIGHT_RESULT\"", FailureKind::Permanent, "cannot be read"),
        ("echo '{\"status\": \"failed\", \"error\": \"no quota\"}'", FailureKind::Permanent, "no quota"),
        ("echo '{\"status\": \"failed\", \"error\": \"later\", \"retry\": true}'", FailureKind::Transient, "later"),
        ("ln -s /etc/passwd \"$MESHWRIGHT_OUTPUT/x\"", FailureKind::Permanent, "no links"),
        (
            "rmdir ../output; mkdir /tmp/x.$$; ln -s /tmp/x.$$ ../output; rmdir /tmp/x.$$",
            FailureKind::Permanent,
            "no folder",
        ),
        ("chmod 000 . ..; exit 4", FailureKind::Permanent, "exit code 4"),
    ] {
        let error = Stand::new().run(&script(text)).await.unwrap_err();
        assert_eq!(error.kind, kind, "{text}: {error}");
        assert!(error.message.contains(part), "{text}: {error}");
    }
}

#[tokio::test]
async fn programs_that_are_not_there_are_named() {
    for (program, part) in [
        ("./bin/nothing", "no program './bin/nothing' in the product's folder"),
        ("meshwright-has-no-such-program", "in PATH"),
        ("/nonexistent/x", "no program '/nonexistent/x'"),
        ("./data.csv", "cannot be executed"),
        ("../up", "not a path inside"),
        ("bin/../../up", "not a path inside"),
    ] {
        let error = Stand::with(|spec| spec.command = vec![program.into()]).run(&script("")).await.unwrap_err();
        assert_eq!(error.kind, FailureKind::Permanent, "{program}");
        assert!(error.message.contains(part), "{program}: {error}");
    }
    let outcome = Stand::with(|spec| spec.command = vec!["sh".into(), "-c".into(), "echo '{\"a\": 1}'".into()])
        .run(&script(""))
        .await;
    assert_eq!(outcome.unwrap().results["a"], 1, "a bare name is looked for in PATH");
}

#[tokio::test]
async fn gigabytes_of_output_neither_block_nor_fill_anything() {
    let stand = Stand::new();
    let begin = Instant::now();
    let outcome = stand.run(&script("yes | head -c 2000000000; echo; echo '{\"survived\": true}'")).await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(60));
    assert_eq!(outcome.results["survived"], true, "the last line counts, however much came before it");
    let lines = stand.told.lines();
    assert!(lines.len() <= 64 * 1024 / 64 + 1, "{}", lines.len());
    assert_eq!(lines.iter().filter(|line| line.contains("the rest is dropped")).count(), 1);
    assert!(lines.iter().take(10).all(|line| line == "y"));
}

/// A log that takes its time.
struct Slow(Told);

#[async_trait::async_trait]
impl Progress for Slow {
    async fn log(&self, line: &str) {
        tokio::time::sleep(Duration::from_millis(3)).await;
        self.0.log(line).await;
    }

    async fn checkpoint(&self, handle: &str) {
        self.0.checkpoint(handle).await;
    }
}

#[tokio::test]
async fn a_slow_log_costs_neither_lines_nor_the_result() {
    let stand = Stand::with(|spec| spec.max_output = 1024 * 1024);
    let slow = Slow(Told::default());
    let call = script("seq 1000; echo '{\"a\": 1}'");
    let outcome = stand.executor.run(&call, &slow).await.unwrap();
    assert_eq!(outcome.results["a"], 1);
    assert_eq!(slow.0.lines().len(), 1_001);
}

#[tokio::test]
async fn long_lines_and_strange_characters_are_tamed() {
    let stand = Stand::new();
    stand
        .run(&script("head -c 100000 /dev/zero | tr '\\0' x; printf '\\n\\033[31mred\\r\\nbad \\377 byte\\n'"))
        .await
        .unwrap();
    let lines = stand.told.lines();
    assert_eq!(lines[0].chars().count(), 8 * 1024 + 1);
    assert_eq!(lines[1], "\u{fffd}[31mred");
    assert_eq!(lines[2], "bad \u{fffd} byte");
}

#[tokio::test]
async fn secrets_are_seen_by_the_program_only() {
    let secret_file = tempfile::NamedTempFile::new().unwrap();
    #[expect(clippy::disallowed_methods, reason = "a test makes its files")]
    std::fs::write(secret_file.path(), "hunter2-and-more\n").unwrap();
    let of = |stand: fn(&mut CommandSpec)| {
        Stand::with(|spec| {
            spec.secrets.insert("TOKEN".into(), SecretRef::File(secret_file.path().into()));
            stand(spec);
        })
    };
    let stand = of(|_| {});
    let text = "test \"$TOKEN\" = hunter2-and-more || exit 9; echo \"t=$TOKEN\"; echo \"e=$TOKEN\" >&2; \
                head -c 8187 /dev/zero | tr '\\0' x; echo \"$TOKEN\"; echo \"{\\\"t\\\": [\\\"$TOKEN\\\"]}\"";
    let outcome = stand.run(&script(text)).await.unwrap();
    assert_eq!(outcome.results["t"], json!(["***"]));
    let log = stand.told.text();
    assert!(log.contains("t=***") && log.contains("e=***"), "{log}");
    assert!(!log.contains("hunte"), "a secret across the cut of a line does not come out in part");

    for text in [
        "echo \"no $TOKEN\" >&2; exit 1",
        "echo \"{\\\"status\\\": \\\"failed\\\", \\\"error\\\": \\\"no $TOKEN\\\"}\"",
    ] {
        let error = of(|_| {}).run(&script(text)).await.unwrap_err();
        assert!(error.message.contains("no ***"), "{error}");
    }
    let missing = |spec: &mut CommandSpec| {
        spec.secrets.insert("GONE".into(), SecretRef::File("/nonexistent/secret".into()));
    };
    let error = of(missing).run(&script("")).await.unwrap_err();
    assert!(error.message.contains("GONE") && error.kind == FailureKind::Permanent, "{error}");
}

#[tokio::test]
async fn links_are_left_out_and_told() {
    let stand = Stand::new();
    let mut files = Files::of(&[("products/one/bin/run", "#!/bin/sh\nls"), ("products/one/.git/config", "[core]")]);
    files.links.push("products/one/evil".parse().unwrap());
    let mut call = script("");
    call.tree = Arc::new(files);
    stand.run(&call).await.unwrap();
    let log = stand.told.text();
    assert!(log.contains("'products/one/evil': it is a symbolic link"), "{log}");
    assert!(log.contains(".git/config': programs would take it"), "{log}");
    assert!(log.ends_with("\nbin"), "{log}");
}

/// Prints the numbers of a whole family into the note: leader, child, grandchild, and one that
/// has left the group. The leader and the child do not mind SIGTERM.
fn family(note: &str) -> String {
    format!(
        "trap '' TERM\n(trap '' TERM; sh -c 'echo $$ >> {note}; exec sleep 1000' & echo $$ >> {note}; sleep 1000) &\n\
         setsid sh -c 'echo $$ >> {note}; exec sleep 1000' &\necho $$ >> {note}\nwait\nsleep 1000"
    )
}

async fn family_is_there(note: &str) -> Vec<String> {
    until("four processes run", || text_of(note).lines().count() >= 4).await;
    let pids: Vec<String> = text_of(note).lines().map(str::to_owned).collect();
    assert!(pids.iter().all(|pid| lives(pid)));
    pids
}

#[tokio::test]
async fn a_time_out_ends_all_that_was_started() {
    let stand = Stand::new();
    let mut call = script(&family(&stand.note()));
    call.timeout = Duration::from_secs(4);
    let begin = Instant::now();
    let error = stand.run(&call).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::TimedOut, "{error}");
    assert!(error.message.contains("4s"), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(20));
    let pids: Vec<String> = text_of(stand.note()).lines().map(str::to_owned).collect();
    assert_eq!(pids.len(), 4);
    assert!(!pids.iter().any(|pid| lives(pid)), "{pids:?}");
}

#[tokio::test]
async fn a_cancelled_task_ends_with_all_that_it_started() {
    let stand = Arc::new(Stand::new());
    let call = script(&family(&stand.note()));
    let (running, cancel) = (Arc::clone(&stand), call.cancel.clone());
    let task = tokio::spawn(async move { running.run(&call).await });
    let pids = family_is_there(&stand.note()).await;
    cancel.cancel();
    let error = task.await.unwrap().unwrap_err();
    assert_eq!(error.kind, FailureKind::Cancelled);
    assert!(!pids.iter().any(|pid| lives(pid)), "{pids:?}");
}

#[tokio::test]
async fn a_polite_program_may_tidy_up() {
    let stand = Arc::new(Stand::new());
    let call =
        script(&format!("trap 'echo tidied; exit 0' TERM; echo up > {}; while :; do sleep 0.05; done", stand.note()));
    let (running, cancel) = (Arc::clone(&stand), call.cancel.clone());
    let task = tokio::spawn(async move { running.run(&call).await });
    until("the program runs", || !text_of(stand.note()).is_empty()).await;
    cancel.cancel();
    assert_eq!(task.await.unwrap().unwrap_err().kind, FailureKind::Cancelled);
    assert!(stand.told.lines().contains(&"tidied".to_owned()), "{}", stand.told.text());
}

#[tokio::test]
async fn a_dropped_future_leaves_nothing() {
    let stand = Arc::new(Stand::new());
    let call = script(&family(&stand.note()));
    let running = Arc::clone(&stand);
    let task = tokio::spawn(async move { running.run(&call).await });
    let pids = family_is_there(&stand.note()).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    until("no process lives", || !pids.iter().any(|pid| lives(pid))).await;
    until("the private folder is gone", || stand.left().is_empty()).await;
}

#[tokio::test]
async fn a_program_that_ends_before_its_children_does_not_hang_us() {
    let stand = Stand::new();
    let begin = Instant::now();
    let text = format!("sleep 1000 & echo $! > {}; echo '{{\"a\": 1}}'", stand.note());
    let outcome = stand.run(&script(&text)).await.unwrap();
    assert_eq!(outcome.results["a"], 1);
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert!(!lives(&text_of(stand.note())), "the child is killed with its group");
}

#[tokio::test]
async fn a_daemonised_child_is_found_and_killed() {
    let stand = Stand::new();
    let text = format!(
        "setsid sh -c 'echo $$ > {note}; exec sleep 1000' & while ! test -s {note}; do sleep 0.01; done",
        note = stand.note()
    );
    stand.run(&script(&text)).await.unwrap();
    assert!(!lives(&text_of(stand.note())));
}

/// What only a cgroup can hold: a process that has left its group and forgotten its environment.
/// It does not make us wait; the test ends it.
#[tokio::test]
async fn a_child_that_hides_escapes_but_does_not_hang_us() {
    let stand = Stand::new();
    let text = format!(
        "setsid env -i sh -c 'echo $$ > {note}; exec sleep 1000' & while ! test -s {note}; do sleep 0.01; done; echo '{{\"a\": 1}}'",
        note = stand.note()
    );
    let begin = Instant::now();
    let outcome = stand.run(&script(&text)).await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert_eq!(outcome.results["a"], 1);
    let pid = text_of(stand.note()).trim().parse().unwrap();
    let escaped = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(escaped, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test]
async fn artifacts_of_upstream_products_are_handed_on() {
    let stand = Stand::new();
    let made = stand.run(&script("echo a,b > \"$MESHWRIGHT_OUTPUT/sales.csv\"")).await.unwrap();
    let mut down = script(
        "cat \"$MESHWRIGHT_INPUT_DAILY_SALES/sales.csv\"; echo x 2>/dev/null >> \"$MESHWRIGHT_INPUT_DAILY_SALES/sales.csv\"; ls -l \"$MESHWRIGHT_INPUT_DAILY_SALES\"",
    );
    down.key = TaskKey::derive(&down.activity, 1, "publish");
    let upstream = |owner: &str, results: &TaskOutcome| Upstream {
        port: format!("urn:dpds:com.example:dataproducts:{owner}:1:outputports:sales").parse().unwrap(),
        results: [("build".to_owned(), Value::Object(results.results.clone()))].into_iter().collect(),
    };
    down.upstream.insert("dailySales".into(), upstream("orders", &made));
    stand.run(&down).await.unwrap();
    assert!(stand.told.text().contains("a,b"), "{}", stand.told.text());
    assert!(stand.told.text().contains("-r--r--r--"), "{}", stand.told.text());

    // An artifact of a product that the port does not belong to, one that is gone, and two ports with one name.
    down.upstream.insert("dailySales".into(), upstream("other", &made));
    let error = stand.run(&down).await.unwrap_err();
    assert!(error.kind == FailureKind::Permanent && error.message.contains("does not belong"), "{error}");
    let gone = TaskOutcome {
        results: json!({"artifacts": {"x.csv": "artifact:task-00000000000000000000000000000000/x.csv"}})
            .as_object()
            .unwrap()
            .clone(),
    };
    down.upstream.insert("dailySales".into(), upstream("orders", &gone));
    let error = stand.run(&down).await.unwrap_err();
    assert!(error.kind == FailureKind::Permanent && error.message.contains("lacks 'x.csv'"), "{error}");
    down.upstream.insert("daily-sales".into(), upstream("orders", &TaskOutcome::default()));
    let error = stand.run(&down).await.unwrap_err();
    assert!(error.message.contains("MESHWRIGHT_INPUT_DAILY_SALES"), "{error}");
}
