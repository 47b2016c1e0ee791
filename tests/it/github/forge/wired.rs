//! The program itself, by its configuration: a private repository is fetched, and its commit shows the
//! outcome, on a machine without certificates.

use std::process::Command;

use crate::support::github::Hub;

#[test]
fn a_commit_of_a_private_repository_shows_what_is_wrong_with_it() {
    let hub = Hub::start();
    let broken = [("orders/data-product-descriptor.yaml", "dataProductDescriptor: 1.0.0\ninfo: {}\n")];
    let retail = hub.repository("acme/retail").private().with_files(&broken);
    let app = hub.app("Meshwright");
    app.install_on("acme");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key.pem"), app.private_key()).unwrap();
    let url = hub.url();
    let configuration = format!(
        "mesh: {{ namespace: com.example }}
sources: [{{ name: retail, url: {url}/acme/retail.git, forge: acme }}]
stages: [{{ name: dev }}]
forges:
  acme: {{ kind: github, url: {url}, app_id: {}, private_key: {{ file: key.pem }} }}
",
        app.id
    );
    std::fs::write(folder.path().join("meshwright.yaml"), configuration).unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("meshwright"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    // Neither certificates nor a proxy are asked for on the way to this machine.
    command.env("SSL_CERT_FILE", "/nonexistent").env("SSL_CERT_DIR", "/nonexistent");
    command.env("HTTP_PROXY", "http://127.0.0.1:9").env("HTTPS_PROXY", "http://127.0.0.1:9");
    let ran = command.current_dir(folder.path()).arg("reconcile").output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert_eq!(ran.status.code(), Some(1), "{said}");
    let shown = retail.shown(&retail.head("main"));
    assert_eq!(shown.get("meshwright/validate").map(|(state, _)| state.as_str()), Some("failure"), "{shown:?}\n{said}");
    assert!(!said.contains("PRIVATE KEY") && !said.contains("ghs_"), "{said}");
}
