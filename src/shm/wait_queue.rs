//! Waiting for something in shared memory to become so, and waking who waits.
//!
//! The standard library's `Condvar` wakes threads of its own process. Here the waiter may be any
//! process, and may be killed while it waits. So each waiter takes a *wait slot* of its own, says in it
//! that it sleeps, and is woken there.
//!
//! A waker cannot know whether the waiter still needs it. A waiter that has just found a value, or has
//! waited long enough, is marked as asleep until it has left its wait slot; a wake-up that reaches it there
//! was meant for somebody who waits. So it looks at its mark on the way out, and *passes the wake-up on*.
//! `tests/wait_queue_model.rs` tries all orders in which these steps can meet.
//!
//! A process killed after it was woken passes nothing on. That is why each sleeper also wakes on its
//! own once a second and looks around: a wake-up lost with a killed process costs that second, not more.

use std::hint;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::thread;
use std::time::{Duration, Instant};

use super::raw::WaitSlot;
use super::{Segment, timer};
use crate::stop::StopToken;

/// The longest sleep without a look around.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// The sleep between two looks where no timer can be set.
const PAUSE: Duration = Duration::from_millis(1);

/// How often to look before going to sleep. To be put to sleep and woken again costs some ten
/// microseconds; this is about one, and often enough what we wait for is that near.
const SPINS: u32 = 64;
/// The most wait slots that a register has room for.
const REGISTER_BITS: usize = 64;

/// The wait slots of those who wait for the same thing, and those who wake them.
///
/// What they wait for is kept in the segment's [words](Segment::words). Whoever changes it wakes
/// *after* the change: then either a waiter sees the change or the waker sees the waiter.
#[derive(Clone, Debug)]
pub struct WaitQueue {
    segment: Arc<Segment>,
    wait_slots: Range<usize>,
    register: Option<usize>,
    spins: u32,
}

impl WaitQueue {
    /// Uses these wait slots of `segment`: one for each thread that may wait at the same time.
    ///
    /// # Panics
    /// If the segment has not so many wait slots.
    pub fn new(segment: &Arc<Segment>, wait_slots: Range<usize>) -> Self {
        assert!(
            wait_slots.end <= segment.wait_slots(),
            "the segment has {} wait_slots",
            segment.wait_slots()
        );
        let segment = Arc::clone(segment);
        let (register, spins) = (None, SPINS);
        Self {
            segment,
            wait_slots,
            register,
            spins,
        }
    }

    /// Keeps a register of the wait slots in use, a bit each, in the segment's word with this number: then
    /// to wake nobody is a look at that word, and not at every wait slot. All who use these wait slots have to.
    ///
    /// # Panics
    /// If there are more wait slots than a word has bits.
    #[must_use]
    pub fn registered_in(mut self, word: usize) -> Self {
        assert!(self.wait_slots.len() <= REGISTER_BITS, "a word has 64 bits");
        self.register = Some(word);
        self
    }

    /// Looks so often for what is waited for before going to sleep.
    #[must_use]
    pub fn spinning(mut self, spins: u32) -> Self {
        self.spins = spins;
        self
    }

