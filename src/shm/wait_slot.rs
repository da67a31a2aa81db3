//! A place in shared memory where one thread can sleep until another, of any process, wakes it: a
//! [`Cell`] of two words and a mutex, which is its *parker*.
//!
//! | word | written by | what its values mean |
//! |---|---|---|
//! | occupant | a waiter, when it enters and when it leaves | 0: free; else the owner word of the waiter |
//! | state | the occupant, and its waker | 0: awake; 1: asleep, or about to be |
//! | register | of the first slot of a [`WaitQueue`](super::WaitQueue) only: see there | |
//!
//! The parker stays locked: sleeping is locking it once more, waking is releasing it. A process that is
//! killed before, in or after either of these calls leaves a mutex that is locked or free, and the next
//! waiter can use both: a free mutex ends one sleep immediately, and only one, however often it was released.
//!
//! The mutex has time limits too, but they are times of day (`CLOCK_REALTIME`): set the clock back
//! an hour, and a sleeper sleeps an hour longer. So a [timer](super::timer) opens the parker when a sleep
//! has to end. The limit of the lock is for one case only: a waker that is killed *within* its release has
//! freed the mutex, but has not told the kernel to wake the sleeper, and no later release does, because
//! it finds the mutex free. (Without any limit glibc asserts that a mutex which it has just locked has no
//! owner, and dies if it has one: of two simultaneous wakers, the second may free the mutex after its
//! owner was noted.)
//!
//! `raw_sync`'s event would be the obvious choice, but it does not survive a kill: a process killed
//! in `set` holds the event's mutex, for which the sleeper then waits without a limit; one killed in
//! `wait` makes a later `set` hang. POSIX leaves undefined a mutex that one thread locks and another
//! releases; glibc defines it for this kind of mutex, and neither keeps nor checks its owner.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::thread;
use std::time::Duration;

use raw_sync::Timeout;
use raw_sync::locks::LockImpl;

use super::owner;
use super::raw::Cell;

/// Values of the state word.
const AWAKE: u64 = 0;
const ASLEEP: u64 = 1;

/// How long to pause where there is no mutex to sleep at.
const PAUSE: Duration = Duration::from_millis(1);
/// The limit of a sleep, which a timer ends sooner. In whole seconds: `raw_sync` adds fractions wrongly.
const LIMIT: Duration = Duration::from_secs(2);

#[derive(Clone, Copy)]
pub(super) struct WaitSlot<'m>(pub(super) Cell<'m>);

impl<'m> WaitSlot<'m> {
    fn occupant(self) -> &'m AtomicU64 {
        self.0.word(0)
    }

    fn state(self) -> &'m AtomicU64 {
        self.0.word(1)
    }

    #[inline]
    pub(super) fn register(self) -> &'m AtomicU64 {
        self.0.word(2)
    }

    /// Makes the slot ready, in a segment that no other process uses yet.
    pub(super) fn init(self) {
        if let Ok(parker) = self.0.make_mutex() {
            let _ = parker.lock().map(mem::forget); // it is free, so this does not block
        }
    }

    /// Occupies the slot if it is free or its occupant was killed; says whether it is ours now.
    pub(super) fn take(self) -> bool {
        let found = self.occupant().load(Ordering::Relaxed);
        if found != 0 && !owner::is_dead(found) {
            return false;
        }
        let taken = self.occupant().compare_exchange(
            found,
            owner::own(),
            Ordering::SeqCst,
            Ordering::Relaxed,
        );
        taken.is_ok()
    }

    /// Says that we are about to sleep: from now on a waker wakes us. After this, the waiter must
    /// look once more at the thing it waits for.
    pub(super) fn announce(self) {
        self.state().store(ASLEEP, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// Sleeps until the parker is opened, unless it was opened since the last sleep; may return early.
    pub(super) fn sleep(self) {
        let lock =
            |parker: Box<dyn LockImpl + '_>| parker.try_lock(Timeout::Val(LIMIT)).map(mem::forget);
        // The mutex stays locked. An error means that the limit is over or that there is no mutex at all.
        if self.0.mutex().map_or(true, |parker| lock(parker).is_err()) {
            thread::sleep(PAUSE);
        }
    }

    /// Leaves the slot; says whether we were woken since the last [`announce`](Self::announce). If
    /// so, we must pass the wake-up on: it may have been meant for something that we no longer take.
    pub(super) fn leave(self) -> bool {
        let woken = self.state().swap(AWAKE, Ordering::SeqCst) == AWAKE;
        self.occupant().store(0, Ordering::SeqCst);
        woken
    }

    /// Whether its occupant sleeps. The fence pairs with that of [`announce`](Self::announce):
    /// either the sleeper sees what was done before this call, or this call sees the sleeper.
    pub(super) fn is_asleep(self) -> bool {
        fence(Ordering::SeqCst);
        self.state().load(Ordering::Relaxed) == ASLEEP
    }

    /// Wakes the thread that sleeps here; says whether one did. Never blocks.
    pub(super) fn wake(self) -> bool {
        if !self.is_asleep() || self.state().swap(AWAKE, Ordering::SeqCst) != ASLEEP {
            return false;
        }
        self.open();
        true
    }

    /// Ends the sleep on this wait slot, or the next one, without a wake-up. Never blocks.
    pub(super) fn open(self) {
        // An error would mean that there is no mutex at all, and then no thread sleeps at it.
        let _ = self.0.mutex().map(|parker| parker.release());
    }

    /// Whether a waiter that is not known to be dead has it.
    pub(super) fn is_occupied(self) -> bool {
        let occupant = self.occupant().load(Ordering::Relaxed);
        occupant != 0 && !owner::is_dead(occupant)
    }

    /// Leaves the slot as a process that is killed asleep does.
    #[cfg(test)]
    pub(super) fn leave_killed(self) {
        let own = crate::support::identity::Identity::own().unwrap();
        let start = own.start + 1; // no process with our pid was started then
        let killed = crate::support::identity::Identity { start, ..own };
        self.occupant().store(owner::word(killed), Ordering::SeqCst);
        self.state().store(ASLEEP, Ordering::SeqCst);
    }
}
