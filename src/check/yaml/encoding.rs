//! From bytes to text: UTF-8 with or without a byte order mark, and nothing that cannot be seen.

use super::place::Mark;
use super::{Problem, rules};

const BYTE_ORDER_MARK: &str = "\u{FEFF}";

/// The text of a file, without its byte order mark.
///
/// Fails on other encodings and on control characters but tab and line breaks, with their place.
pub(in crate::check) fn text_of(bytes: &[u8]) -> Result<&str, Problem> {
    if let Some(name) = other_encoding(bytes) {
        let top = Mark { line: 1, column: 1, length: 0 };
        return Err(Problem::new(&rules::ENCODING, top, String::new(), format!("the file is {name}, not UTF-8"))
            .with_hint("save it as UTF-8"));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let before = std::str::from_utf8(valid).unwrap_or_default();
            let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
            let message = format!("the byte 0x{byte:02X} is not UTF-8");
            return Err(Problem::new(&rules::ENCODING, mark_after(without_mark(before)), String::new(), message)
                .with_hint("save the file as UTF-8"));
        }
    };
    let text = without_mark(text);
    match first_control(text) {
        None => Ok(text),
        Some(at) => {
            let character = text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
            let mark = mark_after(text.get(..at).unwrap_or_default());
            let message = format!("the control character U+{:04X} stands here", u32::from(character));
            let hint = if character == '\0' { "this looks like a binary file" } else { "remove it, or escape it" };
            Err(Problem::new(&rules::CONTROL_CHARACTER, mark, String::new(), message).with_hint(hint))
        }
    }
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

fn other_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0, 0, 0xFE, 0xFF, ..] | [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0, 1..=0x7F, ..] | [1..=0x7F, 0, 0, 0, ..] => {
            Some("UTF-32")
        }
        [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, 1..=0x7F, 0, _, ..] | [1..=0x7F, 0, _, 0, ..] => Some("UTF-16"),
        _ => None,
    }
}

/// The first character that no text file should have: C0 but tab and line breaks, DEL, C1.
fn first_control(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let suspicious =
        |byte: &u8| (*byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || matches!(byte, 0x7F | 0xC2);
    // Nearly every stretch is clean, and one that is looked at as a whole is looked at by many bytes at once.
    let is_clean = |stretch: &[u8]| !stretch.iter().fold(false, |found, byte| found | suspicious(byte));
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let clean = rest.chunks(64).take_while(|stretch| is_clean(stretch)).map(<[u8]>::len).sum::<usize>();
        let at = from + clean + rest.get(clean..)?.iter().position(suspicious)?;
        // 0xC2 begins C1 control characters, and a hundred harmless ones.
        let harmless = bytes.get(at) == Some(&0xC2)
            && bytes.get(at + 1).is_some_and(|next| *next == 0x85 || !(0x80..=0x9F).contains(next));
        if !harmless {
            return Some(at);
        }
        from = at + 2;
    }
}

/// The place of the character that follows `before`.
fn mark_after(before: &str) -> Mark {
    let mut mark = Mark { line: 1, column: 1, length: 1 };
    let mut characters = before.chars().peekable();
    while let Some(character) = characters.next() {
        let breaks = character == '\n' || (character == '\r' && characters.peek() != Some(&'\n'));
        if breaks {
            mark.line += 1;
            mark.column = 1;
        } else {
            mark.column += 1;
        }
    }
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(bytes: &[u8]) -> (&'static str, u32, u32) {
        let problem = text_of(bytes).unwrap_err();
        (problem.rule.id, problem.mark.line, problem.mark.column)
    }

    #[test]
    fn utf8_is_read_with_and_without_its_mark() {
        assert_eq!(text_of(b"a: 1").unwrap(), "a: 1");
        assert_eq!(text_of(b"\xEF\xBB\xBFa: 1").unwrap(), "a: 1");
        assert_eq!(text_of("a: \u{A0}é\u{85}\t\r\n".as_bytes()).unwrap(), "a: \u{A0}é\u{85}\t\r\n");
    }

    #[test]
    fn other_encodings_are_named() {
        let utf16: Vec<u8> = "a: 1".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [b"\xFF\xFEa\0".as_slice(), b"\xFE\xFF\0a", &utf16, b"\0a\0:", b"\0\0\xFE\xFF"] {
            assert_eq!(problem(bytes), ("syntax/encoding", 1, 1), "{bytes:?}");
        }
        assert_eq!(problem(b"a: b\nc: \xE9t\xE9"), ("syntax/encoding", 2, 4));
    }

    #[test]
    fn control_characters_have_a_place() {
        assert_eq!(problem(b"\x89PNG"), ("syntax/encoding", 1, 1));
        assert_eq!(problem("a: é\0".as_bytes()), ("syntax/control-character", 1, 5));
        assert_eq!(problem("\u{FEFF}a\r\nb: \u{1B}[31m".as_bytes()), ("syntax/control-character", 2, 4));
        assert_eq!(problem("a: \u{9B}".as_bytes()), ("syntax/control-character", 1, 4));
        assert_eq!(problem("a: \u{7F}".as_bytes()), ("syntax/control-character", 1, 4));
        // Wherever a stretch that is looked at as a whole ends.
        for length in 0..200 {
            let before = "x".repeat(length);
            let column = u32::try_from(length).unwrap() + 2;
            assert_eq!(problem(format!("{before}\u{A0}\u{9B}").as_bytes()), ("syntax/control-character", 1, column));
            assert_eq!(text_of(format!("{before}\u{A0}é\t").as_bytes()).unwrap().len(), length + 5);
        }
    }
}
