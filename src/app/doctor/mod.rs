//! `doctor`: examines what the daemon will need, from this machine outwards, and says what to do
//! about each thing that is not as it should be. Nothing is changed by it, except that mirrors are
//! brought up to date.

mod machine;
mod sources;

use std::io;

use crate::config::Checked;
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
