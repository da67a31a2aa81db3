//! The lines of this protocol in a stream: of a connection, or of stdin.

use std::io::{self, BufReader, Read};

use super::protocol::{MAX_LINE, text};
use crate::support::lines::{Line, read_line_into};

/// How many bytes one read takes at most, and about how many are passed on at once.
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

    /// The line that came last, without its line end; `None` if it was too long.
    pub(super) fn text(&self) -> Option<&[u8]> {
        text(&self.line.bytes).filter(|_| !self.line.cut)
    }

    /// Whether the next line has yet to come. Before a wait for it, what has come is passed on.
    pub(super) fn would_wait(&self) -> bool {
        !self.input.buffer().contains(&b'\n')
    }
}
