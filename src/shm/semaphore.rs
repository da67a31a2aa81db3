//! A counting semaphore between processes: a counter that is never below 0, and a wait queue.
//!
//! This is the semaphore of stage 1 on the wait queue of stage 2. Each [`post`](Semaphore::post) counts, whether
//! any thread waits or not.

use std::hint;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Segment, WaitQueue};
use crate::stop::StopToken;

/// How often to look before going to sleep. Going to sleep and being woken costs some ten
/// microseconds; looking costs about one, and the next post often comes that soon.
const SPINS: u32 = 64;

/// A counting semaphore in a [`Segment`], like one that `sem_init(3)` makes with `pshared`.
///
/// ```
/// use ipc_primer::stop::StopToken;
/// use ipc_primer::shm::{Format, Lifetime, SegmentLayout, Segment, Semaphore};
/// use std::{sync::Arc, thread};
///
/// let format = Format { kind: *b"examples", version: 1 };
/// let layout = SegmentLayout { format, words: 1, wait_slots: 1, lifetime: Lifetime::Owner };
/// let name = format!("doc-semaphore-{}", std::process::id());
/// let segment = Arc::new(Segment::create(&name, layout, |_| ())?); // the counter begins at 0
///
/// let theirs = Arc::new(Segment::open(&name, format)?); // another process, say
/// let poster = thread::spawn(move || Semaphore::new(&theirs, 0, 0..1).post());
/// Semaphore::new(&segment, 0, 0..1).wait(&StopToken::new())?; // blocks until then
/// poster.join().unwrap();
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// It is not *robust*: a process that is killed between `wait` and `post` leaves the counter one
/// too low for ever. To guard something, use a [`Lock`](super::Lock); to count things, as a ring
/// counts its slots, find out which process died.
#[derive(Clone, Debug)]
pub struct Semaphore {
    word: usize,
    waiters: WaitQueue,
}

impl Semaphore {
    /// Uses the word with this number as the counter, and these wait slots: one for each thread that may wait at
    /// the same time.
    #[doc(alias = "sem_init")]
    #[doc(alias = "sem_open")]
    pub fn new(segment: &Arc<Segment>, word: usize, wait_slots: Range<usize>) -> Self {
        let waiters = WaitQueue::new(segment, wait_slots);
        Self { word, waiters }
    }

    /// The counter's value, which may have changed by the time the caller looks at it.
    #[doc(alias = "sem_getvalue")]
    pub fn value(&self) -> u64 {
        self.counter().load(Ordering::Acquire)
    }

    /// Adds 1 to the counter and wakes one of the threads that wait, if any do.
    #[doc(alias = "sem_post")]
    pub fn post(&self) {
        self.post_many(1);
    }

    /// Adds `count` to the counter in one step, and wakes as many of the threads that wait: a
    /// single thread gets one wake-up for many posts.
    pub fn post_many(&self, count: u64) {
        self.counter().fetch_add(count, Ordering::Release);
        self.waiters.wake(count);
    }

    /// Subtracts 1 from the counter if it is not 0; says whether it did.
    #[doc(alias = "sem_trywait")]
    pub fn try_wait(&self) -> bool {
        let less_one = |value: u64| value.checked_sub(1);
        self.counter()
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, less_one)
            .is_ok()
    }

    /// Subtracts 1 from the counter; blocks while it is 0.
    ///
    /// # Errors
    /// Those of [`WaitQueue::wait`], except the time-out.
    #[doc(alias = "sem_wait")]
    pub fn wait(&self, stop: &StopToken) -> io::Result<()> {
        self.wait_up_to(None, stop)
    }

    /// Subtracts 1 from the counter; blocks while it is 0, for `limit` at most.
    ///
    /// # Errors
    /// Those of [`WaitQueue::wait`].
    #[doc(alias = "sem_timedwait")]
    pub fn wait_timeout(&self, limit: Duration, stop: &StopToken) -> io::Result<()> {
        self.wait_up_to(Some(limit), stop)
    }

    fn wait_up_to(&self, limit: Option<Duration>, stop: &StopToken) -> io::Result<()> {
        for _ in 0..SPINS {
            if self.try_wait() {
                return Ok(());
            }
            hint::spin_loop();
        }
        let ready = || self.try_wait().then_some(());
        self.waiters.wait(limit, stop, ready)
    }

    fn counter(&self) -> &AtomicU64 {
        self.waiters.word(self.word)
    }
}
