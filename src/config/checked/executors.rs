//! Executors: their names, limits and addresses.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::config::address::{database_url_has_password, resolve};
use crate::config::error::{Problems, below};
use crate::config::{ExecutorConfig, SecretRef, UrlRef};
use crate::domain::id::ExecutorName;
use crate::domain::stage::{ExecutorProfile, Phase};

use super::{CheckedExecutor, CheckedExecutorKind, SqlLocation, is_variable, key_name, secret, time};

/// Executors as they are reached, and as planning sees them.
type Executors = (BTreeMap<ExecutorName, CheckedExecutor>, BTreeMap<ExecutorName, ExecutorProfile>);

pub(super) fn check(executors: &BTreeMap<String, ExecutorConfig>, base: &Path, problems: &mut Problems) -> Executors {
    let (mut checked, mut profiles) = Executors::default();
    for (text, executor) in executors {
        let at = below("/executors", text);
        let name = key_name::<ExecutorName>(text, &at, problems);
        let (phase, timeout_text, attempts, kind) = match executor {
            ExecutorConfig::Command { phase, command, timeout, attempts, env, secrets, max_output_kib, compensate } => {
                let programs = (command.as_slice(), compensate.as_slice());
                let kind = command_kind(programs, env, secrets, *max_output_kib, &at, base, problems);
                (*phase, timeout, *attempts, kind)
            }
            ExecutorConfig::Sql { phase, url, schema, allow_destructive, compensate, timeout, attempts } => {
                let location = location(url, &below(&at, "url"), base, problems);
                schema_name(schema, &below(&at, "schema"), problems);
                let schema = schema.clone();
                let (allow_destructive, compensate) = (*allow_destructive, *compensate);
                let kind = CheckedExecutorKind::Sql { location, schema, allow_destructive, compensate };
                (*phase, timeout, *attempts, kind)
            }
        };
        let timeout = limits(timeout_text, attempts, &at, problems);
        if let Some(name) = name {
            // Planning counts in seconds; a part of one is a whole one.
            let timeout_seconds = timeout.as_secs() + u64::from(timeout.subsec_nanos() > 0);
            profiles.insert(name.clone(), profile(phase, timeout_seconds, attempts));
            checked.insert(name, CheckedExecutor { timeout: Duration::from_secs(timeout_seconds), kind });
        }
    }
    (checked, profiles)
}

fn profile(phase: Phase, timeout_seconds: u64, attempts: u32) -> ExecutorProfile {
    ExecutorProfile { phase, timeout_seconds, attempts }
}

fn limits(timeout: &str, attempts: u32, at: &str, problems: &mut Problems) -> Duration {
    const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
    let timeout = time(timeout, Duration::from_secs(1), WEEK, &below(at, "timeout"), problems);
    if !(1..=100).contains(&attempts) {
        problems
            .at(&below(at, "attempts"), format!("{attempts} attempts are out of bounds"))
            .hint("it is at least 1, and at most 100");
    }
    timeout
}

/// The program, and the one that undoes.
fn command_kind(
    (command, compensate): (&[String], &[String]),
    env: &[String],
    secrets: &BTreeMap<String, SecretRef>,
    max_output_kib: u64,
    at: &str,
    base: &Path,
    problems: &mut Problems,
) -> CheckedExecutorKind {
    let place = below(at, "command");
    match command.first() {
        None => {
            problems.at(&place, "the command is empty").hint("write the program and its arguments: [\"./bin/build\"]");
        }
        Some(program) if program.trim().is_empty() => {
            problems.at(&below(&place, 0), "the program has no name");
        }
        Some(_) => {}
    }
    let undoing = below(at, "compensate");
    if compensate.first().is_some_and(|program| program.trim().is_empty()) {
        problems.at(&below(&undoing, 0), "the program has no name");
    }
    for (place, parts) in [(&place, command), (&undoing, compensate)] {
        for (index, part) in parts.iter().enumerate() {
            if part.contains('\0') {
                problems.at(&below(place, index), "no program takes a NUL character in an argument");
            }
        }
    }
    for (index, variable) in env.iter().enumerate() {
        if !is_variable(variable) {
            // `NAME=value` is the usual mistake, and the value may be a secret.
            problems
                .at(&below(&below(at, "env"), index), "this is not the name of an environment variable")
                .secret()
                .hint("name variables of the daemon that are handed on, without values");
        }
    }
    let mut resolved = BTreeMap::new();
    for (variable, reference) in secrets {
        let place = below(&below(at, "secrets"), variable);
        if !is_variable(variable) {
            problems.at_key(&place, "this is not the name of an environment variable");
        }
        if env.contains(variable) {
            problems.at_key(&place, format!("'{variable}' stands under `env` as well")).hint("name it once");
        }
        resolved.insert(variable.clone(), secret(reference, &place, base, problems));
    }
    if !(1..=1024 * 1024).contains(&max_output_kib) {
        problems
            .at(&below(at, "max_output_kib"), format!("{max_output_kib} KiB are out of bounds"))
            .hint("it is at least 1, and at most 1048576 (1 GiB)");
    }
    CheckedExecutorKind::Command {
        command: command.to_vec(),
        env: env.to_vec(),
        secrets: resolved,
        max_output_bytes: max_output_kib.saturating_mul(1024),
        compensate: (!compensate.is_empty()).then(|| compensate.to_vec()),
    }
}

fn location(url: &UrlRef, at: &str, base: &Path, problems: &mut Problems) -> SqlLocation {
    const FORM: &str = "write sqlite:// and a folder, postgres://user@host/database, or { env: VARIABLE }";
    match url {
        UrlRef::Secret(reference) => SqlLocation::Secret(secret(reference, at, base, problems)),
        UrlRef::Plain(text) => {
            if let Some(path) = text.strip_prefix("sqlite://") {
                if path.is_empty() || path.contains('?') || path.starts_with(':') {
                    problems.at(at, "the database is a folder, without options").hint(FORM);
                }
                return SqlLocation::SqliteFolder(resolve(base, Path::new(path)));
            }
            if text.starts_with("postgres://") || text.starts_with("postgresql://") {
                if database_url_has_password(text) {
                    problems
                        .at(at, "a password stands in the URL")
                        .secret()
                        .hint("keep the whole URL elsewhere, and name it: url: { env: WAREHOUSE_URL }");
                }
            } else {
                problems.at(at, "the database is not of a kind that is known").secret().hint(FORM);
            }
            SqlLocation::Postgres(text.clone())
        }
    }
}

/// The pattern names a container, so it must tell stages, products and majors apart.
fn schema_name(pattern: &str, at: &str, problems: &mut Problems) {
    const KNOWN: [&str; 4] = ["stage", "product", "major", "schema"];
    let mut named = Vec::new();
    let mut rest = pattern;
    while let Some((_, tail)) = rest.split_once('{') {
        let Some((name, tail)) = tail.split_once('}') else {
            problems.at(at, "a '{' is not closed");
            return;
        };
        if !KNOWN.contains(&name) {
            let known = crate::domain::suggest::did_you_mean(name, KNOWN);
            problems.at(at, format!("'{{{name}}}' is not filled in")).hint(known);
            return;
        }
        named.push(name);
        rest = tail;
    }
    let missing: Vec<&str> = KNOWN.into_iter().take(3).filter(|name| !named.contains(name)).collect();
    if !missing.is_empty() {
        problems
            .at(
                at,
                format!(
                    "two containers would share a schema, because '{{{}}}' is not in its name",
                    missing.join("}' and '{")
                ),
            )
            .hint("the default is '{stage}_{product}_v{major}'");
    }
}
