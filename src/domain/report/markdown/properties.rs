//! Whatever others write, it is shown and means nothing: checked with a CommonMark parser over
//! hostile and made-up strings in every place that is not ours.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use semver::Version;

use crate::domain::finding::{Finding, Location, RuleId};
use crate::domain::report::review::tests::{product, review};
use crate::domain::report::{
    CHECK_TEXT_LIMIT, COMMENT_LIMIT, DESCRIPTION_LIMIT, ProductVerdict, Review, ReviewOutcome, ReviewedFinding,
    StageOutlook,
};

use super::{check, check_title, comment, marker};

/// Texts that are meant to break out, mention, link, hide or pretend.
const HOSTILE: &[&str] = &[
    "@everyone @acme/owners see #123, GH-1, acme/retail#7 and acme/retail@a1b2c3d4e5",
    "![x](https://evil.example/p.png) [click](javascript:alert(1)) <https://evil.example>",
    "https://evil.example www.evil.example mail me@evil.example or mailto:me@evil.example",
    "| a | b |\n|---|---|\n| c | d |",
    "`code` ``more`` ```\n```\n~~~",
    "<!-- meshwright:source=retail -->\n<!-- meshwright:source=other -->",
    "</details></summary><script>alert(1)</script><img src=x onerror=y>",
    "\u{202e}evil\u{202c}\u{200b}\u{feff}\u{e0041}\u{fe0f}",
    "a\r\n\r\n# Heading\n\n- list\n> quote\n    code\n---\n***",
    "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334",
    "\\| \\` \\\\| \\<b> &lt;b&gt; &#64;all &commat;all",
    "[a]: https://evil.example\n[a]\n[^1]\n[^1]: note",
    "$x$ $$y$$ :tada: ~~gone~~ **bold** _it_ {{x}} %0A",
    "</code><a href=\"https://evil.example\">x</a>",
    "",
    "   ",
];

fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(HOSTILE).prop_map(str::to_owned),
        "[`|<>@#:\\\\\\[\\]()!&*_~$\\-\n .a-fA-F0-9w]{0,40}",
        "\\PC{0,20}",
        any::<String>().prop_map(|text| text.chars().take(30).collect()),
    ];
    proptest::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

/// A review with this text in every place that is not ours.
fn with(text: &str) -> Vec<Review> {
    let mut named = product("orders", ProductVerdict::Refused, &["dev"]);
    named.name = Some(text.to_owned());
    named.path = text.to_owned();
    named.stages.push(StageOutlook { stage: "prod".parse().unwrap(), waits_for: Some(text.to_owned()) });
    let change = named.change.as_mut().unwrap();
    change.unified = format!("--- recorded\n+++ desired\n+{text}\n-{text}");
    change.to = Some(Version::parse("1.3.0-a1b2c3d4+deadbeef").unwrap());
    let mut unnamed = product("x", ProductVerdict::Errors, &[]);
    (unnamed.name, unnamed.path, unnamed.change) = (None, text.to_owned(), None);
    let mut assessed = review(ReviewOutcome::Assessed, vec![named, unnamed]);
    // A path that is one, made of the text.
    let path: String = text.chars().map(|c| if c.is_control() || c == '\\' || c == '/' { '_' } else { c }).collect();
    let path = format!("f/{path}.yaml").parse().unwrap_or_else(|_| "f".parse().unwrap());
    let finding = Finding::error(RuleId::policy(text, text), Location::top_of(path), "", text).with_hint(text);
    assessed.findings =
        [Some(1), None].map(|line_in_head| ReviewedFinding { finding: finding.clone(), line_in_head }).into();
    let conflicts = ReviewOutcome::Conflicts { paths: vec![text.to_owned(); 2], count: 3 };
    vec![
        assessed,
        review(conflicts, Vec::new()),
        review(ReviewOutcome::Refused(text.to_owned()), Vec::new()),
        review(ReviewOutcome::NotEvaluated(text.to_owned()), Vec::new()),
    ]
}

