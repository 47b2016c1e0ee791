//! The demo, as somebody runs it who has nothing but the binary and git.

#![expect(clippy::disallowed_methods, reason = "helpers of tests fail as tests do, and start the program")]

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Runs the demo with nothing in its environment but these.
fn demo(path: &str, home: &Path, temporary: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meshwright"))
        .arg("demo")
        .env_clear()
        .env("PATH", path)
        .env("HOME", home)
        .env("TMPDIR", temporary)
        .current_dir(home)
        .output()
        .unwrap()
}

fn files(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn it_needs_nothing_and_leaves_nothing() {
    let (home, temporary) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let began = Instant::now();
    let ran = demo(&std::env::var("PATH").unwrap(), home.path(), temporary.path());
    let (out, err) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap());
    assert_eq!(ran.status.code(), Some(0), "{out}\n{err}");
    assert_eq!(err, "");
    let sentences = [
        "Commit 1  A small retail mesh",
        "deliveryPerformance at prod answers",
        "Tomasz Wilk",
        "meshwright/prod      success  6 products running",
        "meshwright/policy    failure",
        "What ran before still runs: nothing was touched.",
        "All of it was as it should be: three commits, 14 rollouts, 1 refusal",
        "What to try next:",
    ];
    for sentence in sentences {
        assert!(out.contains(sentence), "'{sentence}' is not in\n{out}");
    }
    // The line that is at fault, as a compiler shows it.
    let at_fault = |line: &str| line.contains("logistics/orderFulfilment/") && line.contains(':');
    assert!(out.lines().any(at_fault), "{out}");
    assert_eq!(files(temporary.path()), Vec::<String>::new(), "nothing is left behind");
    assert_eq!(files(home.path()), Vec::<String>::new(), "nothing is left at home");
    assert!(began.elapsed() < Duration::from_secs(60), "it takes seconds, not {:?}", began.elapsed());
}

#[test]
fn without_git_it_says_so() {
    let (home, temporary) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let nothing = TempDir::new().unwrap();
    let ran = demo(nothing.path().to_str().unwrap(), home.path(), temporary.path());
    let err = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(1), "{err}");
    assert!(err.contains("git") && !err.contains("panicked"), "{err}");
    assert_eq!(files(temporary.path()), Vec::<String>::new());
}
