//! Waiting for something in shared memory to become so, and waking who waits.
//!
//! The standard library's `Condvar` wakes threads of its own process. Here the waiter may be any
//! process, and may be killed while it waits. So each waiter sits on a *seat* of its own, says on it
//! that it sleeps, and is woken there.
//!
//! A waker cannot know whether the waiter still needs it. A waiter that has just found a value, or has
//! waited long enough, is marked as asleep until it has left its seat; a wake-up that reaches it there
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

use super::raw::Seat;
use super::{Segment, timer};
use crate::interrupt::Interrupt;

/// The longest sleep without a look around.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// The sleep between two looks where no timer can be set.
const PAUSE: Duration = Duration::from_millis(1);

/// How often to look before sitting down to sleep. To be put to sleep and woken again costs some ten
/// microseconds; this is about one, and often enough what we wait for is that near.
const SPINS: u32 = 64;
/// The most seats that a register has room for.
const REGISTER_BITS: usize = 64;

/// The seats of those who wait for the same thing, and those who wake them.
///
/// What they wait for is kept in the segment's [words](Segment::words). Whoever changes it wakes
/// *after* the change: then either a waiter sees the change or the waker sees the waiter.
#[derive(Clone, Debug)]
pub struct Waiters {
    segment: Arc<Segment>,
    seats: Range<usize>,
    register: Option<usize>,
    spins: u32,
}

impl Waiters {
    /// Uses these seats of `segment`: one for each thread that may wait at the same time.
    ///
    /// # Panics
    /// If the segment has not so many seats.
    pub fn new(segment: &Arc<Segment>, seats: Range<usize>) -> Self {
        assert!(
            seats.end <= segment.seats(),
            "the segment has {} seats",
            segment.seats()
        );
        let segment = Arc::clone(segment);
        let (register, spins) = (None, SPINS);
        Self {
            segment,
            seats,
            register,
            spins,
        }
    }

    /// Keeps a register of the seats in use, a bit each, in the segment's word with this number: then
    /// to wake nobody is a look at that word, and not at every seat. All who use these seats have to.
    ///
    /// # Panics
    /// If there are more seats than a word has bits.
    #[must_use]
    pub fn registered_in(mut self, word: usize) -> Self {
        assert!(self.seats.len() <= REGISTER_BITS, "a word has 64 bits");
        self.register = Some(word);
        self
    }

