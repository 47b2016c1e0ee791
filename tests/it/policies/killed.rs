//! Workers that somebody kills.

use std::path::Path;
use std::time::{Duration, Instant};

use meshwright::adapter::policy_worker::{WorkerJudge, WorkerOptions};
use meshwright::port::judge::Judge as _;
use serde_json::json;

use super::{Folder, PLAIN, messages, only_when_bad, question};

#[tokio::test]
async fn a_worker_that_was_killed_while_idle_is_replaced_in_silence() {
    let folder = Folder::with(&[("plain.rego", PLAIN)]);
    let judge = folder.judge();
    judge.reload().await.unwrap();
    let before = judge.idle_workers();
    assert_eq!(before.len(), 1);
    kill(before[0]);
    assert!(judge.judge(vec![question(json!({}))]).await[0].allows());
    assert!(!judge.idle_workers().contains(&before[0]));
}

#[tokio::test]
async fn a_worker_that_is_killed_over_a_question_is_tried_once_more_and_then_refuses() {
    let folder = Folder::with(&[(
        "bad.rego",
        &only_when_bad(
            "count([1 | some a in numbers.range(1, 9000); some b in numbers.range(1, 9000); some c in numbers.range(1, 9000); a + b + c == 0]) > 0",
        ),
    )]);
    // A link of our own to the binary tells our workers from those of tests that run beside us.
    let program = folder.0.path().join("worker");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_meshwright"), &program).unwrap();
    let options = WorkerOptions { timeout: Duration::from_secs(120), program: program.clone(), ..folder.options() };
    let judge = WorkerJudge::new(options);
    judge.reload().await.unwrap();
    let asked = {
        let judge = judge.clone();
        tokio::spawn(async move { judge.judge(vec![question(json!({"bad": true}))]).await })
    };
    let mut killed = Vec::new();
    let start = Instant::now();
    while !asked.is_finished() {
        assert!(start.elapsed() < Duration::from_secs(60), "killed {killed:?}");
        for process in busy_workers(&program, &judge, 30) {
            if !killed.contains(&process) {
                kill(process);
                killed.push(process);
            }
        }
        tokio::task::yield_now().await;
    }
    let verdicts = asked.await.unwrap();
    assert_eq!(messages(&verdicts[0]), ["the policy 'bad' was killed from outside with signal 9"]);
    assert!(judge.judge(vec![question(json!({}))]).await[0].allows());
}

#[tokio::test]
async fn a_worker_that_is_killed_over_many_questions_costs_no_answer() {
    let body = "count([1 | some a in numbers.range(1, 60); some b in numbers.range(1, 60); a + b == 0]) > 0";
    let folder = Folder::with(&[("bad.rego", &only_when_bad(body)), ("plain.rego", PLAIN)]);
    let program = folder.0.path().join("worker");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_meshwright"), &program).unwrap();
    let judge = WorkerJudge::new(WorkerOptions { program: program.clone(), ..folder.options() });
    judge.reload().await.unwrap();
    let questions: Vec<_> = (0..60).map(|n| question(json!({"bad": true, "marked": n % 3 == 0, "n": n}))).collect();
    let asked = {
        let judge = judge.clone();
        tokio::spawn(async move { judge.judge(questions).await })
    };
    let mut killed = false;
    while !asked.is_finished() {
        if let (false, Some(process)) = (killed, busy_workers(&program, &judge, 5).first()) {
            kill(*process);
            killed = true;
        }
        tokio::task::yield_now().await;
    }
    assert!(killed, "no worker was seen at work");
    for (n, verdict) in asked.await.unwrap().iter().enumerate() {
        let expected: &[&str] = if n % 3 == 0 { &["marked"] } else { &[] };
        assert_eq!(messages(verdict), expected, "{n}");
    }
}

fn kill(process: u32) {
    let process = rustix::process::Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
}

/// The workers of this program that do not wait, and have taken more processor time than that, in
/// hundredths of a second.
fn busy_workers(program: &Path, judge: &WorkerJudge, more_than: u64) -> Vec<u32> {
    let idle = judge.idle_workers();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let command = std::fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let ticks = stat.rsplit(')').next().and_then(|fields| fields.split_whitespace().nth(11)?.parse::<u64>().ok());
        let is_ours = command.split('\0').next() == program.to_str();
        if is_ours && !idle.contains(&process) && ticks.is_some_and(|ticks| ticks > more_than) {
            found.push(process);
        }
    }
    found
}
