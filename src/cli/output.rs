//! Stdout, line by line. Its reader may close it: `ipc ... | head -1` ends quietly, as other commands do.
//!
//! Each line is written in one call, with its line end: no other process that shares the file writes into it,
//! and no kill cuts it. SIGPIPE kills a C program whose reader has closed the pipe. Rust ignores that signal,
//! `println!` panics instead, and a `BrokenPipe` from stdout looks like one from a socket, so the error is
//! marked where it arises.

use std::fs::{self, File};
use std::io::{self, BufRead, ErrorKind, IsTerminal, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::{error, fmt};

use crate::support::escape::escape;
use crate::support::stdio::{self, Stdio};

/// How many bytes of an unfinished line are gathered, or shown at a time.
const PIECE: usize = 64 * 1024;

/// Stdout, with a mark on the error that says that its reader has closed it.
pub(super) struct Output {
    stdout: Stdio<File>,
    line: Vec<u8>,
}

#[derive(Debug)]
struct ClosedOutput;

impl Output {
    pub(super) fn stdout() -> io::Result<Self> {
        let (stdout, line) = (stdio::stdout()?, Vec::new());
        Ok(Self { stdout, line })
    }

    /// Fails if all output would be lost, before the command takes something that it cannot give back. A
    /// stdout that was closed when we were started does not look closed: std has put `/dev/null` in its
    /// place, open for reading too, which a shell's `>` never is.
    pub(super) fn check(&mut self) -> io::Result<()> {
        let _ = self.stdout.write(&[])?; // EBADF if it is open only for reading
        let mut stdout = self.stdout.get_ref();
        let device = stdout.metadata()?.rdev();
        let is_null = fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == device);
        if is_null && stdout.read(&mut []).is_ok() {
            let fault = "stdout is closed; to throw away what comes, say >/dev/null";
            return Err(io::Error::new(ErrorKind::NotConnected, fault));
        }
        Ok(())
    }

    /// Writes a line from a stranger: escaped if this is a terminal, else byte for byte.
    pub(super) fn line(&mut self, line: &[u8]) -> io::Result<()> {
        let mut shown = match self.stdout.get_ref().is_terminal() {
            true => escape(line).into_owned().into_bytes(),
            false => line.to_owned(),
        };
        shown.push(b'\n');
        self.write_all(&shown)
    }

    /// Writes the text of a file from a stranger: its lines escaped if this is a terminal, else byte
    /// for byte.
    pub(super) fn text(&mut self, mut text: impl BufRead) -> io::Result<()> {
        if !self.stdout.get_ref().is_terminal() {
            io::copy(&mut text, self)?;
            return self.flush();
        }
        let mut piece = Vec::new();
        while text
            .by_ref()
            .take(PIECE as u64)
            .read_until(b'\n', &mut piece)?
            > 0
        {
            match piece.strip_suffix(b"\n") {
                Some(line) => self.line(line)?,
                None => self.write_all(escape(&piece).as_bytes())?,
            }
            piece.clear();
        }
        self.flush()
    }
}

/// Whether `error` says that the reader of stdout has closed it.
pub(super) fn is_closed_output(error: &io::Error) -> bool {
    error
        .get_ref()
        .is_some_and(|inner| inner.is::<ClosedOutput>())
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        if bytes.ends_with(b"\n") || self.line.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let written = self.stdout.write_all(&self.line);
        self.line.clear();
        written.map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => io::Error::new(ErrorKind::BrokenPipe, ClosedOutput),
            _ => error,
        })
    }
}

impl fmt::Display for ClosedOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads stdout any more")
    }
}

impl error::Error for ClosedOutput {}
