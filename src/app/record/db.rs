//! The verbs about the record as a whole.

use std::fs::{self, OpenOptions};
use std::io::{self, BufReader, BufWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use crate::adapter::clock::SystemClock;
use crate::adapter::executors::ArtifactStore;
use crate::adapter::store::SqlStore;
use crate::adapter::store::sqlite::{self, KNOWN};
use crate::adapter::store::upkeep::{self, Carried, CarryError};
use crate::config::Checked;
use crate::engine;
use crate::face::cli::{DbMigrateArgs, DbPruneArgs, DbStatusArgs, DbVerb};
use crate::face::verbs::db::{Contents, RecordStatus};
use crate::face::verbs::{self, store_failed};
use crate::face::{ExitStatus, Output};
use crate::port::clock::Clock;
use crate::port::store::StoreError;

use super::super::wire::retain;
use super::Place;

pub(in crate::app) async fn db(config: &Checked, verb: &DbVerb, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let place = match Place::of(&config.state) {
        Ok(place) => place,
        Err(error) => return store_failed(&error, output),
    };
    match verb {
        DbVerb::Status(args) => status(&place, args, output).await,
        DbVerb::Migrate(args) => migrate(&place, args, output).await,
        DbVerb::Backup(args) => backup(&place, &args.file, output).await,
        DbVerb::Restore(args) => restore(&place, &args.file, output).await,
        DbVerb::Export(args) => export(&place, &args.file, output).await,
        DbVerb::Import(args) => import(&place, &args.file, output).await,
        DbVerb::Prune(args) => prune(config, &place, args, output).await,
    }
}

/// The schema version that is found; a newer one is told as such.
async fn version(place: &Place) -> Result<Option<i64>, StoreError> {
    let found = match place {
        Place::File(path) => SqlStore::look_at_file(path).await,
        Place::Server(options) => SqlStore::look_at_server(options).await,
    };
    match found {
        Err(StoreError::TooNew { found, .. }) => Ok(Some(found)),
        other => other,
    }
}

async fn status(place: &Place, args: &DbStatusArgs, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let looked = async {
        let found = version(place).await?;
        let contents = if found == Some(KNOWN) { Some(contents(place).await?) } else { None };
        Ok(RecordStatus { location: place.to_string(), schema_version: found, known_version: KNOWN, contents })
    };
    match looked.await {
        Ok(status) => verbs::db::status(&status, args.output, output),
        Err(error) => store_failed(&error, output),
    }
}

async fn contents(place: &Place) -> Result<Contents, StoreError> {
    let store = place.open_read_only().await?;
    let standing = upkeep::standing(&store).await?;
    store.close().await;
    Ok(Contents {
        bytes: standing.bytes,
        unfinished_activities: standing.unfinished,
        oldest_unfinished: standing.oldest_unfinished.map(|at| at.to_string()),
        rows: standing.rows.into_iter().collect(),
    })
}

async fn migrate(place: &Place, args: &DbMigrateArgs, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let done = async {
        let found = match place {
            Place::File(path) => SqlStore::look_at_file(path).await?,
            Place::Server(options) => SqlStore::look_at_server(options).await?,
        };
        if found != Some(KNOWN) && !args.dry_run {
            place.open().await?.close().await;
        }
        Ok(found)
    };
    let (before, done) = match done.await {
        Ok(Some(KNOWN)) => {
            writeln!(output.out, "{place}: the schema is up to date (version {KNOWN})")?;
            return Ok(ExitStatus::Success);
        }
        Ok(found) => (found, if args.dry_run { "would be brought" } else { "was brought" }),
        Err(error) => return store_failed(&error, output),
    };
    let before = before.map_or_else(|| "nothing".to_owned(), |version| format!("version {version}"));
    writeln!(output.out, "{place}: the schema {done} from {before} to version {KNOWN}")?;
    Ok(ExitStatus::Success)
}

async fn backup(place: &Place, file: &Path, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let Place::File(record) = place else { return of_a_server("backed up with pg_dump", output) };
    match sqlite::backup(record, file).await {
        Ok(()) => {
            writeln!(output.out, "{} is a copy of {}", file.display(), record.display())?;
            Ok(ExitStatus::Success)
        }
        Err(error) => store_failed(&error, output),
    }
}

async fn restore(place: &Place, file: &Path, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let Place::File(record) = place else { return of_a_server("put back with pg_restore", output) };
    match sqlite::restore(record, file, SystemClock.now()).await {
        Ok(aside) => {
            writeln!(output.out, "{} is what {} was a copy of", record.display(), file.display())?;
            if let Some(aside) = aside {
                writeln!(output.out, "what was there before is {}", aside.display())?;
            }
            Ok(ExitStatus::Success)
        }
        Err(error) => store_failed(&error, output),
    }
}

fn of_a_server(how: &str, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let message = format!("a record in PostgreSQL is {how}, schema by schema");
    output.error(&message, Some("`meshwright db export` writes one that any database can take in"))?;
    Ok(ExitStatus::Usage)
}

async fn export(place: &Place, file: &Path, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let mut made = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(made) => BufWriter::new(made),
        Err(error) => {
            output
                .error(&format!("{} cannot be made: {error}", file.display()), Some("name a file that is not there"))?;
            return Ok(ExitStatus::Failed);
        }
    };
    let exported = async {
        let store = place.open_read_only().await?;
        let carried = upkeep::export(&store, &mut made).await?;
        store.close().await;
        made.get_ref().sync_all()?;
        Ok(carried)
    };
    let exported = exported.await;
    if exported.is_err() {
        // Half an export is none.
        fs::remove_file(file)?;
    }
    told(exported, "exported to", file, output)
}

async fn import(place: &Place, file: &Path, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let imported = async {
        let mut from = BufReader::new(OpenOptions::new().read(true).open(file)?);
        let store = place.open().await?;
        let carried = upkeep::import(&store, &mut from).await;
        store.close().await;
        carried
    };
    told(imported.await, "imported from", file, output)
}

async fn prune(config: &Checked, place: &Place, args: &DbPruneArgs, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let pruned = async {
        if !place.is_there().await? {
            return Err(StoreError::Unusable(format!("there is no record at {place}")));
        }
        let store = if args.dry_run { place.open_read_only().await? } else { place.open().await? };
        let artifacts = ArtifactStore::new(config.folder.join("artifacts"));
        let (now, never) = (SystemClock.now(), CancellationToken::new());
        let pruned = engine::prune(&store, now, &retain(config), Some(&artifacts), args.dry_run, &never).await;
        store.close().await;
        pruned
    };
    match pruned.await {
        Ok(pruned) => verbs::db::pruned(&pruned, args.dry_run, args.output, output),
        Err(error) => store_failed(&error, output),
    }
}

fn told(
    carried: Result<Carried, CarryError>,
    what: &str,
    file: &Path,
    output: &mut Output<'_>,
) -> io::Result<ExitStatus> {
    match carried {
        Ok(Carried { tables, rows }) => {
            writeln!(output.out, "{rows} rows of {tables} tables were {what} {}", file.display())?;
            Ok(ExitStatus::Success)
        }
        Err(CarryError::Store(error)) => store_failed(&error, output),
        Err(CarryError::Target(why)) => {
            output.error(&why, None)?;
            Ok(ExitStatus::Failed)
        }
        Err(error) => {
            output.error(&format!("{}: {error}", file.display()), None)?;
            Ok(ExitStatus::Failed)
        }
    }
}
