//! The lines that tasks print. A log that has its limit takes no more: a task that prints without
//! end costs nothing more than being listened to.

use std::collections::BTreeMap;

use crate::adapter::store::encode::{CUT_NOTE, LINES_PER_TASK, cut_line, to_column};
use crate::adapter::store::sql::connection::{Bulk, Connection, Row, query, query_scalar};
use crate::domain::plan::ActivityId;
use crate::domain::time::to_millis;
use crate::port::store::{LogLine, StoreError};

const LINES: Bulk =
    Bulk { into: "INSERT INTO task_logs (activity, task, attempt, at, line)", columns: 5, conflict: "" };

/// Adds lines in their order, as far as their tasks' limits allow; the last one that a log takes
/// says that it was cut.
pub async fn append(connection: &mut Connection, id: &ActivityId, lines: &[LogLine]) -> Result<(), StoreError> {
    let mut counts = BTreeMap::new();
    for line in lines {
        if let std::collections::btree_map::Entry::Vacant(entry) = counts.entry(line.task) {
            let count: i64 = query_scalar("SELECT count(*) FROM task_logs WHERE activity = $1 AND task = $2")
                .bind(id.as_str())
                .bind(to_column(line.task as u64))
                .fetch_one(&mut *connection)
                .await?;
            entry.insert(usize::try_from(count).unwrap_or(usize::MAX));
        }
    }
    let mut kept = Vec::with_capacity(lines.len().min(LINES_PER_TASK));
    for line in lines {
        let count = counts.entry(line.task).or_default();
        *count = count.saturating_add(1);
        match (*count).cmp(&LINES_PER_TASK) {
            std::cmp::Ordering::Less => kept.push((line, cut_line(&line.line))),
            std::cmp::Ordering::Equal => kept.push((line, CUT_NOTE.into())),
            std::cmp::Ordering::Greater => {}
        }
    }
    LINES
        .insert(connection, &kept, |values, (line, text)| {
            values
                .put(id.as_str())
                .put(to_column(line.task as u64))
                .put(i64::from(line.attempt))
                .put(to_millis(line.at))
                .put(text.as_ref());
        })
        .await?;
    Ok(())
}

/// All lines of an activity, in the order in which they came.
pub async fn read(connection: &mut Connection, id: &ActivityId) -> Result<Vec<LogLine>, StoreError> {
    let rows = query("SELECT task, attempt, at, line FROM task_logs WHERE activity = $1 ORDER BY id")
        .bind(id.as_str())
        .fetch_all(connection)
        .await?;
    let each = |row: &Row| {
        Ok(LogLine {
            task: usize::try_from(row.count("task")?).unwrap_or(usize::MAX),
            attempt: u32::try_from(row.count("attempt")?).unwrap_or(u32::MAX),
            at: row.time("at")?,
            line: row.text("line")?,
        })
    };
    rows.iter().map(each).collect()
}
