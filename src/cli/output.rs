//! Stdout that may be closed by its reader: `ipc ... | head -1` ends quietly, as other commands do.
//!
//! A C program dies of SIGPIPE there. Rust ignores that signal, `println!` panics instead, and a
//! `BrokenPipe` from stdout looks like one from a socket: so the error is marked where it arises.

use std::io::{self, ErrorKind, StdoutLock, Write};
use std::{error, fmt};

use ipc_primer::error::Context;

/// Stdout, with a mark on the error that says that nobody reads it any more.
pub(super) struct Output(StdoutLock<'static>);

#[derive(Debug)]
struct ClosedOutput;

impl Output {
    pub(super) fn stdout() -> Self {
        Self(io::stdout().lock())
    }
}

/// Whether `error` says that the reader of stdout has gone.
pub(super) fn is_closed_output(error: &io::Error) -> bool {
    error
        .get_ref()
        .is_some_and(|inner| inner.is::<ClosedOutput>())
}

fn mark<T>(written: io::Result<T>) -> io::Result<T> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            Err(io::Error::new(ErrorKind::BrokenPipe, ClosedOutput))
        }
        other => other.context(|| "cannot write to stdout".into()),
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        mark(self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        mark(self.0.flush())
    }
}

impl fmt::Display for ClosedOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads stdout any more")
    }
}

impl error::Error for ClosedOutput {}
