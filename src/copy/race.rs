//! The data race, to be seen: two processes and one piece of shared memory, first without order, then
//! with semaphores. What the scenario would be without them.
//!
//! Two things go wrong without order, and each has its semaphores:
//!
//! - *Mutual exclusion*. `counter + 1` is a load, an addition and a store. A store of the other process
//!   in between is overwritten: a lost update. One semaphore that begins at 1 lets one in at a time.
//! - *Producer and consumer*. A slot is written before the last block was read from it, or read twice,
//!   or while it is written. Two semaphores, `free` from 1 and `filled` from 0, make them take turns.
//!
//! The words: 0 who has started, 1 ordered or not, 2 the file's length (0: count), 3 the counter, 4 to 6
//! the semaphores `mutex`, `free`, `filled`, from 8 on the slot.

use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::interrupt::Interrupt;
use crate::shm::bytes::{copy_in, copy_out};
use crate::shm::{Format, Lifetime, Plan, Segment, Semaphore, names, remove_if_stale};

/// How often each process adds 1.
pub const TIMES: u64 = 1_000_000;
/// The length of the slot, in bytes.
pub const BLOCK: usize = 4096;

const FORMAT: Format = Format {
    kind: *b"datarace",
    version: 2,
};
const SLOT_AT: usize = 8;
/// How long to wait for the other process.
const LIMIT: Duration = Duration::from_secs(10);
/// How often to let the other process run between load and store. The system does that by itself,
/// at any time; this makes it often enough to be seen on a machine with one processor.
const YIELD_EVERY: u64 = 1000;

/// What the names of all races begin with.
const PREFIX: &str = "race-";

/// The name of this process's race.
pub fn name() -> String {
    format!("{PREFIX}{}", process::id())
}

/// Removes the races that killed processes left.
///
/// # Errors
/// Those of [`names`].
pub fn remove_left() -> io::Result<()> {
    for name in names(PREFIX)? {
        let _ = remove_if_stale(&name, FORMAT); // what is another's, or cannot be told, stays
    }
    Ok(())
}

/// A piece of memory that two processes share.
pub struct Race {
    segment: Arc<Segment>,
    mutex: Semaphore,
    free: Semaphore,
    filled: Semaphore,
}

impl Race {
    /// Makes the segment `name`, with or without order, for a file of so many bytes or for counting. What
    /// killed processes left of theirs is removed first.
    ///
    /// # Errors
    /// Those of [`Segment::create`].
    pub fn create(name: &str, ordered: bool, length: u64) -> io::Result<Self> {
        let plan = Plan {
            format: FORMAT,
            words: SLOT_AT + BLOCK / 8,
            seats: 4,
            lifetime: Lifetime::Owner,
        };
        remove_left()?;
        let segment = Segment::create(name, plan, |new| {
            let first = [0, u64::from(ordered), length, 0, 1, 1, 0];
            for (word, value) in new.words().iter().zip(first) {
                word.store(value, Ordering::Relaxed);
            }
        })?;
        Ok(Self::new(segment))
    }

    /// Opens the segment `name`.
    ///
    /// # Errors
    /// Those of [`Segment::open`].
    pub fn join(name: &str) -> io::Result<Self> {
        Ok(Self::new(Segment::open(name, FORMAT)?))
    }

    fn new(segment: Segment) -> Self {
        let segment = Arc::new(segment);
        Self {
            mutex: Semaphore::new(&segment, 4, 0..2),
            free: Semaphore::new(&segment, 5, 2..3),
            filled: Semaphore::new(&segment, 6, 3..4),
            segment,
        }
    }

    /// The length of the file; 0 for counting.
    pub fn length(&self) -> u64 {
        self.word(2).load(Ordering::Relaxed)
    }

    /// What the counter says.
    pub fn counter(&self) -> u64 {
        self.word(3).load(Ordering::Relaxed)
    }

    /// Adds 1 to the counter [`TIMES`] times.
    ///
    /// # Errors
    /// Those of [`Semaphore::wait_timeout`].
    pub fn count(&self, interrupt: &Interrupt) -> io::Result<()> {
        self.start();
        for turn in 0..TIMES {
            self.wait(&self.mutex, interrupt)?;
            let value = self.counter();
            if turn % YIELD_EVERY == 0 {
                thread::yield_now();
            }
            self.word(3).store(value + 1, Ordering::Relaxed);
            self.post(&self.mutex);
        }
        Ok(())
    }

    /// Puts one block after the other into the slot.
    ///
    /// # Errors
    /// As for [`count`](Self::count).
    pub fn send(&self, bytes: &[u8], interrupt: &Interrupt) -> io::Result<()> {
        self.start();
        for block in bytes.chunks(BLOCK) {
            self.wait(&self.free, interrupt)?;
            copy_in(&self.segment.words()[SLOT_AT..], block);
            self.post(&self.filled);
        }
        Ok(())
    }

    /// Takes one block after the other out of the slot.
    ///
    /// # Errors
    /// As for [`count`](Self::count).
    pub fn receive(&self, interrupt: &Interrupt) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.length()).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        self.start();
        for block in bytes.chunks_mut(BLOCK) {
            self.wait(&self.filled, interrupt)?;
            copy_out(&self.segment.words()[SLOT_AT..], block);
            self.post(&self.free);
        }
        Ok(bytes)
    }

    /// Waits for the other process, so that both run at the same time.
    fn start(&self) {
        let deadline = Instant::now() + LIMIT;
        self.word(0).fetch_add(1, Ordering::SeqCst);
        while self.word(0).load(Ordering::SeqCst) < 2 && Instant::now() < deadline {
            thread::yield_now();
        }
    }

    fn wait(&self, semaphore: &Semaphore, interrupt: &Interrupt) -> io::Result<()> {
        match self.is_ordered() {
            true => semaphore.wait_timeout(LIMIT, interrupt),
            false => Ok(()),
        }
    }

    fn post(&self, semaphore: &Semaphore) {
        if self.is_ordered() {
            semaphore.post();
        }
    }

    fn is_ordered(&self) -> bool {
        self.word(1).load(Ordering::Relaxed) == 1
    }

    fn word(&self, number: usize) -> &AtomicU64 {
        &self.segment.words()[number]
    }
}
