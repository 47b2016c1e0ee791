//! Loading a table from an artifact: its rows become the file's rows, in the task's transaction.
//!
//! The file is read and parsed on a thread of its own and comes in batches through a bounded
//! channel, so that memory does not grow with the file.

mod cells;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use crate::domain::id::Fqn;
use crate::port::executor::TaskError;

use super::super::artifacts::ArtifactStore;
use super::super::files;
use super::definition::{Column, TableSpec};
use super::dialect::{Dialect, list, qualified};
use super::session::{Cell, Session};
use super::types::ColumnType;

/// How many bytes one record may have.
const LARGEST_RECORD: u64 = 4 * 1024 * 1024;

/// How many rows go into one statement.
const ROWS: usize = 200;

/// How many values go into one statement: less than SQLite's limit of 32,766.
const VALUES: usize = 30_000;

/// How many bytes a batch has, roughly, before it is handed on.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// One entry of `configurations.load`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Load {
    /// The table, as the port names it.
    pub(super) table: String,
    /// The artifact: `artifact:<task key>/<path>`.
    pub(super) from: String,
    /// How the file is read; by its ending when left out.
    format: Option<Format>,
    /// What becomes of the rows that are there.
    #[serde(default)]
    mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Csv,
    Jsonl,
}

/// Only what comes to the same effect when it is done twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Replace,
}

/// A file that is there, for a table that is wanted.
#[derive(Debug)]
pub(super) struct Ready {
    table: TableSpec,
    file: PathBuf,
    shown: String,
    format: Format,
}

impl Load {
    /// Looks whether it can be done, before anything is touched.
    pub(super) fn ready(
        &self,
        table: Option<&TableSpec>,
        artifacts: &ArtifactStore,
        owner: &Fqn,
    ) -> Result<Ready, TaskError> {
        let table = table.ok_or_else(|| {
            let message = format!("'configurations.load' names the table '{}', and the ports have none", self.table);
            TaskError::permanent(message)
        })?;
        let file = artifacts.resolve_owned(&self.from, owner)?;
        let shown = self.from.rsplit('/').next().unwrap_or_default().to_owned();
        let format = match (self.format, shown.rsplit_once('.').map(|(_, ending)| ending)) {
            (Some(format), _) => format,
            (None, Some("csv")) => Format::Csv,
            (None, Some("jsonl" | "ndjson")) => Format::Jsonl,
            (None, _) => {
                let message = format!("'configurations.load' has no 'format' (csv or jsonl) for '{shown}'");
                return Err(TaskError::permanent(message));
            }
        };
        Ok(Ready { table: table.clone(), file, shown, format })
    }
}

impl Ready {
    /// Replaces the table's rows; answers how many there are now.
    pub(super) async fn run(self, session: &mut Session, schema: &str) -> Result<u64, TaskError> {
        let target = qualified(schema, &self.table.name);
        session.execute(&format!("DELETE FROM {target}")).await?;
        let table = self.table.clone();
        let (sender, mut batches) = mpsc::channel(2);
        // When the receiver is dropped, the reader's next batch finds nobody, and it ends.
        let reader = tokio::task::spawn_blocking(move || self.read(&sender));
        let mut rows = 0;
        while let Some(batch) = batches.recv().await {
            let batch: Batch = batch;
            rows += batch.rows as u64;
            let sql = insert(&target, &table.columns, batch.rows, session.dialect());
            session.execute_with(&sql, &batch.cells).await?;
        }
        match reader.await {
            Ok(Ok(())) => Ok(rows),
            Ok(Err(message)) => Err(TaskError::permanent(message)),
            Err(error) => Err(TaskError::transient(format!("the reading thread ended: {error}"))),
        }
    }

    fn read(&self, sender: &mpsc::Sender<Batch>) -> Result<(), String> {
        let shown = &self.shown;
        let file = files::open_regular(&self.file).map_err(|error| format!("'{shown}' cannot be read: {error}"))?;
        match self.format {
            Format::Csv => self.read_csv(file, sender),
            Format::Jsonl => self.read_jsonl(file, sender),
        }
    }

