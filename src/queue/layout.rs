//! Where everything lies in a queue's segment, in 64-bit words behind the segment's own header.
//!
//! | words | name | when it is written, and what it means |
//! |---|---|---|
//! | 0 | lock | 0: free; else the [owner word](crate::shm::owner) of the process that has it |
//! | 1 | count | under the lock: how many messages there are; [`UNKNOWN`]: the order has to be rebuilt |
//! | 2 | next | under the lock: the sequence number of the next message |
//! | 3, 4 | limits | once, before the queue is ready: `max_messages`, and `message_size` in bytes |
//! | 5, 6, 7 | | unused: the order begins a cache line |
//! | from 8 | order | under the lock: the first `count` are a heap of the messages' states, the smallest on top; the rest are the numbers of free slots |
//! | then | slots | `max_messages` times: *state*, *length* in bytes, the message; each begins a cache line |
//!
//! A slot's **state** is the truth about one message, and a single store of it makes the message
//! appear or vanish. Count, next and order only repeat the same facts, for speed: they can be
//! rebuilt from the states, and are when a process was killed with the lock held.
//!
//! ```text
//!  63   62           48 47                 16 15             0
//! +----+---------------+---------------------+----------------+
//! | 1  | 32767-priority|   sequence number   | number of slot |   0: the slot is free
//! +----+---------------+---------------------+----------------+
//! ```
//!
//! Compared as numbers, states are in the order of delivery: a higher priority is a smaller number,
//! and so is an older message within one priority.

use std::sync::atomic::{AtomicU64, Ordering};

use super::error::Error;
use crate::shm::{Format, Lifetime, Segment, SegmentLayout};

/// Marks the segment of a queue, laid out as above.
pub(super) const FORMAT: Format = Format {
    kind: *b"msgqueue",
    version: 3,
};

/// One more than the highest priority: `MQ_PRIO_MAX`.
pub(crate) const PRIORITIES: u32 = 32768;
/// The most messages that a queue can be made for: the kernel's `HARD_MSGMAX`.
const MAX_MESSAGES: usize = 65536;
/// The largest `message_size` in bytes: the kernel's `HARD_MSGSIZEMAX`.
const MAX_MESSAGE_SIZE: usize = 16 << 20;
/// The most bytes of shared memory that a queue can take.
const MAX_LEN: usize = 256 << 20;

/// A count that says that the order is being rebuilt, or could not be.
pub(super) const UNKNOWN: u64 = u64::MAX;

pub(super) const LOCK: usize = 0;
const COUNT: usize = 1;
const NEXT: usize = 2;
const LIMITS: usize = 3;
const ORDER: usize = 8;

/// The words of a cache line.
const LINE: usize = 8;
/// The words of a slot before the message.
const SLOT_HEAD: usize = 2;

/// How many processes and threads can wait at the same time: for the lock, to receive, to send.
pub(super) const WAIT_SLOTS: [usize; 3] = [16, 64, 64];

/// The limits chosen when the queue was made; the place of everything follows from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub max_messages: usize,
    pub message_size: usize,
}

impl Layout {
    pub fn checked(max_messages: usize, message_size: usize) -> Result<Self, Error> {
        let layout = Self {
            max_messages,
            message_size,
        };
        let fault = if !(1..=MAX_MESSAGES).contains(&max_messages) {
            format!("max_messages is from 1 to {MAX_MESSAGES}, not {max_messages}")
        } else if !(1..=MAX_MESSAGE_SIZE).contains(&message_size) {
            format!("message_size is from 1 to {MAX_MESSAGE_SIZE} bytes, not {message_size}")
        } else if layout.segment_layout().len() > MAX_LEN {
            let len = layout.segment_layout().len();
            format!("the queue would take {len} bytes of shared memory, and can take {MAX_LEN}")
        } else {
            return Ok(layout);
        };
        Err(Error::Invalid(fault))
    }

    pub fn segment_layout(&self) -> SegmentLayout {
        SegmentLayout {
            format: FORMAT,
            words: self.slots_at() + self.max_messages * self.slot_len(),
            wait_slots: WAIT_SLOTS.iter().sum(),
            lifetime: Lifetime::Kept,
        }
    }

    /// Writes the first words of a new queue: no messages, all slots free.
    pub fn init(&self, segment: &Segment) {
        let words = segment.words();
        words[LIMITS].store(self.max_messages as u64, Ordering::Relaxed);
        words[LIMITS + 1].store(self.message_size as u64, Ordering::Relaxed);
        for (number, word) in View::new(segment, *self).order().iter().enumerate() {
            word.store(number as u64, Ordering::Relaxed);
        }
    }

    /// Reads the layout of a queue that another process made.
    pub fn read(segment: &Segment) -> Result<Self, Error> {
        let limit = |word: usize| {
            let word = segment.words().get(LIMITS + word)?;
            usize::try_from(word.load(Ordering::Relaxed)).ok()
        };
        let limits = limit(0).zip(limit(1));
        let layout = limits.and_then(|(messages, size)| Self::checked(messages, size).ok());
        let fits = |layout: &Self| {
            let layout = layout.segment_layout();
            // As long as the layout, except for the padding of its last cache line.
            let words = layout.words.next_multiple_of(LINE);
            segment.words().len() == words && segment.wait_slots() == layout.wait_slots
        };
        let fault = || Error::Damaged("its limits do not fit its length".into());
        layout.filter(fits).ok_or_else(fault)
    }

    fn slots_at(&self) -> usize {
        (ORDER + self.max_messages).next_multiple_of(LINE)
    }

    fn slot_len(&self) -> usize {
        let message = self.message_size.div_ceil(size_of::<u64>());
        (SLOT_HEAD + message).next_multiple_of(LINE)
    }
}

/// The words of a queue by their names.
#[derive(Clone, Copy)]
pub(super) struct View<'s> {
    words: &'s [AtomicU64],
    pub layout: Layout,
}

/// One slot: room for one message.
pub(super) struct Slot<'s> {
    pub state: &'s AtomicU64,
    pub length: &'s AtomicU64,
    pub message: &'s [AtomicU64],
}

impl<'s> View<'s> {
    pub fn new(segment: &'s Segment, layout: Layout) -> Self {
        let words = segment.words();
        Self { words, layout }
    }

    #[inline]
    pub fn count(&self) -> &'s AtomicU64 {
        &self.words[COUNT]
    }

    #[inline]
    pub fn next(&self) -> &'s AtomicU64 {
        &self.words[NEXT]
    }

    #[inline]
    pub fn order(&self) -> &'s [AtomicU64] {
        &self.words[ORDER..ORDER + self.layout.max_messages]
    }

    /// `None` if there is no slot of this number: a number read from shared memory can have any value.
    #[inline]
    pub fn slot(&self, number: usize) -> Option<Slot<'s>> {
        if number >= self.layout.max_messages {
            return None;
        }
        let len = self.layout.slot_len();
        let words = &self.words[self.layout.slots_at() + number * len..][..len];
        Some(Slot {
            state: &words[0],
            length: &words[1],
            message: &words[SLOT_HEAD..],
        })
    }

    pub fn all_slots(&self) -> impl Iterator<Item = Slot<'s>> + use<'s> {
        let view = *self;
        (0..view.layout.max_messages).filter_map(move |number| view.slot(number))
    }
}
