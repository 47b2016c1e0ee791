//! Staying let in: tokens, installations, permissions, limits, repositories that move.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use meshwright::adapter::git::{GitSourceSpec, GitSources};
use meshwright::domain::report::ReportState;
use meshwright::domain::source::Head;
use meshwright::port::forge::login::Logins;
use meshwright::port::forge::{Forge as _, ForgeError};
use meshwright::port::source::{FetchError, Source as _};

use super::setting::{Setting, source, status};
use crate::support::github::{Hub, Trouble};

#[tokio::test]
async fn one_app_serves_several_organisations_each_by_its_own_installation() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("README.md", "Hello")]).private();
    let shipping = hub.repository("umbrella/shipping").with_files(&[("README.md", "Hello")]).private();
    let app = hub.app("Meshwright");
    app.install_on("acme");
    app.install_on("umbrella");
    let at = Setting::app(&hub, app, &[retail, shipping]);
    for (name, repository) in [("retail", retail), ("shipping", shipping), ("retail", retail)] {
        let head = repository.head("main");
        at.forge.publish(&status(name, &head, ReportState::Success, "fine"), None).await.unwrap();
        assert_eq!(repository.state(&head, "meshwright/validate").as_deref(), Some("success"));
    }
    let asked = |end: &str| hub.requests().iter().filter(|seen| seen.path.ends_with(end)).count();
    assert_eq!((asked("/installation"), asked("/access_tokens")), (2, 2), "look-ups and tokens are kept");
}

#[tokio::test]
async fn a_token_that_has_ended_is_replaced_within_the_same_request() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("README.md", "Hello")]);
    let app = hub.app("Meshwright");
    app.install_on("acme");
    let at = Setting::app(&hub, app, &[retail]);
    let head = retail.head("main");
    let green = status("retail", &head, ReportState::Success, "fine");
    at.forge.publish(&green, None).await.unwrap();
    let token = at.forge.logins().login(&source()).await.unwrap().password;
    hub.revoke(&token);
    at.forge.publish(&green, None).await.unwrap();
    let anew = at.forge.logins().login(&source()).await.unwrap().password;
    assert_ne!(token, anew);
    assert_eq!(hub.requests().iter().filter(|seen| seen.path.ends_with("/access_tokens")).count(), 2);
}

#[tokio::test]
async fn an_app_that_is_not_installed_and_a_wrong_key_say_what_to_do() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("README.md", "Hello")]);
    let app = hub.app("Meshwright");
    let at = Setting::app(&hub, app, &[retail]);
    let green = status("retail", &retail.head("main"), ReportState::Success, "fine");
    let error = at.forge.publish(&green, None).await.unwrap_err();
    assert!(
        matches!(&error, ForgeError::Denied(message) if message.contains("not installed on acme/retail")),
        "{error}"
    );
    let installation = app.install_on("acme");
    at.forge.publish(&green, None).await.unwrap();

    app.suspend(installation, true);
    assert!(matches!(at.forge.publish(&green, None).await, Err(ForgeError::Denied(_))));
    app.suspend(installation, false);
    at.forge.publish(&green, None).await.unwrap();

    // It is taken away, and comes back under another id.
    app.uninstall(installation);
    assert!(matches!(at.forge.publish(&green, None).await, Err(ForgeError::Denied(_))));
    app.install_on("acme");
    at.forge.publish(&green, None).await.unwrap();

    let another = Setting::app(&hub, app, &[retail]);
    another.replace_secret("-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----\n");
    let error = another.forge.publish(&green, None).await.unwrap_err();
    assert!(matches!(&error, ForgeError::Denied(message) if message.contains("private key")), "{error}");
    assert!(!error.to_string().contains("hunter2"));
    another.replace_secret(&hub.app("Somebody else").private_key());
    let error = another.forge.publish(&green, None).await.unwrap_err();
    assert!(matches!(&error, ForgeError::Denied(message) if message.contains("clock")), "{error}");
    another.replace_secret(&app.private_key());
    another.forge.publish(&green, None).await.unwrap();
}

