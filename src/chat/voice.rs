//! The lines of one connection, shown under its label: what the server does with each client, and the
//! client with its server.

use std::io::{self, BufReader, ErrorKind};
use std::os::unix::net::UnixStream;

use super::protocol::{MAX_LINE, text};
use super::screen::Screen;
use super::shown::push_shown;
use crate::input::{Line, read_line_into};
use crate::notice::notice;

/// How many bytes one read takes at most, and about how many are shown at once.
const READ_LEN: usize = 64 * 1024;

/// Somebody at the other end of a connection.
pub(super) struct Voice<'a> {
    /// What stands before each of its lines: `alice#1`.
    pub(super) label: String,
    input: BufReader<&'a UnixStream>,
    line: Line,
    screen: &'a Screen,
}

impl<'a> Voice<'a> {
    pub(super) fn new(stream: &'a UnixStream, label: String, screen: &'a Screen) -> Self {
        Self {
            label,
            input: BufReader::with_capacity(READ_LEN, stream),
            line: Line::default(),
            screen,
        }
    }

    /// Waits for the next line, without its line end; `None` once the other end has left. A line that
    /// is too long is skipped with a notice.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        loop {
            // One byte more, for the `\r` of a line of full length.
            match read_line_into(&mut self.input, MAX_LINE + 1, &mut self.line) {
                Ok(true) if self.is_too_long() => notice(format!(
                    "{}: a line of more than {MAX_LINE} bytes was skipped",
                    self.label
                )),
                Ok(true) => return Ok(text(&self.line.bytes)),
                Ok(false) => return Ok(None),
                // It closed with lines of ours unread: a way of leaving, too.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Shows all lines from now on, until the other end leaves. `shown` holds what is yet to be shown.
    pub(super) fn show_all(&mut self, mut shown: String) -> io::Result<()> {
        loop {
            // Nothing is held back: what has come is shown before there is a wait for more.
            if shown.len() >= READ_LEN || !self.input.buffer().contains(&b'\n') {
                self.screen.show(&shown);
                shown.clear();
            }
            match self.next()? {
                Some(_) => self.push_line(&mut shown),
                None => {
                    self.screen.show(&shown);
                    return Ok(());
                }
            }
        }
    }

    /// Puts the line that came last at the end of `shown`, as it is shown.
    pub(super) fn push_line(&self, shown: &mut String) {
        shown.push_str(&self.label);
        shown.push_str(": ");
        push_shown(shown, text(&self.line.bytes).unwrap_or_default());
        shown.push('\n');
    }

    fn is_too_long(&self) -> bool {
        self.line.cut || text(&self.line.bytes).is_none()
    }
}
