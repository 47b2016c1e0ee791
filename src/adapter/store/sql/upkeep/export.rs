//! The record as lines of JSON: a header, a line for each row, and an end by which whoever reads it knows that
//! it is whole. Rows come in the order of their keys and columns in the order of their names, so that the same
//! record gives the same lines whichever database it is in.

use std::collections::BTreeMap;
use std::io::Write;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::adapter::store::sql::SqlStore;
use crate::adapter::store::sql::connection::Value;
use crate::adapter::store::sqlite::KNOWN;

use super::{Carried, CarryError, tables};

/// The form of the lines.
pub const FORMAT: u32 = 1;
/// How many rows are read at once.
const PAGE: usize = 500;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub struct Header {
    /// The form of the lines.
    #[serde(rename = "meshwrightRecord")]
    pub format: u32,
    /// The schema version that tables and columns belong to.
    pub schema: i64,
    /// Which meshwright wrote it.
    pub version: String,
    /// Columns by table, in the order of the rows' values.
    pub tables: BTreeMap<String, Vec<String>>,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
pub struct End {
    /// How many rows each table has.
    pub rows: BTreeMap<String, u64>,
    /// The digest of all lines before this one.
    pub sha256: String,
}

/// Writes lines and their digest.
struct Lines<'w> {
    to: &'w mut (dyn Write + Send),
    digest: Sha256,
}

impl Lines<'_> {
    fn write(&mut self, line: &impl Serialize) -> Result<(), CarryError> {
        let mut text = serde_json::to_vec(line).map_err(std::io::Error::from)?;
        text.push(b'\n');
        self.digest.update(&text);
        Ok(self.to.write_all(&text)?)
    }
}

/// Writes the whole record as it stands at one moment.
pub async fn export(store: &SqlStore, to: &mut (dyn Write + Send)) -> Result<Carried, CarryError> {
    let mut transaction = store.read().await?;
    let found = tables::all(&mut transaction).await?;
    let mut lines = Lines { to, digest: Sha256::new() };
    lines.write(&Header {
        format: FORMAT,
        schema: KNOWN,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        tables: found.iter().map(|table| (table.name.clone(), table.columns.keys().cloned().collect())).collect(),
    })?;
    let mut rows = BTreeMap::new();
    for table in &found {
        let (mut after, mut count) = (None, 0_u64);
        loop {
            let page = table.page(&mut transaction, after, PAGE).await?;
            for row in &page {
                let values = row.iter().map(to_json);
                let line: Vec<Json> = std::iter::once(Json::from(table.name.as_str())).chain(values).collect();
                lines.write(&line)?;
                count += 1;
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(table.key_of(last)),
                _ => break,
            }
        }
        rows.insert(table.name.clone(), count);
    }
    let carried = Carried { tables: rows.len(), rows: rows.values().sum() };
    let sha256 = hex::encode(lines.digest.clone().finalize());
    lines.write(&End { rows, sha256 })?;
    lines.to.flush()?;
    Ok(carried)
}

fn to_json(value: &Value<'_>) -> Json {
    match value {
        Value::Number(number) => Json::from(*number),
        Value::Text(text) => Json::from(text.as_deref()),
        // No table has any; `tables` says so when one does.
        Value::Bytes(_) => Json::Null,
    }
}
