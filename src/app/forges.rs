//! Forges: who shows reports, who is asked about proposals, who lets fetches in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::adapter::github::{GithubFacts, GithubForge, GithubSpec, Pace};
use crate::adapter::local_forge::LocalForge;
use crate::config::{Checked, CheckedForge, CheckedGithub, CheckedSource, GithubAccess};
use crate::domain::id::{ForgeName, SourceName};
use crate::port::clock::Clock;
use crate::port::forge::Forge;
use crate::port::forge::login::Logins;
use crate::port::forge::redelivery::Redelivery;
use crate::port::forge::reviews::Reviews;

/// What the forges of a configuration can do, for whom.
pub(super) struct Forges {
    /// Who shows the reports of each source.
    pub shown: BTreeMap<SourceName, Arc<dyn Forge>>,
    /// Who is asked about each source's proposals.
    pub reviews: BTreeMap<SourceName, Arc<dyn Reviews>>,
    /// Who lets in each source that has no credentials of its own.
    pub logins: BTreeMap<SourceName, Arc<dyn Logins>>,
    /// Who can be asked for deliveries that did not arrive.
    pub redeliveries: BTreeMap<ForgeName, Arc<dyn Redelivery>>,
    /// What `doctor` asks each GitHub.
    pub facts: BTreeMap<ForgeName, GithubFacts>,
}

impl Forges {
    /// Puts them together. Nothing is asked yet, and no secret is read.
    pub(super) fn new(config: &Checked, clock: &Arc<dyn Clock>) -> Self {
        let githubs = githubs(config, clock);
        Self {
            shown: shown(config, &githubs),
            reviews: reviews(config, &githubs),
            logins: logins(config, &githubs),
            redeliveries: redeliveries(config, &githubs),
            facts: githubs.iter().map(|(name, forge)| (name.clone(), forge.facts())).collect(),
        }
    }
}

type Githubs = BTreeMap<ForgeName, Arc<GithubForge>>;

/// One part for each GitHub, so that all its sources share connections, tokens and limits.
fn githubs(config: &Checked, clock: &Arc<dyn Clock>) -> Githubs {
    let made = |(name, github): (&ForgeName, &CheckedGithub)| {
        let at_it = config.sources.iter().filter(|source| source.forge.as_ref() == Some(name));
        let spec = GithubSpec {
            api: github.api.clone(),
            access: github.access.clone(),
            repositories: at_it.filter_map(|source| Some((source.name.clone(), source.repository.clone()?))).collect(),
            deployments: github.deployments,
            pace: Pace::GITHUB,
        };
        (name.clone(), Arc::new(GithubForge::new(spec, Arc::clone(clock))))
    };
    config.forges.iter().filter_map(|(name, forge)| Some((name, github(forge)?))).map(made).collect()
}

fn github(forge: &CheckedForge) -> Option<&CheckedGithub> {
    match forge {
        CheckedForge::Github(github) => Some(github),
        CheckedForge::Local { .. } | CheckedForge::Webhooks { .. } => None,
    }
}

/// The sources at a GitHub, with its part.
fn at_github<'a>(
    config: &'a Checked,
    githubs: &'a Githubs,
) -> impl Iterator<Item = (&'a CheckedSource, &'a ForgeName, &'a Arc<GithubForge>)> {
    config.sources.iter().filter_map(|source| {
        let (name, forge) = githubs.get_key_value(source.forge.as_ref()?)?;
        Some((source, name, forge))
    })
}

/// The forge of each source that has one: the configured one, or git notes for a local repository.
fn shown(config: &Checked, githubs: &Githubs) -> BTreeMap<SourceName, Arc<dyn Forge>> {
    let repositories: BTreeMap<SourceName, PathBuf> = config
        .sources
        .iter()
        .filter_map(|source| {
            let own = || source.location.local_path().map(Path::to_path_buf);
            let repository = match source.forge.as_ref().and_then(|name| config.forges.get(name)) {
                Some(CheckedForge::Local { repository: Some(path) }) => Some(path.clone()),
                Some(CheckedForge::Local { repository: None }) | None => own(),
                Some(CheckedForge::Github(_) | CheckedForge::Webhooks { .. }) => None,
            };
            Some((source.name.clone(), repository?))
        })
        .collect();
    let names: Vec<SourceName> = repositories.keys().cloned().collect();
    let notes: Arc<dyn Forge> = Arc::new(LocalForge::new(repositories));
    let local = names.into_iter().map(|name| (name, Arc::clone(&notes)));
    let far = at_github(config, githubs).map(|(source, _, forge)| (source.name.clone(), Arc::clone(forge) as _));
    local.chain(far).collect()
}

fn reviews(config: &Checked, githubs: &Githubs) -> BTreeMap<SourceName, Arc<dyn Reviews>> {
    at_github(config, githubs).map(|(source, _, forge)| (source.name.clone(), Arc::clone(forge) as _)).collect()
}

/// What lets sources in that have no credentials of their own. A token goes to its own GitHub only.
fn logins(config: &Checked, githubs: &Githubs) -> BTreeMap<SourceName, Arc<dyn Logins>> {
    let mut logins: BTreeMap<SourceName, Arc<dyn Logins>> = BTreeMap::new();
    for (source, name, forge) in at_github(config, githubs) {
        let origin = config.forges.get(name).and_then(github).map(|github| github.url.origin());
        if source.credentials.is_none() && origin == Some(source.location.origin()) {
            logins.insert(source.name.clone(), Arc::new(forge.logins()));
        }
    }
    logins
}

/// Deliveries of an App's webhook can be asked for again; a person has none.
fn redeliveries(config: &Checked, githubs: &Githubs) -> BTreeMap<ForgeName, Arc<dyn Redelivery>> {
    let is_told = |name: &ForgeName| {
        config.forges.get(name).and_then(github).is_some_and(|github| {
            matches!(github.access, GithubAccess::App { .. }) && !github.webhook_secrets.is_empty()
        })
    };
    let told = githubs.iter().filter(|(name, _)| is_told(name));
    told.map(|(name, forge)| (name.clone(), Arc::clone(forge) as _)).collect()
}
