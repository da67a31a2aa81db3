//! Calling something at a given time: `timer_create(2)`, built from a thread that waits for the next timer.
//!
//! [`Instant`] is a clock that cannot be set (`CLOCK_MONOTONIC`), and a [`Condvar`] waits by it, but
//! only threads of one process can share a `Condvar`. So each process has its own timer thread, which
//! opens the parkers of that process's sleepers. A process that never sleeps never starts this thread.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

type Action = Box<dyn FnOnce() + Send>;
/// A number beside the time tells apart timers that are set for the same time.
type Key = (Instant, u64);

#[derive(Default)]
struct Timers {
    state: Mutex<State>,
    earlier: Condvar,
}

#[derive(Default)]
struct State {
    set: BTreeMap<Key, Action>,
    next_number: u64,
    /// When the thread looks again without being told to.
    next_look: Option<Instant>,
}

/// The timers, if their thread could be started.
static TIMERS: LazyLock<Option<&Timers>> = LazyLock::new(|| {
    let timers: &Timers = Box::leak(Box::default());
    let thread = thread::Builder::new().name("timer".into());
    let started = thread.spawn(|| timers.run());
    started.is_ok().then_some(timers)
});

/// A timer that is set. Dropping it cancels it, unless it is just going off.
pub(super) struct Timer {
    timers: &'static Timers,
    key: Key,
}

/// Calls `action` at `time`, on a thread that all timers share; `None` if there is no such thread,
/// because the system has no room for one.
pub(super) fn at(time: Instant, action: impl FnOnce() + Send + 'static) -> Option<Timer> {
    let timers = (*TIMERS)?;
    let mut state = timers.state();
    let key = (time, state.next_number);
    state.next_number += 1;
    state.set.insert(key, Box::new(action));
    // This is rare: a cancelled timer leaves its look set, and timers are mostly set for a second from now.
    if state.next_look.is_none_or(|look| time < look) {
        state.next_look = Some(time);
        timers.earlier.notify_one();
    }
    Some(Timer { timers, key })
}

impl Drop for Timer {
    fn drop(&mut self) {
        let action = self.timers.state().set.remove(&self.key);
        drop(action); // after the lock: dropping the values it captured may run code
    }
}

impl Timers {
    fn run(&self) {
        let mut state = self.state();
        loop {
            let now = Instant::now();
            let later = state.set.split_off(&(now, u64::MAX));
            let due = mem::replace(&mut state.set, later);
            if !due.is_empty() {
                drop(state);
                due.into_values().for_each(|action| action());
                state = self.state();
                continue;
            }
            state.next_look = state.set.keys().next().map(|(time, _)| *time);
            state = match state.next_look {
                Some(time) => {
                    let waited = self.earlier.wait_timeout(state, time - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let waited = self.earlier.wait(state);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