    /// Blocks until `ready` gives a value, for `limit` at most (`None`: without end).
    ///
    /// `ready` is called a few times at once, then before and after every sleep.
    ///
    /// # Errors
    /// - [`ErrorKind::TimedOut`] after `limit`; not before `ready` was called once.
    /// - [`ErrorKind::Interrupted`] when a stop is requested.
    /// - [`ErrorKind::ResourceBusy`]: every wait slot is taken by somebody who lives.
    pub fn wait<T>(
        &self,
        limit: Option<Duration>,
        stop: &StopToken,
        mut ready: impl FnMut() -> Option<T>,
    ) -> io::Result<T> {
        for _ in 0..self.spins {
            if let Some(value) = ready() {
                return Ok(value);
            }
            hint::spin_loop();
        }
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let waiting = self.take_wait_slot()?;
        let (memory, number) = (self.segment.memory(), waiting.number);
        let open = move || memory.wait_slot(number).open();
        let _waker = stop.on_stop(open.clone());
        loop {
            waiting.wait_slot().announce();
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
                Some(_timer) => waiting.wait_slot().sleep(),
                None => thread::sleep(PAUSE),
            }
        }
    }

    /// Wakes one of those who sleep here.
    pub fn wake_one(&self) {
        self.wake(1);
    }

    /// Wakes `count` of those who sleep here; all, if they are fewer.
    pub fn wake(&self, count: u64) {
        let mut left = count;
        let mut wait_slots = self
            .in_use()
            .map(|wait_slot| self.segment.wait_slot(wait_slot))
            .peekable();
        while left > 0
            && let Some(wait_slot) = wait_slots.next()
        {
            // One that was killed asleep is woken in vain; but to know costs more than to wake, so it
            // is asked only where there may be another.
            if wait_slot.wake() && (wait_slots.peek().is_none() || wait_slot.is_occupied()) {
                left -= 1;
            }
        }
    }

    /// Whether somebody may sleep here, by the register. Cheaper than [`wake_one`](Self::wake_one), and
    /// right only for who has just made its change by a `SeqCst` exchange, or who has the lock under
    /// which those who wait here look for that change.
    #[inline]
    pub fn are_registered(&self) -> bool {
        let bits = |word: usize| self.segment.words()[word].load(Ordering::SeqCst);
        self.register.is_none_or(|word| bits(word) != 0)
    }

    /// The wait slots that somebody may sleep on.
    fn in_use(&self) -> impl Iterator<Item = usize> {
        let mut bits = u64::MAX;
        if let Some(word) = self.register {
            // As in `WaitSlot::is_asleep`: either this look sees the bit, or who set it sees the change.
            fence(Ordering::SeqCst);
            bits = self.segment.words()[word].load(Ordering::Relaxed);
        }
        let marked = move |wait_slot: &usize| {
            bits >> ((wait_slot - self.wait_slots.start) % REGISTER_BITS) & 1 == 1
        };
        let wait_slots = if bits == 0 {
            0..0
        } else {
            self.wait_slots.clone()
        };
        wait_slots.filter(marked)
    }

    fn take_wait_slot(&self) -> io::Result<Waiting<'_>> {
        let found = self
            .wait_slots
            .clone()
            .find(|wait_slot| self.segment.wait_slot(*wait_slot).take());
        let number = found.ok_or_else(|| {
            let wait_slots = self.wait_slots.len();
            let fault = format!("all {wait_slots} slots for waiting processes are taken");
            io::Error::new(ErrorKind::ResourceBusy, fault)
        })?;
        if let Some(word) = self.register {
            self.segment.words()[word].fetch_or(self.bit(number), Ordering::SeqCst);
        }
        Ok(Waiting {
            waiters: self,
            number,
        })
    }

    /// The bit of a wait slot in the register.
    fn bit(&self, wait_slot: usize) -> u64 {
        1 << (wait_slot - self.wait_slots.start)
    }
}

/// A wait slot that is ours, and in the register. Dropping it gets up; the register's bit of a killed process
/// stays until its wait slot is used again, and costs each waker a look at that wait slot.
struct Waiting<'w> {
    waiters: &'w WaitQueue,
    number: usize,
}

