//! An App, and where it is installed.

use std::collections::BTreeMap;

use serde_json::json;

use super::Hub;
use crate::support::github::hooks::{Happening, Hook};
use crate::support::github::json::merge;
use crate::support::github::world::{App, Installation, Kind};

#[derive(Debug, Clone, Copy)]
pub struct AppHandle<'a> {
    pub(super) hub: &'a Hub,
    pub id: u64,
}

impl AppHandle<'_> {
    fn look<T>(&self, look: impl FnOnce(&App) -> T) -> T {
        self.hub.with(|world| look(world.app(self.id)))
    }

    /// The private key, in PEM.
    pub fn private_key(&self) -> String {
        self.look(|app| app.private_key.clone())
    }

    /// The login under which it acts.
    pub fn bot(&self) -> String {
        self.look(|app| format!("{}[bot]", app.slug))
    }

    /// Its client id, which may be the issuer of its tokens in place of its id.
    pub fn client_id(&self) -> String {
        self.look(|app| app.client_id.clone())
    }

    /// Deliveries go there from now on, signed with this secret.
    pub fn hook(self, url: &str, secret: &str) -> Self {
        self.hub.with(|world| {
            let hook = Hook { id: world.new_id(), url: url.to_owned(), secret: secret.to_owned() };
            world.apps.iter_mut().filter(|app| app.id == self.id).for_each(|app| app.hook = Some(hook.clone()));
        });
        self
    }

    /// Sends it a ping, as GitHub does when it is made.
    pub fn ping(&self) {
        self.hub.with(|world| {
            let app = world.app(self.id);
            let (hook, by) = (app.hook.clone().expect("the App has no hook"), app.owner.clone());
            let about = json!({
                "type": "App", "id": hook.id, "name": "web", "active": true, "events": app.events, "app_id": app.id,
                "created_at": app.created_at, "updated_at": app.created_at,
                "config": { "content_type": "json", "insecure_ssl": "0", "secret": "********", "url": hook.url },
            });
            let payload = json!({ "zen": "Keep it logically awesome.", "hook_id": hook.id, "hook": about });
            let happening =
                Happening { event: "ping", action: None, repository: 0, by: &by, only: None, payload: json!({}) };
            world.post(hook, Some(self.id), None, None, &happening, payload);
        });
    }

    /// Sets one of its permissions, for installations to come: `write`, `read` or `none`.
    pub fn permission(self, name: &str, level: &str) -> Self {
        self.hub.with(|world| {
            let app = world.apps.iter_mut().find(|app| app.id == self.id).unwrap();
            match level {
                "none" => app.permissions.remove(name),
                _ => app.permissions.insert(name.to_owned(), level.to_owned()),
            };
        });
        self
    }

    /// It is not told of this event any more.
    pub fn without_event(&self, name: &str) {
        self.hub.with(|world| {
            let app = world.apps.iter_mut().find(|app| app.id == self.id).unwrap();
            app.events.retain(|event| event != name);
        });
    }

    /// Installs it on an account, for all of its repositories; the installation's id comes back.
    pub fn install_on(&self, account: &str) -> u64 {
        self.install(account, None)
    }

    /// Installs it on an account for some repositories only.
    pub fn install_for(&self, account: &str, repositories: &[u64]) -> u64 {
        self.install(account, Some(repositories.to_vec()))
    }

    fn install(&self, account: &str, selected: Option<Vec<u64>>) -> u64 {
        self.hub.with(|world| {
            world.ensure_user(account, Kind::Organization);
            let (id, created_at, app) = (world.new_id(), world.now(), world.app(self.id));
            world.installations.push(Installation {
                id,
                app: self.id,
                account: account.to_owned(),
                selected,
                permissions: app.permissions.clone(),
                is_suspended: false,
                created_at,
            });
            self.tell(world, id, "created");
            id
        })
    }

    fn tell(&self, world: &mut crate::support::github::world::World, id: u64, action: &str) {
        let installation = world.installation(id).unwrap();
        let (account, hook) = (installation.account.clone(), world.app(self.id).hook.clone());
        let short = |repository: &crate::support::github::world::Repository| {
            json!({
                "id": repository.id, "node_id": format!("R_{}", repository.id), "name": repository.name,
                "full_name": repository.full_name(), "private": repository.is_private,
            })
        };
        let covered = world.repositories.iter().filter(|repository| world.covers(installation, repository.id));
        let repositories: Vec<serde_json::Value> = covered.map(short).collect();
        let mut payload = json!({ "action": action, "installation": world.installation_json(installation) });
        merge(
            &mut payload,
            json!({ "repositories": repositories, "requester": null, "sender": world.user_json(&account) }),
        );
        let event = "installation";
        let happening =
            Happening { event, action: Some(action), repository: 0, by: &account, only: None, payload: json!({}) };
        if let Some(hook) = hook {
            world.post(hook, Some(self.id), Some(id), None, &happening, payload);
        }
    }

    /// Takes a permission of an installation away, or grants it: `write`, `read` or `none`.
    pub fn grant(&self, installation: u64, name: &str, level: &str) {
        self.hub.with(|world| {
            let found = world.installations.iter_mut().find(|known| known.id == installation).unwrap();
            let permissions: &mut BTreeMap<String, String> = &mut found.permissions;
            match level {
                "none" => permissions.remove(name),
                _ => permissions.insert(name.to_owned(), level.to_owned()),
            };
            self.tell(world, installation, "new_permissions_accepted");
        });
    }

    /// Suspends an installation, or lets it work again.
    pub fn suspend(&self, installation: u64, is_suspended: bool) {
        self.hub.with(|world| {
            let found = world.installations.iter_mut().find(|known| known.id == installation).unwrap();
            found.is_suspended = is_suspended;
            self.tell(world, installation, if is_suspended { "suspend" } else { "unsuspend" });
        });
    }

    /// Takes an installation away.
    pub fn uninstall(&self, installation: u64) {
        self.hub.with(|world| {
            self.tell(world, installation, "deleted");
            world.installations.retain(|known| known.id != installation);
        });
    }
}
