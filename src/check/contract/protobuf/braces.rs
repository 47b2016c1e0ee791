//! Braces that are never closed.

/// The block of a text that ends too early: its line and column, and the words before its brace.
pub(super) fn left_open(text: &str) -> Option<(usize, usize, String)> {
    // Each with its line, and what stands before its brace.
    let mut open: Vec<(usize, &str)> = Vec::new();
    // What begins a line is not inside of another block, as a rule.
    let mut suspect = None;
    let mut in_comment = false;
    for (line, number) in text.lines().zip(1..) {
        let bytes = line.as_bytes();
        let (mut at, mut quote) = (0, None);
        while let Some(byte) = bytes.get(at) {
            let next = bytes.get(at + 1);
            match (byte, quote) {
                (b'*', _) if in_comment && next == Some(&b'/') => {
                    in_comment = false;
                    at += 1;
                }
                _ if in_comment => {}
                (b'\\', Some(_)) => at += 1,
                (byte, Some(begun)) => quote = Some(begun).filter(|begun| begun != byte),
                (b'/', None) if next == Some(&b'/') => break,
                (b'/', None) if next == Some(&b'*') => {
                    in_comment = true;
                    at += 1;
                }
                (b'"' | b'\'', None) => quote = Some(*byte),
                (b'{', None) => {
                    if line.starts_with(|c: char| c.is_ascii_alphabetic()) && suspect.is_none() {
                        suspect = open.last().copied();
                    }
                    open.push((number, line.get(..at).unwrap_or_default()));
                }
                (b'}', None) => {
                    open.pop();
                }
                _ => {}
            }
            at += 1;
        }
    }
    let (line, before) = suspect.or_else(|| open.first().copied())?;
    let words = before.trim_start();
    let column = before.chars().count() - words.chars().count() + 1;
    Some((line, column, words.trim_end().chars().take(80).collect()))
}

#[cfg(test)]
mod tests {
    use super::left_open;

    fn told(text: &str) -> Option<String> {
        left_open(text).map(|(line, column, words)| format!("{line}:{column} {words}"))
    }

    #[test]
    fn the_block_that_ends_too_early_is_found() {
        assert_eq!(told("message A {\n  string a = 1;\n\nenum E { X = 0; }\n").as_deref(), Some("1:1 message A"));
        assert_eq!(told("message A {\n  message B {\n  }\n").as_deref(), Some("1:1 message A"));
        assert_eq!(told("message A {\n  oneof b {\n}\n\nmessage C {\n}\n").as_deref(), Some("1:1 message A"));
        assert_eq!(told("message A { // {\n /* { \n { */ string a = 1 [x = \"{\\\"{\"]; }"), None);
    }
}
