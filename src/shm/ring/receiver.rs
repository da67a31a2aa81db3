//! An end that reads the ring.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{
    FORMAT, HAS_ALL, LEFT, MAX_LABEL, Member, PIECE, PIECE_WORDS, READING, RECEIVERS_AT, Ring,
    Shape, unless_dead,
};
use crate::shm::bytes::copy_out;
use crate::shm::{Segment, owner, remove_if_stale};
use crate::stop::StopToken;

/// An end that reads the ring. Dropping it before [`finish`](Self::finish) leaves the ring, and the
/// sender goes on without it.
pub struct Receiver {
    ring: Ring,
    member: Member,
    /// How many slots were read.
    cursor: u64,
    /// How many slots were read and are not yet given back.
    owed: u64,
    /// A piece of a slot in memory of our own.
    buffer: Vec<u8>,
    name: String,
}

impl Receiver {
    /// Joins the ring named `name`.
    ///
    /// # Errors
    /// - Those of [`Segment::open`]; but this does not wait for a ring that is being made.
    /// - [`ErrorKind::ConnectionAborted`]: its sender has died; the ring that it left is removed.
    /// - [`ErrorKind::ResourceBusy`]: all receivers of the ring have joined already.
    pub fn join(name: &str) -> io::Result<Self> {
        let segment = Segment::try_open(name, FORMAT)?;
        let shape = read_shape(&segment).ok_or_else(|| {
            let fault = format!("the ring {name:?} says nonsense about itself");
            io::Error::new(ErrorKind::InvalidData, fault)
        })?;
        let ring = Ring::new(segment, shape);
        if owner::is_dead(ring.segment.owner()) {
            return Err(sender_died(name));
        }
        let free = |member: &Member| {
            let (own, who) = (owner::own(), member.who());
            who.compare_exchange(0, own, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
        };
        let member = (0..ring.shape.receivers)
            .map(|number| ring.member(number))
            .find(free);
        let Some(member) = member else {
            let number = ring.shape.receivers;
            let fault = format!("the sender of {name:?} has its {number} receivers already");
            return Err(io::Error::new(ErrorKind::ResourceBusy, fault));
        };
        ring.sender_waits().wake_one();
        let name = name.to_owned();
        Ok(Self {
            ring,
            member,
            cursor: 0,
            owed: 0,
            buffer: vec![0; PIECE],
            name,
        })
    }

    /// The sender's description of the data it sends.
    pub fn label(&self) -> Vec<u8> {
        let len = self.ring.label_len().load(Ordering::Relaxed);
        let mut label = vec![0; usize::try_from(len).unwrap_or(0).min(MAX_LABEL)];
        copy_out(self.ring.label(), &mut label);
        label
    }

    /// Waits for the next slot and copies it into the front of `buffer`; returns how many bytes. After an error the
    /// next call receives the same slot.
    ///
    /// # Errors
    /// - [`ErrorKind::Interrupted`] when a stop is requested.
    /// - [`ErrorKind::ConnectionAborted`]: the sender broke off or has died.
    /// - [`ErrorKind::InvalidData`]: the slot holds more than `buffer`, or says that it holds more than it can.
    pub fn receive(&mut self, buffer: &mut [u8], stop: &StopToken) -> io::Result<usize> {
        let mut filled = 0;
        self.receive_with(stop, |piece| {
            let room = buffer.get_mut(filled..filled + piece.len());
            room.ok_or(ErrorKind::InvalidData)?.copy_from_slice(piece);
            filled += piece.len();
            Ok(())
        })?;
        Ok(filled)
    }

    /// Like [`receive`](Self::receive), but hands the slot to `take`, piece by piece.
    pub(crate) fn receive_with(
        &mut self,
        stop: &StopToken,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<usize> {
        self.wait_for_slot(stop)?;
        let slot = self.ring.slot_of(self.cursor);
        let length = self.ring.length(slot).load(Ordering::Relaxed);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > self.ring.shape.slot_len {
            return Err(ErrorKind::InvalidData.into());
        }
        let words = self.ring.slot(slot).chunks(PIECE_WORDS);
        let ends = (0..length).step_by(PIECE).map(|at| PIECE.min(length - at));
        for (words, count) in words.zip(ends) {
            let piece = &mut self.buffer[..count];
            copy_out(words, piece);
            take(piece)?;
        }
        self.member.has_slot = false;
        self.cursor += 1;
        self.owed += 1;
        // An eighth of the ring at a time: waking the sender for every slot costs more than filling it.
        if self.owed > self.ring.shape.slots as u64 / 8 {
            self.give_back();
        }
        Ok(length)
    }

    fn give_back(&mut self) {
        self.member.free.post_many(std::mem::take(&mut self.owed));
    }

    /// Tells the sender that everything was received, and is kept.
    pub fn finish(self) {
        self.end(HAS_ALL);
    }

    fn wait_for_slot(&mut self, stop: &StopToken) -> io::Result<()> {
        if !self.member.has_slot && !self.member.filled.try_wait() {
            self.give_back(); // otherwise the sender and we would wait for each other
            self.wait_for_post(stop)?;
        }
        self.member.has_slot = true;
        match self.cursor < self.ring.head().load(Ordering::Relaxed) {
            true => Ok(()),
            false => Err(aborted(format!("the sender of {:?} broke off", self.name))),
        }
    }

    fn wait_for_post(&self, stop: &StopToken) -> io::Result<()> {
        let post = |limit| self.member.filled.wait_timeout(limit, stop);
        let sender_is_dead = || owner::is_dead(self.ring.segment.owner());
        unless_dead(post, sender_is_dead)?.ok_or_else(|| sender_died(&self.name))
    }

    fn end(&self, phase: u64) {
        let from_reading = self.member.phase().compare_exchange(
            READING,
            phase,
            Ordering::Release,
            Ordering::Relaxed,
        );
        if from_reading.is_ok() {
            self.ring.sender_waits().wake_one();
            self.member.free.post();
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.end(LEFT);
    }
}

/// The shape that the ring says it has, if that shape is possible.
fn read_shape(segment: &Segment) -> Option<Shape> {
    let words = segment.words();
    if words.len() < RECEIVERS_AT {
        return None;
    }
    let read = |word: &AtomicU64| usize::try_from(word.load(Ordering::Relaxed)).ok();
    let shape = Shape {
        slots: read(&words[0])?,
        slot_len: read(&words[1])?,
        receivers: read(&words[2])?,
    };
    let layout = shape.fits().then(|| shape.segment_layout())?;
    (layout.words <= words.len() && layout.wait_slots == segment.wait_slots()).then_some(shape)
}

/// A dead sender cannot clean up, so a receiver that finds it dead does.
fn sender_died(name: &str) -> io::Error {
    let _ = remove_if_stale(name, FORMAT);
    aborted(format!("the sender of {name:?} has died"))
}

fn aborted(fault: String) -> io::Error {
    io::Error::new(ErrorKind::ConnectionAborted, fault)
}
