//! Stage 1, plain: a message queue as a textbook would print it. An array of slots, a mutex that guards it, and
//! two semaphores that count: the free slots, and the messages.
//!
//! It works as long as no process that uses it is killed. Stage 2 begins with what a killed one leaves.

use std::cmp::Reverse;
use std::fs;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::shm::PlainSegment;
use crate::shm::bytes::{copy_in, copy_out};
use crate::shm::s1_semaphore::Semaphore;

/// The mutex that guards the array, and the number of the last message.
const ARRAY: usize = 0;
/// The semaphores of the free slots, and of the messages.
const ROOM: usize = 1;
const MESSAGES: usize = 2;
/// The limits, written once.
const MAX_MESSAGES: usize = 3;
const MESSAGE_SIZE: usize = 4;
/// The slots, one after the other.
const SLOTS: usize = 5;

/// The words of a slot: the message's number (0: none), priority and length; then the message.
const NUMBER: usize = 0;
const PRIORITY: usize = 1;
const LENGTH: usize = 2;
const MESSAGE: usize = 3;

/// A queue that is open.
pub struct Queue {
    segment: PlainSegment,
}

impl Queue {
    /// Makes the queue `name`: `mq_open(3)` with `O_CREAT` and `O_EXCL`.
    ///
    /// # Errors
    /// Those of the name, of the limits, and of `shm_open(3)`, as for all functions here.
    pub fn create(name: &str, max_messages: usize, message_size: usize) -> io::Result<Self> {
        if max_messages > 65_536 || message_size > 16 << 20 {
            return Err(ErrorKind::InvalidInput.into()); // the kernel's limits
        }
        let words = SLOTS + max_messages * slot_len(message_size);
        let segment = PlainSegment::create(&object(name)?, words, 3)?.keep();
        segment.words()[MAX_MESSAGES].store(max_messages as u64, Relaxed);
        segment.words()[MESSAGE_SIZE].store(message_size as u64, Relaxed);
        let queue = Self { segment };
        (0..max_messages).try_for_each(|_| queue.semaphore(ROOM)?.post())?;
        Ok(queue)
    }

    /// Opens the queue `name`: `mq_open(3)`.
    ///
    /// # Errors
    /// As for [`create`](Self::create).
    pub fn open(name: &str) -> io::Result<Self> {
        let segment = PlainSegment::open(&object(name)?, 3)?;
        Ok(Self { segment })
    }

    /// Puts a message into a free slot; waits while there is none.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`]: it is longer than the queue's message size.
    pub fn send(&self, bytes: &[u8], priority: u32) -> io::Result<()> {
        if bytes.len() > self.word(MESSAGE_SIZE) {
            return Err(ErrorKind::InvalidInput.into());
        }
        self.semaphore(ROOM)?.wait()?;
        let mutex = self.segment.mutex(ARRAY)?;
        let locked = mutex.lock()?;
        let slot = self.slots().find(|slot| get(&slot[NUMBER]) == 0);
        let slot = slot.ok_or(ErrorKind::InvalidData)?; // the semaphore has counted it
        copy_in(&slot[MESSAGE..], bytes);
        slot[LENGTH].store(bytes.len() as u64, Relaxed);
        slot[PRIORITY].store(u64::from(priority), Relaxed);
        let last = self.segment.words()[ARRAY].fetch_add(1, Relaxed);
        slot[NUMBER].store(last + 1, Relaxed);
        drop(locked);
        self.semaphore(MESSAGES)?.post()
    }

    /// Takes the oldest message of the highest priority; waits while there is none.
    ///
    /// # Errors
    /// As for [`create`](Self::create).
    pub fn receive(&self) -> io::Result<Vec<u8>> {
        self.semaphore(MESSAGES)?.wait()?;
        let mutex = self.segment.mutex(ARRAY)?;
        let locked = mutex.lock()?;
        let full = self.slots().filter(|slot| get(&slot[NUMBER]) != 0);
        let first = full.min_by_key(|slot| (Reverse(get(&slot[PRIORITY])), get(&slot[NUMBER])));
        let slot = first.ok_or(ErrorKind::InvalidData)?; // the semaphore has counted it
        let mut bytes = vec![0; get(&slot[LENGTH]) as usize];
        copy_out(&slot[MESSAGE..], &mut bytes);
        slot[NUMBER].store(0, Relaxed);
        drop(locked);
        self.semaphore(ROOM)?.post()?;
        Ok(bytes)
    }

    /// How many messages there are and can be, and how long each can be: `mq_getattr(3)`.
    pub fn attributes(&self) -> [usize; 3] {
        let full = self.slots().filter(|slot| get(&slot[NUMBER]) != 0);
        let limits = [MAX_MESSAGES, MESSAGE_SIZE].map(|word| self.word(word));
        [full.count(), limits[0], limits[1]]
    }

    fn slots(&self) -> impl Iterator<Item = &[AtomicU64]> {
        let slots = &self.segment.words()[SLOTS..];
        let slots = slots.chunks_exact(slot_len(self.word(MESSAGE_SIZE)));
        slots.take(self.word(MAX_MESSAGES))
    }

    fn semaphore(&self, number: usize) -> io::Result<Semaphore<'_>> {
        Semaphore::new(&self.segment, number)
    }

    fn word(&self, number: usize) -> usize {
        get(&self.segment.words()[number]) as usize
    }
}

/// Removes the name; the processes that have the queue open keep it: `mq_unlink(3)`.
///
/// # Errors
/// As for [`Queue::create`].
pub fn unlink(name: &str) -> io::Result<()> {
    fs::remove_file(format!("/dev/shm/ipc-primer-{}", object(name)?))
}

/// The name of the shared memory object: a queue's begins with a `/` and holds no other.
fn object(name: &str) -> io::Result<String> {
    let name = name.strip_prefix('/').filter(|name| !name.contains('/'));
    let name = name.ok_or(ErrorKind::InvalidInput)?;
    Ok(format!("queue.{name}"))
}

fn slot_len(message_size: usize) -> usize {
    MESSAGE + message_size.div_ceil(8)
}

fn get(word: &AtomicU64) -> u64 {
    word.load(Relaxed)
}
