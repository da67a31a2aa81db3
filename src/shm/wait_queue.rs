//! Stage 2: blocking until something in shared memory has changed, and waking the threads that block.
//!
//! What broke: a process that is killed while it waits for stage 1's event, or holds its mutex,
//! makes others hang (`tests/shm_plain.rs` kills both).
//!
//! What this adds: each waiter sleeps on a *wait slot* of its own, which no killed process can spoil for the next.
//!
//! What it costs: this file, `wait_slot.rs` and `timer.rs`, and a limit: no more threads can wait
//! than there are slots. A wake-up while no thread sleeps is a look at one word.
//!
//! A waker cannot know whether the waiter still needs the wake-up. A waiter that has just found a value,
//! or has waited long enough, is marked as asleep until it has left its wait slot; a wake-up that
//! reaches it there was meant for another. So the waiter looks at its mark on the way out, and *passes
//! the wake-up on*. `tests/wait_queue_model.rs` tries all orders in which these steps can interleave.
//!
//! A process killed after it was woken passes nothing on. That is why each sleeper also wakes on its
//! own once a second and looks around: a wake-up lost with a killed process costs that second (or two: `wait_slot.rs`).

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::thread;
use std::time::{Duration, Instant};

use super::wait_slot::WaitSlot;
use super::{Segment, timer};
use crate::stop::StopToken;

/// The longest sleep without a look around.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// The sleep between two looks where no timer can be set.
const PAUSE: Duration = Duration::from_millis(1);

/// The wait slots of the threads that wait for the same thing.
///
/// The value they wait for is kept in the segment's [words](Segment::words). A process that changes
/// it wakes *after* the change: then either a waiter sees the change or the waker sees the waiter.
///
/// A word in the first slot is the *register*: a bit for each slot that is in use, so that a
/// wake-up while no thread sleeps looks at one word, and not at every slot. The bit of a killed
/// process stays until its slot is used again, and costs each waker a look at that slot.
#[derive(Clone, Debug)]
pub struct WaitQueue {
    segment: Arc<Segment>,
    slots: Range<usize>,
}

impl WaitQueue {
    /// Uses these wait slots of `segment`: one for each thread that may wait at the same time, from 1 to 64.
    ///
    /// # Panics
    /// If there are more or fewer, or the segment does not have that many.
    pub fn new(segment: &Arc<Segment>, wait_slots: Range<usize>) -> Self {
        assert!((1..=64).contains(&wait_slots.len()), "a word has 64 bits");
        assert!(
            wait_slots.end <= segment.wait_slots(),
            "there are not so many"
        );
        Self {
            segment: Arc::clone(segment),
            slots: wait_slots,
        }
    }

    /// Blocks until `ready` gives a value, for `limit` at most (`None`: without limit).
    ///
    /// `ready` is called before and after every sleep.
    ///
    /// # Errors
    /// - [`ErrorKind::TimedOut`] after `limit`, but not before `ready` was called once.
    /// - [`ErrorKind::Interrupted`] when a stop is requested; likewise.
    /// - [`ErrorKind::ResourceBusy`]: every wait slot is taken by a living process.
    pub fn wait<T>(
        &self,
        limit: Option<Duration>,
        stop: &StopToken,
        mut ready: impl FnMut() -> Option<T>,
    ) -> io::Result<T> {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let waiting = self.take_slot()?;
        let (memory, number) = (self.segment.memory(), self.slots.start + waiting.number);
        let open = move || WaitSlot(memory.cell(number)).open();
        let _waker = stop.on_stop(open.clone());
        loop {
            waiting.slot().announce();
            if let Some(value) = ready() {
                return Ok(value);
            }
            if stop.is_requested() {
                return Err(ErrorKind::Interrupted.into());
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Err(ErrorKind::TimedOut.into());
            }
            let look = now + LONGEST_SLEEP;
            let end = deadline.map_or(look, |deadline| deadline.min(look));
            match timer::at(end, open.clone()) {
                Some(_timer) => waiting.slot().sleep(),
                None => thread::sleep(PAUSE),
            }
        }
    }

    /// Wakes one of the threads that sleep here.
    pub fn wake_one(&self) {
        self.wake(1);
    }

    /// Wakes `count` of the threads that sleep here, or all of them if they are fewer.
    pub(super) fn wake(&self, count: u64) {
        // As in `WaitSlot::is_asleep`: either this look sees the bit, or the waiter that set it sees the change.
        fence(Ordering::SeqCst);
        let mut bits =
            self.register().load(Ordering::Relaxed) & (u64::MAX >> (64 - self.slots.len()));
        let mut left = count;
        while left > 0 && bits != 0 {
            let slot = self.slot(bits.trailing_zeros() as usize);
            bits &= bits - 1;
            // Waking a thread that was killed in its sleep is useless; but checking costs more than
            // waking, so check only where there may be another sleeper.
            if slot.wake() && (bits == 0 || slot.is_occupied()) {
                left -= 1;
            }
        }
    }

    /// Whether a thread may sleep here. Cheaper than [`wake_one`](Self::wake_one), and right only for a thread that
    /// has just made its change by a `SeqCst` exchange, or has the lock under which waiters look for that change.
    #[inline]
    pub(crate) fn has_waiters(&self) -> bool {
        self.register().load(Ordering::SeqCst) != 0
    }

    /// A word of the segment, outside the slots.
    #[inline]
    pub(super) fn word(&self, number: usize) -> &AtomicU64 {
        &self.segment.words()[number]
    }

    #[inline]
    fn register(&self) -> &AtomicU64 {
        self.slot(0).register()
    }

    #[inline]
    fn slot(&self, number: usize) -> WaitSlot<'_> {
        self.segment.wait_slot(self.slots.start + number)
    }

    fn take_slot(&self) -> io::Result<Waiting<'_>> {
        let number = (0..self.slots.len()).find(|number| self.slot(*number).take());
        let number = number.ok_or_else(|| {
            let slots = self.slots.len();
            let fault = format!("all {slots} slots for waiting processes are taken");
            io::Error::new(ErrorKind::ResourceBusy, fault)
        })?;
        self.register().fetch_or(1 << number, Ordering::SeqCst);
        let queue = self;
        Ok(Waiting { queue, number })
    }
}

/// A wait slot that is ours, and in the register. Dropping it leaves the slot.
struct Waiting<'w> {
    queue: &'w WaitQueue,
    number: usize,
}

impl Waiting<'_> {
    fn slot(&self) -> WaitSlot<'_> {
        self.queue.slot(self.number)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let bit = 1 << self.number;
        self.queue.register().fetch_and(!bit, Ordering::SeqCst);
        if self.slot().leave() {
            self.queue.wake_one();
        }
    }
}
