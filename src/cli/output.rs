//! Stdout that may be closed by its reader: `ipc ... | head -1` ends quietly, as other commands do.
//!
//! A C program dies of SIGPIPE there. Rust ignores that signal, `println!` panics instead, and a
//! `BrokenPipe` from stdout looks like one from a socket: so the error is marked where it arises.

use std::io::{self, BufRead, ErrorKind, IsTerminal, Read, StdoutLock, Write};
use std::{error, fmt};

use ipc_primer::error::Context;
use ipc_primer::escape::escape;

/// How much of a line without an end is shown at a time, in bytes.
const PIECE: u64 = 64 * 1024;

/// Stdout, with a mark on the error that says that nobody reads it any more.
pub(super) struct Output(StdoutLock<'static>);

#[derive(Debug)]
struct ClosedOutput;

impl Output {
    pub(super) fn stdout() -> Self {
        Self(io::stdout().lock())
    }

    /// Writes a line from a stranger: escaped if this is a terminal, else byte for byte.
    pub(super) fn line(&mut self, line: &[u8]) -> io::Result<()> {
        let mut shown = match self.0.is_terminal() {
            true => escape(line).into_owned().into_bytes(),
            false => line.to_owned(),
        };
        shown.push(b'\n');
        self.write_all(&shown)?; // in one call: a line is shown whole or not at all
        self.flush()
    }

    /// Writes the text of a file from a stranger: its lines escaped if this is a terminal, else byte
    /// for byte.
    pub(super) fn text(&mut self, mut text: impl BufRead) -> io::Result<()> {
        if !self.0.is_terminal() {
            io::copy(&mut text, self)?;
            return self.flush();
        }
        let mut piece = Vec::new();
        while text.by_ref().take(PIECE).read_until(b'\n', &mut piece)? > 0 {
            match piece.strip_suffix(b"\n") {
                Some(line) => self.line(line)?,
                None => self.write_all(escape(&piece).as_bytes())?,
            }
            piece.clear();
        }
        self.flush()
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
