//! Where a verb writes, and what its end means to whoever called the program.

use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::rc::Rc;

/// How the program ends. The numbers are part of the surface and do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitStatus {
    /// 0: fine; for `plan`, no change.
    Success,
    /// 1: failed, or refused by findings.
    Failed,
    /// 2: changes are planned (`plan --exit-code`).
    Changes,
    /// 64: wrong usage or configuration.
    Usage,
    /// 70: our own error.
    Internal,
}

impl ExitStatus {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            ExitStatus::Success => 0,
            ExitStatus::Failed => 1,
            ExitStatus::Changes => 2,
            ExitStatus::Usage => 64,
            ExitStatus::Internal => 70,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        ExitCode::from(status.code())
    }
}

/// Where a verb writes: data to `out`, progress and errors to `err`.
pub struct Output<'a> {
    /// Data: what was asked for.
    pub out: &'a mut dyn Write,
    /// Progress, errors, advice.
    pub err: &'a mut dyn Write,
    /// Whether `out` gets colours.
    pub colour: bool,
    /// Whether `err` gets colours.
    pub err_colour: bool,
    /// How many columns there are.
    pub width: usize,
}

impl std::fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("colour", &self.colour).field("width", &self.width).finish_non_exhaustive()
    }
}

impl Output<'_> {
    /// Writes `error: …` to `err`, and `hint: …` below it. Control characters are made visible.
    pub fn error(&mut self, message: &str, hint: Option<&str>) -> io::Result<()> {
        use super::render::{harmless, style};
        writeln!(self.err, "{}: {}", style::error("error", self.err_colour), harmless(message))?;
        if let Some(hint) = hint {
            writeln!(self.err, "{}: {}", style::hint("hint", self.err_colour), harmless(hint))?;
        }
        Ok(())
    }
}

/// A writer whose reader may go away: `meshwright get events | head` is no mistake. What is
/// written after that is dropped, and the exit status stays what it would have been.
#[derive(Debug)]
pub struct PipeTolerant<W> {
    inner: W,
    gone: bool,
}

impl<W: Write> PipeTolerant<W> {
    /// Wraps a writer.
    pub const fn new(inner: W) -> Self {
        Self { inner, gone: false }
    }

    fn forgive<T>(&mut self, result: io::Result<T>, instead: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(instead)
            }
            other => other,
        }
    }
}

impl<W: Write> Write for PipeTolerant<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gone {
            return Ok(bytes.len());
        }
        let result = self.inner.write(bytes);
        self.forgive(result, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.gone {
            return Ok(());
        }
        let result = self.inner.flush();
        self.forgive(result, ())
    }
}

/// A writer that two hold: one writes to it, and [`FlushedBefore`] flushes it.
#[derive(Debug)]
pub struct Shared<W>(pub Rc<RefCell<W>>);

impl<W: Write> Write for Shared<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

/// A writer that flushes another one before it writes, so that on a terminal (and in a pipeline's
/// log) both come in the order in which they were written.
#[derive(Debug)]
pub struct FlushedBefore<A, B> {
    /// What is flushed.
    pub first: A,
    /// What is written to.
    pub then: B,
}

impl<A: Write, B: Write> Write for FlushedBefore<A, B> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.first.flush()?;
        self.then.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.then.flush()
    }
}

/// Whether a stream gets colours: as `--color` says; otherwise only on a terminal, unless `NO_COLOR` is set
/// (to anything but nothing, <https://no-color.org>) or the terminal is a dumb one.
pub fn wants_colour(choice: super::cli::ColourChoice, stream: &dyn IsTerminalStream) -> bool {
    match choice {
        super::cli::ColourChoice::Always => true,
        super::cli::ColourChoice::Never => false,
        super::cli::ColourChoice::Auto => {
            let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
            !refused && !dumb && stream.is_terminal_stream()
        }
    }
}

/// A stream that knows whether it is a terminal.
pub trait IsTerminalStream {
    /// Whether it is one.
    fn is_terminal_stream(&self) -> bool;
}

impl<T: IsTerminal> IsTerminalStream for T {
    fn is_terminal_stream(&self) -> bool {
        self.is_terminal()
    }
}

/// How many columns standard output has: the terminal's, within reason; 100 where there is none.
pub fn terminal_width() -> usize {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return 100;
    }
    match rustix::termios::tcgetwinsize(&stdout) {
        Ok(size) if size.ws_col > 0 => usize::from(size.ws_col).clamp(40, 240),
        _ => 100,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pipe whose reader reads one line and leaves.
    struct Leaving(usize);

    impl Write for Leaving {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += 1;
            if self.0 > 1 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(bytes.len()) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn a_reader_that_leaves_is_no_error() {
        let mut out = PipeTolerant::new(Leaving(0));
        for _ in 0..5 {
            writeln!(out, "line").unwrap();
        }
        out.flush().unwrap();
    }

    #[test]
    fn a_full_disk_is_an_error() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert!(writeln!(PipeTolerant::new(Full), "x").is_err());
    }
}
