//! What the `command` executor does about runs whose daemon has died.

use std::collections::BTreeMap;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::sync::Arc;

use meshwright::adapter::executors::{ArtifactStore, CommandExecutor, CommandSpec};
use meshwright::port::executor::{Executor as _, TaskCall, Whereabouts};

use super::command::{Stand, lives, script, text_of};
use super::{Told, until};

#[tokio::test]
async fn a_crashed_run_is_ended_before_the_next_one_begins() {
    let stand = Arc::new(Stand::new());
    let call = script(&format!("echo $$ >> {}; test -n \"$(sed -n 2p {})\" || sleep 1000", stand.note(), stand.note()));
    let running = Arc::clone(&stand);
    let first = call.clone();
    // The first run stands for one whose daemon has died: it is still there, and nobody follows it.
    let task = tokio::spawn(async move { running.executor.run(&first, &running.told).await });
    until("the first run is under way", || stand.told.handle().is_some() && !text_of(stand.note()).is_empty()).await;
    let pid = text_of(stand.note());
    assert!(lives(&pid));
    let mut second = call.clone();
    second.handle = stand.told.handle();
    let other = CommandExecutor::new(
        CommandSpec {
            name: "builder".into(),
            command: vec!["./bin/run".into()],
            env: vec![],
            secrets: BTreeMap::new(),
            max_output: 1024,
            compensate: None,
        },
        ArtifactStore::new(stand.folder.path().join("artifacts")),
        stand.folder.path().join("work"),
    );
    let told = Told::default();
    other.run(&second, &told).await.unwrap();
    assert!(!lives(&pid), "the orphan is gone");
    assert_eq!(text_of(stand.note()).lines().count(), 2, "and the program ran once more");
    assert!(told.text().contains("crashed run"), "{}", told.text());
    task.await.unwrap().unwrap_err();

    // A handle whose process number belongs to somebody else by now harms nobody.
    let me = std::process::id();
    second.handle = Some(format!("{{\"run\":\"run-0000000000000000\",\"pid\":{me},\"start\":1}}"));
    other.run(&second, &told).await.unwrap();
    second.handle = Some("nonsense".into());
    other.run(&second, &told).await.unwrap();
}

#[tokio::test]
async fn leftovers_of_dead_daemons_are_swept() {
    let stand = Stand::new();
    let work = stand.folder.path().join("work");
    let stale = work.join("run-0123456789abcdef");
    std::fs::create_dir_all(stale.join("product")).unwrap();
    #[expect(clippy::disallowed_methods, reason = "a test makes its files")]
    std::fs::write(stale.join("lock"), "").unwrap();
    let foreign = work.join("precious");
    std::fs::create_dir_all(&foreign).unwrap();
    #[expect(clippy::disallowed_methods, reason = "what a dead daemon has left running")]
    let mut orphan = std::process::Command::new("sleep")
        .arg("1000")
        .env("MESHWRIGHT_RUN", "run-0123456789abcdef")
        .process_group(0)
        .spawn()
        .unwrap();
    assert_eq!(stand.executor.sweep(), 1);
    assert!(!stale.exists() && foreign.exists());
    until("what still ran of it is dead", || orphan.try_wait().unwrap().is_some()).await;
    assert_eq!(orphan.wait().unwrap().signal(), Some(9));

    // What a living daemon holds is not touched.
    std::fs::remove_dir(&foreign).unwrap();
    let stand = Arc::new(stand);
    let call = script(&format!("echo $$ > {}; sleep 1000", stand.note()));
    let (running, cancel) = (Arc::clone(&stand), call.cancel.clone());
    let task = tokio::spawn(async move { running.run(&call).await });
    until("the program runs", || !text_of(stand.note()).is_empty()).await;
    assert_eq!(stand.executor.sweep(), 0);
    assert_eq!(stand.left().len(), 1);
    cancel.cancel();
    task.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn what_had_ended_well_before_the_crash_is_known() {
    let stand = Stand::new();
    let call = script("echo '{\"rows\": 3}'");
    assert_eq!(stand.executor.whereabouts(&call).await.unwrap(), Whereabouts::Unknown);
    let outcome = stand.run(&call).await.unwrap();
    assert_eq!(outcome.results["rows"], 3);
    assert_eq!(stand.executor.whereabouts(&call).await.unwrap(), Whereabouts::Ended(Ok(outcome)));
    let failing = TaskCall { key: call.key.compensation(), ..script("exit 1") };
    stand.run(&failing).await.unwrap_err();
    assert_eq!(stand.executor.whereabouts(&failing).await.unwrap(), Whereabouts::Unknown, "it may be run again");
}

#[tokio::test]
async fn what_is_not_taken_up_again_is_ended() {
    let stand = Arc::new(Stand::new());
    let call = script(&format!("echo $$ > {}; sleep 1000", stand.note()));
    let (running, first) = (Arc::clone(&stand), call.clone());
    let task = tokio::spawn(async move { running.executor.run(&first, &running.told).await });
    until("it is under way", || stand.told.handle().is_some() && !text_of(stand.note()).is_empty()).await;
    let pid = text_of(stand.note());
    assert!(lives(&pid));
    stand.executor.abandon(&TaskCall { handle: stand.told.handle(), ..call }).await.unwrap();
    assert!(!lives(&pid));
    task.await.unwrap().unwrap_err();
}
