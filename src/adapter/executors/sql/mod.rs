//! The `sql` executor: a container's storage in a database.
//!
//! One attempt: the output ports that promise a datastore → tables and views that are wanted →
//! one transaction: claim the schema, compare the token, read what exists, plan (a pure function), change, load,
//! write the book, count → commit. Run twice, the second time finds nothing to do. A run that crashed has
//! either committed or left nothing, so there is nothing to ask about it: it is run again. Where it is to
//! be undone (`undo`), the book says what the task made new. SQLite and
//! PostgreSQL go the same way; they differ in types, catalogs and `ALTER TABLE`.
//!
//! Absent: migrations of data, and anything that a descriptor does not describe.

mod catalog;
mod definition;
mod dialect;
mod load;
mod migrate;
#[cfg(test)]
mod migrate_tests;
mod place;
mod render;
mod session;
mod statement;
mod types;
mod undo;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::config::UrlRef;
use crate::domain::id::ContainerId;
use crate::port::executor::{Executor, Progress, TaskCall, TaskError, TaskOutcome};

use super::artifacts::ArtifactStore;
use super::stop::Stop;
use definition::{Definitions, TableSpec};
use dialect::Dialect;
use migrate::Wanted;
use place::{Database, Place};
use session::Session;

/// How long looking may take.
const LOOK_TIMEOUT: Duration = Duration::from_secs(30);

/// One `sql` executor of the configuration.
#[derive(Debug, Clone)]
pub struct SqlSpec {
    /// Its name, for messages.
    pub name: String,
    /// `sqlite://<folder>` or `postgres://…`. Nothing is opened until a task runs.
    pub url: UrlRef,
    /// How schemas are named, with `{stage}`, `{product}`, `{major}` and `{schema}`.
    pub schema_template: String,
    /// Whether tables and columns may be dropped, narrowed or retyped.
    pub allow_destructive: bool,
    /// Whether tables and views that a task made are dropped again when its rollout goes no further.
    pub compensate: bool,
}

/// Creates and evolves schemas, tables and views.
#[derive(Debug)]
pub struct SqlExecutor {
    spec: SqlSpec,
    artifacts: ArtifactStore,
}

/// What a query brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, as texts; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// Whether there were more rows than the limit.
    pub more: bool,
}

/// What a task may configure.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Configurations {
    /// The output ports; all datastores when left out.
    ports: Option<BTreeSet<String>>,
    /// Tables that are filled.
    #[serde(default)]
    load: Vec<load::Load>,
}

impl SqlExecutor {
    /// Nothing is opened until a task runs.
    pub fn new(spec: SqlSpec, artifacts: ArtifactStore) -> Self {
        Self { spec, artifacts }
    }

    /// Runs one `SELECT` on a container's schema, in a transaction that cannot write, and answers
    /// with at most `limit` rows. Unqualified names are looked for in the container's schema.
    pub async fn query(&self, container: &ContainerId, sql: &str, limit: usize) -> Result<Table, TaskError> {
        let stop = Stop::after(LOOK_TIMEOUT, &CancellationToken::new());
        let _dropped = stop.cancel.clone().drop_guard();
        stop.unless(self.read(container, sql, limit, &stop)).await
    }

    async fn read(&self, container: &ContainerId, sql: &str, limit: usize, stop: &Stop) -> Result<Table, TaskError> {
        let place = Place::of(&self.spec.name, &self.spec.url)?;
        let sql = statement::single_query(sql, place.dialect())
            .map_err(|rule| TaskError::permanent(format!("the query is refused: {rule}")))?;
        let (mut session, schemas) = self.look(&place, container, stop).await?;
        if schemas.is_empty() {
            return Err(TaskError::permanent(format!("{container} has no schema here; has it been deployed?")));
        }
        session.begin_read(&schemas).await?;
        let columns = session.columns_of(sql).await?;
        let most = limit.saturating_add(1);
        let wrapped = match place.dialect() {
            Dialect::Sqlite => format!("SELECT * FROM (\n{sql}\n) LIMIT {most}"),
            Dialect::Postgres => {
                // Columns are renamed by their place, since a query may have two of one name.
                let names: Vec<String> = (1..=columns.len()).map(|number| format!("c{number}")).collect();
                let texts: Vec<String> = names.iter().map(|name| format!("q.{name}::text")).collect();
                let (texts, names) = (texts.join(", "), names.join(", "));
                format!("SELECT {texts} FROM (\n{sql}\n) AS q({names}) LIMIT {most}")
            }
        };
        let mut rows = session.rows(&wrapped, &[]).await?;
        session.close().await;
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok(Table { columns, rows, more })
    }

