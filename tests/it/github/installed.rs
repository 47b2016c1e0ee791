//! The daemon of a platform engineer, registered as a GitHub App.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::daemon::Daemon;
use crate::support::github::{AppHandle, Hub, RepositoryHandle};

/// The secret of its webhook.
pub const SECRET: &str = "it is a secret";

/// A folder with a configuration, and the daemon that runs on it.
pub struct Installed<'a> {
    folder: TempDir,
    daemon: Daemon,
    hub: &'a Hub,
    /// The App.
    pub app: AppHandle<'a>,
}

impl<'a> Installed<'a> {
    /// Makes the App, writes the configuration, and starts the daemon. The App is installed nowhere.
    pub fn watching(hub: &'a Hub, repository: RepositoryHandle<'_>, stages: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let app = hub.app("Meshwright");
        std::fs::write(folder.path().join("app.pem"), app.private_key()).unwrap();
        std::fs::write(folder.path().join("meshwright.yaml"), configuration(hub, repository, app, stages)).unwrap();
        let mut command = program(folder.path());
        command.args(["serve", "--listen", "127.0.0.1:0"]).env("GITHUB_WEBHOOK_SECRET", SECRET);
        let daemon = Daemon::start(command, folder.path().join("log"));
        let mut installed = Self { folder, daemon, hub, app };
        let mut address = None;
        while address.is_none() {
            address = installed.daemon.address();
            installed.daemon.until("it lives", || true);
        }
        let url = format!("http://{}/webhooks/github", address.unwrap());
        installed.app.hook(&url, SECRET);
        let mut is_ready = false;
        while !is_ready {
            is_ready = installed.daemon.is_ready();
            installed.daemon.until("it answers", || true);
        }
        installed
    }

    /// Waits until GitHub shows something.
    pub fn until(&mut self, what: &str, mut is_so: impl FnMut() -> bool) {
        let hub = self.hub;
        let waited = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.daemon.until(what, &mut is_so)));
        if let Err(why) = waited {
            eprintln!("{}", hub.story_so_far());
            std::panic::resume_unwind(why);
        }
    }

    /// What a verb of the program prints.
    pub fn prints(&self, arguments: &[&str]) -> String {
        let output = program(self.folder.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Which version of a product runs at a stage; nothing when none does.
    pub fn runs(&self, product: &str, stage: &str) -> Option<String> {
        let printed = self.prints(&["get", "containers", "-o", "json"]);
        let rows: serde_json::Value = serde_json::from_str(&printed).unwrap();
        let is_it = |row: &&serde_json::Value| {
            row["stage"] == stage && row["product"].as_str().is_some_and(|name| name.contains(product))
        };
        let rows = rows.as_array().cloned().or_else(|| rows["items"].as_array().cloned()).unwrap_or_default();
        rows.iter().find(is_it).and_then(|row| row["version"].as_str()).map(str::to_owned)
    }

    /// Where its configuration is.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.daemon.address().unwrap())
    }

    /// Stops the daemon, as a service manager does.
    pub fn stop(self) {
        self.daemon.stop();
    }
}

/// The program, in this folder, with nothing of this process' environment but the way to other programs.
pub fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshwright"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", folder).current_dir(folder);
    command
}

fn configuration(hub: &Hub, repository: RepositoryHandle<'_>, app: AppHandle<'_>, stages: &str) -> String {
    format!(
        "mesh: {{ namespace: com.example }}
sources:
  - name: retail
    url: '{url}'
    descriptors: ['*/*/data-product-descriptor.yaml']
    poll: 1h
    forge: github
stages:
{stages}
executors:
  warehouse: {{ kind: sql, phase: provision, url: 'sqlite://.meshwright/warehouse' }}
  build: {{ kind: command, phase: build, command: [./bin/build], timeout: 2m }}
  publish: {{ kind: sql, phase: deploy, url: 'sqlite://.meshwright/warehouse' }}
forges:
  github:
    kind: github
    url: '{hub_url}'
    app_id: {app_id}
    private_key: {{ file: app.pem }}
    webhook_secret: {{ env: GITHUB_WEBHOOK_SECRET }}
    deployments: true
",
        url = repository.clone_url(),
        hub_url = hub.url(),
        app_id = app.id,
    )
}
