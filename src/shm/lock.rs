//! Stage 3: a robust lock between processes.
//!
//! What broke: a mutex of `raw_sync` stays locked when its holder is killed, and a semaphore of stage 2 stays one
//! too low; the next process waits for ever (chapter 8 shows it, under "Break it").
//!
//! What this adds: the lock is a word that names its holder. A waiter asks whether that process is alive, as
//! the kernel does for C's `PTHREAD_MUTEX_ROBUST`, and takes over the lock of a dead one, marked as abandoned.
//!
//! What it costs: each waiter looks at `/proc` once a second; taking a free lock is one exchange of a word.

use std::hint;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{Segment, WaitQueue, owner};
use crate::stop::StopToken;

/// No process holds the lock.
const FREE: u64 = 0;
/// How often to look before asking whether the holder is alive.
const SPINS: u32 = 64;
/// How often a waiter checks whether the holder is alive.
const LOOK: Duration = Duration::from_secs(1);
/// How long to pause before looking at the lock again when every wait slot is taken.
const CROWDED: Duration = Duration::from_millis(10);

/// A lock in a [`Segment`]: one word, 0 while it is free, else the [owner word](owner) of its holder.
///
/// ```
/// use ipc_primer::stop::StopToken;
/// use ipc_primer::shm::{Format, Lifetime, Lock, SegmentLayout, Segment};
/// use std::sync::Arc;
///
/// let format = Format { kind: *b"examples", version: 1 };
/// let layout = SegmentLayout { format, words: 1, wait_slots: 4, lifetime: Lifetime::Owner };
/// let name = format!("doc-lock-{}", std::process::id());
/// let segment = Arc::new(Segment::create(&name, layout, |_| ())?);
///
/// let lock = Lock::new(&segment, 0, 0..4);
/// let held = lock.lock(None, &StopToken::new())?;
/// assert!(!held.was_abandoned());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Lock {
    word: usize,
    waiters: WaitQueue,
}

impl Lock {
    /// Uses the word with this number, and these wait slots: one for each thread that may wait at
    /// the same time. If more threads wait, they look every ten milliseconds.
    pub fn new(segment: &Arc<Segment>, word: usize, wait_slots: Range<usize>) -> Self {
        let waiters = WaitQueue::new(segment, wait_slots);
        Self { word, waiters }
    }

    /// Takes the lock; blocks, for `limit` at most, while a process that is not known to be dead has it.
    ///
    /// # Errors
    /// - [`ErrorKind::TimedOut`] after `limit`.
    /// - [`ErrorKind::Interrupted`] when a stop is requested.
    #[doc(alias = "pthread_mutex_lock")]
    #[inline]
    pub fn lock(&self, limit: Option<Duration>, stop: &StopToken) -> io::Result<LockGuard<'_>> {
        match self.spin() {
            Some(held) => Ok(held),
            None => self.lock_taken(limit, stop),
        }
    }

    /// Takes a lock that another thread has held for a while.
    #[cold]
    fn lock_taken(&self, limit: Option<Duration>, stop: &StopToken) -> io::Result<LockGuard<'_>> {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        loop {
            if let Some(held) = self.try_lock() {
                return Ok(held);
            }
            let left = deadline.map_or(LOOK, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            let free = || self.is_free().then(|| self.take(FREE)).flatten();
            match self.waiters.wait(Some(left.min(LOOK)), stop, free) {
                Err(error) if error.kind() == ErrorKind::TimedOut => {}
                Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                    if stop.wait_timeout(left.min(CROWDED)) {
                        return Err(ErrorKind::Interrupted.into());
                    }
                }
                taken => return taken,
            }
        }
    }

    /// Takes the lock if it is free or its holder is known to be dead.
    #[doc(alias = "pthread_mutex_trylock")]
    pub fn try_lock(&self) -> Option<LockGuard<'_>> {
        let holder = self.holder().load(Ordering::Relaxed);
        if holder != FREE && !owner::is_dead(holder) {
            return None;
        }
        self.take(holder)
    }

    #[inline]
    fn spin(&self) -> Option<LockGuard<'_>> {
        for _ in 0..SPINS {
            if self.is_free()
                && let Some(held) = self.take(FREE)
            {
                return Some(held);
            }
            hint::spin_loop();
        }
        None
    }

    #[inline]
    fn is_free(&self) -> bool {
        self.holder().load(Ordering::Relaxed) == FREE
    }

    #[inline(always)] // otherwise every message costs one more call
    fn take(&self, from: u64) -> Option<LockGuard<'_>> {
        let taken = self.holder().compare_exchange(
            from,
            owner::own(),
            Ordering::Acquire,
            Ordering::Relaxed,
        );
        taken.ok().map(|from| LockGuard {
            lock: self,
            from_dead: from != FREE,
        })
    }

    #[inline]
    fn holder(&self) -> &AtomicU64 {
        self.waiters.word(self.word)
    }
}

/// A held lock; dropping it releases the lock and wakes one of the threads that wait.
#[derive(Debug)]
#[must_use = "dropping it lets go of the lock"]
pub struct LockGuard<'l> {
    lock: &'l Lock,
    from_dead: bool,
}

impl LockGuard<'_> {
    /// Whether the previous holder was killed with the lock held (C: `EOWNERDEAD`): the data that
    /// the lock guards may be half changed, and we have to repair it.
    #[doc(alias = "PTHREAD_MUTEX_ROBUST")]
    #[doc(alias = "EOWNERDEAD")]
    pub fn was_abandoned(&self) -> bool {
        self.from_dead
    }
}

impl Drop for LockGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        // SeqCst: a waiter that is not in the register by now looks at the lock after this.
        self.lock.holder().swap(FREE, Ordering::SeqCst);
        if self.lock.waiters.has_waiters() {
            self.lock.waiters.wake_one();
        }
    }
}
