//! Stage 1 of the copy by shared memory: the data race, to be seen. Two processes share a piece of memory,
//! first without order, then with semaphores.
//!
//! Two things go wrong without order, and semaphores prevent each:
//!
//! - *Mutual exclusion*. `counter + 1` is a load, an addition and a store. A store of the other process
//!   in between is overwritten: a lost update. One semaphore that begins at 1 lets one in at a time.
//! - *Producer and consumer*. A slot is written before the last block was read from it, or read twice,
//!   or while it is written. Two semaphores, `free` from 1 and `filled` from 0, make them take turns.
//!
//! A semaphore is a number here that `wait` looks at again and again. To sleep meanwhile is stage 2's.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::shm::PlainSegment;
use crate::shm::bytes::{copy_in, copy_out};

/// How often each process adds 1.
pub const TIMES: u64 = 1_000_000;
/// The length of the slot, in bytes.
pub const BLOCK: usize = 4096;

/// The words: first the semaphores.
const MUTEX: usize = 0;
const FREE: usize = 1;
const FILLED: usize = 2;
/// 0: without order; 1: with semaphores.
const ORDERED: usize = 3;
/// The length of the file, in bytes; 0: there is none, count.
const LENGTH: usize = 4;
/// How many processes have started.
const STARTED: usize = 5;
const COUNTER: usize = 6;
const SLOT: usize = 8;
const WORDS: usize = SLOT + BLOCK / 8;

/// How long to wait for the other process.
const LIMIT: Duration = Duration::from_secs(10);
/// How often to let the other process run between load and store. The system does that anyway,
/// at any time; this makes it often enough to be seen on a machine with one processor.
const YIELD_EVERY: u64 = 1000;

/// Where the segments are, and what the names of all races begin with there.
const DIRECTORY: &str = "/dev/shm";
const PREFIX: &str = "ipc-primer-race-";

/// The name of this process's race.
pub fn name() -> String {
    format!("race-{}", process::id())
}

/// Removes the races that killed processes left. A race has the pid of its maker in its name, and its maker has
/// the file locked, a lock that ends with the process, and with the one that it was just starting when it was
/// killed. The result is the number of those that are locked still.
///
/// # Errors
/// Those of reading the directory of shared memory objects.
pub fn remove_left() -> io::Result<usize> {
    let mut locked = 0;
    for entry in fs::read_dir(DIRECTORY)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(pid) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let lives = Path::new("/proc").join(pid).exists() && pid != process::id().to_string();
        if lives {
            continue;
        }
        let Ok(file) = File::open(&path) else {
            continue;
        };
        match file.try_lock() {
            Ok(()) => drop(fs::remove_file(&path)), // or another process has just done so
            Err(TryLockError::WouldBlock) => locked += 1,
            Err(TryLockError::Error(_)) => {} // nothing is known of it
        }
    }
    Ok(locked)
}

/// A piece of memory that two processes share.
pub struct Race {
    segment: PlainSegment,
    /// Of the process that made it: its file, locked.
    _file: Option<File>,
}

impl Race {
    /// Makes this process's race, with or without order, for a file of so many bytes or for counting. What
    /// killed processes left of theirs is removed first.
    ///
    /// # Errors
    /// Those of [`PlainSegment::create`], and of locking its file.
    pub fn create(ordered: bool, length: u64) -> io::Result<Self> {
        remove_left()?;
        let segment = PlainSegment::create(&name(), WORDS, 0)?;
        let file = File::open(format!("{DIRECTORY}/ipc-primer-{}", name()))?;
        file.lock()?;
        let first = [1, 1, 0, u64::from(ordered), length];
        for (word, value) in segment.words().iter().zip(first) {
            word.store(value, Ordering::Relaxed);
        }
        let _file = Some(file);
        Ok(Self { segment, _file })
    }

    /// Opens the race of this name.
    ///
    /// # Errors
    /// Those of [`PlainSegment::open`].
    pub fn join(name: &str) -> io::Result<Self> {
        let segment = PlainSegment::open(name, 0)?;
        Ok(Self {
            segment,
            _file: None,
        })
    }

    /// What the counter says.
    pub fn counter(&self) -> u64 {
        self.word(COUNTER).load(Ordering::Relaxed)
    }

    /// Adds 1 to the counter [`TIMES`] times.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`] if the other process does not go on for ten seconds;
    /// [`ErrorKind::Interrupted`] once `stopped` says so.
    pub fn count(&self, stopped: &impl Fn() -> bool) -> io::Result<()> {
        self.start(stopped);
        for turn in 0..TIMES {
            self.wait(MUTEX, stopped)?;
            let value = self.counter();
            if turn % YIELD_EVERY == 0 {
                if stopped() {
                    return Err(ErrorKind::Interrupted.into());
                }
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
    pub fn send(&self, bytes: &[u8], stopped: &impl Fn() -> bool) -> io::Result<()> {
        self.start(stopped);
        for block in bytes.chunks(BLOCK) {
            self.wait(FREE, stopped)?;
            copy_in(&self.segment.words()[SLOT..], block);
            self.post(FILLED);
        }
        Ok(())
    }

    /// Takes one block after the other out of the slot.
    ///
    /// # Errors
    /// As for [`count`](Self::count).
    pub fn receive(&self, stopped: &impl Fn() -> bool) -> io::Result<Vec<u8>> {
        let length = self.word(LENGTH).load(Ordering::Relaxed);
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.start(stopped);
        for block in bytes.chunks_mut(BLOCK) {
            self.wait(FILLED, stopped)?;
            copy_out(&self.segment.words()[SLOT..], block);
            self.post(FREE);
        }
        Ok(bytes)
    }

    /// Waits for the other process, so that both run at the same time.
    fn start(&self, stopped: &impl Fn() -> bool) {
        let start = Instant::now();
        self.word(STARTED).fetch_add(1, Ordering::SeqCst);
        while self.word(STARTED).load(Ordering::SeqCst) < 2 {
            if stopped() || start.elapsed() > LIMIT {
                return;
            }
            thread::yield_now();
        }
    }

    /// Subtracts 1 from a semaphore, once it is not 0; without order, does nothing.
    fn wait(&self, semaphore: usize, stopped: &impl Fn() -> bool) -> io::Result<()> {
        let start = Instant::now();
        let less_one = |value: u64| value.checked_sub(1);
        while self.is_ordered() {
            let semaphore = self.word(semaphore);
            match semaphore.fetch_update(Ordering::Acquire, Ordering::Relaxed, less_one) {
                Ok(_) => break,
                Err(_) if stopped() => return Err(ErrorKind::Interrupted.into()),
                Err(_) if start.elapsed() > LIMIT => return Err(ErrorKind::TimedOut.into()),
                Err(_) => thread::yield_now(),
            }
        }
        Ok(())
    }

    /// Adds 1 to a semaphore; without order, does nothing.
    fn post(&self, semaphore: usize) {
        if self.is_ordered() {
            self.word(semaphore).fetch_add(1, Ordering::Release);
        }
    }

    fn is_ordered(&self) -> bool {
        self.word(ORDERED).load(Ordering::Relaxed) == 1
    }

    fn word(&self, number: usize) -> &AtomicU64 {
        &self.segment.words()[number]
    }
}
