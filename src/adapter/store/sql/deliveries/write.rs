//! Writing a handful of deliveries with a few statements, however many they are.

use std::collections::BTreeMap;

use serde_json::json;

use crate::adapter::store::encode::{name_list, to_json};
use crate::adapter::store::sql::connection::{Bulk, Connection, query};
use crate::domain::forge::delivery::{Delivery, DeliveryId, DeliveryVerdict};
use crate::domain::id::{ForgeName, Revision};
use crate::domain::source::Target;
use crate::domain::time::to_millis;
use crate::port::store::{Lane, Recorded, StoreError, Wake};

use super::commands;
use crate::adapter::store::sql::sharing::wakes;

/// Which of these ids are recorded.
pub const KNOWN: &str = "SELECT d.forge, d.delivery FROM json_each($1) AS wanted CROSS JOIN deliveries d
     WHERE d.forge = json_extract(wanted.value, '$[0]') AND d.delivery = json_extract(wanted.value, '$[1]')";

/// Where the last pushes ended.
pub const HEADS: &str = "SELECT h.forge, h.repository, h.reference, h.head
     FROM json_each($1) AS wanted CROSS JOIN delivered_heads h
     WHERE h.forge = json_extract(wanted.value, '$[0]') AND h.repository = json_extract(wanted.value, '$[1]')
       AND h.reference = json_extract(wanted.value, '$[2]')";

/// Where sources stand.
pub const REVISIONS: &str = "SELECT s.name, s.revision FROM json_each($1) AS wanted CROSS JOIN sources s
     WHERE s.name = wanted.value AND s.revision IS NOT NULL";

/// One more time that a recorded delivery came.
pub const AGAIN: &str = "UPDATE deliveries SET times = times + 1 WHERE forge = $1 AND delivery = $2";

const DELIVERIES: Bulk = Bulk {
    into: "INSERT INTO deliveries (forge, delivery, event, action, repository, reference, before, head,
                                   received_at, times, verdict, woke)",
    columns: 12,
    conflict: "",
};

const NEW_HEADS: Bulk = Bulk {
    into: "INSERT INTO delivered_heads (forge, repository, reference, head)",
    columns: 4,
    conflict: "ON CONFLICT (forge, repository, reference) DO UPDATE SET head = excluded.head",
};

type Id = (ForgeName, DeliveryId);
/// Forge, repository in lower case, reference.
type Place = (String, String, String);

/// A row that is about to be written.
struct Row<'a> {
    delivery: &'a Delivery,
    verdict: DeliveryVerdict,
    times: i64,
    woke: String,
}

/// Records deliveries in the order in which they came, and says of each what became of it.
pub async fn record(connection: &mut Connection, deliveries: &[Delivery]) -> Result<Vec<Recorded>, StoreError> {
    let known = known(connection, deliveries).await?;
    let mut heads = Heads::read(connection, deliveries).await?;
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut places: BTreeMap<Id, Option<usize>> = known.into_iter().map(|id| (id, None)).collect();
    let mut recorded = Vec::with_capacity(deliveries.len());
    for delivery in deliveries {
        let id = (delivery.forge.clone(), delivery.id.clone());
        match places.get(&id) {
            Some(place) => {
                match place.and_then(|place| rows.get_mut(place)) {
                    Some(row) => row.times += 1,
                    None => again(connection, delivery).await?,
                }
                recorded.push(Recorded::Duplicate);
            }
            None => {
                let verdict = delivery.verdict(heads.moved(delivery));
                places.insert(id, Some(rows.len()));
                rows.push(Row { delivery, verdict, times: 1, woke: woke(&delivery.targets)? });
                recorded.push(Recorded::New(verdict));
            }
        }
    }
    insert(connection, &rows).await?;
    heads.write(connection).await?;
    let asked = rows.iter().flat_map(|row| &row.delivery.commands);
    commands::ask(connection, &asked.collect::<Vec<_>>()).await?;
    let woken = rows.iter().flat_map(|row| {
        let due = row.delivery.received_at;
        row.delivery.targets.iter().map(move |target| Wake { target: target.clone(), lane: Lane::Fresh, due })
    });
    wakes::wake(connection, &woken.collect::<Vec<_>>()).await?;
    Ok(recorded)
}

async fn known(connection: &mut Connection, deliveries: &[Delivery]) -> Result<Vec<Id>, StoreError> {
    let ids: Vec<_> = deliveries.iter().map(|delivery| json!([delivery.forge, delivery.id])).collect();
    let rows = query(KNOWN).bind(json!(ids).to_string()).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.name("forge")?, row.name("delivery")?))).collect()
}

async fn again(connection: &mut Connection, delivery: &Delivery) -> Result<(), StoreError> {
    query(AGAIN).bind(delivery.forge.as_str()).bind(delivery.id.as_str()).execute(connection).await?;
    Ok(())
}