    fn read_csv(&self, file: File, sender: &mpsc::Sender<Batch>) -> Result<(), String> {
        let since_record = Arc::new(AtomicU64::new(0));
        let guarded = Guarded { inner: file, since_record: Arc::clone(&since_record) };
        let mut reader = csv::ReaderBuilder::new().has_headers(true).from_reader(guarded);
        let headers = reader.headers().map_err(|error| self.broken_csv(&error))?.clone();
        let headers: Vec<&str> = headers
            .iter()
            .enumerate()
            .map(|(index, name)| if index == 0 { name.trim_start_matches('\u{feff}') } else { name })
            .collect();
        let places = self.places(&headers)?;
        let mut batch = Batch::default();
        let mut record = csv::StringRecord::new();
        loop {
            since_record.store(0, Ordering::Relaxed);
            if !reader.read_record(&mut record).map_err(|error| self.broken_csv(&error))? {
                break;
            }
            let line = record.position().map_or(0, csv::Position::line);
            for (column, place) in self.table.columns.iter().zip(&places) {
                let field = place.and_then(|place| record.get(place)).unwrap_or_default();
                let cell = if field.is_empty() { empty(column) } else { cells::parse(column.kind, field) };
                batch.push(cell.map_err(|rule| self.broken(line, column, &rule))?);
            }
            if !batch.end_row_and_send(&self.table, sender) {
                return Ok(());
            }
        }
        batch.send(sender);
        Ok(())
    }

    fn read_jsonl(&self, file: File, sender: &mpsc::Sender<Batch>) -> Result<(), String> {
        let shown = &self.shown;
        let mut reader = BufReader::new(file);
        let mut batch = Batch::default();
        let mut bytes = Vec::new();
        for line in 1_u64.. {
            bytes.clear();
            let read = reader.by_ref().take(LARGEST_RECORD + 1).read_until(b'\n', &mut bytes);
            if read.map_err(|error| format!("'{shown}' cannot be read: {error}"))? == 0 {
                break;
            }
            if bytes.len() as u64 > LARGEST_RECORD {
                return Err(format!("'{shown}' line {line} has more than 4 MiB"));
            }
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let fields: Map<String, Value> =
                serde_json::from_slice(&bytes).map_err(|_| format!("'{shown}' line {line} is not a JSON object"))?;
            if let Some(name) =
                fields.keys().find(|name| !self.table.columns.iter().any(|column| column.name == **name))
            {
                return Err(self.unknown(name));
            }
            for column in &self.table.columns {
                let cell = match fields.get(&column.name) {
                    None | Some(Value::Null) if column.not_null => Err("it has no value, and is NOT NULL".to_owned()),
                    None | Some(Value::Null) => Ok(Cell::Null),
                    Some(value) if column.kind == ColumnType::Json => cells::parse(column.kind, &value.to_string()),
                    Some(Value::String(text)) => cells::parse(column.kind, text),
                    Some(Value::Array(_) | Value::Object(_)) => {
                        Err("only a JSON column takes a list or an object".to_owned())
                    }
                    Some(value) => cells::parse(column.kind, &value.to_string()),
                };
                batch.push(cell.map_err(|rule| self.broken(line, column, &rule))?);
            }
            if !batch.end_row_and_send(&self.table, sender) {
                return Ok(());
            }
        }
        batch.send(sender);
        Ok(())
    }

    /// Where in a record each column of the table stands.
    fn places(&self, headers: &[&str]) -> Result<Vec<Option<usize>>, String> {
        let mut seen = BTreeSet::new();
        for name in headers {
            if !self.table.columns.iter().any(|column| column.name == *name) {
                return Err(self.unknown(name));
            }
            if !seen.insert(*name) {
                return Err(format!("'{}' names the column '{name}' twice", self.shown));
            }
        }
        let mut places = Vec::with_capacity(self.table.columns.len());
        for column in &self.table.columns {
            let place = headers.iter().position(|name| *name == column.name);
            if place.is_none() && column.not_null {
                return Err(format!("'{}' lacks the column '{}', which is NOT NULL", self.shown, column.name));
            }
            places.push(place);
        }
        Ok(places)
    }

