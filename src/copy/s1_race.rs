//! Stage 1 of the copy by shared memory: the data race, to be seen. Two processes share a piece of memory,
//! first without order, then with semaphores.
//!
//! Two things go wrong without order, and semaphores prevent each:
//!
//! - *Mutual exclusion*. `counter + 1` is a load, an addition and a store. A store of the other process
//!   in between is overwritten: a lost update. One semaphore that begins at 1 lets one in at a time.
//! - *Producer and consumer*. A slot is written before the last block was read from it, or read twice,
//!   or while it is written. Two semaphores, `free` from 1 and `filled` from 0, make them take turns.

use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::shm::bytes::{copy_in, copy_out};
use crate::shm::{Format, Lifetime, Segment, SegmentLayout, Semaphore, names, remove_if_stale};
use crate::stop::StopToken;

/// How often each process adds 1.
pub const TIMES: u64 = 1_000_000;
/// The length of the slot, in bytes.
pub const BLOCK: usize = 4096;

/// The words: first the semaphores' counters.
const MUTEX: usize = 0;
const FREE: usize = 1;
const FILLED: usize = 2;
/// How many processes have started.
const STARTED: usize = 3;
/// 0: without order; 1: with semaphores.
const ORDERED: usize = 4;
/// The length of the file, in bytes; 0: there is none, count.
const LENGTH: usize = 5;
const COUNTER: usize = 6;
const SLOT: usize = 8;

const LAYOUT: SegmentLayout = SegmentLayout {
    format: Format {
        kind: *b"datarace",
        version: 3,
    },
    words: SLOT + BLOCK / 8,
    wait_slots: 6,
    lifetime: Lifetime::Owner,
};

/// How long to wait for the other process.
const LIMIT: Duration = Duration::from_secs(10);
/// How often to let the other process run between load and store. The system does that anyway,
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
        let _ = remove_if_stale(&name, LAYOUT.format); // what is another's, or cannot be told, stays
    }
    Ok(())
}

/// A piece of memory that two processes share.
pub struct Race(Arc<Segment>);

impl Race {
    /// Makes this process's race, with or without order, for a file of so many bytes or for counting. What
    /// killed processes left of theirs is removed first.
    ///
    /// # Errors
    /// Those of [`Segment::create`].
    pub fn create(ordered: bool, length: u64) -> io::Result<Self> {
        remove_left()?;
        let segment = Segment::create(&name(), LAYOUT, |new| {
            let first = [1, 1, 0, 0, u64::from(ordered), length];
            for (word, value) in new.words().iter().zip(first) {
                word.store(value, Ordering::Relaxed);
            }
        })?;
        Ok(Self(Arc::new(segment)))
    }

    /// Opens the race of this name.
    ///
    /// # Errors
    /// Those of [`Segment::open`].
    pub fn join(name: &str) -> io::Result<Self> {
        Ok(Self(Arc::new(Segment::open(name, LAYOUT.format)?)))
    }

    /// What the counter says.
    pub fn counter(&self) -> u64 {
        self.word(COUNTER).load(Ordering::Relaxed)
    }

    /// Adds 1 to the counter [`TIMES`] times.
    ///
    /// # Errors
    /// Those of [`Semaphore::wait_timeout`].
    pub fn count(&self, stop: &StopToken) -> io::Result<()> {
        self.start();
        for turn in 0..TIMES {
            self.wait(MUTEX, stop)?;
            let value = self.counter();
            if turn % YIELD_EVERY == 0 {
                thread::yield_now();
            }
            self.word(COUNTER).store(value + 1, Ordering::Relaxed);
            self.post(MUTEX);
        }
        Ok(())
    }

    /// Puts one block after the other into the slot.
    ///
    /// # Errors
    /// As for [`count`](Self::count).
    pub fn send(&self, bytes: &[u8], stop: &StopToken) -> io::Result<()> {
        self.start();
        for block in bytes.chunks(BLOCK) {
            self.wait(FREE, stop)?;
            copy_in(&self.0.words()[SLOT..], block);
            self.post(FILLED);
        }
        Ok(())
    }

    /// Takes one block after the other out of the slot.
    ///
    /// # Errors
    /// As for [`count`](Self::count).
    pub fn receive(&self, stop: &StopToken) -> io::Result<Vec<u8>> {
        let length = self.word(LENGTH).load(Ordering::Relaxed);
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.start();
        for block in bytes.chunks_mut(BLOCK) {
            self.wait(FILLED, stop)?;
            copy_out(&self.0.words()[SLOT..], block);
            self.post(FREE);
        }
        Ok(bytes)
    }

    /// Waits for the other process, so that both run at the same time.
    fn start(&self) {
        let deadline = Instant::now() + LIMIT;
        self.word(STARTED).fetch_add(1, Ordering::SeqCst);
        while self.word(STARTED).load(Ordering::SeqCst) < 2 && Instant::now() < deadline {
            thread::yield_now();
        }
    }

    fn wait(&self, semaphore: usize, stop: &StopToken) -> io::Result<()> {
        match self.is_ordered() {
            true => self.semaphore(semaphore).wait_timeout(LIMIT, stop),
            false => Ok(()),
        }
    }

    fn post(&self, semaphore: usize) {
        if self.is_ordered() {
            self.semaphore(semaphore).post();
        }
    }

    fn is_ordered(&self) -> bool {
        self.word(ORDERED).load(Ordering::Relaxed) == 1
    }

    /// Each has its counter in the word of its number, and room for two processes that sleep.
    fn semaphore(&self, number: usize) -> Semaphore {
        Semaphore::new(&self.0, number, 2 * number..2 * number + 2)
    }

    fn word(&self, number: usize) -> &AtomicU64 {
        &self.0.words()[number]
    }
}
