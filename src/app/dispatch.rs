//! From a verb to what serves it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::adapter::policy_worker::{self, PolicySources, WorkerJudge, WorkerOptions};
use crate::adapter::worktree::WorktreeTree;
use crate::check;
use crate::check::policy::testing::{PolicyTestOutcome, PolicyTestResult};
use crate::config::{self, Checked, ConfigError};
use crate::face::cli::{
    AboutArgs, Cli, ConfigVerb, DEFAULT_CONFIG, GithubVerb, GlobalArgs, PolicyTestArgs, PolicyVerb, ValidateArgs, Verb,
};
use crate::face::verbs::policy_test::PolicyTestLine;
use crate::face::verbs::validate::{FixMode, ValidateRequest, validate};
use crate::face::verbs::{self, completions, explain, init};
use crate::face::{ExitStatus, Output};
use crate::port::judge::Judge;
use crate::port::requests::Action;
use crate::port::tree::Tree;
use crate::port::workspace::Workspace;

use super::record::db::db;
use super::{acting, connect, demo, doctor, logging, looking, serve, working};

/// Serves a verb.
pub(super) fn dispatch(cli: Cli, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let global = cli.global;
    let quiet = !matches!(cli.verb, Verb::Serve(_) | Verb::Reconcile(_));
    logging::start(&global, quiet, output.err_colour);
    match cli.verb {
        Verb::Validate(args) => validate_verb(&global, &args, output),
        Verb::Explain(args) => explain::explain(&args, &check::catalogue(), output),
        Verb::Init(args) => init::init(&args, &global.config, output),
        Verb::Config(args) => match args.verb {
            ConfigVerb::Schema => verbs::config::schema(output),
            ConfigVerb::Check => verbs::config::check(&global.config, output),
        },
        Verb::Schema(args) => verbs::schema::schema(args.kind, &check::dpds_schema(), output),
        Verb::Completions(args) => completions::completions(&args, output),
        Verb::Demo(args) => runtime()?.block_on(demo::demo(&args, output)),
        Verb::Policy(args) => match args.verb {
            PolicyVerb::Test(args) => policy_test(&global, &args, output),
        },
        Verb::Get(args) => {
            with_config(&global, output, async |config, output| looking::get(config, &args, output).await)
        }
        Verb::Describe(args) => {
            with_config(&global, output, async |config, output| looking::describe(config, &args, output).await)
        }
        Verb::Plan(args) => {
            with_config(&global, output, async |config, output| looking::plan(config, &args, output).await)
        }
        Verb::Diff(args) => {
            with_config(&global, output, async |config, output| looking::diff(config, &args, output).await)
        }
        Verb::Reconcile(args) => {
            with_config(&global, output, async |config, output| working::reconcile(config, &args, output).await)
        }
        Verb::Serve(args) => {
            with_config(&global, output, async |config, output| serve::serve(config, &args, output).await)
        }
        Verb::Doctor(args) => {
            with_config(&global, output, async |config, output| doctor::doctor(config, &args, output).await)
        }
        Verb::Github(args) => match args.verb {
            GithubVerb::Setup(args) => runtime()?.block_on(connect::github_setup(&global, &args, output)),
        },
        Verb::Db(args) => with_config(&global, output, async |config, output| db(config, &args.verb, output).await),
        Verb::Approve(args) => act(&global, Action::Approve(args.stage), &args.about, output),
        Verb::Reject(args) => act(&global, Action::Reject(args.stage), &args.about, output),
        Verb::Hold(args) => act(&global, Action::Hold, &args.about, output),
        Verb::Resume(args) => act(&global, Action::Resume, &args.about, output),
        Verb::Cancel(args) => act(&global, Action::Cancel(args.activity), &args.about, output),
        Verb::Retry(args) => act(&global, Action::Retry, &args.about, output),
        // The worker is started before the command line is read as a person's; see `run`.
        Verb::PolicyWorker(_) => Ok(ExitStatus::Usage),
    }
}

fn act(global: &GlobalArgs, action: Action, about: &AboutArgs, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    with_config(global, output, async |config, output| acting::act(config, action, about, output).await)
}

