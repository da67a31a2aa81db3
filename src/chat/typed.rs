//! What is typed at the two-way server: line by line to whom it is meant for.
//!
//! A server in C would ask `select` whether its user or one of its clients has something to say.
//! Here a thread waits for the user alone. It cannot be woken from its read, so another waits for
//! what it sends: that one ends when it is told to.

use std::io;
use std::sync::mpsc::{self, Receiver};

use super::protocol::{MAX_LINE, text};
use super::room::Room;
use crate::input::{Line, send_stdin_lines};
use crate::interrupt::Interrupt;
use crate::notice::notice;

/// How many typed lines may wait; then the typist waits.
const MAILBOX: usize = 1024;

enum Event {
    Typed(io::Result<Option<Line>>),
    Interrupted,
}

/// Delivers what is typed on stdin until it ends, or `interrupt` is raised.
pub(super) fn deliver_typed(room: &Room, interrupt: &Interrupt) {
    let (events, mailbox) = mpsc::sync_channel(MAILBOX);
    let interrupted = events.clone();
    // A full mailbox needs no such event: whoever empties it looks at the interrupt each time.
    let _waker = interrupt.on_raise(move || drop(interrupted.try_send(Event::Interrupted)));
    match send_stdin_lines(events, MAX_LINE + 1, Event::Typed) {
        Ok(()) => deliver_all(&mailbox, room, interrupt),
        Err(error) => notice(format!("cannot read stdin: {error}")),
    }
}

fn deliver_all(mailbox: &Receiver<Event>, room: &Room, interrupt: &Interrupt) {
    while let Ok(event) = mailbox.recv()
        && !interrupt.is_raised()
    {
        let delivered = match event {
            Event::Typed(Ok(Some(line))) => match text(&line.bytes) {
                Some(text) if !line.cut => room.deliver(text),
                _ => Err(format!("a line of more than {MAX_LINE} bytes was not sent")),
            },
            Event::Typed(Ok(None)) | Event::Interrupted => return,
            Event::Typed(Err(error)) => return notice(format!("cannot read stdin: {error}")),
        };
        if let Err(reason) = delivered {
            notice(reason);
        }
    }
}
