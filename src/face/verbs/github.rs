//! `github setup`: leads a person through making a GitHub App, and keeps its key and its secret.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::face::cli::GithubSetupArgs;
use crate::face::render::harmless;
use crate::face::setup::{self, AppRegistrar, Manifest, NewApp, Setup};
use crate::face::{ExitStatus, Output};

/// What the verb works with.
pub struct SetupRequest<'a> {
    /// What was asked for.
    pub args: &'a GithubSetupArgs,
    /// The folder of the configuration: relative paths are below it.
    pub folder: &'a Path,
    /// A text that nobody can guess.
    pub state: String,
    /// Exchanges the code.
    pub registrar: Arc<dyn AppRegistrar>,
    /// Told when the person gives up.
    pub stop: &'a CancellationToken,
}

impl std::fmt::Debug for SetupRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetupRequest").field("args", &self.args).finish_non_exhaustive()
    }
}

/// Makes the App. The files are made before, because GitHub shows the key only once.
pub async fn setup(request: SetupRequest<'_>, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let args = request.args;
    let (mut key, mut secret) = match (reserve(request.folder, &args.key), reserve(request.folder, &args.secret)) {
        (Ok(key), Ok(secret)) => (key, secret),
        (Err(error), _) | (_, Err(error)) => {
            output.error(&error, Some("name other files with --key and --secret, or move these away"))?;
            return Ok(ExitStatus::Failed);
        }
    };
    let listener = match TcpListener::bind(args.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            output.error(
                &format!("{} cannot be listened on: {error}", args.listen),
                Some("choose another address with --listen"),
            )?;
            return Ok(ExitStatus::Failed);
        }
    };
    let here = format!("http://{}", listener.local_addr()?);
    let webhook =
        args.webhook.as_ref().map(|daemon| format!("{}/webhooks/{}", daemon.trim_end_matches('/'), args.forge));
    let form = Setup {
        manifest: Manifest {
            name: args.name.clone().unwrap_or_else(|| app_name(args)),
            url: args.webhook.clone().unwrap_or_else(|| args.url.to_string()),
            webhook,
            redirect: format!("{here}{}", setup::DONE),
            deployments: args.deployments,
        },
        action: match &args.org {
            Some(org) => format!("{}/organizations/{org}/settings/apps/new", args.url),
            None => format!("{}/settings/apps/new", args.url),
        },
        state: request.state,
        registrar: request.registrar,
    };
    writeln!(output.err, "Open this page in a browser on this machine, and follow it:\n\n  {here}{}\n", setup::PAGE)?;
    writeln!(output.err, "Waiting for GitHub; Ctrl-C gives up, and nothing is kept.")?;
    output.err.flush()?;
    let Some(app) = setup::lead_through(listener, form, request.stop).await? else {
        output.error("the set-up was stopped before the App was made", Some("run it again"))?;
        return Ok(ExitStatus::Failed);
    };
    key.keep(&app.private_key)?;
    if let Some(webhook_secret) = &app.webhook_secret {
        secret.keep(webhook_secret)?;
    }
    tell(&app, args, (&key.path, secret.kept.then_some(secret.path.as_path())), output)?;
    Ok(ExitStatus::Success)
}

/// A name that is likely to be free: an App's name is unique on all of GitHub.
fn app_name(args: &GithubSetupArgs) -> String {
    let name = format!("meshwright-{}", args.org.as_deref().unwrap_or(&args.forge));
    name.chars().take(34).collect()
}

fn tell(
    app: &NewApp,
    args: &GithubSetupArgs,
    (key, secret): (&Path, Option<&Path>),
    output: &mut Output<'_>,
) -> io::Result<()> {
    let and_secret = secret.map(|path| format!(", its webhook secret in {}", path.display())).unwrap_or_default();
    let slug = harmless(&app.slug);
    writeln!(output.err, "\nThe App '{slug}' is made; its key is in {}{and_secret}.", key.display())?;
    writeln!(
        output.err,
        "Install it on the repositories that hold descriptors:\n\n  {}/installations/new\n",
        harmless(&app.html_url)
    )?;
    writeln!(output.err, "This belongs into the configuration; then run `meshwright doctor`:\n")?;
    let text = |path: &Path| serde_json::Value::from(path.display().to_string()).to_string();
    writeln!(output.out, "forges:")?;
    writeln!(output.out, "  {}:", args.forge)?;
    writeln!(output.out, "    kind: github")?;
    writeln!(output.out, "    url: {}", args.url)?;
    if let Some(api) = &args.api {
        writeln!(output.out, "    api: {api}")?;
    }
    writeln!(output.out, "    app_id: {}", app.id)?;
    writeln!(output.out, "    private_key: {{ file: {} }}", text(key))?;
    if let Some(secret) = secret {
        writeln!(output.out, "    webhook_secret: {{ file: {} }}", text(secret))?;
    }
    if args.deployments {
        writeln!(output.out, "    deployments: true")?;
    }
    Ok(())
}

/// A file that is there for a secret and has none yet. It is removed when it is given up.
struct Reserved {
    path: PathBuf,
    file: File,
    kept: bool,
}

/// Makes an empty file that only its owner may read. One that is there is left alone.
fn reserve(folder: &Path, path: &Path) -> Result<Reserved, String> {
    let path = folder.join(path);
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    match made {
        Ok(file) => Ok(Reserved { path, file, kept: false }),
        Err(error) => Err(format!("{} cannot be made: {error}", path.display())),
    }
}

impl Reserved {
    fn keep(&mut self, secret: &str) -> io::Result<()> {
        self.file.write_all(secret.trim_end().as_bytes())?;
        self.file.write_all(b"\n")?;
        self.file.sync_all()?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.kept {
            // It is empty and ours; when it cannot be removed, it stays behind, empty.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
