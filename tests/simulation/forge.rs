//! A forge that loses answers, is limited, breaks and forgets; and remembers what it shows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use meshwright::domain::id::SourceName;
use meshwright::domain::report::Report;
use meshwright::port::forge::{Abilities, Forge, ForgeError};

use super::world::{Replica, World};

/// What tells one thing that is shown from another: source, subject, sort, context.
pub type Key = (SourceName, String, String, String);

/// What a forge shows.
#[derive(Debug, Default)]
pub struct Shown {
    pub reports: BTreeMap<Key, Report>,
    ids: BTreeMap<Key, String>,
    next: u64,
    /// What it has forgotten by a fault.
    pub spoilt: BTreeSet<Key>,
}

impl Shown {
    /// Forgets one thing that it shows.
    pub fn forget(&mut self, place: usize) {
        let Some(key) = self.reports.keys().nth(place).cloned() else { return };
        self.reports.remove(&key);
        self.spoilt.insert(key);
    }
}

/// The forge, as one replica reaches it.
pub struct SimForge {
    pub replica: Arc<Replica>,
    pub shown: Arc<Mutex<Shown>>,
    pub abilities: Abilities,
}

/// The key of a report.
pub fn key(report: &Report) -> Key {
    (report.source.clone(), report.subject(), report.sort().to_owned(), report.context.clone())
}

impl SimForge {
    fn world(&self) -> &World {
        &self.replica.world
    }

    fn write(&self, report: &Report, external: Option<&str>) -> Option<String> {
        let mut shown = self.shown.lock().unwrap();
        let key = key(report);
        let known = external.map(str::to_owned).or_else(|| shown.ids.get(&key).cloned());
        let id = known.unwrap_or_else(|| {
            shown.next += 1;
            format!("x{}", shown.next)
        });
        shown.ids.insert(key.clone(), id.clone());
        shown.reports.insert(key, report.clone());
        report.detail.as_ref().map(|_| id)
    }

    fn limited(&self) -> ForgeError {
        let seconds = self.world().chance.number(2..=40);
        let until = self.replica.now().checked_add(Duration::from_secs(seconds)).unwrap();
        ForgeError::Limited { until, message: "too many requests".to_owned() }
    }
}

#[async_trait]
impl Forge for SimForge {
    fn abilities(&self) -> Abilities {
        self.abilities
    }

    fn account(&self, source: &SourceName) -> String {
        source.to_string()
    }

    async fn publish(&self, report: &Report, external: Option<&str>) -> Result<Option<String>, ForgeError> {
        self.replica.enter().await;
        let (world, rates) = (self.world(), &self.world().rates);
        tokio::time::sleep(world.chance.millis(1..=60)).await;
        let outcome = if world.fault("forge fails", rates.forge_fails) {
            match world.chance.number(0..=9) {
                0 => Err(ForgeError::Denied("forbidden".to_owned())),
                _ => Err(ForgeError::Transient("502".to_owned())),
            }
        } else if world.fault("forge is limited", rates.forge_limits) {
            Err(self.limited())
        } else if world.fault("forge hangs", rates.forge_hangs) {
            if world.chance.one_in(2) {
                self.write(report, external);
            }
            std::future::pending().await
        } else {
            let id = self.write(report, external);
            if world.fault("forge's answer is lost", rates.forge_answer_lost) {
                Err(ForgeError::Transient("connection reset".to_owned()))
            } else {
                Ok(id)
            }
        };
        world.tell(format_args!(
            "{} publish {} {} {} {} '{}' {}",
            self.replica.name,
            report.source,
            report.revision.short(),
            report.context,
            report.state.as_str(),
            report.description,
            if outcome.is_ok() { "ok" } else { "failed" }
        ));
        self.replica.leave().await;
        outcome
    }

    async fn shows(&self, report: &Report, _: Option<&str>) -> Result<bool, ForgeError> {
        self.replica.enter().await;
        let (world, rates) = (self.world(), &self.world().rates);
        tokio::time::sleep(world.chance.millis(1..=60)).await;
        let outcome = if world.fault("forge fails", rates.forge_fails) {
            Err(ForgeError::Transient("502".to_owned()))
        } else {
            let shown = self.shown.lock().unwrap();
            let found = shown.reports.get(&key(report));
            if found.is_none() && !shown.spoilt.contains(&key(report)) {
                let what = format!("{} {} {}", report.source, report.revision.short(), report.context);
                world.violated(format!("{what} is recorded as shown, and was never sent"));
            }
            Ok(found == Some(report))
        };
        world.tell(format_args!(
            "{} shows {} {} {} {outcome:?}",
            self.replica.name,
            report.source,
            report.revision.short(),
            report.context
        ));
        self.replica.leave().await;
        outcome
    }
}
