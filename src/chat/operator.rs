//! What is typed at a two-way server, line by line.
//!
//! A server in C would ask `select` whether its user or one of its clients has something to say.
//! Here a thread waits for the user alone. It cannot be woken from its read, so another waits for
//! what it sends: that one ends when it is told to.

use std::io;
use std::sync::mpsc::{self, Receiver};

use super::protocol::{MAX_LINE, text};
use crate::stop::StopToken;
use crate::support::lines::{Line, send_stdin_lines};
use crate::support::log::log;

/// How many typed lines may wait; then the typist waits.
const MAILBOX: usize = 1024;

enum Event {
    Typed(io::Result<Option<Line>>),
    Stopped,
}

/// Has `deliver` called with each line that is typed on stdin until it ends, or `stop` is requested. What
/// `deliver` fails with is told to the typist.
pub(super) fn each_typed_line(stop: &StopToken, deliver: impl Fn(&[u8]) -> Result<(), String>) {
    let (events, mailbox) = mpsc::sync_channel(MAILBOX);
    let stopped = events.clone();
    // A full mailbox needs no such event: the thread that empties it looks at the stop each time.
    let _waker = stop.on_stop(move || drop(stopped.try_send(Event::Stopped)));
    match send_stdin_lines(events, MAX_LINE + 1, Event::Typed) {
        Ok(()) => deliver_all(&mailbox, stop, deliver),
        Err(error) => log(error.to_string()),
    }
}

fn deliver_all(
    mailbox: &Receiver<Event>,
    stop: &StopToken,
    deliver: impl Fn(&[u8]) -> Result<(), String>,
) {
    while let Ok(event) = mailbox.recv()
        && !stop.is_requested()
    {
        let delivered = match event {
            Event::Typed(Ok(Some(line))) => match text(&line.bytes) {
                Some(text) if !line.cut => deliver(text),
                _ => Err(format!("a line of more than {MAX_LINE} bytes was not sent")),
            },
            Event::Typed(Ok(None)) | Event::Stopped => return,
            Event::Typed(Err(error)) => return log(error.to_string()),
        };
        if let Err(reason) = delivered {
            log(reason);
        }
    }
}
