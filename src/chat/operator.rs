//! What is typed at a two-way server, line by line.
//!
//! A server in C would ask `select` whether its user or one of its clients has something to say.
//! Here a thread waits for the user alone. It cannot be woken from its read, so another waits for
//! what it sends: that one ends when it is told to.

use super::protocol::{MAX_LINE, text};
use crate::stop::StopToken;
use crate::support::lines::each_stdin_line;
use crate::support::log::log;

/// How many typed lines may wait; then the typist waits.
const WAITING: usize = 1024;

/// Has `deliver` called with each line that is typed on stdin until it ends, or `stop` is requested. What
/// `deliver` fails with is told to the typist.
pub(super) fn each_typed_line(stop: &StopToken, deliver: impl Fn(&[u8]) -> Result<(), String>) {
    let ended = each_stdin_line(MAX_LINE + 1, WAITING, stop, |line| {
        let delivered = match text(&line.bytes) {
            Some(text) if !line.cut => deliver(text),
            _ => Err(format!("a line of more than {MAX_LINE} bytes was not sent")),
        };
        delivered.unwrap_or_else(log);
        Ok(())
    });
    ended.unwrap_or_else(|error| log(error.to_string()));
}
