//! The messages of a queue, for whoever has its lock: put one in, take the first out, and set right
//! what a process killed in here left half done.
//!
//! Every change is made in this order: the bytes, then the slot's state in one store (that is the
//! *commit*), then count and order. Killed before the commit, a process has changed nothing that
//! counts; killed after it, all that is wrong is what [`Messages::rebuild`] makes anew.

use std::sync::atomic::Ordering;

use super::Error;
use super::layout::{Layout, UNKNOWN, View};
use super::order;
use super::state::{self, FREE, SEQUENCE_END};
use crate::shm::bytes::{copy_in, copy_out};
use crate::shm::{Held, Segment};

/// The messages of a queue that is locked.
pub(super) struct Messages<'s> {
    layout: Layout,
    words: View<'s>,
    count: usize,
}

impl<'s> Messages<'s> {
    /// Looks at the messages with the lock `held`; sets them right first if the holder before was killed.
    pub fn of(layout: Layout, segment: &'s Segment, held: &Held<'_>) -> Result<Self, Error> {
        let words = layout.view(segment);
        let count = words.count.load(Ordering::Relaxed);
        let mut messages = Self {
            layout,
            words,
            count: 0,
        };
        if held.was_abandoned() || count == UNKNOWN {
            messages.rebuild()?;
        } else {
            messages.count = usize::try_from(count).unwrap_or(usize::MAX);
        }
        if messages.count > layout.max_messages {
            return Err(damaged(format!("it says that it holds {count} messages")));
        }
        Ok(messages)
    }

    pub fn count(&self) -> usize {
        self.count
    }

    pub fn is_full(&self) -> bool {
        self.count == self.layout.max_messages
    }

    /// Puts a message in; there must be room.
    pub fn put(&mut self, bytes: &[u8], priority: u32) -> Result<(), Error> {
        let sequence = self.next_sequence()?;
        let number = self.words.order[self.count].load(Ordering::Relaxed) as usize;
        if number >= self.layout.max_messages {
            return Err(damaged(format!("slot {number} is said to be free")));
        }
        let slot = self.words.slot(number);
        if slot.state.load(Ordering::Relaxed) != FREE {
            return Err(damaged(format!("slot {number} is not free")));
        }
        copy_in(slot.message, bytes);
        slot.length.store(bytes.len() as u64, Ordering::Relaxed);
        let state = state::state(priority, sequence, number);
        slot.state.store(state, Ordering::Release); // the commit: the message is there

        order::push(&self.words.order[..=self.count], state);
        self.words.next.store(sequence + 1, Ordering::Relaxed);
        self.set_count(self.count + 1);
        Ok(())
    }

    /// Takes the first message out, into `buffer`, if there is one: its length and priority.
    pub fn take(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, u32)>, Error> {
        if self.count == 0 {
            return Ok(None);
        }
        let first = self.words.order[0].load(Ordering::Relaxed);
        let number = state::slot(first);
        if number >= self.layout.max_messages {
            return Err(damaged(format!("slot {number} is said to be the first")));
        }
        let slot = self.words.slot(number);
        if slot.state.load(Ordering::Relaxed) != first {
            return Err(damaged(format!("slot {number} is out of order")));
        }
        let len = self.length(slot.length.load(Ordering::Relaxed))?;
        copy_out(slot.message, &mut buffer[..len]);
        slot.state.store(FREE, Ordering::Release); // the commit: the message is gone

        order::pop(&self.words.order[..self.count]);
        self.words.order[self.count - 1].store(number as u64, Ordering::Relaxed);
        self.set_count(self.count - 1);
        Ok(Some((len, state::priority(first))))
    }

    fn set_count(&mut self, count: usize) {
        self.count = count;
        // Release, for those who look at the count without the lock before they take it.
        self.words.count.store(count as u64, Ordering::Release);
    }

    fn length(&self, found: u64) -> Result<usize, Error> {
        let len = usize::try_from(found).unwrap_or(usize::MAX);
        if len > self.layout.message_size {
            return Err(damaged(format!("it holds a message of {len} bytes")));
        }
        Ok(len)
    }

    fn next_sequence(&mut self) -> Result<u64, Error> {
        if self.count == 0 {
            return Ok(0);
        }
        let next = self.words.next.load(Ordering::Relaxed);
        if next < SEQUENCE_END {
            return Ok(next);
        }
        self.renumber()?;
        Ok(self.words.next.load(Ordering::Relaxed))
    }

    /// Makes count, next and order anew from the states of the slots. Whoever is killed in here leaves
    /// a lock that was abandoned or a count that is unknown, and the next begins again.
    fn rebuild(&mut self) -> Result<(), Error> {
        self.words.count.store(UNKNOWN, Ordering::Relaxed);
        self.count = 0;
        let (mut free, mut next) = (Vec::new(), 0);
        for (number, slot) in self.words.all_slots().enumerate() {
            let state = slot.state.load(Ordering::Acquire);
            if state == FREE {
                free.push(number as u64);
                continue;
            }
            if !state::is_full(state) || state::slot(state) != number {
                return Err(damaged(format!("slot {number} has no possible state")));
            }
            self.length(slot.length.load(Ordering::Relaxed))?;
            order::push(&self.words.order[..=self.count], state);
            self.count += 1;
            next = next.max(state::sequence(state) + 1);
        }
        for (word, number) in self.words.order[self.count..].iter().zip(free) {
            word.store(number, Ordering::Relaxed);
        }
        self.words.next.store(next, Ordering::Relaxed);
        self.set_count(self.count);
        Ok(())
    }

    /// Gives the messages small sequence numbers, for the largest is used up: after four thousand million
    /// messages without the queue ever being empty.
    ///
    /// The states change one by one, in the order of delivery, each to its rank within its priority,
    /// which is never larger than it was: so the order holds at every step, whoever is killed at it.
    fn renumber(&mut self) -> Result<(), Error> {
        self.rebuild()?; // so that the order is known to be sound
        self.words.count.store(UNKNOWN, Ordering::Relaxed);
        let heap = &self.words.order[..self.count];
        let mut states: Vec<_> = heap
            .iter()
            .map(|word| word.load(Ordering::Relaxed))
            .collect();
        states.sort_unstable();
        for class in states.chunk_by(|a, b| state::priority(*a) == state::priority(*b)) {
            for (rank, &old) in class.iter().enumerate() {
                let number = state::slot(old);
                let new = state::state(state::priority(old), rank as u64, number);
                self.words.slot(number).state.store(new, Ordering::Release);
            }
        }
        self.rebuild()
    }
}

fn damaged(what: String) -> Error {
    Error::Damaged(format!("{what}; unlink it and make a new one"))
}
