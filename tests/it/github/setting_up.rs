//! From nothing to a commit that shows its checks, and what `doctor` says when something is not as it should
//! be: with the program itself, as a platform engineer runs it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::github::Hub;

use super::clone::Clone;
use super::installed::{Installed, SECRET, program};

/// What a browser gets.
fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The value of an attribute in a page, as a browser reads it.
fn attribute(page: &str, before: &str) -> String {
    let (_, rest) = page.split_once(before).unwrap_or_else(|| panic!("no {before} in {page}"));
    let value = rest.split('"').next().unwrap();
    value.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn said(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("said")).unwrap_or_default()
}

#[test]
fn an_app_is_made_by_the_manifest_flow_and_shows_what_it_is_for() {
    let hub = Hub::start();
    hub.lose_deliveries(true);
    let broken = [("orders/data-product-descriptor.yaml", "dataProductDescriptor: 1.0.0\ninfo: {}\n")];
    let retail = hub.repository("acme/retail").private().with_files(&broken);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| std::fs::File::create(folder.path().join(name)).unwrap();
    let mut command = program(folder.path());
    command.args(["github", "setup", "--forge", "acme", "--org", "acme", "--webhook", "https://mesh.example.com"]);
    command.args(["--url", &hub.url()]).stdin(Stdio::null()).stdout(file("printed")).stderr(file("said"));
    let mut setup = command.spawn().unwrap();
    let began = Instant::now();
    let address = loop {
        let said = said(folder.path());
        let address = said.split_once("  http://").and_then(|(_, rest)| rest.split_once("/setup/github\n"));
        if let Some((address, _)) = address {
            break address.to_owned();
        }
        assert!(setup.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(60), "{said}");
        std::thread::sleep(Duration::from_millis(10));
    };

    // The page sends the manifest to GitHub, which takes it, and sends the browser back.
    let page = get(&address, "/setup/github");
    let action = attribute(&page, "<form action=\"");
    let (form, state) = action.split_once("?state=").unwrap();
    assert_eq!(form, format!("{}/organizations/acme/settings/apps/new", hub.url()));
    let manifest: Value = serde_json::from_str(&attribute(&page, "name=\"manifest\" value=\"")).unwrap();
    assert_eq!(manifest["hook_attributes"]["url"], "https://mesh.example.com/webhooks/acme");
    let back = manifest["redirect_url"].as_str().unwrap().split_once(&address).unwrap().1.to_owned();
    let code = hub.submit_manifest(&manifest);
    let strange = get(&address, &format!("{back}?code={code}&state=another"));
    assert!(strange.starts_with("HTTP/1.1 400"), "{strange}");
    let done = get(&address, &format!("{back}?code={code}&state={state}"));
    assert!(done.starts_with("HTTP/1.1 200") && !done.contains("PRIVATE KEY"), "{done}");
    assert_eq!(setup.wait().unwrap().code(), Some(0), "{}", said(folder.path()));

    // What was printed is the configuration, and the secrets are where it says, for their owner alone.
    let printed = std::fs::read_to_string(folder.path().join("printed")).unwrap();
    for secret in ["github-app.pem", "github-webhook-secret"] {
        let path = folder.path().join(secret);
        assert!(printed.contains(secret), "{printed}");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(path).unwrap();
        assert!(!printed.contains(text.trim()) && !said(folder.path()).contains(text.trim()));
    }
    let id = printed.split_once("app_id: ").unwrap().1.lines().next().unwrap().parse().unwrap();
    let app = hub.app_with_id(id);
    app.install_on("acme");
    let configuration = format!(
        "mesh: {{ namespace: com.example }}\n\
         sources: [{{ name: retail, url: {}/acme/retail.git, forge: acme }}]\n\
         stages: [{{ name: dev }}]\n{printed}",
        hub.url()
    );
    std::fs::write(folder.path().join("meshwright.yaml"), configuration).unwrap();
    let run = |arguments: &[&str]| program(folder.path()).args(arguments).output().unwrap();
    let doctor = run(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(0), "{}", String::from_utf8_lossy(&doctor.stdout));
    assert_eq!(run(&["reconcile"]).status.code(), Some(1), "the descriptor is broken");
    let shown = retail.shown(&retail.head("main"));
    assert_eq!(shown.get("meshwright/validate").map(|(state, _)| state.as_str()), Some("failure"), "{shown:?}");
}