    fn unknown(&self, name: &str) -> String {
        let name: String = name.chars().take(80).map(|c| if c.is_control() { '?' } else { c }).collect();
        format!("'{}' has a column '{name}', and the table '{}' has none of that name", self.shown, self.table.name)
    }

    fn broken(&self, line: u64, column: &Column, rule: &str) -> String {
        format!("'{}' line {line}, column '{}': {rule}", self.shown, column.name)
    }

    fn broken_csv(&self, error: &csv::Error) -> String {
        let shown = &self.shown;
        let line = error.position().map_or_else(String::new, |position| format!(" line {}", position.line()));
        match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("'{shown}'{line} has {len} fields, and the first line has {expected_len}")
            }
            csv::ErrorKind::Utf8 { .. } => format!("'{shown}'{line} is not UTF-8"),
            csv::ErrorKind::Io(error) => format!("'{shown}' cannot be read: {error}"),
            _ => format!("'{shown}'{line} is not CSV"),
        }
    }
}

/// An empty field of a CSV file is no value; where there has to be one, it is an empty text.
fn empty(column: &Column) -> Result<Cell, String> {
    match column.kind {
        _ if !column.not_null => Ok(Cell::Null),
        ColumnType::Char(_) | ColumnType::VarChar(_) | ColumnType::Text => Ok(Cell::Text(String::new())),
        _ => Err("it has no value, and is NOT NULL".to_owned()),
    }
}

/// Rows on their way.
#[derive(Debug, Default)]
struct Batch {
    rows: usize,
    cells: Vec<Cell>,
    bytes: usize,
}

impl Batch {
    fn push(&mut self, cell: Cell) {
        if let Cell::Text(text) = &cell {
            self.bytes += text.len();
        }
        self.cells.push(cell);
    }

    /// Ends a row, and hands the batch on when it is full; `false` when nobody wants it.
    fn end_row_and_send(&mut self, table: &TableSpec, sender: &mpsc::Sender<Batch>) -> bool {
        self.rows += 1;
        let most = ROWS.min(VALUES / table.columns.len().max(1)).max(1);
        if self.rows >= most || self.bytes >= BATCH_BYTES { std::mem::take(self).send(sender) } else { true }
    }

    fn send(self, sender: &mpsc::Sender<Batch>) -> bool {
        self.rows == 0 || sender.blocking_send(self).is_ok()
    }
}

fn insert(target: &str, columns: &[Column], rows: usize, dialect: Dialect) -> String {
    let names = list(columns.iter().map(|column| column.name.as_str()));
    let mut number = 0;
    let mut row = || {
        let place = |column: &Column| {
            number += 1;
            match dialect {
                // Values come bound with their own types.
                Dialect::Sqlite => format!("${number}"),
                // Values come as texts, which PostgreSQL reads as it reads a literal.
                Dialect::Postgres => format!("CAST(${number} AS {})", column.kind.ddl(dialect)),
            }
        };
        format!("({})", columns.iter().map(place).collect::<Vec<_>>().join(", "))
    };
    let rows: Vec<String> = (0..rows).map(|_| row()).collect();
    format!("INSERT INTO {target} ({names}) VALUES {}", rows.join(", "))
}

/// A reader that gives up on a record that does not end: an open quote would else take the whole
/// file into memory.
struct Guarded {
    inner: File,
    since_record: Arc<AtomicU64>,
}

impl Read for Guarded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_record.load(Ordering::Relaxed) > LARGEST_RECORD {
            return Err(io::Error::other("a record has more than 4 MiB; perhaps a quote is not closed"));
        }
        let read = self.inner.read(buffer)?;
        self.since_record.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
