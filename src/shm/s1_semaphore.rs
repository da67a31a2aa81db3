//! Stage 1, plain: a counting semaphore between processes.
//!
//! `raw_sync` has a mutex and an event, and an event is not a semaphore: set twice, it is set once. So
//! here is a counter that the mutex guards, and *the event is set exactly while the counter is above 0*.
//!
//! It works while no process is killed. A process killed with the mutex leaves it locked, and the next one
//! waits for it without end; one killed while it waits for the event makes the second
//! [`post`](Semaphore::post) after that hang.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::plain::{PlainEvent, PlainMutex, PlainSegment};

/// A semaphore that begins at 0.
pub struct Semaphore<'s> {
    counter: &'s AtomicU64,
    mutex: PlainMutex<'s>,
    event: PlainEvent<'s>,
}

impl<'s> Semaphore<'s> {
    /// Semaphore number 3, say, has its counter in word 3 of the segment, its mutex and event
    /// in cell 3.
    ///
    /// # Errors
    /// Those of `raw_sync`, as for all calls here.
    pub fn new(segment: &'s PlainSegment, number: usize) -> io::Result<Self> {
        Ok(Self {
            counter: &segment.words()[number],
            mutex: segment.mutex(number)?,
            event: segment.event(number)?,
        })
    }

    /// Adds 1 to the counter: `sem_post(3)`.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn post(&self) -> io::Result<()> {
        let _locked = self.mutex.lock()?;
        self.counter.fetch_add(1, Relaxed);
        self.event.set()
    }

    /// Subtracts 1 from the counter, and blocks while it is 0: `sem_wait(3)`.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn wait(&self) -> io::Result<()> {
        while !self.try_wait()? {
            self.event.wait()?;
        }
        Ok(())
    }

    /// Subtracts 1 from the counter unless it is 0; says whether it did: `sem_trywait(3)`.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn try_wait(&self) -> io::Result<bool> {
        let _locked = self.mutex.lock()?;
        let value = self.counter.load(Relaxed);
        if value == 0 {
            return Ok(false);
        }
        self.counter.store(value - 1, Relaxed);
        if value == 1 {
            self.event.clear()?;
        }
        Ok(true)
    }
}
