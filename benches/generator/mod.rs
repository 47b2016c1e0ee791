//! Makes a Git repository with any number of realistic descriptors, the same every time.
//!
//! Every descriptor is YAML of about 5 KB: one input port, two output ports with the definition of
//! their tables, components, and a lifecycle for two stages. By the last digit of its number:
//! * **0** is source-aligned, and the other nine of its ten read it;
//! * **3** has the definition of a table in a second file, behind a `$ref`;
//! * **7** has a mistake, of four kinds in turn.
//!
//! It writes a stream for `git fast-import`, which takes ten thousand of them in seconds. Names,
//! times and authors are fixed, so that commits have the same ids everywhere.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// The branch on which the descriptors are.
pub const BRANCH: &str = "main";

/// The mesh's namespace.
pub const NAMESPACE: &str = "com.example";

/// The time of the first commit, in seconds since 1970; each later one is a minute younger.
const FIRST_COMMIT: u64 = 1_790_000_000;

/// The root file of a descriptor.
pub fn path(index: usize) -> String {
    format!("{}/data-product-descriptor.yaml", folder(index))
}

/// Whether this descriptor has a second file.
pub const fn has_reference(index: usize) -> bool {
    index % 10 == 3
}

/// Whether this descriptor has a mistake.
pub const fn has_mistake(index: usize) -> bool {
    index % 10 == 7
}

/// Makes a bare repository with `count` descriptors in one commit; answers with the commit's id.
pub fn repository(folder: &Path, count: usize) -> io::Result<String> {
    git(folder, &["init", "--quiet", "--bare", "--initial-branch", BRANCH], |_| Ok(()))?;
    fast_import(folder, 0, "all of it", |stream| {
        for index in 0..count {
            file(stream, &path(index), &descriptor(index, 0))?;
            if has_reference(index) {
                file(stream, &format!("{}/tables.json", self::folder(index)), &tables(index))?;
            }
        }
        Ok(())
    })
}

/// Adds a commit that changes one descriptor, compatibly; `round` counts from 1, and each round
/// makes it another one. Answers with the commit's id.
pub fn change_one(folder: &Path, index: usize, round: usize) -> io::Result<String> {
    fast_import(folder, round, "one changed", |stream| file(stream, &path(index), &descriptor(index, round)))
}

/// The text of one descriptor; `round` is its minor version.
pub fn descriptor(index: usize, round: usize) -> String {
    let (name, domain) = (name(index), domain(index));
    let mistake = has_mistake(index).then_some(index / 10 % 4);
    let version = if mistake == Some(0) { "one point zero".to_owned() } else { format!("1.{round}.0") };
    let mut text = format!(
        "dataProductDescriptor: 1.0.0
info:
  name: {name}
  version: {version}
  displayName: Product {index} of {domain}
  description: |
    What the {domain} domain knows of its part number {index}, cleaned, joined with reference data and kept for
    thirteen months. Corrections of the last three days arrive late; everything older than that does not change.
  domain: {domain}
"
    );
    if mistake != Some(1) {
        let _ = write!(text, "  owner:\n    id: {domain}-data@example.com\n    name: The {domain} data team\n");
    }
    let _ = write!(
        text,
        "  contactPoints:
    - name: support
      description: Answers within a working day
      channel: email
      address: {domain}-data@example.com
tags: [{domain}]
interfaceComponents:
"
    );
    input_port(&mut text, index);
    text.push_str("  outputPorts:\n");
    output_port(&mut text, index, "current");
    output_port(&mut text, index, if mistake == Some(2) { "current" } else { "history" });
    internal_components(&mut text, index, mistake == Some(3));
    text
}

fn input_port(text: &mut String, index: usize) {
    let port = if index.is_multiple_of(10) { "operationalSystem" } else { "upstreamProduct" };
    let _ = write!(
        text,
        "  inputPorts:
    - name: {port}
      version: 1.0.0
      description: Read every hour, in one piece
"
    );
    if !index.is_multiple_of(10) {
        let source = name(index - index % 10);
        let _ = writeln!(text, "      x-upstream: urn:dpds:{NAMESPACE}:dataproducts:{source}:1:outputports:current");
    }
    text.push_str("      promises:\n        platform: example.files:csv\n        servicesType: file-system\n");
}

fn output_port(text: &mut String, index: usize, port: &str) {
    let name = name(index);
    let _ = write!(
        text,
        "    - name: {port}
      version: 1.0.0
      description: One row for every key, with the time of its last change
      promises:
        platform: example.warehouse:sql
        servicesType: datastore-services
        api:
          name: {name}Api
          version: 1.0.0
          specification: datastoreapi
          specificationVersion: 1.0.0
"
    );
    if has_reference(index) {
        text.push_str("          definition: { $ref: tables.json }\n");
    } else {
        let _ = write!(
            text,
            "          definition:
            datastoreapi: 1.0.0
            info: {{ title: '{name}', version: 1.0.0 }}
            schema:
              tables:
                - name: facts
                  tableType: TABLE
                  columns:
                    - {{ name: id, dataType: BIGINT, description: The key }}
                    - {{ name: changed_at, dataType: TIMESTAMP, description: When it changed last }}
                    - {{ name: amount, dataType: 'NUMERIC(12,2)', description: In euros, taxes included }}
                    - {{ name: region, dataType: VARCHAR, description: ISO 3166-2 }}
"
        );
    }
    let _ = write!(
        text,
        "        slo: {{ name: {name}Slo, version: 1.0.0, specification: custom, definition: {{ freshness: 2h, availability: 99.5, completeness: 99 }} }}
        deprecationPolicy: {{ name: {name}Deprecation, version: 1.0.0, specification: custom, definition: {{ notice: 90d }} }}
      expectations:
        audience: {{ name: {name}Audience, version: 1.0.0, specification: custom, definition: {{ groups: [analysts, planners] }} }}
      obligations:
        termsAndConditions: {{ name: {name}Terms, version: 1.0.0, specification: custom, definition: {{ text: Not to leave the company }} }}
      tags: [{}]
",
        domain(index)
    );
}

