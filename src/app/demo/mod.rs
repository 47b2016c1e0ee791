//! `demo`: the whole trip on a small mesh, with nothing but the binary and git.
//!
//! Nothing in it is played: it is the daemon's own engine on a real repository, a real record and
//! a real warehouse, all of them in a temporary folder. Whatever is not as it should be makes the
//! demo fail, so it is the shortest end-to-end test as well.

mod expect;
mod repository;
mod show;
mod trip;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Instant;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::{self, Checked};
use crate::face::cli::DemoArgs;
use crate::face::render::style;
use crate::face::{ExitStatus, Output};

use repository::DemoRepository;

/// Where the daemon of `--serve` is looked for first.
const SERVE_PORT: u16 = 8080;

/// Why the demo did not come to its end.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    /// Something is not as it should be.
    #[error("{0}")]
    Unexpected(String),
    /// The parts could not be put together.
    #[error(transparent)]
    Start(#[from] super::wire::StartError),
    /// A pass failed.
    #[error(transparent)]
    Pass(#[from] crate::engine::PassError),
    /// The record failed.
    #[error(transparent)]
    Store(#[from] crate::port::store::StoreError),
    /// The repository failed.
    #[error("the demo's repository: {0}")]
    Git(#[from] git2::Error),
    /// The forge failed.
    #[error(transparent)]
    Forge(#[from] crate::port::forge::ForgeError),
    /// A file or the terminal failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

pub(super) async fn demo(args: &DemoArgs, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let folder = tempfile::Builder::new().prefix("meshwright-demo-").tempdir()?;
    let began = Instant::now();
    let ended = run(folder.path(), args, began, output).await;
    if args.keep {
        let kept = folder.keep();
        writeln!(output.err, "kept: {}", kept.display())?;
    } else {
        // Dropping it would do the same, and say nothing when it fails.
        folder.close()?;
    }
    match ended {
        Ok(()) => Ok(ExitStatus::Success),
        Err(DemoError::Io(error)) => Err(error),
        Err(error) => {
            output.error(
                &format!("the demo is not as it should be: {error}"),
                Some("run it again with --keep -v to look into it"),
            )?;
            Ok(ExitStatus::Failed)
        }
    }
}

async fn run(folder: &Path, args: &DemoArgs, began: Instant, output: &mut Output<'_>) -> Result<(), DemoError> {
    let repository = DemoRepository::create(&folder.join("retail"))?;
    let config = configuration(folder)?;
    trip::three_commits(&config, &repository, output).await?;
    show::summary(began.elapsed(), args, output)?;
    if args.serve {
        serve(&config, folder, output).await?;
    }
    Ok(())
}

/// The mesh's own configuration, for a repository in the folder `retail` beside it.
fn configuration(folder: &Path) -> Result<Checked, DemoError> {
    let text = repository::configuration_text()?.replace("url: .\n", "url: retail\n");
    let path = folder.join("meshwright.yaml");
    repository::write(&path, text.as_bytes())?;
    config::read(&path).map_err(|errors| {
        let messages: Vec<String> = errors.iter().map(ToString::to_string).collect();
        DemoError::Unexpected(format!("its configuration is refused: {}", messages.join("; ")))
    })
}

/// Leaves the daemon running until it is interrupted.
async fn serve(config: &Checked, folder: &Path, output: &mut Output<'_>) -> Result<(), DemoError> {
    let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = match TcpListener::bind(loopback(SERVE_PORT)).await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind(loopback(0)).await?,
    };
    let repository = folder.join("retail");
    writeln!(output.out)?;
    writeln!(output.out, "{}", style::strong("The daemon runs until you press Ctrl-C.", output.colour))?;
    writeln!(output.out, "  change something:  cd {}", repository.display())?;
    writeln!(output.out, "                     git revert --no-edit HEAD     (what was refused is still there)")?;
    writeln!(output.out, "                     git commit -am 'my change'")?;
    writeln!(output.out, "  see its statuses:  git log -1 --notes=meshwright")?;
    writeln!(
        output.out,
        "  look around:       meshwright get products --config {}",
        folder.join("meshwright.yaml").display()
    )?;
    writeln!(output.out, "  health:            http://{}/readyz", listener.local_addr()?)?;
    output.out.flush()?;
    let stop = CancellationToken::new();
    let _signals = super::working::stop_on_signal(stop.clone())?;
    super::serve::run(config, listener, &stop).await?;
    Ok(())
}
