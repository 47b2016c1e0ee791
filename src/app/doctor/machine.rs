//! What can be seen without leaving the machine: the record and the policies. Whether git is there, the first
//! fetch tells.

use std::path::Path;

use crate::config::{Checked, StateLocation};
use crate::domain::id::ForgeName;
use crate::face::verbs::doctor::Examined;
use crate::port::judge::Judge;
use crate::port::store::{Store, StoreError};

use crate::app::record::Place;

const HERE: &str = "this machine";

/// So many of the newest deliveries are looked through for one of a forge.
const DELIVERIES: usize = 10_000;

pub(super) async fn record(config: &Checked) -> Examined {
    let looked = async {
        let place = Place::of(&config.state)?;
        if !place.is_there().await? {
            return Ok(Err(place));
        }
        place.examine().await?;
        Ok(Ok(place))
    };
    match looked.await {
        Ok(Ok(Place::File(path))) => Examined::fine(HERE, "record", format!("{} is whole", path.display())),
        Ok(Ok(place)) => Examined::fine(HERE, "record", format!("{place} can be read")),
        Ok(Err(Place::File(path))) => unmade(&path),
        Ok(Err(place)) => Examined::fine(HERE, "record", format!("{place}: it will be made at the first start")),
        Err(error @ StoreError::TooNew { .. }) => {
            Examined::failed(HERE, "record", error.to_string(), "use the newer meshwright that wrote it")
        }
        Err(error) if matches!(config.state, StateLocation::Postgres(_)) => {
            let remedy = "see that the server runs, that this machine may reach it, and that the account may log in";
            Examined::failed(HERE, "record", error.to_string(), remedy)
        }
        Err(error) => {
            let remedy = "look at its owner and permissions; a broken file is put back from a backup";
            Examined::failed(HERE, "record", error.to_string(), remedy)
        }
    }
}

/// There is no record yet: it will be made, if its folder can be written to.
fn unmade(path: &Path) -> Examined {
    let parent = path.parent().unwrap_or(Path::new("."));
    let nearest = parent.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    match tempfile::tempfile_in(nearest) {
        Ok(_) => Examined::fine(HERE, "record", format!("{} will be made at the first start", path.display())),
        Err(error) => Examined::failed(
            HERE,
            "record",
            format!("{} cannot be made: {error}", path.display()),
            format!("let the daemon's user write to {}", nearest.display()),
        ),
    }
}

/// What came in last from a forge; nothing when the ledger cannot be read, which was said before.
pub(super) async fn last_delivery(store: &dyn Store, forge: &ForgeName) -> Option<Examined> {
    let rows = store.delivery_rows(DELIVERIES).await.ok()?;
    let subject = format!("forge {forge}");
    Some(match rows.iter().find(|row| row.forge == *forge) {
        Some(row) => {
            let message = format!("the last was '{}', on {}: {}", row.event, row.received_at, row.verdict);
            Examined::fine(&subject, "deliveries", message)
        }
        None => Examined::warning(
            &subject,
            "deliveries",
            "none has come in yet",
            "look at the App's page under 'Advanced': where do deliveries go, and how are they answered? Until they come, \
             repositories are polled",
        ),
    })
}

pub(super) async fn policies(judge: &dyn Judge) -> Examined {
    match judge.reload().await {
        Ok(digest) => Examined::fine(HERE, "policies", format!("loaded ({})", digest.short())),
        Err(error) => {
            let remedy = "mend them; `meshwright policy test` runs their tests. Until then nothing is let through";
            Examined::failed(HERE, "policies", error.to_string(), remedy)
        }
    }
}
