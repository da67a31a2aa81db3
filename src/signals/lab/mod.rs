//! The lab: what the chapter says about signals, shown by real processes.
//!
//! Three parts, each a file: [`Part::Outcomes`] (what a signal does), [`Part::Ways`] (where it comes
//! from), [`Part::Children`] (SIGCHLD, and why a parent has to wait). Every process that gets a signal
//! here was started here.

mod children;
mod outcomes;
mod subject;
mod ways;

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process;

use super::{Signal, dispositions};
use crate::stop::StopToken;

/// One part of the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// For each of the note's eight signals: by default, handled, ignored.
    Outcomes,
    /// The three ways of generating a signal.
    Ways,
    /// SIGCHLD, the zombie, and reaping.
    Children,
}

impl Part {
    /// All parts, in the order of the chapter.
    pub const ALL: [Self; 3] = [Self::Outcomes, Self::Ways, Self::Children];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Outcomes => "outcomes",
            Self::Ways => "ways",
            Self::Children => "children",
        }
    }
}

/// Where the lab works: which `ipc` it runs, and where it shows what it sees.
struct Bench<'a> {
    program: &'a Path,
    output: &'a mut dyn Write,
    stop: &'a StopToken,
}

/// Plays `parts` with the `ipc` command at `program` and shows on `output` what it sees.
///
/// Every child is ended and waited for before this returns, whatever happens. If the lab itself is
/// killed, its ends of the pipes close, and each child ends at the end of its input.
///
/// # Errors
/// - [`ErrorKind::Unsupported`] if this process was started with one of the signals ignored or blocked,
///   because its children inherit that, and none of them can undo it;
/// - [`ErrorKind::Other`] if something happened that was not expected;
/// - [`ErrorKind::Interrupted`] when a stop is requested.
pub fn play(
    parts: &[Part],
    program: &Path,
    output: &mut dyn Write,
    stop: &StopToken,
) -> io::Result<()> {
    check_ground()?;
    let mut bench = Bench {
        program,
        output,
        stop,
    };
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            writeln!(bench.output)?;
        }
        match part {
            Part::Outcomes => outcomes::play(&mut bench)?,
            Part::Ways => ways::play(&mut bench)?,
            Part::Children => children::play(&mut bench)?,
        }
    }
    Ok(())
}

/// An ignored signal stays ignored across fork and exec, and no shell may trap it: every row of the
/// lab would be different.
fn check_ground() -> io::Result<()> {
    let own = dispositions(process::id().into())?;
    let spoilt = |signal: &Signal| own.ignored.contains(*signal) || own.blocked.contains(*signal);
    let Some(signal) = Signal::NOTED.into_iter().find(spoilt) else {
        return Ok(());
    };
    let fault = format!(
        "this lab was started with {signal} ignored or blocked, and its children inherit that: \
         start it from a plain shell"
    );
    Err(io::Error::new(ErrorKind::Unsupported, fault))
}

impl Bench<'_> {
    fn show(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.output, "{line}")?;
        self.output.flush()
    }

    /// Shows one observation in columns.
    fn show_row(&mut self, from: &str, how: &str, seen: &str) -> io::Result<()> {
        self.show(&format!("{from:<11}  {how:<30}  {seen}"))
    }
}

/// Fails if the lab sees anything but what the book says.
fn expect<T: PartialEq + std::fmt::Display>(what: &str, seen: T, expected: T) -> io::Result<()> {
    if seen == expected {
        return Ok(());
    }
    let fault = format!("{what}: expected was \"{expected}\", and seen was \"{seen}\"");
    Err(io::Error::other(fault))
}
