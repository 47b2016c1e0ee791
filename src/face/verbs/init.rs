//! `init`: a starter configuration.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use crate::config;
use crate::domain::id::Namespace;
use crate::face::cli::InitArgs;
use crate::face::render::harmless;
use crate::face::{ExitStatus, Output};

/// Writes the starter to `path`, and says what to do next. Nothing is overwritten without `--force`.
pub fn init(args: &InitArgs, path: &Path, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let text = starter(&args.namespace, &args.source);
    let name = path.display().to_string();
    let checked = config::parse(&name, &text).and_then(|document| document.check(&config::folder_of(path)));
    if let Err(errors) = checked {
        // Only the source's address comes from outside, so only that can be wrong.
        return super::config::refused(&errors, output);
    }
    let mut options = OpenOptions::new();
    options.write(true);
    if args.force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            output.error(
                &format!("{name} is there already"),
                Some("overwrite it with --force, or name another file with --config FILE"),
            )?;
            return Ok(ExitStatus::Failed);
        }
        Err(error) => {
            output.error(&format!("{name} cannot be written: {error}"), None)?;
            return Ok(ExitStatus::Failed);
        }
    }
    writeln!(output.out, "Wrote {}.", harmless(&name))?;
    let flag =
        if name == crate::face::cli::DEFAULT_CONFIG { String::new() } else { format!(" --config {}", harmless(&name)) };
    let next = [
        ("validate", "check the descriptors of a working tree"),
        ("config check", "see whether it makes sense, after you edited it"),
        ("plan", "see what would be done"),
        ("reconcile", "do it once"),
        ("serve", "keep doing it"),
    ];
    writeln!(output.err, "\nWhat to do next:")?;
    for (verb, does) in next {
        let line = format!("meshwright {verb}{}", if verb == "validate" { "" } else { &flag });
        writeln!(output.err, "  {line:width$}  {does}", width = "meshwright config check".len() + flag.len())?;
    }
    Ok(ExitStatus::Success)
}

/// The text. It passes `config check`, and so does everything in it that is commented out.
pub fn starter(namespace: &Namespace, source: &str) -> String {
    // A JSON text is a YAML text, whatever is in it.
    let url = serde_json::Value::from(source).to_string();
    format!(
        r##"# The configuration of Meshwright. `meshwright config schema` prints its JSON Schema,
# `meshwright config check` says whether this file makes sense.

mesh:
  # Stands in the name of every product: urn:dpds:{namespace}:dataproducts:NAME:MAJOR
  namespace: {namespace}

# Where the record is kept; relative to this file.
state: sqlite://.meshwright/state.db

# The repositories that are watched.
sources:
  - name: products
    # A path (relative to this file), or a file://, https://, ssh:// or git:// URL.
    url: {url}
    branch: main
    # Which files are descriptors.
    descriptors: ["**/data-product-descriptor.{{yaml,yml,json}}"]
    # How often to look; or, instead:  cron: "*/5 * * * *"
    poll: 60s
    # For a private repository. Secrets never stand here, only where they are kept:
    # credentials: {{ basic: {{ username: x-access-token, password: {{ env: PRODUCTS_TOKEN }} }} }}

# The stages, in the order in which versions are promoted. A product is rolled out at those
# that its lifecycleInfo names.
stages:
  - name: dev
  - name: prod
    after: [dev]

# Folders with Rego policies. Without this key, the shipped policies are asked.
# policies:
#   - path: policies

# The services that a descriptor's tasks can name.
# executors:
#   warehouse:
#     kind: sql
#     phase: provision
#     url: sqlite://.meshwright/warehouse     # or {{ env: WAREHOUSE_URL }}
#   builder:
#     kind: command
#     phase: build
#     command: ["./bin/build"]                # looked for in the product's folder
#     timeout: 15m

# Where statuses go. A source with a local path shows them as git notes without being told.
# forges:
#   notes:
#     kind: local
#   github:                                   # `meshwright github setup` makes an App, and prints these lines
#     kind: github
#     app_id: 12345
#     private_key: {{ file: github-app.pem }}
#     webhook_secret: {{ file: github-webhook-secret }}
"##
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) {
        config::parse("meshwright.yaml", text).unwrap().check(Path::new("/mesh")).unwrap();
    }

    #[test]
    fn the_starter_passes_the_check_and_so_does_all_that_is_commented_out() {
        let text = starter(&"com.acme".parse().unwrap(), "../data products: \"all\"");
        check(&text);
        let is_key =
            |line: &str| line.strip_prefix("# ").is_some_and(|rest| rest.starts_with(' ') || rest.ends_with(':'));
        let alive: Vec<String> =
            text.lines().map(|line| if is_key(line) { line.replacen("# ", "", 1) } else { line.to_owned() }).collect();
        let alive = alive.join("\n");
        assert!(alive.contains("\nexecutors:") && alive.contains("\npolicies:") && alive.contains("\nforges:"));
        check(&alive);
    }
}