    /// Looks so often for what is waited for before sitting down to sleep.
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
    /// - [`ErrorKind::Interrupted`] when `interrupt` is raised.
    /// - [`ErrorKind::ResourceBusy`]: every seat is taken by somebody who lives.
    pub fn wait<T>(
        &self,
        limit: Option<Duration>,
        interrupt: &Interrupt,
        mut ready: impl FnMut() -> Option<T>,
    ) -> io::Result<T> {
        for _ in 0..self.spins {
            if let Some(value) = ready() {
                return Ok(value);
            }
            hint::spin_loop();
        }
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let seated = self.sit_down()?;
        let (memory, number) = (self.segment.memory(), seated.number);
        let open = move || memory.seat(number).open();
        let _waker = interrupt.on_raise(open.clone());
        loop {
            seated.seat().announce();
            if let Some(value) = ready() {
                return Ok(value);
            }
            if interrupt.is_raised() {
                return Err(ErrorKind::Interrupted.into());
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Err(ErrorKind::TimedOut.into());
            }
            let look = now + LONGEST_SLEEP;
            let end = deadline.map_or(look, |deadline| deadline.min(look));
            match timer::at(end, open.clone()) {
                Some(_timer) => seated.seat().sleep(),
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
        let mut seats = self.in_use().map(|seat| self.segment.seat(seat)).peekable();
        while left > 0
            && let Some(seat) = seats.next()
        {
            // One that was killed asleep is woken in vain; but to know costs more than to wake, so it
            // is asked only where there may be another.
            if seat.wake() && (seats.peek().is_none() || seat.is_occupied()) {
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

    /// The seats that somebody may sleep on.
    fn in_use(&self) -> impl Iterator<Item = usize> {
        let mut bits = u64::MAX;
        if let Some(word) = self.register {
            // As in `Seat::is_asleep`: either this look sees the bit, or who set it sees the change.
            fence(Ordering::SeqCst);
            bits = self.segment.words()[word].load(Ordering::Relaxed);
        }
        let marked =
            move |seat: &usize| bits >> ((seat - self.seats.start) % REGISTER_BITS) & 1 == 1;
        let seats = if bits == 0 { 0..0 } else { self.seats.clone() };
        seats.filter(marked)
    }

    fn sit_down(&self) -> io::Result<Seated<'_>> {
        let found = self
            .seats
            .clone()
            .find(|seat| self.segment.seat(*seat).take());
        let number = found.ok_or_else(|| {
            let seats = self.seats.len();
            let fault = format!("all {seats} seats for waiting processes are taken");
            io::Error::new(ErrorKind::ResourceBusy, fault)
        })?;
        if let Some(word) = self.register {
            self.segment.words()[word].fetch_or(self.bit(number), Ordering::SeqCst);
        }
        Ok(Seated {
            waiters: self,
            number,
        })
    }

    /// The bit of a seat in the register.
    fn bit(&self, seat: usize) -> u64 {
        1 << (seat - self.seats.start)
    }
}

/// A seat that is ours, and in the register. Dropping it gets up; the register's bit of a killed process
/// stays until its seat is used again, and costs each waker a look at that seat.
struct Seated<'w> {
    waiters: &'w Waiters,
    number: usize,
}

impl Seated<'_> {
    fn seat(&self) -> Seat<'_> {
        self.waiters.segment.seat(self.number)
    }
}

impl Drop for Seated<'_> {
    fn drop(&mut self) {
        let waiters = self.waiters;
        if let Some(word) = waiters.register {
            waiters.segment.words()[word].fetch_and(!waiters.bit(self.number), Ordering::SeqCst);
        }
        if self.seat().leave() {
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

    /// Seats taken by waiters that say that they sleep, and take no step of their own.
    fn fall_asleep(waiters: &Waiters, seats: Range<usize>) {
        for seat in seats.map(|number| waiters.segment.seat(number)) {
            seat.take();
            seat.announce();
        }
    }

    fn asleep(waiters: &Waiters) -> Vec<bool> {
        let seats = waiters.seats.clone();
        seats
            .map(|number| waiters.segment.seat(number).is_asleep())
            .collect()
    }

    #[test]
    fn a_wait_ends_at_its_limit_to_the_millisecond_or_so() {
        let waiters = Waiters::new(&segment("limit", 1, 1), 0..1);
        for millis in [0, 5, 150, 1030] {
            let limit = Duration::from_millis(millis);
            let start = Instant::now();
            let error = waiters
                .wait(Some(limit), &Interrupt::new(), nothing)
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert!(start.elapsed() >= limit, "{limit:?} became less");
        }
    }

    #[test]
    fn an_interrupt_wakes_who_sleeps() {
        let (waiters, interrupt) = (Waiters::new(&segment("int", 1, 1), 0..1), Interrupt::new());
        let raiser = interrupt.clone();
        let sleeper = waiters.clone();
        let raising = thread::spawn(move || {
            while !sleeper.segment.seat(0).is_asleep() {
                thread::yield_now();
            }
            raiser.raise();
        });
        let error = waiters.wait(None, &interrupt, nothing).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted);
        raising.join().unwrap();
    }

    #[test]
    fn a_seat_that_is_taken_is_no_seat_for_another() {
        let waiters = Waiters::new(&segment("seats", 1, 1), 0..1);
        let _taken = waiters.sit_down().unwrap();
        let error = waiters.wait(None, &Interrupt::new(), nothing).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResourceBusy);
    }

    #[test]
    fn a_wake_up_passes_by_who_was_killed_asleep() {
        let waiters = Waiters::new(&segment("passby", 1, 3), 0..3);
        let seat = |number| waiters.segment.seat(number);
        seat(0).leave_killed();
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
        let (never, raised) = (Interrupt::new(), Interrupt::new());
        raised.raise();
        let ways_out = [
            ("with a value", None, &never, Some(())),
            ("after its limit", Some(Duration::ZERO), &never, None),
            ("interrupted", None, &raised, None),
        ];
        for (way, limit, interrupt, value) in ways_out {
            let waiters = Waiters::new(&segment("passon", 2, 3), 0..3)
                .registered_in(0)
                .spinning(0);
            waiters.segment.words()[0].store(0b110, Ordering::SeqCst);
            fall_asleep(&waiters, 1..3);
            let waited = waiters.wait(limit, interrupt, || {
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
        let waiters = Waiters::new(&segment("quiet", 1, 2), 0..2).spinning(0);
        fall_asleep(&waiters, 1..2);
        let never = Interrupt::new();
        waiters.wait(None, &never, || Some(())).unwrap();
        waiters
            .wait(Some(Duration::ZERO), &never, nothing)
            .unwrap_err();
        assert_eq!(asleep(&waiters), [false, true]);
    }

    #[test]
    fn as_many_are_woken_as_are_asked_for() {
        let waiters = Waiters::new(&segment("count", 1, 3), 0..3);
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
            let seat = |of: u64| usize::try_from(of).unwrap()..usize::try_from(of).unwrap() + 1;
            let (ours, theirs) = (
                Waiters::new(&segment, seat(own)),
                Waiters::new(&segment, seat(1 - own)),
            );
            move || {
                let turn = &segment.words()[0];
                for _ in 0..TURNS / 2 {
                    let ready = || (turn.load(Ordering::Acquire) % 2 == own).then_some(());
                    ours.wait(None, &Interrupt::new(), ready).unwrap();
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