fn internal_components(text: &mut String, index: usize, missing_reference: bool) {
    let name = name(index);
    let product = format!("urn:dpds:{NAMESPACE}:dataproducts:{name}:1");
    let template = if missing_reference { "nowhere.json" } else { "#/components/templates/build" };
    text.push_str("internalComponents:\n  lifecycleInfo:\n");
    for stage in ["dev", "prod"] {
        let _ = write!(
            text,
            "    {stage}:
      - name: provision
        order: 1
        service: {{ $href: warehouse }}
        configurations: {{ ports: [current] }}
      - name: build
        order: 2
        service: {{ $href: build }}
        template: {{ $ref: '{template}' }}
        configurations: {{ from: '${{{stage}.results.provision.schema}}' }}
"
        );
    }
    let _ = write!(
        text,
        "  applicationComponents:
    - name: transformation
      version: 1.0.0
      description: Reads what has changed since the last time, and brings the tables up to date
      platform: example.build:shell
      applicationType: batch
      consumesFrom: ['{product}:inputports:{}']
      providesTo: ['{product}:outputports:current']
      dependsOn: ['{product}:infrastructure:tables']
  infrastructuralComponents:
    - name: tables
      version: 1.0.0
      description: The tables of the output ports
      platform: example.warehouse:sql
      infrastructureType: storage
components:
  templates:
    build:
      name: build
      version: 1.0.0
      specification: custom
      definition: {{ entryPoint: bin/build, interpreter: sh }}
",
        if index.is_multiple_of(10) { "operationalSystem" } else { "upstreamProduct" }
    );
}

/// The second file of a descriptor that has one.
fn tables(index: usize) -> String {
    let name = name(index);
    let columns: String = (0..12)
        .map(|column| format!(",\n      {{\"name\": \"measure_{column}\", \"dataType\": \"DOUBLE PRECISION\"}}"))
        .collect();
    format!(
        "{{
  \"datastoreapi\": \"1.0.0\",
  \"info\": {{\"title\": \"{name}\", \"version\": \"1.0.0\"}},
  \"schema\": {{\"tables\": [
    {{\"name\": \"facts\", \"tableType\": \"TABLE\", \"columns\": [
      {{\"name\": \"id\", \"dataType\": \"BIGINT\"}}{columns}
    ]}}
  ]}}
}}
"
    )
}

fn name(index: usize) -> String {
    format!("product{index:05}")
}

/// The folders at the top. None reads from another. Tags are taken from them too, so they are words of the
/// shipped vocabulary.
pub const DOMAINS: [&str; 8] =
    ["sales", "logistics", "customer", "finance", "marketing", "operations", "trip", "internal"];

fn domain(index: usize) -> &'static str {
    DOMAINS[index / 10 % DOMAINS.len()]
}

fn folder(index: usize) -> String {
    format!("{}/{}", domain(index), name(index))
}

fn file(stream: &mut dyn Write, path: &str, text: &str) -> io::Result<()> {
    write!(stream, "M 100644 inline {path}\ndata {}\n{text}\n", text.len())
}

/// Writes one commit on top of what is there.
fn fast_import(
    folder: &Path,
    number: usize,
    message: &str,
    files: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<String> {
    let when = FIRST_COMMIT + 60 * number as u64;
    git(folder, &["fast-import", "--quiet", "--force"], |input| {
        let mut stream = io::BufWriter::with_capacity(1 << 20, input);
        write!(
            stream,
            "commit refs/heads/{BRANCH}\ncommitter Ada <ada@example.com> {when} +0000\ndata {}\n{message}\n",
            message.len()
        )?;
        if number > 0 {
            writeln!(stream, "from refs/heads/{BRANCH}^0")?;
        }
        files(&mut stream)?;
        writeln!(stream, "done")?;
        stream.flush()
    })?;
    Ok(git(folder, &["rev-parse", &format!("refs/heads/{BRANCH}")], |_| Ok(()))?.trim().to_owned())
}

#[expect(clippy::disallowed_methods, reason = "the repository is made with git itself")]
fn git(folder: &Path, arguments: &[&str], feed: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<String> {
    let mut child = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        feed(&mut input)?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("git {arguments:?} failed: {}", output.status)));
    }
    String::from_utf8(output.stdout).map_err(io::Error::other)
}
