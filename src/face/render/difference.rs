//! Two texts of the same file, as a unified diff that `git apply` and `patch -p1` take.

use std::io::{self, Write};

use similar::{Algorithm, ChangeTag, TextDiff};

use super::{harmless, harmless_line, style};

/// How many lines that are the same stand around those that differ.
const CONTEXT: usize = 3;

/// Writes what differs between two texts of the file `path`. Characters that would steer a terminal are
/// made visible; line ends stay what they are.
pub fn text_difference(out: &mut dyn Write, path: &str, before: &[u8], after: &[u8], colour: bool) -> io::Result<()> {
    let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
    let path = harmless(path);
    writeln!(out, "--- a/{path}\n+++ b/{path}")?;
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_lines(before.as_ref(), after.as_ref());
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        writeln!(out, "{}", style::faint(&hunk.header().to_string(), colour))?;
        for change in hunk.iter_changes() {
            let text: &str = change.value();
            let line = text.trim_end_matches(['\n', '\r']);
            let end = text.get(line.len()..).unwrap_or_default();
            let line = match change.tag() {
                ChangeTag::Delete => style::error(&format!("-{}", harmless_line(line)), colour),
                ChangeTag::Insert => style::good(&format!("+{}", harmless_line(line)), colour),
                ChangeTag::Equal => format!(" {}", harmless_line(line)),
            };
            write!(out, "{line}{end}")?;
            if !end.ends_with('\n') {
                writeln!(out, "\n\\ No newline at end of file")?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &str, after: &str) -> String {
        let mut out = Vec::new();
        text_difference(&mut out, "a/dp.yaml", before.as_bytes(), after.as_bytes(), false).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn it_is_what_patch_takes() {
        let wanted = "--- a/a/dp.yaml\n+++ b/a/dp.yaml\n@@ -1,3 +1,3 @@\n a: 1\r\n-b: 2\n+b: 3\n c: 4\n\\ No newline at end of file\n";
        assert_eq!(shown("a: 1\r\nb: 2\nc: 4", "a: 1\r\nb: 3\nc: 4"), wanted);
    }

    #[test]
    fn it_steers_no_terminal() {
        assert!(!shown("a: \u{1b}[2J\n", "a: \u{202e}b\n").contains(['\u{1b}', '\u{202e}']));
    }
}
