//! Reads the protocol's lines from a connection or from stdin, and shows those of a connection under its
//! label: the server does this for each client, and the client for its server.

use std::io::{self, BufReader, Read};
use std::os::unix::net::UnixStream;

use super::protocol::{MAX_LINE, text};
use super::screen::Screen;
use crate::support::escape::escape;
use crate::support::lines::{Line, read_line_into};
use crate::support::log::log;

/// The most bytes that one read takes, and about the most that are passed on together.
pub(super) const BATCH_LEN: usize = 64 * 1024;

/// A stream, line by line.
pub(super) struct Lines<R> {
    input: BufReader<R>,
    line: Line,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(stream: R) -> Self {
        Self {
            input: BufReader::with_capacity(BATCH_LEN, stream),
            line: Line::default(),
        }
    }

    /// Waits for the next line; false at the end of the stream.
    ///
    /// # Errors
    /// [`io::ErrorKind::ConnectionReset`]: the other end closed with bytes of ours unread.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        // One byte more, for the `\r` of a line of full length.
        read_line_into(&mut self.input, MAX_LINE + 1, &mut self.line)
    }

    /// The last line read, without its line end; `None` if it was too long.
    pub(super) fn text(&self) -> Option<&[u8]> {
        text(&self.line.bytes).filter(|_| !self.line.cut)
    }

    /// Whether the next line has yet to come. Callers pass on what has come before they wait for it.
    pub(super) fn would_wait(&self) -> bool {
        !self.input.buffer().contains(&b'\n')
    }
}

/// What the other end of a connection says, on its way to the screen.
pub(super) struct LinePrinter<'a> {
    /// The label before each of its lines: `alice#1`.
    pub(super) label: String,
    pub(super) lines: Lines<&'a UnixStream>,
    screen: &'a Screen,
    /// Lines that are yet to be shown.
    batch: String,
}

impl<'a> LinePrinter<'a> {
    pub(super) fn new(stream: &'a UnixStream, label: String, screen: &'a Screen) -> Self {
        Self {
            label,
            lines: Lines::new(stream),
            screen,
            batch: String::new(),
        }
    }

    /// Shows all lines from now on, until the other end leaves.
    pub(super) fn show_all(&mut self) -> io::Result<()> {
        loop {
            let much = self.batch.len() >= BATCH_LEN;
            if much || !self.batch.is_empty() && self.lines.would_wait() {
                self.screen.show(&self.batch);
                self.batch.clear();
            }
            if !self.lines.advance()? {
                return Ok(());
            }
            self.take_line();
        }
    }

    /// Adds the last line read to those that are yet to be shown.
    pub(super) fn take_line(&mut self) {
        match self.lines.text() {
            Some(text) => {
                self.batch.push_str(&self.label);
                self.batch.push_str(": ");
                self.batch.push_str(&escape(text));
                self.batch.push('\n');
            }
            None => log(format!(
                "{}: a line of more than {MAX_LINE} bytes was skipped",
                self.label
            )),
        }
    }
}
