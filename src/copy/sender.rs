//! Copy by shared memory, the side that has the file: it reads it once, however many receivers.

use std::io::{self, ErrorKind};

use super::source::Source;
use crate::error::Context;
use crate::interrupt::Interrupt;
use crate::notice::notice;
use crate::progress::Progress;
use crate::shm::ring::{Sender, Shape};

/// Sends `source` to `shape.receivers` receivers through a ring named `name`. Ends quietly when
/// `interrupt` is raised.
///
/// # Errors
/// - Those of [`Sender::create`] and of [`Source`].
/// - [`ErrorKind::BrokenPipe`] if a receiver went before its end; the others have their copies then.
///
/// # Panics
/// If the shape does not [fit](Shape::fits).
pub fn run(name: &str, shape: Shape, source: &Source, interrupt: &Interrupt) -> io::Result<()> {
    let header = source.header()?;
    let sender = Sender::create(name, shape, &header.line()).context(|| too_large(shape))?;
    notice(format!(
        "sending as {name:?} to {} receivers",
        shape.receivers
    ));
    match send(sender, source, header.length, shape.slot_len, interrupt) {
        Err(_) if interrupt.is_raised() => Ok(()),
        sent => sent,
    }
}

fn send(
    mut sender: Sender,
    source: &Source,
    length: u64,
    slot_len: usize,
    interrupt: &Interrupt,
) -> io::Result<()> {
    sender.wait_for_receivers(interrupt)?;
    let progress = Progress::on_stderr();
    progress.expect(length);
    let mut offset = 0;
    while offset < length {
        let left = usize::try_from(length - offset).unwrap_or(usize::MAX);
        sender.send_with(left.min(slot_len), interrupt, |piece| {
            let count = source.read_at(piece, offset, length)?;
            offset += count as u64;
            progress.add(count as u64);
            Ok(())
        })?;
    }
    source.note_growth(length);
    drop(progress);
    match sender.finish(interrupt)? {
        0 => Ok(()),
        lost => Err(io::Error::new(
            ErrorKind::BrokenPipe,
            format!("{lost} receivers have no copy"),
        )),
    }
}

fn too_large(shape: Shape) -> String {
    let Shape {
        slots, slot_len, ..
    } = shape;
    format!(
        "no ring of {slots} slots of {slot_len} bytes (where /dev/shm is too small: lower --slots or \
         --slot-size)"
    )
}
