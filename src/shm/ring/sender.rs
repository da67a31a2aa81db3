//! The end that fills the ring.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{
    HAS_ALL, LABEL_AT, Member, PIECE, PIECE_WORDS, READING, RECEIVERS_AT, Ring, Shape, unless_dead,
};
use crate::shm::bytes::copy_in;
use crate::shm::{Segment, WaitQueue};
use crate::stop::StopToken;
use crate::support::log::log;

/// The end that fills the ring. Dropping it removes the segment; dropping it before
/// [`finish`](Self::finish) also breaks off the transfer.
pub struct Sender {
    ring: Ring,
    /// The receivers that take part.
    members: Vec<Member>,
    /// How many slots were filled.
    head: u64,
    /// How many receivers left or died before the end.
    lost: usize,
    /// A piece of a slot in memory of our own.
    buffer: Vec<u8>,
}

impl Sender {
    /// Makes a ring named `name`, with a label that says what will be sent.
    ///
    /// ```
    /// use ipc_primer::stop::StopToken;
    /// use ipc_primer::shm::ring::{Receiver, Sender, Shape};
    ///
    /// let shape = Shape { slots: 2, slot_len: 16, receivers: 1 };
    /// let name = format!("doc-ring-{}", std::process::id());
    /// let mut sender = Sender::create(&name, shape, b"greetings")?;
    /// let stop = StopToken::new();
    /// let theirs = stop.clone();
    ///
    /// let receiver = std::thread::spawn(move || {
    ///     let mut receiver = Receiver::join(&name)?; // another process, say
    ///     assert_eq!(receiver.label(), b"greetings");
    ///     let mut slot = [0; 16];
    ///     let count = receiver.receive(&mut slot, &theirs)?;
    ///     receiver.finish();
    ///     std::io::Result::Ok(slot[..count].to_vec())
    /// });
    /// sender.wait_for_receivers(&stop)?;
    /// sender.send(b"hello", &stop)?;
    /// assert_eq!(sender.finish(&stop)?, 0); // no receiver was lost
    /// assert_eq!(receiver.join().unwrap()?, b"hello");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Segment::create`].
    ///
    /// # Panics
    /// If the shape does not [fit](Shape::fits), or the label is longer than 512 bytes.
    pub fn create(name: &str, shape: Shape, label: &[u8]) -> io::Result<Self> {
        assert!(shape.fits(), "no ring can be made with {shape:?}");
        let set = |word: &AtomicU64, value: usize| word.store(value as u64, Ordering::Relaxed);
        let segment = Segment::create(name, shape.segment_layout(), |new| {
            let words = new.words();
            set(&words[0], shape.slots);
            set(&words[1], shape.slot_len);
            set(&words[2], shape.receivers);
            set(&words[3], label.len());
            copy_in(&words[LABEL_AT..RECEIVERS_AT], label);
            for number in 0..shape.receivers {
                set(&words[shape.receiver_at(number) + 3], shape.slots); // all slots are free
            }
        })?;
        let ring = Ring::new(segment, shape);
        let members = (0..shape.receivers).map(|number| ring.member(number));
        Ok(Self {
            members: members.collect(),
            ring,
            head: 0,
            lost: 0,
            buffer: vec![0; PIECE],
        })
    }

    /// Blocks until all receivers have joined; those that have died since count too.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] when a stop is requested.
    pub fn wait_for_receivers(&self, stop: &StopToken) -> io::Result<()> {
        let joined = |member: &Member| member.who().load(Ordering::Acquire) != 0;
        let all = || self.members.iter().all(joined).then_some(());
        self.ring.sender_waits().wait(None, stop, all)
    }

    /// Fills the next slot with `bytes`, once every receiver has room for it. A receiver that has
    /// left or died is logged, and the others go on.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] when a stop is requested; [`ErrorKind::BrokenPipe`] if no receiver is left.
    ///
    /// # Panics
    /// If `bytes` are more than a slot holds.
    pub fn send(&mut self, bytes: &[u8], stop: &StopToken) -> io::Result<()> {
        let mut left = bytes;
        self.send_with(bytes.len(), stop, |piece| {
            let (front, rest) = left.split_at(piece.len());
            piece.copy_from_slice(front);
            left = rest;
            Ok(())
        })
    }

    /// Like [`send`](Self::send), but with `len` bytes that `fill` gives, piece by piece. If `fill`
    /// fails, nothing is sent, and the next call fills the same slot.
    pub(crate) fn send_with(
        &mut self,
        len: usize,
        stop: &StopToken,
        mut fill: impl FnMut(&mut [u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        assert!(len <= self.ring.shape.slot_len, "a slot holds less");
        self.keep(|member| has_room(member, stop))?;
        let slot = self.ring.slot_of(self.head);
        let words = self.ring.slot(slot).chunks(PIECE_WORDS);
        let ends = (0..len).step_by(PIECE).map(|at| PIECE.min(len - at));
        for (words, count) in words.zip(ends) {
            let piece = &mut self.buffer[..count];
            fill(piece)?;
            copy_in(words, piece);
        }
        let length = self.ring.length(slot);
        length.store(len as u64, Ordering::Relaxed);
        self.head += 1;
        self.ring.head().store(self.head, Ordering::Relaxed);
        for member in &mut self.members {
            member.has_slot = false;
            // The process that sees the post sees the bytes: a post releases, a wait acquires.
            member.filled.post();
        }
        Ok(())
    }

    /// Blocks until every receiver has ended; returns how many did not say that they have everything.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] when a stop is requested.
    pub fn finish(mut self, stop: &StopToken) -> io::Result<usize> {
        let waiting = self.ring.sender_waits();
        let kept = self.keep(|member| has_ended(member, &waiting, stop));
        match kept {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            _ => self.members.clear(), // no receiver is left to be told that we break off
        }
        Ok(self.lost)
    }

    /// Keeps the receivers for which `stays` is true, and logs the others.
    fn keep(&mut self, stays: impl Fn(&mut Member) -> io::Result<bool>) -> io::Result<()> {
        let mut at = 0;
        while at < self.members.len() {
            if stays(&mut self.members[at])? {
                at += 1;
            } else {
                log(format!(
                    "{} has gone before its end",
                    self.members[at].show()
                ));
                self.members.remove(at);
                self.lost += 1;
            }
        }
        match self.members.is_empty() {
            true => Err(io::Error::new(ErrorKind::BrokenPipe, "no receiver is left")),
            false => Ok(()),
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // A post without a slot tells a receiver that we broke off.
        self.members.iter().for_each(|member| member.filled.post());
    }
}

/// Waits for a free slot, unless the member has one; false if the receiver is dead or no longer reads.
fn has_room(member: &mut Member, stop: &StopToken) -> io::Result<bool> {
    if !member.has_slot {
        let free = |limit| member.free.wait_timeout(limit, stop);
        member.has_slot = unless_dead(free, || member.is_dead())?.is_some();
    }
    Ok(member.has_slot && member.phase().load(Ordering::Acquire) == READING)
}

/// Waits for a receiver's end; true if it has everything.
fn has_ended(member: &Member, waiting: &WaitQueue, stop: &StopToken) -> io::Result<bool> {
    let ended = || Some(member.phase().load(Ordering::Acquire)).filter(|phase| *phase != READING);
    let end = |limit| waiting.wait(Some(limit), stop, ended);
    let phase = unless_dead(end, || member.is_dead())?.or_else(ended);
    Ok(phase == Some(HAS_ALL))
}
