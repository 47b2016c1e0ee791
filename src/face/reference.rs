//! Pages of the documentation that are made from the code: `docs/findings.md`, `docs/compatibility.md`.

use std::fmt::Write;

use crate::check::contract::Chapter;
use crate::domain::change::Impact;
use crate::domain::rule::Rule;

/// What stands above the rules.
const FINDINGS_INTRODUCTION: &str = "\
# Findings

What Meshwright says about a descriptor is a finding: a rule, a place, a sentence and what to do. An **error** refuses
the descriptor; a **warning** and a **note** refuse nothing. Rule ids are stable: pipelines may filter by them. This page
is made from the program's own list (`meshwright explain` shows the same); do not edit it by hand.

What a policy says has the id `policy/<package>.<rule>` and is explained where the policy stands: see
[policies](policies.md). Those below that begin with `policy/` are about policies as a whole.
";

/// `docs/findings.md`: every built-in rule with its meaning, an example, the remedy and where it comes from.
/// `catalogue` is in the order of ids.
pub fn findings_page(catalogue: &[&Rule]) -> String {
    let mut page = FINDINGS_INTRODUCTION.to_owned();
    page.push_str("\n| rule | severity | in short |\n|---|---|---|\n");
    for rule in catalogue {
        let short = one_line(first_sentence(rule.meaning)).replace('|', "\\|");
        add(
            &mut page,
            format_args!("| [`{0}`](#{1}) | {2} | {short} |", rule.id, anchor(rule.id), rule.severity.as_str()),
        );
    }
    let mut family = "";
    for rule in catalogue {
        let (this, _) = rule.id.split_once('/').unwrap_or((rule.id, ""));
        if this != family {
            family = this;
            add(&mut page, format_args!("\n## {family}"));
        }
        add(&mut page, format_args!("\n### {}\n", rule.id));
        add(&mut page, format_args!("*{}*. {}\n", rule.severity.as_str(), one_line(rule.meaning)));
        if !rule.example.trim().is_empty() {
            add(&mut page, format_args!("```\n{}\n```\n", rule.example.trim_matches('\n')));
        }
        add(&mut page, format_args!("**What to do:** {}\n", sentence(rule.remedy)));
        add(&mut page, format_args!("**Source:** {}", sentence(rule.source)));
    }
    page
}

/// What stands above the tables of compatibility.
const COMPATIBILITY_INTRODUCTION: &str = "\
# Compatibility

When the desired content of a product differs from the recorded one, each of its ports is **identical**, **compatible**,
**breaking** or **unknown**, and the product is what the heaviest of its ports is. `meshwright plan` and `meshwright diff` show
the verdicts with their reasons and the lines they stand on, `-o json` has them as `compatibility` of each change, and policies
see them as `input.change.compatibility`. This page is made from the program's own tables; do not edit it by hand.

What cannot be told is *unknown*: it is never taken for compatible, and it is always shown.

## The next version

| what others rely on | from 1.0.0 on | before 1.0.0 |
|---|---|---|
| a port's major version changed | major | major |
| breaks | major | minor |
| cannot be told | minor | minor |
| goes on as before | minor | patch |
| is untouched, and the content changed | patch | patch |

The same holds for the version of each port, from the port's own changes; it is told with the port's verdict:
`outputPorts.trips: breaking, at least version 2.0.0`.

A pre-release counts as the version that it announces. A version that is too low is a finding on the `version:` line:
[`version/too-low`](findings.md#versiontoo-low), or [`version/perhaps-too-low`](findings.md#versionperhaps-too-low) where it is
high enough only if nobody breaks. Both are warnings. What refuses a breaking change is the policy `mesh.compatibility`, at the
line of the contract; it may be waived or set to warn. See also
[`version/not-bumped`](findings.md#versionnot-bumped), [`version/went-back`](findings.md#versionwent-back) and
[`port/major-without-product-major`](findings.md#portmajor-without-product-major).

## Two sides

Who **reads** what a contract describes (the tables and topics of an output port, a response) breaks where a value comes that
was never there before. Who **sends** it (an input port, a request) breaks where a value is refused that was taken before. So
the same change may break the one and not the other.
";

/// `docs/compatibility.md`: how each language's changes are judged, from both sides.
pub fn compatibility_page(chapters: &[Chapter]) -> String {
    let mut page = COMPATIBILITY_INTRODUCTION.to_owned();
    for chapter in chapters {
        add(&mut page, format_args!("\n## {}\n\n{}\n", chapter.name, one_line(chapter.about)));
        page.push_str("| rule | what changed | who reads | who sends | why |\n|---|---|---|---|---|\n");
        for rule in chapter.rules {
            let cell = |text: &str| one_line(text).replace('|', "\\|");
            add(
                &mut page,
                format_args!(
                    "| `{}` | {} | {} | {} | {} |",
                    rule.id,
                    cell(rule.meaning),
                    word(rule.read),
                    word(rule.written),
                    cell(rule.source)
                ),
            );
        }
    }
    page
}

const fn word(impact: Impact) -> &'static str {
    match impact {
        Impact::Compatible => "compatible",
        Impact::Unknown => "unknown",
        Impact::Breaking => "**breaking**",
    }
}

/// The first sentence of a meaning.
pub fn first_sentence(text: &str) -> &str {
    text.split_inclusive(". ").next().unwrap_or(text).trim_end()
}

fn add(page: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = writeln!(page, "{line}");
}

/// With a capital at its beginning and a full stop at its end.
fn sentence(text: &str) -> String {
    let text = one_line(text);
    let mut letters = text.chars();
    // What begins with code or with a name of a file stays as it is.
    let first: String = letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The anchor that Markdown renderers give to a heading: letters, digits and `-`.
fn anchor(heading: &str) -> String {
    heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect::<String>().to_lowercase()
}
