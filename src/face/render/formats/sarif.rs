//! SARIF 2.1.0 (OASIS), as code scanning services read it.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use crate::domain::finding::{Finding, Severity};
use crate::domain::id::Digest;
use crate::domain::rule::Rule;
use crate::face::Validation;

/// What cannot stand in a path of a relative URI reference (RFC 3986, `pchar` and `/`). A colon
/// could make the first segment look like a scheme.
const NOT_IN_A_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b':')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The document of `validate -o sarif`. `catalogue` is all built-in rules.
pub fn sarif(validation: &Validation, catalogue: &[&Rule]) -> Value {
    let mut rules: Vec<Value> = catalogue.iter().map(|rule| built_in(rule)).collect();
    let mut places: BTreeMap<&str, usize> = catalogue.iter().enumerate().map(|(at, rule)| (rule.id, at)).collect();
    for finding in &validation.findings {
        // Rules of policies are known only by what they find.
        places.entry(finding.rule.as_str()).or_insert_with(|| {
            rules.push(found_only(finding));
            rules.len() - 1
        });
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let results: Vec<Value> = validation.findings.iter().map(|finding| result(finding, &places, &mut seen)).collect();
    let notifications: Vec<Value> =
        validation.problems.iter().map(|problem| json!({ "level": "error", "message": { "text": problem } })).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Meshwright",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": validation.problems.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn built_in(rule: &Rule) -> Value {
    let family = rule.id.split('/').next().unwrap_or_default();
    let example = match rule.example.trim_end() {
        "" => String::new(),
        example => format!("**Example**\n\n```yaml\n{example}\n```\n\n"),
    };
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.meaning },
        "help": {
            "text": format!("{}\n\nRemedy: {}\n\nSource: {}", rule.meaning, rule.remedy, rule.source),
            "markdown": format!(
                "{}\n\n{example}**Remedy:** {}\n\n*{}*", rule.meaning, rule.remedy, rule.source
            ),
        },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "tags": [family] },
    })
}

fn found_only(finding: &Finding) -> Value {
    let text = finding.hint.as_ref().unwrap_or(&finding.message);
    json!({
        "id": finding.rule,
        "shortDescription": { "text": format!("Rule {}", finding.rule) },
        "help": { "text": text },
        "defaultConfiguration": { "level": level(finding.severity) },
        "properties": { "tags": [if finding.rule.is_policy() { "policy" } else { "rule" }] },
    })
}

/// Begins with a capital and ends with a full stop, as sentences do beside others.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let capital = rest.next().into_iter().flat_map(char::to_uppercase);
    let sentence: String = capital.chain(rest).collect();
    if sentence.ends_with(['.', '?', '!']) { sentence } else { format!("{sentence}.") }
}

fn result(finding: &Finding, places: &BTreeMap<&str, usize>, seen: &mut BTreeMap<String, usize>) -> Value {
    let path = finding.location.file.as_str();
    let mut region = json!({
        "startLine": finding.location.line.max(1),
        "startColumn": finding.location.column.max(1),
    });
    if finding.location.length > 0 {
        region["endColumn"] = json!(finding.location.column.max(1) + finding.location.length);
    }
    let text = match &finding.hint {
        Some(hint) => format!("{}. {}", finding.message, sentence(hint)),
        None => finding.message.clone(),
    };
    // A finding stays the same one when lines are added above it.
    let identity = Digest::of_fields([finding.rule.as_str(), path, &finding.pointer, &finding.message]);
    let nth = seen.entry(identity.as_str().to_owned()).or_insert(0);
    *nth += 1;
    let fingerprint = format!("{}:{nth}", identity.short());
    json!({
        "ruleId": finding.rule,
        "ruleIndex": places.get(finding.rule.as_str()),
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {
                    "uri": utf8_percent_encode(path, NOT_IN_A_PATH).to_string(),
                    "uriBaseId": "%SRCROOT%",
                },
                "region": region,
            },
            "logicalLocations": [{ "fullyQualifiedName": finding.pointer, "kind": "member" }],
        }],
        "partialFingerprints": { "meshwrightFinding/v1": fingerprint },
    })
}