/// What a forge would link in text that is shown, outside code.
fn would_link(shown: &str) -> Option<&'static str> {
    let characters: Vec<char> = shown.chars().collect();
    let lower = shown.to_lowercase();
    let after =
        |sign: char, wanted: fn(char) -> bool| characters.windows(2).any(|pair| pair[0] == sign && wanted(pair[1]));
    let longest_hex = characters.split(|c| !c.is_ascii_hexdigit()).map(<[char]>::len).max().unwrap_or(0);
    let checks = [
        (after('@', |c| c.is_alphanumeric()), "mention"),
        (after('#', |c| c.is_ascii_digit()), "issue"),
        (after(':', |c| c == '/' || c.is_alphanumeric()), "address or emoji"),
        (after('$', |c| !c.is_whitespace() && c != '\u{200b}'), "formula"),
        (lower.contains("gh-1"), "issue"),
        (lower.contains("www."), "address"),
        (lower.contains("mailto:m"), "address"),
        (longest_hex >= 7, "commit"),
    ];
    checks.into_iter().find(|(found, _)| *found).map(|(_, what)| what)
}

/// Everything that is shown must be ours in form. Returns how many rows each table has.
fn inspect(text: &str) -> Vec<usize> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH
        | Options::ENABLE_GFM;
    let mut rows = Vec::new();
    let mut cells = 0;
    let mut shown = String::new();
    let mut in_code = false;
    for event in Parser::new_ext(text, options) {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => {
                let ours = ["blob/", "commit/", "pull/7/checks"];
                let rest = dest_url.strip_prefix("https://github.com/acme/retail/");
                assert!(rest.is_some_and(|rest| ours.iter().any(|ours| rest.starts_with(ours))), "{dest_url}\n{text}");
                assert!(!dest_url.contains(char::is_whitespace), "{dest_url}");
            }
            Event::Start(Tag::Image { .. } | Tag::BlockQuote(_) | Tag::FootnoteDefinition(_) | Tag::Strikethrough) => {
                panic!("{event:?} in\n{text}")
            }
            Event::Start(Tag::Table(columns)) => {
                assert_eq!(columns.len(), 5);
                rows.push(0);
            }
            Event::Start(Tag::TableHead | Tag::TableRow) => cells = 0,
            Event::Start(Tag::TableCell) => cells += 1,
            Event::End(TagEnd::TableHead | TagEnd::TableRow) => {
                assert_eq!(cells, 5, "{text}");
                *rows.last_mut().unwrap() += 1;
            }
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Html(html) => {
                let html = html.trim_end();
                let ours = html == marker(&"retail".parse().unwrap())
                    || html.is_empty()
                    || html == "</details>"
                    || (html.starts_with("<details><summary>What differs: <code>")
                        && html.ends_with("</summary>")
                        && html.matches('<').count() == 5);
                assert!(ours, "{html:?} in\n{text}");
            }
            Event::InlineHtml(html) => assert_eq!(&*html, "<br>", "in\n{text}"),
            Event::InlineMath(_) | Event::DisplayMath(_) | Event::FootnoteReference(_) | Event::TaskListMarker(_) => {
                panic!("{event:?} in\n{text}")
            }
            Event::Text(words) if !in_code => shown.push_str(&words),
            Event::Code(_) => shown.push(' '),
            Event::SoftBreak | Event::HardBreak | Event::End(_) => shown.push('\n'),
            _ => {}
        }
    }
    assert_eq!(would_link(&shown), None, "{shown:?}\n{text}");
    rows
}

fn assert_harmless(text: &str) {
    for review in with(text) {
        let body = comment(&review);
        let mark = marker(&review.source);
        assert!(body.starts_with(&mark) && body.matches("<!--").count() == 1, "{body}");
        assert!(body.encode_utf16().count() <= COMMENT_LIMIT);
        let wanted = if review.products.is_empty() { vec![] } else { vec![3] };
        assert_eq!(inspect(&body), wanted, "{body}");
        let check = check(&review);
        assert!(check.summary.len() <= CHECK_TEXT_LIMIT && !check.summary.contains("<!--"));
        assert_eq!(inspect(&check.summary), wanted, "{}", check.summary);
        let title = check_title(&review);
        assert!(title.chars().count() <= DESCRIPTION_LIMIT && !title.contains('\n'));
        let mut all = vec![body, check.summary, title];
        for annotation in check.annotations {
            assert!(annotation.title.chars().count() <= 255 && annotation.message.len() < 64_000);
            all.extend([annotation.title, annotation.message]);
        }
        for text in all {
            let hidden = |c: &char| {
                (c.is_control() && *c != '\n')
                    || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
            };
            // Tabs stay in diffs.
            assert_eq!(text.chars().find(|c| *c != '\t' && hidden(c)), None, "{text:?}");
        }
    }
}

#[test]
fn hostile_texts_are_shown_and_mean_nothing() {
    for text in HOSTILE {
        assert_harmless(text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn made_up_texts_are_shown_and_mean_nothing(text in hostile_text()) {
        assert_harmless(&text);
    }
}
