//! What a pass means for activities: new ones are recorded, and those that wait for what is no
//! longer wanted are superseded.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::adapter::store::encode::{name_list, to_column, to_json};
use crate::adapter::store::outcome;
use crate::adapter::store::postgres::locks;
use crate::adapter::store::sql::connection::{Bulk, Connection, query};
use crate::domain::activity::{ActivityEvent, ActivityState, ActivityStatus};
use crate::domain::id::{ContainerId, Fqn};
use crate::domain::plan::{ActivityId, PlannedActivity};
use crate::domain::time::to_millis;
use crate::port::store::{Pass, StoreError};

use crate::adapter::store::sql::audit::AuditEvent;

const ACTIVITIES: Bulk = Bulk {
    into: "INSERT INTO activities (id, plan, source, revision, product, stage, version, digest,
                                   planned, planned_at, tasks, status, done)",
    columns: 13,
    conflict: "",
};

/// An activity that waits has no events yet; this is its first and last.
const ENDINGS: Bulk =
    Bulk { into: "INSERT INTO activity_events (activity, seq, at, kind, body)", columns: 5, conflict: "" };

/// Activities of these products that have not begun.
pub const WAITING: &str = "SELECT a.product, a.stage, a.plan, a.planned
     FROM json_each($1) AS wanted CROSS JOIN activities a
     WHERE a.product = wanted.value AND a.status = 'waiting'
     ORDER BY a.number";

/// These activities, where they have not begun.
/// Where the container runs what Git says, `standing` is the activity that brought it there.
const WITHDRAWN: &str = concat!(
    "SELECT a.product, a.stage, a.plan, a.planned, (
         SELECT containers.activity FROM containers
             JOIN products p ON p.product = containers.product
             JOIN versions v ON v.product = p.product AND v.version = p.version
         WHERE containers.product = a.product AND containers.stage = a.stage AND containers.digest = v.digest
             AND p.retired = 0 AND NOT ",
    is_disturbed!(),
    ") AS standing
     FROM json_each($1) AS wanted CROSS JOIN activities a
     WHERE a.id = wanted.value AND a.status = 'waiting'
     ORDER BY a.number"
);

/// Records the plan's activities, in its order.
pub async fn write(connection: &mut Connection, pass: &Pass) -> Result<(), StoreError> {
    let plan = &pass.plan;
    for part in plan.activities.chunks(Bulk::ROWS) {
        let part: Vec<(&PlannedActivity, String)> = part
            .iter()
            .map(|activity| Ok((activity, to_json("an activity", activity)?)))
            .collect::<Result<_, StoreError>>()?;
        ACTIVITIES
            .insert(connection, &part, |values, (activity, planned)| {
                values
                    .put(activity.id.as_str())
                    .put(plan.digest.as_str())
                    .put(plan.source.as_str())
                    .put(plan.revision.as_str())
                    .put(activity.container.product.as_str())
                    .put(activity.container.stage.as_str())
                    .put(activity.to.version.to_string())
                    .put(activity.to.digest.as_str())
                    .put(planned.as_str())
                    .put(to_millis(pass.at))
                    .put(to_column(activity.tasks.len() as u64))
                    .put(ActivityStatus::Waiting.as_str())
                    .put(0_i64);
            })
            .await?;
    }
    Ok(())
}

/// An activity that ends because of the pass.
struct Ending {
    planned: PlannedActivity,
    plan: String,
    event: ActivityEvent,
}

/// Ends activities that wait: those of containers for which the plan has a new one, those that it
/// withdraws, and those of products that have left their source with this pass. Running ones go on to their end.
pub async fn supersede(
    connection: &mut Connection,
    pass: &Pass,
    retired: &BTreeSet<Fqn>,
    decisions: &mut Vec<AuditEvent>,
) -> Result<(), StoreError> {
    if pass.plan.activities.is_empty() && pass.plan.withdrawn.is_empty() && retired.is_empty() {
        return Ok(());
    }
    let endings = endings(connection, pass, retired).await?;
    let mut events = Vec::with_capacity(endings.len());
    let mut messages = Map::new();
    for Ending { planned, plan, event } in &endings {
        let state = ActivityState::new(planned.tasks.len())
            .after(event)
            .map_err(|error| StoreError::Unusable(format!("{} cannot be superseded: {error}", planned.id)))?;
        let message = outcome::message(planned, &state, event);
        if let Some(kind) = outcome::audit_kind(event) {
            let detail = outcome::audit_detail(planned, plan, event, message.as_deref());
            decisions.push(AuditEvent { kind, subject: planned.id.to_string(), detail });
        }
        messages.insert(planned.id.to_string(), Value::from(message));
        events.push((&planned.id, event, to_json("an event", event)?));
    }
    ENDINGS
        .insert(connection, &events, |values, (activity, event, body)| {
            let kind = outcome::kind(event);
            values.put(activity.as_str()).put(1_i64).put(to_millis(pass.at)).put(kind).put(body.as_str());
        })
        .await?;
    query(
        "UPDATE activities SET status = $2, message = ending.value
         FROM json_each($1) AS ending WHERE activities.id = ending.key",
    )
    .bind(Value::Object(messages).to_string())
    .bind(ActivityStatus::Superseded.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

async fn endings(connection: &mut Connection, pass: &Pass, retired: &BTreeSet<Fqn>) -> Result<Vec<Ending>, StoreError> {
    let successors: BTreeMap<&ContainerId, &ActivityId> =
        pass.plan.activities.iter().map(|activity| (&activity.container, &activity.id)).collect();
    let products: BTreeSet<&Fqn> = successors.keys().map(|container| &container.product).chain(retired).collect();
    locks::activities(connection, &pass.plan.withdrawn, products.iter().map(|product| product.as_str())).await?;
    let rows =
        query(WAITING).bind(name_list(products.into_iter().map(Fqn::as_str))).fetch_all(&mut *connection).await?;
    let mut endings = Vec::new();
    let withdrawn = name_list(pass.plan.withdrawn.iter().map(ActivityId::as_str));
    for row in &query(WITHDRAWN).bind(withdrawn).fetch_all(connection).await? {
        let container = ContainerId { product: row.name("product")?, stage: row.name("stage")? };
        if !successors.contains_key(&container) && !retired.contains(&container.product) {
            // What waited for it has what it needs for good, whatever comes to the container later.
            let event = ActivityEvent::Superseded { by: row.name_or_none("standing")? };
            endings.push(Ending { planned: row.json("planned")?, plan: row.text("plan")?, event });
        }
    }
    for row in &rows {
        let container = ContainerId { product: row.name("product")?, stage: row.name("stage")? };
        let successor = successors.get(&container).copied();
        if successor.is_some() || retired.contains(&container.product) {
            let event = ActivityEvent::Superseded { by: successor.cloned() };
            endings.push(Ending { planned: row.json("planned")?, plan: row.text("plan")?, event });
        }
    }
    Ok(endings)
}