impl Waiting<'_> {
    fn wait_slot(&self) -> WaitSlot<'_> {
        self.waiters.segment.wait_slot(self.number)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let waiters = self.waiters;
        if let Some(word) = waiters.register {
            waiters.segment.words()[word].fetch_and(!waiters.bit(self.number), Ordering::SeqCst);
        }
        if self.wait_slot().leave() {
            waiters.wake_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::segment;
    use super::*;
    use std::sync::atomic::Ordering;
    use std::thread;

    fn nothing() -> Option<()> {
        None
    }

    /// Wait slots taken by waiters that say that they sleep, and take no step of their own.
    fn fall_asleep(waiters: &WaitQueue, wait_slots: Range<usize>) {
        for wait_slot in wait_slots.map(|number| waiters.segment.wait_slot(number)) {
            wait_slot.take();
            wait_slot.announce();
        }
    }

    fn asleep(waiters: &WaitQueue) -> Vec<bool> {
        let wait_slots = waiters.wait_slots.clone();
        wait_slots
            .map(|number| waiters.segment.wait_slot(number).is_asleep())
            .collect()
    }

    #[test]
    fn a_wait_ends_at_its_limit_to_the_millisecond_or_so() {
        let waiters = WaitQueue::new(&segment("limit", 1, 1), 0..1);
        for millis in [0, 5, 150, 1030] {
            let limit = Duration::from_millis(millis);
            let start = Instant::now();
            let error = waiters
                .wait(Some(limit), &StopToken::new(), nothing)
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert!(start.elapsed() >= limit, "{limit:?} became less");
        }
    }

    #[test]
    fn an_interrupt_wakes_who_sleeps() {
        let (waiters, stop) = (
            WaitQueue::new(&segment("int", 1, 1), 0..1),
            StopToken::new(),
        );
        let raiser = stop.clone();
        let sleeper = waiters.clone();
        let raising = thread::spawn(move || {
            while !sleeper.segment.wait_slot(0).is_asleep() {
                thread::yield_now();
            }
            raiser.request_stop();
        });
        let error = waiters.wait(None, &stop, nothing).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted);
        raising.join().unwrap();
    }

    #[test]
    fn a_wait_slot_that_is_taken_is_none_for_another() {
        let waiters = WaitQueue::new(&segment("wait_slots", 1, 1), 0..1);
        let _taken = waiters.take_wait_slot().unwrap();
        let error = waiters.wait(None, &StopToken::new(), nothing).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResourceBusy);
    }

    #[test]
    fn a_wake_up_passes_by_who_was_killed_asleep() {
        let waiters = WaitQueue::new(&segment("passby", 1, 3), 0..3);
        let wait_slot = |number| waiters.segment.wait_slot(number);
        wait_slot(0).leave_killed();
        fall_asleep(&waiters, 1..3);
        waiters.wake_one();
        assert_eq!(
            asleep(&waiters),
            [false, false, true],
            "of the living one was woken"
        );
    }

    /// While the waiter looks, a wake-up reaches it: it was meant for one that waits.
    #[test]
    fn a_wake_up_that_meets_a_waiter_on_its_way_out_is_passed_on() {
        let (never, requested) = (StopToken::new(), StopToken::new());
        requested.request_stop();
        let ways_out = [
            ("with a value", None, &never, Some(())),
            ("after its limit", Some(Duration::ZERO), &never, None),
            ("stopped", None, &requested, None),
        ];
        for (way, limit, stop, value) in ways_out {
            let waiters = WaitQueue::new(&segment("passon", 2, 3), 0..3)
                .registered_in(0)
                .spinning(0);
            waiters.segment.words()[0].store(0b110, Ordering::SeqCst);
            fall_asleep(&waiters, 1..3);
            let waited = waiters.wait(limit, stop, || {
                waiters.wake_one();
                value
            });
            assert_eq!(waited.is_ok(), value.is_some());
            assert_eq!(asleep(&waiters), [false, false, true], "it leaves {way}");
        }
    }

    /// A waiter that was not woken has no wake-up to pass on.
    #[test]
    fn a_waiter_that_leaves_wakes_nobody_on_its_own() {
        let waiters = WaitQueue::new(&segment("quiet", 1, 2), 0..2).spinning(0);
        fall_asleep(&waiters, 1..2);
        let never = StopToken::new();
        waiters.wait(None, &never, || Some(())).unwrap();
        waiters
            .wait(Some(Duration::ZERO), &never, nothing)
            .unwrap_err();
        assert_eq!(asleep(&waiters), [false, true]);
    }

    #[test]
    fn as_many_are_woken_as_are_asked_for() {
        let waiters = WaitQueue::new(&segment("count", 1, 3), 0..3);
        for (count, left) in [(0, 3), (1, 2), (2, 1), (3, 0), (u64::MAX, 0)] {
            fall_asleep(&waiters, 0..3);
            waiters.wake(count);
            let asleep = asleep(&waiters).into_iter().filter(|asleep| *asleep);
            assert_eq!(asleep.count(), left, "{count} were woken");
        }
    }

    /// Two threads pass a number to and fro, a hundred thousand times: no wake-up may be lost, or
    /// each would cost the second in which a sleeper wakes by itself.
    #[test]
    fn no_wake_up_is_lost() {
        const TURNS: u64 = 100_000;
        let segment = segment("turns", 1, 2);
        let start = Instant::now();
        let player = |own: u64| {
            let segment = Arc::clone(&segment);
            let wait_slot =
                |of: u64| usize::try_from(of).unwrap()..usize::try_from(of).unwrap() + 1;
            let (ours, theirs) = (
                WaitQueue::new(&segment, wait_slot(own)),
                WaitQueue::new(&segment, wait_slot(1 - own)),
            );
            move || {
                let turn = &segment.words()[0];
                for _ in 0..TURNS / 2 {
                    let ready = || (turn.load(Ordering::Acquire) % 2 == own).then_some(());
                    ours.wait(None, &StopToken::new(), ready).unwrap();
                    turn.fetch_add(1, Ordering::Release);
                    theirs.wake_one();
                }
            }
        };
        let other = thread::spawn(player(1));
        player(0)();
        other.join().unwrap();
        assert_eq!(segment.words()[0].load(Ordering::Relaxed), TURNS);
        println!("{TURNS} turns took {:?}", start.elapsed());
    }
}
