//! What is asked of GitHub: the App's manifest.

use serde_json::{Value, json};

/// A permission that Meshwright needs, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// GitHub's name for it.
    pub name: &'static str,
    /// `read` or `write`.
    pub access: &'static str,
    /// What it is needed for.
    pub reason: &'static str,
    /// Whether it is needed only where GitHub Deployments are shown.
    pub for_deployments: bool,
}

const fn needed(name: &'static str, access: &'static str, reason: &'static str) -> Permission {
    Permission { name, access, reason, for_deployments: false }
}

/// All permissions, and nothing beside them.
pub const PERMISSIONS: &[Permission] = &[
    needed("metadata", "read", "to see which repositories the App is installed on"),
    needed("contents", "read", "to fetch commits"),
    needed("statuses", "write", "to show commit statuses"),
    needed("checks", "write", "to show findings at their lines"),
    needed("pull_requests", "write", "to read pull requests, and to keep one comment on each"),
    needed("issues", "read", "to be told of comments under pull requests, which GitHub counts among those of issues"),
    needed("merge_queues", "read", "to be told of merge groups"),
    Permission {
        name: "deployments",
        access: "write",
        reason: "to show what runs on the Environments page",
        for_deployments: true,
    },
];

/// An event that the App is told of, and the permission without which GitHub takes no manifest that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// GitHub's name for it.
    pub name: &'static str,
    /// The permission, to read at least.
    pub permission: &'static str,
}

const fn told(name: &'static str, permission: &'static str) -> Event {
    Event { name, permission }
}

/// The events that the App is told of. Losing any of them costs latency and nothing else.
pub const EVENTS: &[Event] = &[
    told("push", "contents"),
    told("pull_request", "pull_requests"),
    told("check_suite", "checks"),
    told("check_run", "checks"),
    told("create", "contents"),
    told("delete", "contents"),
    told("issue_comment", "issues"),
    told("merge_group", "merge_queues"),
    told("repository", "metadata"),
];

/// What is asked of GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The App's name: unique on all of GitHub, at most 34 characters.
    pub name: String,
    /// The page about it.
    pub url: String,
    /// Where deliveries go; without one, the App has no webhook, and sources are polled.
    pub webhook: Option<String>,
    /// Where the browser is sent back to.
    pub redirect: String,
    /// Whether GitHub Deployments are shown.
    pub deployments: bool,
}

impl Manifest {
    /// The permissions that are asked for.
    pub fn permissions(&self) -> impl Iterator<Item = &'static Permission> {
        let deployments = self.deployments;
        PERMISSIONS.iter().filter(move |permission| deployments || !permission.for_deployments)
    }

    /// As GitHub reads it.
    pub fn to_json(&self) -> Value {
        let permissions: serde_json::Map<String, Value> =
            self.permissions().map(|permission| (permission.name.to_owned(), Value::from(permission.access))).collect();
        let mut manifest = json!({
            "name": self.name,
            "url": self.url,
            "redirect_url": self.redirect,
            "public": false,
            "default_permissions": permissions,
            "default_events": EVENTS.iter().map(|event| event.name).collect::<Vec<_>>(),
        });
        if let (Some(webhook), Some(fields)) = (&self.webhook, manifest.as_object_mut()) {
            fields.insert("hook_attributes".to_owned(), json!({"url": webhook, "active": true}));
        }
        manifest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(deployments: bool) -> Manifest {
        Manifest {
            name: "meshwright-acme".to_owned(),
            url: "https://mesh.example.com".to_owned(),
            webhook: Some("https://mesh.example.com/webhooks/acme".to_owned()),
            redirect: "http://127.0.0.1:4000/setup/github/done".to_owned(),
            deployments,
        }
    }

    #[test]
    fn no_more_is_asked_for_than_is_needed() {
        let asked = manifest(false).to_json();
        assert_eq!(asked["default_permissions"]["contents"], "read");
        assert_eq!(asked["default_permissions"].get("deployments"), None);
        assert_eq!(manifest(true).to_json()["default_permissions"]["deployments"], "write");
        assert_eq!(asked["public"], false);
        assert_eq!(asked["hook_attributes"]["url"], "https://mesh.example.com/webhooks/acme");
    }

    #[test]
    fn each_event_is_covered_by_a_permission() {
        let asked = manifest(false).to_json();
        for event in EVENTS {
            assert!(asked["default_permissions"].get(event.permission).is_some(), "{event:?}");
            assert!(asked["default_events"].as_array().unwrap().iter().any(|name| name == event.name), "{event:?}");
        }
        assert_eq!(asked["default_permissions"]["issues"], "read");
    }

    #[test]
    fn without_a_webhook_none_is_asked_for() {
        let asked = Manifest { webhook: None, ..manifest(false) }.to_json();
        assert_eq!(asked.get("hook_attributes"), None);
    }
}
