//! The few colours that are used, each for one meaning. Without colour the text stays as it is.

use anstyle::{AnsiColor, Effects, Style};

fn paint(style: Style, text: &str, colour: bool) -> String {
    if colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

const fn of(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(anstyle::Color::Ansi(colour)))
}

/// Something is refused, failed, or gone.
pub fn error(text: &str, colour: bool) -> String {
    paint(of(AnsiColor::BrightRed).effects(Effects::BOLD), text, colour)
}

/// Something is doubtful.
pub fn warning(text: &str, colour: bool) -> String {
    paint(of(AnsiColor::Yellow).effects(Effects::BOLD), text, colour)
}

/// Something is well, or new.
pub fn good(text: &str, colour: bool) -> String {
    paint(of(AnsiColor::Green), text, colour)
}

/// Something changes.
pub fn changed(text: &str, colour: bool) -> String {
    paint(of(AnsiColor::Yellow), text, colour)
}

/// Advice.
pub fn hint(text: &str, colour: bool) -> String {
    paint(of(AnsiColor::BrightCyan).effects(Effects::BOLD), text, colour)
}

/// Headings and names.
pub fn strong(text: &str, colour: bool) -> String {
    paint(Style::new().effects(Effects::BOLD), text, colour)
}

/// What is there for completeness.
pub fn faint(text: &str, colour: bool) -> String {
    paint(Style::new().effects(Effects::DIMMED), text, colour)
}

/// A status word in the colour of its meaning.
pub fn status(word: &str, colour: bool) -> String {
    match word {
        "succeeded" | "success" | "published" | "running" | "ok" | "passed" => good(word, colour),
        "failed" | "cancelled" | "failure" | "refused" | "rejected" | "error" | "given-up" | "unreachable"
        | "timed-out" => error(word, colour),
        "waiting" | "pending" | "warning" => changed(word, colour),
        _ => word.to_owned(),
    }
}
