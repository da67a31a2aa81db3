//! Stdout that may be closed by its reader: `ipc ... | head -1` ends quietly, as other commands do.
//!
//! A C program dies of SIGPIPE there. Rust ignores that signal, `println!` panics instead, and a
//! `BrokenPipe` from stdout looks like one from a socket: so the error is marked where it arises.

use std::io::{self, ErrorKind, StdoutLock, Write};
use std::{error, fmt};

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

fn mark(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::BrokenPipe => io::Error::new(ErrorKind::BrokenPipe, ClosedOutput),
        _ => error,
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(mark)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(mark)
    }
}

impl fmt::Display for ClosedOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads stdout any more")
    }
}

impl error::Error for ClosedOutput {}
