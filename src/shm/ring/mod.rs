//! A broadcast ring: one sender fills slots, and every receiver reads each of them.
//!
//! ```text
//!            head                          the sender fills slot head % slots next
//!              v
//!   [ 8 ][ 9 ][ 6 ][ 7 ]                   four slots; slot 8 % 4 = 0 holds the ninth
//!     ^          ^
//!  cursor 0   cursor 1                     receiver 1 is slower, and so holds up the sender
//! ```
//!
//! A slot may be filled again when *every* receiver has read it. Each receiver reads at its own
//! pace, so it has its own cursor and its own two semaphores: `filled` counts the slots it has yet
//! to read, `free` those the sender may fill as far as it is concerned. One pair for all would
//! count ten reads by one receiver like one read each by ten.
//!
//! The words of the segment, in order:
//!
//! | words | name | written by | its values |
//! |---|---|---|---|
//! | 1 | slots | the sender, once | how many slots |
//! | 1 | slot length | the sender, once | of one slot, in bytes |
//! | 1 | receivers | the sender, once | how many take part |
//! | 1 | label length | the sender, once | in bytes |
//! | 1 | head | the sender | how many slots it has filled since the beginning |
//! | 3 | | | unused |
//! | 64 | label | the sender, once | bytes that say what is sent |
//! | 8 per receiver | | | |
//! | … 1 | who | the receiver, once | 0: none yet; else its [owner word](crate::shm::owner) |
//! | … 1 | phase | the receiver | 0: reading; 1: has everything; 2: left early |
//! | … 1 | filled | both | semaphore: posted by the sender, waited for by the receiver |
//! | … 1 | free | both | semaphore: posted by the receiver, waited for by the sender |
//! | … 4 | | | unused: receivers do not share a cache line |
//! | 1 per slot | length | the sender | how many bytes the slot holds |
//! | the rest | slots | the sender | the bytes, each slot on a cache line |
//!
//! Each end counts in its own memory: the sender its head, of which the word above is a copy, and
//! each receiver its cursor. So no number that another process could overwrite decides where an end
//! reads or writes.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Format, Lifetime, Segment, SegmentLayout, Semaphore, WaitQueue, owner};

mod receiver;
mod sender;
#[cfg(test)]
mod tests;

pub use receiver::Receiver;
pub use sender::Sender;

/// The longest label, in bytes.
const MAX_LABEL: usize = 512;
/// The largest ring, in bytes of its whole segment.
pub(crate) const MAX_RING: usize = 1 << 30;
/// The most receivers.
pub(crate) const MAX_RECEIVERS: usize = 1024;

const FORMAT: Format = Format {
    kind: *b"castring",
    version: 3,
};

/// How often to check whether the other side is alive.
const LOOK: Duration = Duration::from_millis(250);
/// How many bytes are copied at a time between a buffer of our own and a slot: few enough to stay
/// in the processor's second cache, however long the slot.
const PIECE: usize = 256 * 1024;
const PIECE_WORDS: usize = PIECE / 8;
const LINE: usize = 8;
const LABEL_AT: usize = LINE;
const RECEIVERS_AT: usize = LABEL_AT + MAX_LABEL / 8;

const READING: u64 = 0;
const HAS_ALL: u64 = 1;
const LEFT: u64 = 2;

/// The dimensions of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many slots: as many can wait for the slowest receiver. At least 1.
    pub slots: usize,
    /// The length of a slot, in bytes. At least 1.
    pub slot_len: usize,
    /// How many receivers take part. At least 1.
    pub receivers: usize,
}

impl Shape {
    /// Whether a ring can have this shape: at most 1024 receivers, and a segment of at most 1 GiB.
    pub fn fits(&self) -> bool {
        let each = [self.slots, self.slot_len].map(|count| (1..=MAX_RING).contains(&count));
        // Check each factor first, so that the product does not overflow.
        each == [true, true]
            && (1..=MAX_RECEIVERS).contains(&self.receivers)
            && self.segment_layout().len() <= MAX_RING
    }

    fn receiver_at(&self, number: usize) -> usize {
        RECEIVERS_AT + number * LINE
    }

