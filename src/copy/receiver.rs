//! Copy by shared memory, a side that gets the file.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::protocol::{Header, safe_name};
use super::target::{Destination, Target};
use crate::error::Context;
use crate::interrupt::Interrupt;
use crate::notice::notice;
use crate::progress::Progress;
use crate::shm::ring::Receiver;
use crate::shm::{Fault, fault_of};

/// How long to wait for a sender unless somebody says otherwise.
pub const WAIT: Duration = Duration::from_secs(10);
/// How often to look for one, first and later. Nothing tells when a name appears in `/dev/shm`.
const LOOK: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(20)];
/// How long `first` is.
const SOON: Duration = Duration::from_millis(100);

/// Gets the file of the sender named `name` and says where it is; `None` if `interrupt` was raised.
/// Waits for a sender that is not there yet, as long as `wait` says.
///
/// # Errors
/// Those of [`Receiver`] and of [`Target`].
pub fn run(
    name: &str,
    wait: Duration,
    destination: &Destination,
    interrupt: &Interrupt,
) -> io::Result<Option<PathBuf>> {
    let received =
        join(name, wait, interrupt).and_then(|ring| receive(ring, destination, interrupt));
    match received {
        Err(_) if interrupt.is_raised() => Ok(None),
        received => received
            .map(Some)
            .context(|| format!("no copy from {name:?}")),
    }
}

/// Joins the ring, once it is there.
fn join(name: &str, wait: Duration, interrupt: &Interrupt) -> io::Result<Receiver> {
    let start = Instant::now();
    let mut said = false;
    loop {
        let error = match Receiver::join(name) {
            Ok(ring) => return Ok(ring),
            Err(error) => error,
        };
        // What a dead sender left was removed, and another may come.
        let absent = matches!(
            error.kind(),
            ErrorKind::NotFound | ErrorKind::ConnectionAborted
        ) || fault_of(&error) == Some(Fault::Unfinished);
        if !absent || start.elapsed() >= wait {
            return Err(error);
        }
        if !said {
            notice(format!(
                "waiting {} s for a sender named {name:?}",
                wait.as_secs_f32()
            ));
            said = true;
        }
        let look = LOOK[usize::from(start.elapsed() > SOON)];
        if interrupt.wait_timeout(look) {
            return Err(ErrorKind::Interrupted.into());
        }
    }
}

fn receive(
    mut ring: Receiver,
    destination: &Destination,
    interrupt: &Interrupt,
) -> io::Result<PathBuf> {
    let header = Header::read(&mut &ring.label()[..])?;
    let mut target = Target::create(destination, safe_name(&header.name)?)?;
    let progress = Progress::on_stderr();
    progress.expect(header.length);
    let mut left = header.length;
    while left > 0 {
        let count = ring.receive_with(interrupt, |piece| {
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
