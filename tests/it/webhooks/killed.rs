//! The daemon, killed while deliveries come: what was answered is in the ledger.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use meshwright::adapter::store::SqlStore;
use meshwright::port::store::Look as _;
use serde_json::json;
use tempfile::TempDir;

use super::{Line, Request, SECRET, hmac};
use crate::support::repository::TestRepository;
use crate::support::world::Descriptor;

/// A running daemon; it is killed when it is dropped.
struct Daemon {
    child: Child,
    address: SocketAddr,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(folder: &TempDir) -> Daemon {
    let log = folder.path().join("log");
    let mut child = Command::new(env!("CARGO_BIN_EXE_meshwright"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder.path())
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let began = Instant::now();
    loop {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let address = text.split_once("address=Some(").and_then(|(_, rest)| rest.split_once(')'));
        if let Some(address) = address.and_then(|(address, _)| address.parse().ok()) {
            return Daemon { child, address };
        }
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none() && began.elapsed() < Duration::from_secs(60), "it does not serve: {text}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn place(repository: &TestRepository) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hook-secret"), format!("{SECRET}\n")).unwrap();
    let config = format!(
        "mesh: {{ namespace: com.example }}\n\
         sources:\n  - {{ name: retail, url: '{}', poll: 1h, forge: own, repository: acme/retail }}\n\
         forges:\n  own: {{ kind: generic-hmac, webhook_secret: {{ file: hook-secret }} }}\n",
        repository.path().display()
    );
    std::fs::write(folder.path().join("meshwright.yaml"), config).unwrap();
    folder
}

fn delivery(id: &str) -> Request {
    let request = Request::new("own", json!({ "repository": "acme/retail", "ref": "main", "id": id }).to_string());
    let signature = format!("sha256={}", hmac(SECRET, &request.body));
    request.with("x-meshwright-signature-256", &signature).with("x-meshwright-delivery", id)
}

/// Sends until nobody answers any more; what was answered is written down.
async fn send(address: SocketAddr, name: String, answered: Arc<Mutex<BTreeSet<String>>>) {
    use tokio::io::AsyncWriteExt as _;
    let Ok(mut line) = Line::to(address).await else { return };
    for number in 0.. {
        let id = format!("{name}-{number}");
        if line.0.write_all(&delivery(&id).bytes()).await.is_err() {
            return;
        }
        match line.answer().await {
            Some(answer) if answer.status == 200 => answered.lock().unwrap().insert(id),
            Some(answer) => panic!("{answer:?}"),
            None => return,
        };
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_in_the_ledger_after_a_kill_at_any_moment() {
    let repository = TestRepository::new();
    repository.commit(&[("README.md", "nothing")], "a beginning");
    let folder = place(&repository);
    let answered = Arc::new(Mutex::new(BTreeSet::new()));
    for (round, pause) in [150, 420, 35, 777].into_iter().enumerate() {
        let mut daemon = serve(&folder);
        let before = answered.lock().unwrap().len();
        let senders: Vec<_> = (0..12)
            .map(|sender| tokio::spawn(send(daemon.address, format!("{round}-{sender}"), Arc::clone(&answered))))
            .collect();
        let began = Instant::now();
        while answered.lock().unwrap().len() == before {
            assert!(began.elapsed() < Duration::from_secs(60), "nothing is answered");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(pause)).await;
        daemon.child.kill().unwrap();
        daemon.child.wait().unwrap();
        for sender in senders {
            sender.await.unwrap();
        }
        assert!(answered.lock().unwrap().len() > before, "it was killed while it answered");
    }
    let answered = answered.lock().unwrap().clone();
    let store = SqlStore::open(&folder.path().join(".meshwright/state.db")).await.unwrap();
    let rows = store.delivery_rows(1_000_000).await.unwrap();
    let recorded: BTreeSet<String> = rows.into_iter().map(|row| row.delivery).collect();
    let lost: Vec<&String> = answered.difference(&recorded).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), answered.len());
    // At each kill, a delivery of each sender may have been recorded and not answered.
    assert!(recorded.len() - answered.len() <= 4 * 12, "{} {}", recorded.len(), answered.len());
    drop(store);

    // The forge takes those for lost and sends them again: they are known, and counted.
    let unanswered: BTreeSet<&String> = recorded.difference(&answered).collect();
    let daemon = serve(&folder);
    let mut line = Line::to(daemon.address).await.unwrap();
    for id in &unanswered {
        let answer = line.send(&delivery(id)).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "recorded before\n"), "{id}");
    }
    assert_eq!(line.send(&delivery("never-sent")).await.text, "recorded\n");
    drop(daemon);
    let store = SqlStore::open(&folder.path().join(".meshwright/state.db")).await.unwrap();
    let rows = store.delivery_rows(1_000_000).await.unwrap();
    let twice: BTreeSet<&String> = rows.iter().filter(|row| row.times == 2).map(|row| &row.delivery).collect();
    assert_eq!(twice, unanswered);
}

#[test]
fn a_signed_delivery_is_seen_by_the_running_daemon() {
    let repository = TestRepository::new();
    let commit = |version: &str| {
        let descriptor = Descriptor::new("orders", version);
        repository.commit(&[(descriptor.path().as_str(), descriptor.yaml().as_str())], "a change")
    };
    commit("1.0.0");
    let folder = place(&repository);
    let daemon = serve(&folder);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let status = runtime.block_on(async {
        let mut line = Line::to(daemon.address).await.unwrap();
        let unsigned = line.send(&delivery("a").without("x-meshwright-signature-256")).await.status;
        let head = commit("1.1.0");
        let signed = line.send(&delivery("b")).await.status;
        (unsigned, signed, head)
    });
    assert_eq!((status.0, status.1), (401, 200));
    // It polls every hour: what it sees now, it sees because of the delivery.
    let began = Instant::now();
    loop {
        let output = Command::new(env!("CARGO_BIN_EXE_meshwright"))
            .args(["get", "sources", "-o", "json"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        if String::from_utf8_lossy(&output.stdout).contains(status.2.as_str()) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{}", String::from_utf8_lossy(&output.stderr));
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = Command::new(env!("CARGO_BIN_EXE_meshwright"))
        .args(["get", "deliveries"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("acme/retail") && table.contains("woke") && table.lines().count() == 2, "{table}");
}
