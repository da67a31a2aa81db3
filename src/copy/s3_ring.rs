//! Stage 3 of the copy by shared memory: a ring of slots, any number of receivers, and no process hangs.
//!
//! What broke: a second receiver takes away half of the blocks, and if either end is killed, the other waits
//! forever (`timeout -s KILL 1 ipc copy sharedmem sender FILE --stage 2`, and a receiver of it).
//!
//! What this adds: [`ring`](crate::shm::ring), in which the sender can be ahead by all of the slots, and
//! each receiver has a cursor and semaphores of its own; each end checks whether the other is alive. A copy
//! ends as it does by sockets: it is whole or is not there ([`target`](super::target)), and Ctrl-C ends it
//! cleanly.
//!
//! What it costs: the files below it, which are most of [`shm`](crate::shm).

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::protocol::{Header, safe_name};
use super::source::Source;
use super::target::{Destination, Target};
use crate::shm::ring::{Receiver, Sender, Shape};
use crate::shm::{Fault, fault_of};
use crate::stop::StopToken;
use crate::support::error::Context;
use crate::support::log::log;
use crate::support::progress::Progress;

/// How long to wait for a sender by default.
pub const WAIT: Duration = Duration::from_secs(10);
/// How long to wait between looks for a sender, at first and later. Nothing tells when one appears in `/dev/shm`.
const LOOK: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(20)];
/// How long the first of these waits is used.
const SOON: Duration = Duration::from_millis(100);

/// Sends `source` to `shape.receivers` receivers through a ring named `name`. Ends quietly when
/// a stop is requested.
///
/// # Errors
/// - Those of [`Sender::create`] and of [`Source`].
/// - [`ErrorKind::BrokenPipe`] if a receiver left before the end; the other receivers have their copies.
///
/// # Panics
/// If the shape does not [fit](Shape::fits).
pub fn send(name: &str, shape: Shape, source: &Source, stop: &StopToken) -> io::Result<()> {
    let header = source.header()?;
    let sender = Sender::create(name, shape, &header.line()).context(|| too_large(shape))?;
    log(format!(
        "sending as {name:?} to {} receivers",
        shape.receivers
    ));
    match send_file(sender, source, header.length, shape.slot_len, stop) {
        Err(_) if stop.is_requested() => Ok(()),
        sent => sent,
    }
}

fn send_file(
    mut sender: Sender,
    source: &Source,
    length: u64,
    slot_len: usize,
    stop: &StopToken,
) -> io::Result<()> {
    sender.wait_for_receivers(stop)?;
    let progress = Progress::on_stderr();
    progress.expect(length);
    let mut offset = 0;
    while offset < length {
        let left = usize::try_from(length - offset).unwrap_or(usize::MAX);
        sender.send_with(left.min(slot_len), stop, |piece| {
            let count = source.read_at(piece, offset, length)?;
            offset += count as u64;
            progress.add(count as u64);
            Ok(())
        })?;
    }
    source.note_growth(length);
    drop(progress);
    match sender.finish(stop)? {
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

/// Receives the file from the sender named `name` and returns where the copy is; `None` if a stop was requested.
/// If the sender is not there yet, waits for it for at most `wait`.
///
/// # Errors
/// Those of [`Receiver`] and of [`Target`].
pub fn receive(
    name: &str,
    wait: Duration,
    destination: &Destination,
    stop: &StopToken,
) -> io::Result<Option<PathBuf>> {
    let received =
        wait_for_sender(name, wait, stop).and_then(|ring| receive_file(ring, destination, stop));
    match received {
        Err(_) if stop.is_requested() => Ok(None),
        received => received
            .map(Some)
            .context(|| format!("no copy from {name:?}")),
    }
}

/// Joins the ring, once it is there.
fn wait_for_sender(name: &str, wait: Duration, stop: &StopToken) -> io::Result<Receiver> {
    let start = Instant::now();
    let mut said = false;
    loop {
        let error = match Receiver::join(name) {
            Ok(ring) => return Ok(ring),
            Err(error) => error,
        };
        // The ring of a dead sender has been removed, and another sender may come.
        let absent = matches!(
            error.kind(),
            ErrorKind::NotFound | ErrorKind::ConnectionAborted
        ) || fault_of(&error) == Some(Fault::Unfinished);
        if !absent || start.elapsed() >= wait {
            return Err(error);
        }
        if !said {
            log(format!(
                "waiting {} s for a sender named {name:?}",
                wait.as_secs_f32()
            ));
            said = true;
        }
        let look = LOOK[usize::from(start.elapsed() > SOON)];
        if stop.wait_timeout(look) {
            return Err(ErrorKind::Interrupted.into());
        }
    }
}

fn receive_file(
    mut ring: Receiver,
    destination: &Destination,
    stop: &StopToken,
) -> io::Result<PathBuf> {
    let header = Header::read(&mut &ring.label()[..])?;
    let mut target = Target::create(destination, safe_name(&header.name)?)?;
    let progress = Progress::on_stderr();
    progress.expect(header.length);
    let mut left = header.length;
    while left > 0 {
        let count = ring.receive_with(stop, |piece| {
            progress.add(piece.len() as u64);
            target.write(piece)
        })?;
        left = left
            .checked_sub(count as u64)
            .ok_or(ErrorKind::InvalidData)?;
    }
    drop(progress);
    let path = target.finish()?;
    ring.finish();
    Ok(path)
}
