//! Floor 5: start and stop; the one place that knows concrete adapters.

mod acting;
mod connect;
mod demo;
mod dispatch;
mod doctor;
mod forges;
mod hooks;
mod logging;
mod looking;
mod record;
mod serve;
mod wire;
mod working;

use std::cell::RefCell;
use std::io::{self, Write};
use std::process::ExitCode;
use std::rc::Rc;

use crate::adapter::policy_worker;
use crate::face::cli::{Cli, ColourChoice};
use crate::face::{ExitStatus, FlushedBefore, Output, PipeTolerant, Shared, terminal_width, wants_colour};

/// Runs the program on its command line, and says how it ends.
pub fn run() -> ExitCode {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    // The worker limits itself before anything else runs in it, and speaks only its own protocol.
    if arguments.get(1).is_some_and(|verb| verb == policy_worker::child::VERB) {
        return policy_worker::worker_main();
    }
    let colours = colour_choice(&arguments);
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let (colour, err_colour) = (wants_colour(colours, &stdout), wants_colour(colours, &stderr));
    // Neither stream is locked: the log of other threads goes to standard error as well.
    let buffered = Rc::new(RefCell::new(PipeTolerant::new(io::BufWriter::new(stdout))));
    let mut out = Shared(Rc::clone(&buffered));
    // What is said to a person comes after the data that it is about, also where both go to one place.
    let mut err = FlushedBefore { first: Shared(buffered), then: PipeTolerant::new(stderr) };
    let mut output = Output { out: &mut out, err: &mut err, colour, err_colour, width: terminal_width() };
    let ended = match Cli::read(arguments, &mut output) {
        Ok(Ok(cli)) => dispatch::dispatch(cli, &mut output),
        Ok(Err(status)) => Ok(status),
        Err(error) => Err(error),
    };
    let ended = ended.and_then(|status| out.flush().map(|()| status));
    match ended {
        Ok(status) => status.into(),
        Err(error) => {
            // Nothing more can be done about a stream that cannot be written to.
            let _ = writeln!(err, "error: the output cannot be written: {error}");
            ExitStatus::Internal.into()
        }
    }
}

/// The choice of colours must be known before the command line is read, because its errors have colours as well.
fn colour_choice(arguments: &[std::ffi::OsString]) -> ColourChoice {
    let words: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    let value = words.iter().enumerate().find_map(|(at, word)| match word.strip_prefix("--color") {
        Some("") => words.get(at + 1).copied(),
        Some(rest) => rest.strip_prefix('='),
        None => None,
    });
    match value {
        Some("always") => ColourChoice::Always,
        Some("never") => ColourChoice::Never,
        _ => ColourChoice::Auto,
    }
}