/// What `doctor` says about a forge and a source: the outcome, and the remedy where it is not fine.
struct Examination {
    code: Option<i32>,
    all: Vec<Value>,
}

impl Examination {
    fn of(mut command: Command, daemon: &str) -> Self {
        let output = command.args(["doctor", "-o", "json", "--daemon", daemon]).output().unwrap();
        let all = serde_json::from_slice(&output.stdout);
        let all = all.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        Self { code: output.status.code(), all }
    }

    fn outcome(&self, what: &str) -> (&str, &str) {
        let found = self.all.iter().find(|examined| examined["what"] == what);
        let found = found.unwrap_or_else(|| panic!("nothing is said of '{what}': {:#?}", self.all));
        let text = |name: &str| found[name].as_str().unwrap_or_default();
        (text("outcome"), text("remedy"))
    }

    /// It fails, and this is to be done about it.
    fn fails(&self, what: &str, remedy: &str) {
        let (outcome, told) = self.outcome(what);
        assert!(outcome == "failed" && told.contains(remedy) && self.code == Some(1), "{:#?}", self.all);
    }
}

#[test]
fn doctor_names_what_is_wrong_and_what_to_do_about_it() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail-data-products").private().collaborator("alice", "write");
    let alice = Clone::of(retail, "alice");
    alice.copy("examples-repo");
    let head = alice.push("A small retail mesh");
    let mut meshwright = Installed::watching(&hub, retail, "  - name: dev");
    let installation = meshwright.app.install_on("acme");
    meshwright.until("it is let in", || retail.state(&head, "meshwright/plan").as_deref() == Some("success"));
    let daemon = meshwright.url();
    let examined = |secret: &str| {
        let mut command = program(meshwright.folder());
        command.env("GITHUB_WEBHOOK_SECRET", secret);
        Examination::of(command, &daemon)
    };

    let well = examined(SECRET);
    assert_eq!(well.code, Some(0), "{:#?}", well.all);
    for what in ["record", "reached", "webhook", "app", "installation", "rate limit", "ping", "fetch"] {
        assert_eq!(well.outcome(what), ("fine", ""), "{what}");
    }
    assert_ne!(well.outcome("deliveries").0, "failed");

    examined("another secret").fails("ping", "the daemon reads another secret");
    meshwright.app.grant(installation, "checks", "read");
    examined(SECRET).fails("installation", "an owner accepts it at http");
    meshwright.app.grant(installation, "checks", "write");
    meshwright.app.without_event("issue_comment");
    let (outcome, remedy) = (examined(SECRET), "commands in comments and pressed buttons are not seen at all");
    assert!(outcome.outcome("app").0 == "warning" && outcome.outcome("app").1.contains(remedy), "{:#?}", outcome.all);
    assert_eq!(outcome.code, Some(0), "it works without");
    hub.turn_back(Duration::from_secs(600));
    examined(SECRET).fails("clock", "set the clock");
    hub.advance(Duration::from_secs(600));
    let key = meshwright.folder().join("app.pem");
    let pem = std::fs::read_to_string(&key).unwrap();
    std::fs::write(&key, "no key").unwrap();
    examined(SECRET).fails("app", "compare `app_id` and `private_key`");
    std::fs::write(&key, pem).unwrap();
    meshwright.app.uninstall(installation);
    examined(SECRET).fails("installation", "install the App on this repository");
    // Whoever is not let in any more is told so, and is no trouble of the daemon's.
    meshwright.stop();
}
