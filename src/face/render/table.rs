//! Tables: aligned by how wide characters are shown, not by how many there are.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::{harmless, style};

/// A table with a heading.
#[derive(Debug, Clone)]
pub struct Table {
    heading: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// No cell but the last one of a row is wider than this.
const WIDEST_CELL: usize = 48;

/// In these columns the end says more than the beginning: the file's name, the line.
const END_MATTERS: [&str; 2] = ["PATH", "PLACE"];

impl Table {
    /// A table with these columns.
    pub fn new(heading: &[&'static str]) -> Self {
        Self { heading: heading.to_vec(), rows: Vec::new() }
    }

    /// Adds a row. Cells are made harmless; an empty one is shown as `-`.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let clean = |cell: String| if cell.is_empty() { "-".to_owned() } else { harmless(&cell).into_owned() };
        self.rows.push(cells.into_iter().map(clean).collect());
    }

    /// Writes it. Columns named in `statuses` are coloured by what their words mean.
    pub fn write(&self, out: &mut dyn Write, statuses: &[&str], colour: bool) -> io::Result<()> {
        let columns = self.heading.len();
        let last = columns.saturating_sub(1);
        let mut widths: Vec<usize> = self.heading.iter().map(|name| name.width()).collect();
        let cut: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| {
                row.iter()
                    .zip(&self.heading)
                    .enumerate()
                    .map(
                        |(at, (cell, name))| {
                            if at < last { fit(cell, END_MATTERS.contains(name)) } else { cell.clone() }
                        },
                    )
                    .collect()
            })
            .collect();
        for row in &cut {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let line = |cells: &mut dyn Iterator<Item = (String, usize)>| {
            let mut text = String::new();
            for (at, ((shown, width), column)) in cells.zip(&widths).enumerate() {
                text.push_str(&shown);
                if at < last {
                    text.push_str(&" ".repeat(column.saturating_sub(width) + 2));
                }
            }
            text
        };
        let mut heading = self.heading.iter().map(|name| (style::strong(name, colour), name.width()));
        writeln!(out, "{}", line(&mut heading).trim_end())?;
        for row in &cut {
            let mut cells = row.iter().zip(&self.heading).map(|(cell, name)| {
                let shown = if statuses.contains(name) { style::status(cell, colour) } else { cell.clone() };
                (shown, cell.width())
            });
            writeln!(out, "{}", line(&mut cells).trim_end())?;
        }
        Ok(())
    }
}

/// Cuts a cell that is too wide, at its beginning or at its end.
fn fit(cell: &str, keep_end: bool) -> String {
    if cell.width() <= WIDEST_CELL {
        return cell.to_owned();
    }
    if keep_end {
        let mut start = cell.len();
        for (at, _) in cell.char_indices().rev() {
            if cell.get(at..).is_none_or(|rest| rest.width() >= WIDEST_CELL) {
                break;
            }
            start = at;
        }
        return format!("…{}", cell.get(start..).unwrap_or_default());
    }
    let mut text = String::new();
    for c in cell.chars() {
        text.push(c);
        if text.width() >= WIDEST_CELL - 1 {
            break;
        }
    }
    text.push('…');
    text
}

/// A time without its fraction of a second, for people.
pub fn time_short(time: &str) -> String {
    match time.split_once('.') {
        Some((whole, rest)) => format!("{whole}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_width() {
        let mut table = Table::new(&["NAME", "STATUS", "X"]);
        table.row(["数据产品".to_owned(), "failed".to_owned(), "a".to_owned()]);
        table.row(["ab\u{1b}[2J".to_owned(), String::new(), "b".repeat(60)]);
        table.row(["w".repeat(60), "ok".to_owned(), String::new()]);
        let mut out = Vec::new();
        table.write(&mut out, &["STATUS"], false).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let place = |line: &str, word: &str| line[..line.find(word).unwrap()].width();
        let status = place(lines[0], "STATUS");
        assert_eq!(place(lines[1], "failed"), status);
        assert_eq!(place(lines[3], "ok"), status);
        assert_eq!(place(lines[2], "-"), status);
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn a_place_keeps_its_line() {
        let place = format!("{}/data-product-descriptor.yaml:12:3", "domain/".repeat(9));
        let cut = fit(&place, true);
        assert!(cut.starts_with('…') && cut.ends_with("data-product-descriptor.yaml:12:3"), "{cut}");
        assert_eq!(cut.width(), WIDEST_CELL);
        assert_eq!(fit(&"数".repeat(60), true).width(), WIDEST_CELL - 1);
    }

    #[test]
    fn times_are_short() {
        assert_eq!(time_short("2026-11-20T10:00:00.123456Z"), "2026-11-20T10:00:00Z");
        assert_eq!(time_short("2026-11-20T10:00:00Z"), "2026-11-20T10:00:00Z");
    }
}
