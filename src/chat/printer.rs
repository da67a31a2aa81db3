//! The lines of one connection, shown under its label: what the server does with each client, and the
//! client with its server.

use std::io;
use std::os::unix::net::UnixStream;

use super::lines::{BATCH_LEN, Lines};
use super::protocol::MAX_LINE;
use super::screen::Screen;
use crate::support::escape::escape;
use crate::support::log::log;

/// What the other end of a connection says, on its way to the screen.
pub(super) struct LinePrinter<'a> {
    /// What stands before each of its lines: `alice#1`.
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

    /// Takes the line that came last, to be shown with those that came with it.
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
