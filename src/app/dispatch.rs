//! From a verb to what serves it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::adapter::worktree::WorktreeTree;
use crate::check;
use crate::config::{self, Checked, ConfigError, StateLocation};
use crate::face::cli::{Cli, ConfigVerb, DEFAULT_CONFIG, GlobalArgs, ValidateArgs, Verb};
use crate::face::verbs::validate::{ValidateRequest, validate};
use crate::face::verbs::{self, completions, explain, init};
use crate::face::{ExitStatus, Output};
use crate::port::tree::Tree;

/// Serves a verb.
pub(super) fn dispatch(cli: Cli, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let global = cli.global;
    match cli.verb {
        Verb::Validate(args) => validate_verb(&global, &args, output),
        Verb::Explain(args) => explain::explain(&args, &check::catalogue(), output),
        Verb::Init(args) => init::init(&args, &global.config, output),
        Verb::Config(args) => match args.verb {
            ConfigVerb::Schema => verbs::config::schema(output),
            ConfigVerb::Check => verbs::config::check(&global.config, output),
        },
        Verb::Completions(args) => completions::completions(&args, output),
        Verb::Get(_) | Verb::Describe(_) => with_record(&global, output),
        Verb::Demo(_)
        | Verb::Plan(_)
        | Verb::Policy(_)
        | Verb::Reconcile(_)
        | Verb::Serve(_)
        | Verb::Diff(_)
        | Verb::PolicyWorker(_) => {
            output.error("this verb is not connected yet", None)?;
            Ok(ExitStatus::Internal)
        }
    }
}

/// The configuration, when there is one: `validate` works without.
fn optional_config(global: &GlobalArgs) -> Result<Option<Checked>, Vec<ConfigError>> {
    let is_default = global.config == Path::new(DEFAULT_CONFIG);
    if is_default && !global.config.exists() {
        return Ok(None);
    }
    config::read(&global.config).map(Some)
}

fn validate_verb(global: &GlobalArgs, args: &ValidateArgs, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let config = match optional_config(global) {
        Ok(config) => config,
        Err(errors) => return verbs::config::refused(&errors, output),
    };
    if args.policies.is_some() {
        output.error("policies are not connected yet", None)?;
        return Ok(ExitStatus::Internal);
    }
    let namespace = args.namespace.clone().or_else(|| config.map(|config| config.namespace));
    let settings = check::Settings { namespace };
    let globs = if args.descriptors.is_empty() { config::default_descriptors() } else { args.descriptors.clone() };
    let current_folder = std::env::current_dir()?;
    let catalogue = check::catalogue();
    let request = ValidateRequest {
        paths: &args.paths,
        current_folder: &current_folder,
        globs: &globs,
        settings: &settings,
        judge: None,
        catalogue: &catalogue,
        format: args.output,
        open: &|top| Arc::new(WorktreeTree::new(top.to_path_buf())) as Arc<dyn Tree>,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(validate(&request, output))
}

fn with_record(global: &GlobalArgs, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let config = match config::read(&global.config) {
        Ok(config) => config,
        Err(errors) => return verbs::config::refused(&errors, output),
    };
    let StateLocation::Sqlite(path) = &config.state;
    if !path.exists() {
        return verbs::no_record(path, output);
    }
    output.error("the record is not connected yet", None)?;
    Ok(ExitStatus::Internal)
}