async fn insert(connection: &mut Connection, rows: &[Row<'_>]) -> Result<(), StoreError> {
    let inserted = DELIVERIES.insert(connection, rows, |values, row| {
        let hint = &row.delivery.hint;
        values
            .put(row.delivery.forge.as_str())
            .put(row.delivery.id.as_str())
            .put(hint.event.as_str())
            .put(hint.action.as_deref())
            .put(hint.repositories.first().map(String::as_str))
            .put(hint.reference.as_deref())
            .put(hint.before.as_ref().map(Revision::as_str))
            .put(hint.head.as_ref().map(Revision::as_str))
            .put(to_millis(row.delivery.received_at))
            .put(row.times)
            .put(word(row.verdict))
            .put(row.woke.as_str());
    });
    Ok(inserted.await?)
}

const fn word(verdict: DeliveryVerdict) -> &'static str {
    match verdict {
        DeliveryVerdict::Woke => "woke",
        DeliveryVerdict::Gap => "gap",
        DeliveryVerdict::Command => "command",
        DeliveryVerdict::Ignored => "ignored",
    }
}

fn woke(targets: &[Target]) -> Result<String, StoreError> {
    let text = |target: &Target| match &target.proposal {
        None => target.source.to_string(),
        Some(proposal) => format!("{} {proposal}", target.source),
    };
    to_json("what a delivery woke", &targets.iter().map(text).collect::<Vec<_>>())
}

/// Where watched branches stand, as pushes tell it; before the first push, as the record does.
struct Heads {
    told: BTreeMap<Place, String>,
    recorded: BTreeMap<String, String>,
    changed: BTreeMap<Place, Option<String>>,
}

impl Heads {
    async fn read(connection: &mut Connection, deliveries: &[Delivery]) -> Result<Self, StoreError> {
        let mut heads = Self { told: BTreeMap::new(), recorded: BTreeMap::new(), changed: BTreeMap::new() };
        let places: BTreeMap<Place, &Delivery> =
            deliveries.iter().filter_map(|delivery| Some((place(delivery)?, delivery))).collect();
        if places.is_empty() {
            return Ok(heads);
        }
        let wanted = json!(places.keys().collect::<Vec<_>>()).to_string();
        for row in query(HEADS).bind(wanted).fetch_all(&mut *connection).await? {
            let place = (row.text("forge")?, row.text("repository")?, row.text("reference")?);
            heads.told.insert(place, row.text("head")?);
        }
        let unheard = places.iter().filter(|(place, _)| !heads.told.contains_key(*place));
        let sources = unheard.flat_map(|(_, delivery)| &delivery.targets).map(|target| target.source.as_str());
        let wanted = name_list(sources);
        for row in query(REVISIONS).bind(wanted).fetch_all(connection).await? {
            heads.recorded.insert(row.text("name")?, row.text("revision")?);
        }
        Ok(heads)
    }

    /// Takes in where a push says that its branch stands now; whether a push is missing before it.
    fn moved(&mut self, delivery: &Delivery) -> bool {
        let Some(place) = place(delivery) else { return false };
        let stood = match self.changed.get(&place) {
            Some(changed) => changed.as_deref(),
            None => self.told.get(&place).map(String::as_str).or_else(|| {
                let source = delivery.targets.first()?.source.as_str();
                self.recorded.get(source).map(String::as_str)
            }),
        };
        let before = delivery.hint.before.as_ref().map(Revision::as_str);
        let gap = stood.is_some() && stood != before;
        self.changed.insert(place, delivery.hint.head.as_ref().map(ToString::to_string));
        gap
    }

    async fn write(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let there: Vec<(&Place, &String)> =
            self.changed.iter().filter_map(|(place, head)| Some((place, head.as_ref()?))).collect();
        let written =
            NEW_HEADS.upsert(&[0, 1, 2], &mut *connection, &there, |values, ((forge, repository, reference), head)| {
                values.put(forge.as_str()).put(repository.as_str()).put(reference.as_str()).put(head.as_str());
            });
        written.await?;
        for ((forge, repository, reference), _) in self.changed.iter().filter(|(_, head)| head.is_none()) {
            query("DELETE FROM delivered_heads WHERE forge = $1 AND repository = $2 AND reference = $3")
                .bind(forge)
                .bind(repository)
                .bind(reference)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}

/// The branch whose head a delivery tells; only those of pushes to what is watched are followed.
fn place(delivery: &Delivery) -> Option<Place> {
    let hint = &delivery.hint;
    let followed = hint.is_push && !delivery.targets.is_empty();
    let repository = hint.repositories.first().filter(|_| followed)?;
    Some((delivery.forge.to_string(), repository.to_lowercase(), hint.reference.clone()?))
}
