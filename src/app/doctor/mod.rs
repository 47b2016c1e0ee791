//! `doctor`: examines what the daemon will need, from this machine outwards, and says what to do
//! about each thing that is not as it should be. Nothing is changed by it, except that mirrors are
//! brought up to date.

mod forges;
mod machine;
mod ping;
mod sources;

use std::io;

use crate::config::{Checked, CheckedForge, CheckedSource};
use crate::face::cli::DoctorArgs;
use crate::face::verbs::doctor::{Doctor, Examined};
use crate::face::{ExitStatus, Output};

use super::wire::{RecordUse, assemble};

pub(super) async fn doctor(config: &Checked, args: &DoctorArgs, output: &mut Output<'_>) -> io::Result<ExitStatus> {
    let mut doctor = Doctor::new(args.output);
    doctor.note(machine::record(config).await, output)?;
    match assemble(config, RecordUse::Look).await {
        Ok(assembled) => {
            let ports = assembled.engine.ports();
            doctor.note(machine::policies(ports.judge.as_ref()).await, output)?;
            for (name, facts) in &assembled.facts {
                let Some(CheckedForge::Github(github)) = config.forges.get(name) else { continue };
                let sources: Vec<&CheckedSource> =
                    config.sources.iter().filter(|source| source.forge.as_ref() == Some(name)).collect();
                for examined in forges::examine(name, github, facts, &sources).await {
                    doctor.note(examined, output)?;
                }
                if let Some(examined) = machine::last_delivery(ports.store.as_ref(), name).await {
                    doctor.note(examined, output)?;
                }
                if let Some(daemon) = &args.daemon
                    && let Some(examined) = ping::examine(daemon, name, github).await
                {
                    doctor.note(examined, output)?;
                }
            }
            for source in &config.sources {
                for examined in sources::examine(ports, source).await {
                    doctor.note(examined, output)?;
                }
            }
        }
        Err(error) => {
            let remedy = "mend what is named; `meshwright config check` explains the configuration";
            doctor.note(Examined::failed("this machine", "parts", error.to_string(), remedy), output)?;
        }
    }
    doctor.finish(output)
}

/// What to do where a server's certificate was not accepted, if that is what was said.
fn certificates(said: &str) -> Option<&'static str> {
    said.contains("certificate").then_some(
        "is it who it says it is? Then have `SSL_CERT_FILE`, in the daemon's environment, name a PEM file with all \
         authorities that are trusted, its own among them",
    )
}