#[tokio::test]
async fn a_permission_that_is_lost_is_a_condition_and_one_that_is_granted_again_is_seen() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("README.md", "Hello")]);
    let app = hub.app("Meshwright");
    let installation = app.install_on("acme");
    let at = Setting::app(&hub, app, &[retail]);
    let head = retail.head("main");
    let green = status("retail", &head, ReportState::Success, "fine");
    at.forge.publish(&green, None).await.unwrap();
    app.grant(installation, "statuses", "read");
    assert!(matches!(at.forge.publish(&green, None).await, Err(ForgeError::Denied(_))));
    app.grant(installation, "statuses", "write");
    at.forge.publish(&green, None).await.unwrap();
    retail.archive(true);
    let error = at.forge.publish(&green, None).await.unwrap_err();
    assert!(matches!(&error, ForgeError::Denied(message) if message.contains("archived")), "{error}");
}

#[tokio::test]
async fn a_repository_is_found_again_when_it_was_renamed_and_missed_when_it_is_gone() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("README.md", "Hello")]);
    let app = hub.app("Meshwright");
    app.install_on("acme");
    let at = Setting::app(&hub, app, &[retail]);
    let green = status("retail", &retail.head("main"), ReportState::Success, "fine");
    at.forge.publish(&green, None).await.unwrap();
    retail.rename("shop");
    at.forge.publish(&green, None).await.unwrap();
    assert!(at.forge.shows(&green, None).await.unwrap());
    assert_eq!(retail.statuses(green.revision.as_str()).len(), 2);
    retail.delete();
    let error = at.forge.publish(&green, None).await.unwrap_err();
    assert!(matches!(error, ForgeError::Denied(_)), "{error}");
}

#[tokio::test]
async fn limits_are_honoured_for_the_account_that_met_them() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("README.md", "Hello")]);
    let shipping = hub.repository("umbrella/shipping").with_files(&[("README.md", "Hello")]);
    let app = hub.app("Meshwright");
    app.install_on("acme");
    app.install_on("umbrella");
    let at = Setting::app(&hub, app, &[retail, shipping]);
    let green = status("retail", &retail.head("main"), ReportState::Success, "fine");
    hub.fail("POST /repos/acme/retail/statuses/*", Trouble::Secondary(40), 1);
    let before = hub.now();
    let ForgeError::Limited { until, .. } = at.forge.publish(&green, None).await.unwrap_err() else {
        panic!("it is a limit")
    };
    let pause = until.duration_since(before).as_secs();
    assert!((35..=45).contains(&pause), "{pause}");
    let asked = hub.requests().len();
    assert!(matches!(at.forge.publish(&green, None).await, Err(ForgeError::Limited { .. })));
    assert_eq!(hub.requests().len(), asked, "nothing was asked");
    let other = status("shipping", &shipping.head("main"), ReportState::Success, "fine");
    at.forge.publish(&other, None).await.unwrap();
}

#[tokio::test]
async fn a_private_repository_is_fetched_by_a_token_that_is_made_for_it() {
    let hub = Hub::start();
    let retail = hub.repository("acme/retail").with_files(&[("README.md", "Hello")]).private();
    let app = hub.app("Meshwright");
    app.install_on("acme");
    let at = Setting::app(&hub, app, &[retail]);
    let mirrors = tempfile::tempdir().unwrap();
    let spec = || GitSourceSpec {
        name: source(),
        url: format!("{}/acme/retail.git", hub.url()),
        branch: "main".to_owned(),
        timeout: Duration::from_secs(60),
        credentials: None,
    };
    let alone = GitSources::new(mirrors.path().join("alone"), vec![spec()]).unwrap();
    assert!(matches!(alone.fetch(&source()).await, Err(FetchError::Unreachable(_))));
    let logins: BTreeMap<_, Arc<dyn Logins>> = [(source(), Arc::new(at.forge.logins()) as _)].into();
    let let_in = GitSources::new(mirrors.path().join("let-in"), vec![spec()]).unwrap().with_logins(logins);
    let wanted = Head::At { revision: retail.head("main").parse().unwrap() };
    assert_eq!(let_in.fetch(&source()).await.unwrap(), wanted);
    // The token is taken away: the next fetch fails by it, and the one after that has another.
    hub.revoke(&at.forge.logins().login(&source()).await.unwrap().password);
    let wanted = Head::At { revision: retail.push("main", &[("README.md", "Hello again")]).parse().unwrap() };
    assert!(matches!(let_in.fetch(&source()).await, Err(FetchError::Unreachable(_))));
    assert_eq!(let_in.fetch(&source()).await.unwrap(), wanted);
    let token = at.forge.logins().login(&source()).await.unwrap().password;
    let mut folders = vec![mirrors.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                assert!(!bytes.windows(token.len()).any(|part| part == token.as_bytes()), "{}", path.display());
            }
        }
    }
}
