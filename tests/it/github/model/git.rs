//! Git over smart HTTP, by the real program: who may read and push, and what a push does.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use super::client::Asker;
use crate::support::github::{Hub, Trouble};

fn git(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .args(["-c", "user.name=Alice", "-c", "user.email=alice@example.com"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .output()
        .unwrap()
}

fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = git(folder, arguments);
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = git(folder, arguments);
    assert!(!output.status.success(), "git {arguments:?} was let through");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_over_http_moves_the_pull_request() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").collaborator("alice", "write").with_files(&[("a.txt", "one\n")]);
    let folder = tempfile::tempdir().unwrap();
    let url = retail.clone_url_as("alice");
    done(folder.path(), &["clone", "--quiet", &url, "work"]);
    let work = folder.path().join("work");
    done(&work, &["switch", "--quiet", "--create", "better"]);
    std::fs::write(work.join("a.txt"), "two\n").unwrap();
    done(&work, &["commit", "--quiet", "--all", "--message", "Better"]);
    done(&work, &["push", "--quiet", "origin", "better"]);
    let pull = retail.open_pull_request_from(retail, "better");
    std::fs::write(work.join("a.txt"), "three\n").unwrap();
    done(&work, &["commit", "--quiet", "--all", "--message", "Better still"]);
    done(&work, &["push", "--quiet", "origin", "better"]);
    let head = done(&work, &["rev-parse", "HEAD"]);
    assert_eq!(pull.head(), head);
    let listed = done(&work, &["ls-remote", "origin", "refs/pull/1/head"]);
    assert_eq!(listed, format!("{head}\trefs/pull/1/head"));
    assert!(refused(&work, &["push", "origin", "HEAD:refs/pull/1/head"]).contains("deny updating a hidden ref"));
    // Any commit can be fetched by its id, as long as it is there.
    done(&work, &["fetch", "--quiet", "origin", &head]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_or_push_is_refused() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").private().collaborator("rita", "read").with_files(&[("a.txt", "one\n")]);
    let folder = tempfile::tempdir().unwrap();
    refused(folder.path(), &["ls-remote", &retail.clone_url()]);
    refused(folder.path(), &["ls-remote", &retail.clone_url_as("mallory")]);
    done(folder.path(), &["clone", "--quiet", &retail.clone_url_as("rita"), "work"]);
    refused(&folder.path().join("work"), &["push", "--quiet", "origin", "HEAD:refs/heads/other"]);
    let app = hub.app("Meshwright");
    let installation = app.install_on("acme");
    let path = format!("/app/installations/{installation}/access_tokens");
    let token = Asker::app(&hub, app).post(&path, &json!({})).await.json()["token"].as_str().unwrap().to_owned();
    let url = retail.clone_url().replacen("http://", &format!("http://x-access-token:{token}@"), 1);
    done(folder.path(), &["ls-remote", &url]);
    hub.revoke(&token);
    refused(folder.path(), &["ls-remote", &url]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_repository_is_found_under_its_old_name() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("a.txt", "one\n")]);
    let folder = tempfile::tempdir().unwrap();
    let url = retail.clone_url();
    retail.rename("shop");
    let listed = done(folder.path(), &["ls-remote", &url, "refs/heads/main"]);
    assert!(listed.starts_with(&retail.head("main")), "{listed}");
    assert_eq!(done(&retail.folder(), &["rev-parse", "main"]), retail.head("main"));
    hub.fail("GIT GET *", Trouble::Status(503), 1);
    refused(folder.path(), &["ls-remote", &retail.clone_url()]);
}
