//! `db status`: where the record is and how it stands; `db prune`: what of it was let go of.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use crate::face::cli::DocumentFormat;
use crate::face::render::{self, harmless_line};
use crate::face::{ExitStatus, Output};

/// How the record stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordStatus {
    /// Where it is; without a password.
    pub location: String,
    /// Its schema version; absent where nothing was recorded yet.
    pub schema_version: Option<i64>,
    /// The schema version of this binary.
    pub known_version: i64,
    /// What is in it; absent where its schema is not the one of this binary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents: Option<Contents>,
}

/// What is in the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Contents {
    /// How much room it takes, in bytes.
    pub bytes: u64,
    /// How many activities have not ended.
    pub unfinished_activities: u64,
    /// When the oldest of them was planned.
    pub oldest_unfinished: Option<String>,
    /// How many rows each table has.
    pub rows: BTreeMap<String, u64>,
}

/// Shows it. A record that this binary cannot use as it is ends with 1.
pub fn status(status: &RecordStatus, format: DocumentFormat, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    if format != DocumentFormat::Text {
        render::document(output.out, status, format)?;
        return Ok(ending(status));
    }
    let out = &mut output.out;
    writeln!(out, "Record:      {}", harmless_line(&status.location))?;
    let advice = match status.schema_version {
        None => "nothing is recorded yet".to_owned(),
        Some(found) if found < status.known_version => {
            format!("version {found}; this meshwright needs {}: run `meshwright db migrate`", status.known_version)
        }
        Some(found) if found > status.known_version => {
            format!("version {found}; this meshwright knows {}: use a newer one", status.known_version)
        }
        Some(found) => format!("version {found}, up to date"),
    };
    writeln!(out, "Schema:      {advice}")?;
    let Some(contents) = &status.contents else { return Ok(ending(status)) };
    writeln!(out, "Size:        {} KiB", contents.bytes.div_ceil(1024))?;
    let open = render::counted(usize::try_from(contents.unfinished_activities).unwrap_or(usize::MAX), "activity");
    match &contents.oldest_unfinished {
        Some(since) => writeln!(out, "Unfinished:  {open}, the oldest planned on {since}")?,
        None => writeln!(out, "Unfinished:  nothing")?,
    }
    writeln!(out, "Rows:")?;
    for (table, rows) in &contents.rows {
        writeln!(out, "  {table:<18} {rows:>10}")?;
    }
    Ok(ending(status))
}

/// Shows what was let go of, or would be: how many things, by what they are.
pub fn pruned(
    counts: &BTreeMap<&'static str, u64>,
    dry_run: bool,
    format: DocumentFormat,
    output: &mut Output<'_>,
) -> io::Result<ExitStatus> {
    if format != DocumentFormat::Text {
        render::document(output.out, counts, format)?;
        return Ok(ExitStatus::Success);
    }
    let out = &mut output.out;
    writeln!(out, "{}", if dry_run { "Would be let go of now:" } else { "Let go of:" })?;
    for (what, count) in counts {
        writeln!(out, "  {what:<18} {count:>10}")?;
    }
    Ok(ExitStatus::Success)
}

fn ending(status: &RecordStatus) -> ExitStatus {
    let fine = status.schema_version.is_none_or(|found| found == status.known_version);
    if fine { ExitStatus::Success } else { ExitStatus::Failed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(found: Option<i64>) -> (String, ExitStatus) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut output = Output { out: &mut out, err: &mut err, colour: false, err_colour: false, width: 80 };
        let seen = RecordStatus {
            location: "/x/state.db".to_owned(),
            schema_version: found,
            known_version: 5,
            contents: found.filter(|found| *found == 5).map(|_| Contents {
                bytes: 1500,
                unfinished_activities: 1,
                oldest_unfinished: Some("2026-11-18T10:00:00Z".to_owned()),
                rows: BTreeMap::from([("sources".to_owned(), 2)]),
            }),
        };
        let ended = status(&seen, DocumentFormat::Text, &mut output).unwrap();
        (String::from_utf8(out).unwrap(), ended)
    }

    #[test]
    fn each_standing_says_what_to_do() {
        let (text, ended) = shown(Some(5));
        assert_eq!(ended, ExitStatus::Success);
        for part in ["version 5, up to date", "2 KiB", "1 activity, the oldest planned on 2026-11-18", "sources "] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(shown(None).0.contains("nothing is recorded yet"));
        let (text, ended) = shown(Some(4));
        assert!(text.contains("run `meshwright db migrate`") && ended == ExitStatus::Failed, "{text}");
        let (text, ended) = shown(Some(6));
        assert!(text.contains("use a newer one") && ended == ExitStatus::Failed, "{text}");
    }
}