    /// Connects for looking, and finds the container's schemas.
    async fn look(
        &self,
        place: &Place,
        container: &ContainerId,
        stop: &Stop,
    ) -> Result<(Session, Vec<String>), TaskError> {
        let template = &self.spec.schema_template;
        let candidates = match &place.database {
            _ if !place::is_per_port(template) => vec![place::physical_schema(template, container, "")?],
            Database::Sqlite(folder) => self.files_of(folder, container, place, stop).await?,
            Database::Postgres(_) => Vec::new(),
        };
        let mut session = Session::open(place, &candidates, false, stop).await?;
        let mut schemas = Vec::new();
        let candidates =
            if candidates.is_empty() { catalog::schemas_with_a_book(&mut session).await? } else { candidates };
        for schema in candidates {
            if catalog::schema_exists(&mut session, &schema).await?
                && catalog::has_book(&mut session, &schema).await?
                && catalog::owner(&mut session, &schema).await? == Some(container.to_string())
            {
                schemas.push(schema);
            }
        }
        Ok((session, schemas))
    }

    /// The files in a folder that belong to the container. Each is looked into by itself, since
    /// only ten can be attached at once.
    async fn files_of(
        &self,
        folder: &std::path::Path,
        container: &ContainerId,
        place: &Place,
        stop: &Stop,
    ) -> Result<Vec<String>, TaskError> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut found = Vec::new();
        for schema in names.filter_map(|name| name.strip_suffix(".db").map(str::to_owned)) {
            let mut session = Session::open(place, std::slice::from_ref(&schema), false, stop).await?;
            let ours = catalog::has_book(&mut session, &schema).await?
                && catalog::owner(&mut session, &schema).await? == Some(container.to_string());
            session.close().await;
            if ours {
                found.push(schema);
            }
        }
        found.sort();
        Ok(found)
    }

    async fn apply(
        &self,
        call: &TaskCall,
        work: Work,
        place: &Place,
        progress: &dyn Progress,
        stop: &Stop,
    ) -> Result<TaskOutcome, TaskError> {
        let Work { schemas, loads, first } = work;
        let names: Vec<String> = schemas.keys().cloned().collect();
        let mut session = Session::open(place, &names, true, stop).await?;
        session.begin_write(&names).await?;
        let (mut created, mut changed) = (Vec::new(), Vec::new());
        for (schema, wanted) in &schemas {
            catalog::claim(&mut session, schema, &call.container).await?;
            catalog::admit(&mut session, schema, call.token).await?;
            session.search_in(std::slice::from_ref(schema)).await?;
            let existing = catalog::existing(&mut session, schema).await?;
            let migration = migrate::plan(&existing, wanted, self.spec.allow_destructive).map_err(|refusals| {
                TaskError::refused(format!(
                    "nothing was changed in '{schema}', because data would be lost: {}; publish the change as a new \
                     major version, or set 'allow_destructive' for the executor",
                    refusals.join("; ")
                ))
            })?;
            for step in &migration.steps {
                for statement in render::statements(step, schema, place.dialect()) {
                    session.execute(&statement).await?;
                }
            }
            catalog::record(&mut session, schema, &existing, wanted).await?;
            if self.spec.compensate {
                catalog::record_made(&mut session, schema, &migration.created, &call.key).await?;
            }
            created.extend(migration.created);
            changed.extend(migration.changed);
        }
        for (schema, ready) in loads {
            ready.run(&mut session, &schema).await?;
        }
        let (mut tables, mut views) = (Map::new(), Map::new());
        for (schema, wanted) in &schemas {
            for table in &wanted.tables {
                let rows = catalog::count(&mut session, schema, &table.name).await?;
                tables.insert(table.name.clone(), json!({"rows": rows, "columns": table.columns.len()}));
            }
            for view in &wanted.views {
                // SQLite only looks into a view when it is read.
                let all = format!("SELECT * FROM {}", dialect::qualified(schema, &view.name));
                let columns = session.columns_of(&all).await?;
                views.insert(view.name.clone(), json!({"columns": columns.len()}));
            }
        }
        session.commit().await?;
        for line in created.iter().map(|name| format!("created {name}")).chain(changed.clone()) {
            progress.log(&line).await;
        }
        let results = json!({
            "schema": first, "schemas": names, "tables": tables, "views": views, "created": created, "changed": changed,
        });
        match results {
            Value::Object(results) => Ok(TaskOutcome { results }),
            _ => Ok(TaskOutcome::default()),
        }
    }

    /// All that can be known before a database is touched.
    fn work(&self, call: &TaskCall, place: &Place) -> Result<Work, TaskError> {
        let configurations = match &call.configurations {
            Value::Null => Configurations::default(),
            value => serde_json::from_value(value.clone()).map_err(|error| {
                TaskError::permanent(format!("the task's configurations are not what a 'sql' executor takes: {error}"))
            })?,
        };
        let definitions = definition::read(&call.descriptor, configurations.ports.as_ref(), place.dialect())?;
        if definitions.wanted.is_empty() {
            return Err(TaskError::permanent(
                "the product has no output port whose API is specified by 'datastoreapi', so there is nothing to store",
            ));
        }
        let (schemas, first) = self.gather(call, definitions)?;
        let mut loads = Vec::with_capacity(configurations.load.len());
        for load in &configurations.load {
            let named = |table: &&TableSpec| table.name == load.table;
            let place = schemas.iter().find_map(|(schema, wanted)| Some((schema, wanted.tables.iter().find(named)?)));
            let ready = load.ready(place.map(|(_, table)| table), &self.artifacts, &call.container.product)?;
            if let Some((schema, _)) = place {
                loads.push((schema.clone(), ready));
            }
        }
        Ok(Work { schemas, loads, first })
    }

    /// Puts the ports' tables and views into their schemas.
    fn gather(
        &self,
        call: &TaskCall,
        definitions: Definitions,
    ) -> Result<(BTreeMap<String, Wanted>, String), TaskError> {
        let mut schemas: BTreeMap<String, Wanted> = BTreeMap::new();
        let mut first = None;
        for port in definitions.wanted {
            let logical = port.schema.as_deref().unwrap_or(&port.port);
            let schema = place::physical_schema(&self.spec.schema_template, &call.container, logical)?;
            first.get_or_insert_with(|| schema.clone());
            let wanted = schemas.entry(schema).or_default();
            wanted.left_alone.clone_from(&definitions.others);
            for table in port.tables {
                match wanted.tables.iter().find(|other| other.name == table.name) {
                    // Two ports may offer the same table; then they have to agree on it.
                    Some(other) if TableSpec { port: other.port.clone(), ..table.clone() } == *other => {}
                    Some(other) => {
                        return Err(TaskError::permanent(format!(
                            "the output ports '{}' and '{}' describe the table '{}' differently",
                            other.port, table.port, table.name
                        )));
                    }
                    None => wanted.tables.push(table),
                }
            }
            for view in port.views {
                match wanted.views.iter().find(|other| other.name == view.name) {
                    Some(other) if other.query == view.query => {}
                    Some(other) => {
                        return Err(TaskError::permanent(format!(
                            "the output ports '{}' and '{}' describe the view '{}' differently",
                            other.port, view.port, view.name
                        )));
                    }
                    None => wanted.views.push(view),
                }
            }
        }
        let both = schemas.values().find_map(|wanted| {
            let name = |view: &definition::ViewSpec| wanted.tables.iter().any(|table| table.name == view.name);
            wanted.views.iter().find(|view| name(view)).map(|view| view.name.clone())
        });
        match both {
            Some(name) => {
                Err(TaskError::permanent(format!("'{name}' is a table of one output port and a view of another")))
            }
            None => Ok((schemas, first.unwrap_or_default())),
        }
    }
}

