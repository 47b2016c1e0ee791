//! `explain [RULE]`.

use std::io;

use serde_json::json;

use crate::domain::rule::Rule;
use crate::domain::suggest::{did_you_mean, nearest};
use crate::face::cli::{DocumentFormat, ExplainArgs};
use crate::face::reference::first_sentence;
use crate::face::render::{Table, document, harmless, style};
use crate::face::{ExitStatus, Output};

/// Explains one rule, or lists all of `catalogue`.
pub fn explain(args: &ExplainArgs, catalogue: &[&Rule], output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let Some(wanted) = &args.rule else { return list(args.output, catalogue, output) };
    match catalogue.iter().find(|rule| rule.id == wanted) {
        Some(rule) => one(args.output, rule, output),
        None => unknown(wanted, catalogue, output),
    }
}

fn as_json(rule: &Rule) -> serde_json::Value {
    json!({
        "id": rule.id,
        "severity": rule.severity,
        "meaning": rule.meaning,
        "example": rule.example,
        "remedy": rule.remedy,
        "source": rule.source,
    })
}

fn list(format: DocumentFormat, catalogue: &[&Rule], output: &mut Output<'_>) -> io::Result<ExitStatus> {
    if format != DocumentFormat::Text {
        let all: Vec<_> = catalogue.iter().map(|rule| as_json(rule)).collect();
        document(output.out, &all, format)?;
        return Ok(ExitStatus::Success);
    }
    let mut table = Table::new(&["RULE", "SEVERITY", "MEANING"]);
    for rule in catalogue {
        let meaning = first_sentence(rule.meaning);
        table.row([rule.id.to_owned(), rule.severity.as_str().to_owned(), meaning.to_owned()]);
    }
    table.write(output.out, &["SEVERITY"], output.colour)?;
    writeln!(output.err, "\n`meshwright explain RULE` shows an example and the remedy.")?;
    Ok(ExitStatus::Success)
}

fn one(format: DocumentFormat, rule: &Rule, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    if format != DocumentFormat::Text {
        document(output.out, &as_json(rule), format)?;
        return Ok(ExitStatus::Success);
    }
    let colour = output.colour;
    let out = &mut *output.out;
    writeln!(out, "{} ({})\n", style::strong(rule.id, colour), style::status(rule.severity.as_str(), colour))?;
    writeln!(out, "{}\n", rule.meaning)?;
    if !rule.example.trim().is_empty() {
        writeln!(out, "{}", style::strong("Example of what breaks it", colour))?;
        for line in rule.example.trim_matches('\n').lines() {
            writeln!(out, "    {line}")?;
        }
        writeln!(out)?;
    }
    writeln!(out, "{}", style::strong("What to do", colour))?;
    writeln!(out, "    {}", rule.remedy)?;
    writeln!(out, "\n{}", style::strong("Where it comes from", colour))?;
    writeln!(out, "    {}", rule.source)?;
    Ok(ExitStatus::Success)
}

fn unknown(wanted: &str, catalogue: &[&Rule], output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let hint = if wanted.starts_with("policy/") {
        "this rule stands in a policy; the policy's own file explains it, and the finding says what to do".to_owned()
    } else {
        let ids = || catalogue.iter().map(|rule| rule.id);
        // `required` for `schema/required` is a usual slip.
        let by_name = ids().find(|id| id.rsplit('/').next() == Some(wanted));
        match by_name.or_else(|| nearest(wanted, ids())) {
            Some(near) => format!("did you mean '{near}'? `meshwright explain` lists all rules"),
            None if catalogue.len() <= 10 => did_you_mean(wanted, ids().collect::<Vec<_>>()),
            None => "`meshwright explain` lists all rules".to_owned(),
        }
    };
    output.error(&format!("there is no rule '{}'", harmless(wanted)), Some(&hint))?;
    Ok(ExitStatus::Usage)
}
