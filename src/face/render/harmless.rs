//! Text that others wrote, made fit for a terminal. A descriptor's display name, a policy's
//! message or a line of a file may hold escape sequences that recolour, move or retitle the
//! terminal, or marks that make text read in another order than it is stored ("Trojan Source",
//! CVE-2021-42574). Each such character is replaced by one visible character, so columns stay right.

use std::borrow::Cow;

/// What a dangerous character is shown as; `None` for all others.
fn stand_in(c: char) -> Option<char> {
    match c {
        // The control pictures stand in the order of the control characters.
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)),
        '\u{7f}' => Some('␡'),
        // C1 controls; the marks of direction; line and paragraph separators; tags and other
        // characters that show nothing at all.
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => Some('\u{fffd}'),
        _ => None,
    }
}

/// The text with every dangerous character made visible; line ends and tabs are dangerous as well.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if text.chars().any(|c| stand_in(c).is_some()) {
        Cow::Owned(text.chars().map(|c| stand_in(c).unwrap_or(c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// The same for a line of a file, in which tabs are as good as spaces.
pub fn harmless_line(text: &str) -> Cow<'_, str> {
    if text.chars().any(|c| stand_in(c).is_some()) {
        Cow::Owned(text.chars().map(|c| if c == '\t' { c } else { stand_in(c).unwrap_or(c) }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_dangerous_comes_through_and_columns_stay() {
        let nasty = "a\u{1b}[2J\u{7}\u{202e}b\r\n\u{9b}31m\u{2066}c\u{200b}\u{e0041}\0";
        let shown = harmless(nasty);
        assert_eq!(shown, "a␛[2J␇\u{fffd}b␍␊\u{fffd}31m\u{fffd}c\u{fffd}\u{fffd}␀");
        assert_eq!(shown.chars().count(), nasty.chars().count());
    }

    #[test]
    fn ordinary_writing_of_all_scripts_stays_as_it_is() {
        for text in ["Größe", "数据产品", "منتج البيانات", "👩‍👩‍👧", "a b-c_d.e"] {
            assert!(matches!(harmless(text), Cow::Borrowed(_)), "{text}");
        }
        assert_eq!(harmless_line("\tx: 1"), "\tx: 1");
    }
}
