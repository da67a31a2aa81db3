//! The messages of a queue, for the process that has its lock: put one in, take the first out, and
//! repair the changes that a killed process left half done.
//!
//! Every change is made in this order: the bytes, then the slot's state in one store (that is the
//! *commit*), then count and order. A process killed before the commit has changed nothing that
//! counts; one killed after it leaves only errors that [`Messages::rebuild`] repairs.

use std::sync::atomic::Ordering;

use super::error::Error;
use super::layout::{Slot, UNKNOWN, View};
use super::order::{self, FREE, SEQUENCE_END};
use crate::shm::LockGuard;
use crate::shm::bytes::{copy_in, copy_out};

/// The messages of a queue that is locked.
///
/// Every message passes through `put` and `take`: they and the functions they call are marked to be
/// inlined, which saves a third of their time.
pub(super) struct Messages<'s> {
    words: View<'s>,
    count: usize,
}

impl<'s> Messages<'s> {
    /// Reads how many messages there are, with the lock `held`; repairs the queue first if the
    /// previous holder was killed.
    #[inline]
    pub fn new(words: View<'s>, held: &LockGuard<'_>) -> Result<Self, Error> {
        let mut messages = Self { words, count: 0 };
        let count = words.count().load(Ordering::Relaxed);
        if held.was_abandoned() || count == UNKNOWN {
            messages.rebuild()?;
            return Ok(messages);
        }
        messages.count = usize::try_from(count).unwrap_or(usize::MAX);
        if messages.count > words.layout.max_messages {
            return Err(damaged(format!("it says that it holds {count} messages")));
        }
        Ok(messages)
    }

    pub fn count(&self) -> usize {
        self.count
    }

    fn is_full(&self) -> bool {
        self.count == self.words.layout.max_messages
    }

    /// Puts a message in, if there is room.
    #[inline]
    pub fn put(&mut self, bytes: &[u8], priority: u32) -> Result<Option<()>, Error> {
        let sequence = self.next_sequence()?;
        if self.is_full() {
            return Ok(None); // asked after the sequence number, because renumbering counts anew
        }
        let number = self.words.order()[self.count].load(Ordering::Relaxed) as usize;
        let slot = self.slot(number, FREE)?;
        copy_in(slot.message, bytes);
        slot.length.store(bytes.len() as u64, Ordering::Relaxed);
        let state = order::state(priority, sequence, number);
        slot.state.store(state, Ordering::Release); // the commit: the message is there

        order::push(&self.words.order()[..=self.count], state);
        self.words.next().store(sequence + 1, Ordering::Relaxed);
        self.set_count(self.count + 1);
        Ok(Some(()))
    }

    /// Takes the first message out, into `buffer`, if there is one: its length and priority.
    #[inline]
    pub fn take(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, u32)>, Error> {
        if self.count == 0 {
            return Ok(None);
        }
        let first = self.words.order()[0].load(Ordering::Relaxed);
        let number = order::slot(first);
        let slot = self.slot(number, first)?;
        if first == FREE {
            return Err(damaged(format!("slot {number} holds no message")));
        }
        let len = self.length(&slot)?;
        copy_out(slot.message, &mut buffer[..len]);
        slot.state.store(FREE, Ordering::Release); // the commit: the message is gone

        order::pop(&self.words.order()[..self.count]);
        self.words.order()[self.count - 1].store(number as u64, Ordering::Relaxed);
        self.set_count(self.count - 1);
        Ok(Some((len, order::priority(first))))
    }

    /// The slot of this number, which must be in this state.
    #[inline]
    fn slot(&self, number: usize, state: u64) -> Result<Slot<'s>, Error> {
        let slot = self.words.slot(number);
        let slot = slot.filter(|slot| slot.state.load(Ordering::Relaxed) == state);
        slot.ok_or_else(|| damaged(format!("slot {number} is not what the order says")))
    }

    fn set_count(&mut self, count: usize) {
        self.count = count;
        // Release, because a process that spins looks at the count without the lock.
        self.words.count().store(count as u64, Ordering::Release);
    }

    #[inline]
    fn length(&self, slot: &Slot<'_>) -> Result<usize, Error> {
        let len = slot.length.load(Ordering::Relaxed);
        let fits = usize::try_from(len).ok();
        let fits = fits.filter(|len| *len <= self.words.layout.message_size);
        fits.ok_or_else(|| damaged(format!("it holds a message of {len} bytes")))
    }

    #[inline]
    fn next_sequence(&mut self) -> Result<u64, Error> {
        if self.count == 0 {
            return Ok(0);
        }
        let next = self.words.next().load(Ordering::Relaxed);
        if next < SEQUENCE_END {
            return Ok(next);
        }
        self.renumber()?;
        Ok(self.words.next().load(Ordering::Relaxed))
    }

    /// Makes count, next and order anew from the states of the slots. A process killed in here
    /// leaves an abandoned lock or an unknown count, and the next process begins again.
    #[cold]
    fn rebuild(&mut self) -> Result<(), Error> {
        self.words.count().store(UNKNOWN, Ordering::Relaxed);
        self.count = 0;
        let (mut free, mut next) = (Vec::new(), 0);
        for (number, slot) in self.words.all_slots().enumerate() {
            let state = slot.state.load(Ordering::Acquire);
            if state == FREE {
                free.push(number as u64);
                continue;
            }
            if !order::is_full(state) || order::slot(state) != number {
                return Err(damaged(format!("slot {number} has no possible state")));
            }
            self.length(&slot)?;
            order::push(&self.words.order()[..=self.count], state);
            self.count += 1;
            next = next.max(order::sequence(state) + 1);
        }
        for (word, number) in self.words.order()[self.count..].iter().zip(free) {
            word.store(number, Ordering::Relaxed);
        }
        self.words.next().store(next, Ordering::Relaxed);
        self.set_count(self.count);
        Ok(())
    }

    /// Gives the messages small sequence numbers, once the largest is used up: after four thousand million
    /// messages without the queue ever being empty.
    ///
    /// The states change one by one, in the order of delivery, each to its rank within its priority. The rank
    /// is never larger than the old number, so the order holds at every step at which a process may be killed.
    #[cold]
    fn renumber(&mut self) -> Result<(), Error> {
        self.rebuild()?; // so that the order is known to be sound
        self.words.count().store(UNKNOWN, Ordering::Relaxed);
        let slots = self.words.all_slots();
        let mut states: Vec<_> = slots
            .map(|slot| slot.state.load(Ordering::Relaxed))
            .collect();
        states.retain(|state| *state != FREE);
        states.sort_unstable();
        for class in states.chunk_by(|a, b| order::priority(*a) == order::priority(*b)) {
            for (rank, &old) in class.iter().enumerate() {
                let number = order::slot(old);
                let new = order::state(order::priority(old), rank as u64, number);
                self.slot(number, old)?.state.store(new, Ordering::Release);
            }
        }
        self.rebuild()
    }
}

#[cold]
fn damaged(what: String) -> Error {
    Error::Damaged(format!("{what}; unlink it and make a new one"))
}