pub(super) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

fn with_config(
    global: &GlobalArgs,
    output: &mut Output<'_>,
    serve: impl AsyncFnOnce(&Checked, &mut Output<'_>) -> io::Result<ExitStatus>,
) -> io::Result<ExitStatus> {
    match config::read(&global.config) {
        Ok(config) => runtime()?.block_on(serve(&config, output)),
        Err(errors) => verbs::config::refused(&errors, output),
    }
}

/// The configuration, when there is one: some verbs work without.
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
    let runtime = runtime()?;
    let judge = match &args.policies {
        None => None,
        Some(wanted) => match runtime.block_on(judge(wanted, output))? {
            Ok(judge) => Some(judge),
            Err(status) => return Ok(status),
        },
    };
    let compatibility = config.as_ref().map(|config| config.compatibility).unwrap_or_default();
    let platform = config.as_ref().map(|config| Arc::new(config.platform.clone()));
    let namespace = args.namespace.clone().or_else(|| config.map(|config| config.namespace));
    let settings = check::Settings { namespace, compatibility };
    let globs = if args.descriptors.is_empty() { config::default_descriptors() } else { args.descriptors.clone() };
    let current_folder = std::env::current_dir()?;
    let catalogue = check::catalogue();
    let workspace = |top: &Path| Box::new(WorktreeTree::new(top.to_path_buf())) as Box<dyn Workspace>;
    let fix = match (args.fix, args.dry_run) {
        (false, _) => None,
        (true, true) => Some(FixMode::DryRun),
        (true, false) => Some(FixMode::Write(&workspace)),
    };
    let request = ValidateRequest {
        paths: &args.paths,
        current_folder: &current_folder,
        globs: &globs,
        settings: &settings,
        platform,
        judge: judge.as_ref().map(|judge| judge as &dyn Judge),
        catalogue: &catalogue,
        format: args.output,
        open: &|top| Arc::new(WorktreeTree::new(top.to_path_buf())) as Arc<dyn Tree>,
        fix,
    };
    runtime.block_on(validate(&request, output))
}

/// The policies of a folder, or the shipped ones.
async fn judge(wanted: &str, output: &mut Output<'_>) -> io::Result<Result<WorkerJudge, ExitStatus>> {
    let judge = WorkerJudge::new(WorkerOptions::new(policy_sources(&[PathBuf::from(wanted)]))?);
    match judge.reload().await {
        Ok(_) => Ok(Ok(judge)),
        Err(error) => {
            output.error(&error.to_string(), None)?;
            Ok(Err(ExitStatus::Usage))
        }
    }
}

/// `shipped`, or folders.
fn policy_sources(paths: &[PathBuf]) -> PolicySources {
    match paths {
        [] => PolicySources::Shipped,
        [one] if one == Path::new("shipped") => PolicySources::Shipped,
        folders => PolicySources::Folders(folders.to_vec()),
    }
}

fn policy_test(global: &GlobalArgs, args: &PolicyTestArgs, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let folders = if args.paths.is_empty() {
        match optional_config(global) {
            Ok(config) => config.map(|config| config.policies).unwrap_or_default(),
            Err(errors) => return verbs::config::refused(&errors, output),
        }
    } else {
        args.paths.clone()
    };
    let options = WorkerOptions::new(policy_sources(&folders))?;
    match runtime()?.block_on(policy_worker::run_policy_tests(&options)) {
        Ok(results) => {
            let lines: Vec<_> = results.into_iter().map(policy_test_line).collect();
            verbs::policy_test::policy_test(&lines, &[], &|_| None, args.output, output)
        }
        Err(error) => {
            output.error(&error.to_string(), None)?;
            Ok(ExitStatus::Failed)
        }
    }
}

fn policy_test_line(result: PolicyTestResult) -> PolicyTestLine {
    PolicyTestLine {
        name: result.name,
        place: result.location.to_string(),
        outcome: match result.outcome {
            PolicyTestOutcome::Passed => "passed",
            PolicyTestOutcome::Failed => "failed",
            PolicyTestOutcome::Error => "error",
        },
        message: result.message,
        printed: result.printed,
    }
}