    fn lengths_at(&self) -> usize {
        self.receiver_at(self.receivers)
    }

    fn slot_words(&self) -> usize {
        self.slot_len.div_ceil(8).next_multiple_of(LINE)
    }

    fn slot_at(&self, slot: usize) -> usize {
        (self.lengths_at() + self.slots).next_multiple_of(LINE) + slot * self.slot_words()
    }

    fn segment_layout(&self) -> SegmentLayout {
        SegmentLayout {
            format: FORMAT,
            words: self.slot_at(self.slots),
            wait_slots: 1 + 2 * self.receivers,
            lifetime: Lifetime::Owner,
        }
    }
}

/// The wait slot on which the sender waits for receivers to join, and to end.
const SENDERS_WAIT_SLOT: usize = 0;

/// The parts of a ring that both ends use.
struct Ring {
    segment: Arc<Segment>,
    shape: Shape,
}

impl Ring {
    fn new(segment: Segment, shape: Shape) -> Self {
        let segment = Arc::new(segment);
        Self { segment, shape }
    }

    fn label_len(&self) -> &AtomicU64 {
        &self.segment.words()[3]
    }

    fn head(&self) -> &AtomicU64 {
        &self.segment.words()[4]
    }

    fn label(&self) -> &[AtomicU64] {
        &self.segment.words()[LABEL_AT..RECEIVERS_AT]
    }

    fn length(&self, slot: usize) -> &AtomicU64 {
        &self.segment.words()[self.shape.lengths_at() + slot]
    }

    fn slot(&self, slot: usize) -> &[AtomicU64] {
        &self.segment.words()[self.shape.slot_at(slot)..self.shape.slot_at(slot + 1)]
    }

    /// Which slot has this number, counted from the beginning.
    fn slot_of(&self, number: u64) -> usize {
        usize::try_from(number % self.shape.slots as u64).expect("less than slots")
    }

    fn member(&self, number: usize) -> Member {
        let at = self.shape.receiver_at(number);
        let wait_slot = SENDERS_WAIT_SLOT + 1 + 2 * number;
        Member {
            number,
            at,
            filled: Semaphore::new(&self.segment, at + 2, wait_slot..wait_slot + 1),
            free: Semaphore::new(&self.segment, at + 3, wait_slot + 1..wait_slot + 2),
            has_slot: false,
            segment: Arc::clone(&self.segment),
        }
    }

    fn sender_waits(&self) -> WaitQueue {
        WaitQueue::new(&self.segment, SENDERS_WAIT_SLOT..SENDERS_WAIT_SLOT + 1)
    }
}

/// The part of a ring that belongs to one receiver.
struct Member {
    number: usize,
    at: usize,
    filled: Semaphore,
    free: Semaphore,
    /// Whether this end has waited for a slot, `filled` or `free`, and not used it yet: the call
    /// that was to use it may have failed.
    has_slot: bool,
    segment: Arc<Segment>,
}

impl Member {
    fn who(&self) -> &AtomicU64 {
        &self.segment.words()[self.at]
    }

    fn phase(&self) -> &AtomicU64 {
        &self.segment.words()[self.at + 1]
    }

    /// Whether a process has joined as this member, and is known to have died.
    fn is_dead(&self) -> bool {
        let who = self.who().load(Ordering::Acquire);
        who != 0 && owner::is_dead(who)
    }

    fn show(&self) -> String {
        let process = owner::identity(self.who().load(Ordering::Relaxed));
        format!("receiver {} (process {})", self.number + 1, process.pid)
    }
}

/// Waits, also for a process that is slow or stopped; `None` once the process at the other end is dead.
fn unless_dead<T>(
    mut wait: impl FnMut(Duration) -> io::Result<T>,
    is_dead: impl Fn() -> bool,
) -> io::Result<Option<T>> {
    loop {
        match wait(LOOK) {
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                if is_dead() {
                    return Ok(None);
                }
            }
            waited => return waited.map(Some),
        }
    }
}

const _: () = assert!(READING == 0, "new segments are all zero");