/// What an attempt has to do.
struct Work {
    /// What is wanted, by physical schema.
    schemas: BTreeMap<String, Wanted>,
    /// What is loaded, with its schema.
    loads: Vec<(String, load::Ready)>,
    /// The schema of the first port.
    first: String,
}

#[async_trait]
impl Executor for SqlExecutor {
    async fn run(&self, call: &TaskCall, progress: &dyn Progress) -> Result<TaskOutcome, TaskError> {
        let stop = Stop::after(call.timeout, &call.cancel);
        // When this future is dropped, a statement that SQLite runs on its own thread is interrupted.
        let _dropped = stop.cancel.clone().drop_guard();
        let place = Place::of(&self.spec.name, &self.spec.url)?;
        let work = self.work(call, &place)?;
        stop.unless(self.apply(call, work, &place, progress, &stop)).await
    }

    fn compensates(&self) -> bool {
        self.spec.compensate
    }

    async fn compensate(&self, call: &TaskCall, progress: &dyn Progress) -> Result<(), TaskError> {
        let stop = Stop::after(call.timeout, &call.cancel);
        let _dropped = stop.cancel.clone().drop_guard();
        let place = Place::of(&self.spec.name, &self.spec.url)?;
        stop.unless(self.undo(call, &place, progress, &stop)).await
    }

    async fn observe(&self, container: &ContainerId) -> Result<Option<Value>, TaskError> {
        let stop = Stop::after(LOOK_TIMEOUT, &CancellationToken::new());
        let _dropped = stop.cancel.clone().drop_guard();
        let place = Place::of(&self.spec.name, &self.spec.url)?;
        let looking = async {
            let (mut session, names) = self.look(&place, container, &stop).await?;
            let mut schemas = Map::new();
            for schema in names {
                let described = catalog::describe(&mut session, &schema).await?;
                schemas.insert(schema, described);
            }
            session.close().await;
            Ok(if schemas.is_empty() { None } else { Some(json!({ "schemas": schemas })) })
        };
        stop.unless(looking).await
    }
}
