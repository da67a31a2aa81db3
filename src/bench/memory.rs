//! Mechanisms in shared memory: semaphores, rings, message queues; two of each, one for each direction.
//!
//! Their names contain the name of the lab's directory, so anything a killed process leaves is removed with it.

use std::fs;
use std::io::{self, ErrorKind};
use std::process::Stdio;
use std::sync::Arc;

use super::messages::{Channel, Link};
use super::process::Lab;
use super::results::Cell;
use crate::queue::{self, Queue};
use crate::shm::ring::{Receiver, Sender, Shape};
use crate::shm::{self, Format, Lifetime, Segment, SegmentLayout, Semaphore};
use crate::stop::StopToken;

const LAYOUT: SegmentLayout = SegmentLayout {
    format: Format {
        kind: *b"pingpong",
        version: 1,
    },
    words: 2,
    wait_slots: 2,
    lifetime: Lifetime::Owner,
};
/// How many bytes a ring holds, within how many slots.
const RING: usize = 4 * 1024 * 1024;
const SLOTS: [usize; 2] = [4, 64];
/// How many messages a queue holds: the kernel's default for its own queues.
const QUEUED: usize = 10;

/// Each end posts one semaphore and waits for the other. No bytes are carried.
struct Semaphores {
    posted: Semaphore,
    awaited: Semaphore,
    stop: StopToken,
}

impl Semaphores {
    fn new(segment: Segment, posted: usize, stop: StopToken) -> Self {
        let segment = Arc::new(segment);
        let semaphore = |word: usize| Semaphore::new(&segment, word, word..word + 1);
        let (posted, awaited) = (semaphore(posted), semaphore(1 - posted));
        Self {
            posted,
            awaited,
            stop,
        }
    }
}

impl Channel for Semaphores {
    fn send(&mut self) -> io::Result<()> {
        self.posted.post();
        Ok(())
    }

    fn receive(&mut self) -> io::Result<()> {
        self.awaited.wait(&self.stop)
    }
}

pub(super) fn open_semaphores(lab: &Lab, cell: &Cell) -> io::Result<Link> {
    let name = lab.new_name();
    let segment = Segment::create(&name, LAYOUT, |_| ())?;
    let process = lab.start_peer(cell, &name, Stdio::null(), Stdio::null())?;
    let semaphores = Semaphores::new(segment, 0, process.ended.clone());
    Ok(Link::new(process, semaphores))
}

pub(super) fn join_semaphores(name: &str) -> io::Result<impl Channel> {
    let segment = Segment::open(name, LAYOUT.format)?;
    Ok(Semaphores::new(segment, 1, StopToken::new()))
}

/// Each end creates the ring that it fills.
struct Rings {
    sender: Sender,
    receiver: Receiver,
    bytes: usize,
    stop: StopToken,
    /// The other end's ring, which we remove because that end is killed.
    theirs: Option<String>,
}

impl Channel for Rings {
    fn send(&mut self) -> io::Result<()> {
        self.sender.send_with(self.bytes, &self.stop, |_| Ok(()))
    }

    fn receive(&mut self) -> io::Result<()> {
        match self.receiver.receive_with(&self.stop, |_| Ok(()))? {
            count if count == self.bytes => Ok(()),
            _ => Err(ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Drop for Rings {
    fn drop(&mut self) {
        let theirs = self.theirs.as_ref().map(|name| shm::path(name));
        theirs.and_then(Result::ok).map(fs::remove_file);
    }
}

fn there_and_back(name: &str) -> [String; 2] {
    ["there", "back"].map(|direction| format!("{name}-{direction}"))
}

fn make_ring(name: &str, bytes: usize) -> io::Result<Sender> {
    let shape = Shape {
        slots: (RING / bytes).clamp(SLOTS[0], SLOTS[1]),
        slot_len: bytes,
        receivers: 1,
    };
    Sender::create(name, shape, b"")
}

pub(super) fn open_rings(lab: &Lab, cell: &Cell) -> io::Result<Link> {
    let name = lab.new_name();
    let [there, back] = there_and_back(&name);
    let sender = make_ring(&there, cell.bytes)?;
    let process = lab.start_peer(cell, &name, Stdio::null(), Stdio::null())?;
    // The other process joins once its own ring is made.
    if let Err(error) = sender.wait_for_receivers(&process.ended) {
        return Err(process.explain(error));
    }
    let rings = Rings {
        sender,
        receiver: Receiver::join(&back)?,
        bytes: cell.bytes,
        stop: process.ended.clone(),
        theirs: Some(back),
    };
    Ok(Link::new(process, rings))
}

pub(super) fn join_rings(bytes: usize, name: &str) -> io::Result<impl Channel> {
    let [there, back] = there_and_back(name);
    let sender = make_ring(&back, bytes)?;
    let (receiver, stop) = (Receiver::join(&there)?, StopToken::new());
    sender.wait_for_receivers(&stop)?;
    Ok(Rings {
        sender,
        receiver,
        bytes,
        stop,
        theirs: None,
    })
}

/// The end that comes first makes both queues.
struct Queues {
    sends: Queue,
    receives: Queue,
    message: Vec<u8>,
    /// Both names, for us to unlink.
    names: Vec<String>,
}

impl Queues {
    fn open(bytes: usize, [sends, receives]: [&str; 2], stop: &StopToken) -> io::Result<Self> {
        let options = Queue::options().read(true).write(true).create(true);
        let options = options.max_messages(QUEUED).message_size(bytes).stop(stop);
        Ok(Self {
            sends: options.open(sends)?,
            receives: options.open(receives)?,
            message: vec![1; bytes],
            names: Vec::new(),
        })
    }
}

impl Channel for Queues {
    fn send(&mut self) -> io::Result<()> {
        Ok(self.sends.send(&self.message, 0)?)
    }

    fn receive(&mut self) -> io::Result<()> {
        self.receives.receive(&mut self.message)?;
        Ok(())
    }
}

impl Drop for Queues {
    fn drop(&mut self) {
        self.names.iter().for_each(|name| drop(queue::unlink(name)));
    }
}

pub(super) fn open_queues(lab: &Lab, cell: &Cell) -> io::Result<Link> {
    let name = format!("/{}", lab.new_name());
    let [there, back] = there_and_back(&name);
    let process = lab.start_peer(cell, &name, Stdio::null(), Stdio::null())?;
    let mut queues = Queues::open(cell.bytes, [&there, &back], &process.ended)?;
    queues.names = vec![there, back];
    Ok(Link::new(process, queues))
}

pub(super) fn join_queues(bytes: usize, name: &str) -> io::Result<impl Channel> {
    let [there, back] = there_and_back(name);
    Queues::open(bytes, [&back, &there], &StopToken::new())
}
