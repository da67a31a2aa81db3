//! Permits: so many at once, and the others in the order of their numbers.
//!
//! A counting semaphore may wake any of its waiters when a permit comes back. Here every waiter has a
//! number and a channel of its own, and the permit goes to the lowest number: no one is overtaken, and
//! one waiter is woken, not all of them.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A number of permits to be had.
#[derive(Debug)]
pub struct Permits(Mutex<State>);

#[derive(Debug)]
struct State {
    free: usize,
    /// Those who wait, by number. Dropping a sender turns its waiter away.
    waiting: BTreeMap<u64, SyncSender<()>>,
    closed: bool,
}

/// A permit; dropping it hands it on.
#[derive(Debug)]
pub struct Permit(Arc<Permits>);

impl Permits {
    /// As many permits as `count`.
    pub fn new(count: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            free: count,
            waiting: BTreeMap::new(),
            closed: false,
        })))
    }

    /// Waits for a permit; the lower the number, the sooner. `None` once [closed](Self::close).
    pub fn take(self: &Arc<Self>, number: u64) -> Option<Permit> {
        let called = {
            let mut state = self.state();
            if state.closed {
                return None;
            }
            if state.free > 0 {
                state.free -= 1;
                return Some(Permit(Arc::clone(self)));
            }
            let (call, called) = mpsc::sync_channel(1);
            state.waiting.insert(number, call);
            called
        };
        called.recv().ok().map(|()| Permit(Arc::clone(self)))
    }

    /// Takes a permit if one is free.
    pub fn try_take(self: &Arc<Self>) -> Option<Permit> {
        let mut state = self.state();
        let left = state.free.checked_sub(1).filter(|_| !state.closed)?;
        state.free = left;
        Some(Permit(Arc::clone(self)))
    }

    /// Turns away those who wait, and those who come later.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.waiting.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.0.state();
        match state.waiting.pop_first() {
            Some((_, call)) => drop(call.send(())), // its buffer has room: this does not wait
            None => state.free += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn wait_until_waiting(permits: &Permits, count: usize) {
        while permits.state().waiting.len() < count {
            thread::yield_now();
        }
    }

    #[test]
    fn permits_are_handed_out_by_number_whoever_asked_first() {
        let permits = Permits::new(1);
        let first = permits.take(1).unwrap();
        let order = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for (already, number) in [4, 2, 3].into_iter().enumerate() {
                let (permits, order) = (&permits, &order);
                scope.spawn(move || {
                    let _permit = permits.take(number).unwrap();
                    order.lock().unwrap().push(number);
                });
                wait_until_waiting(permits, already + 1);
            }
            drop(first);
        });
        assert_eq!(*order.lock().unwrap(), [2, 3, 4]);
        assert_eq!(permits.state().free, 1);
    }

    #[test]
    fn closing_turns_away_those_who_wait_and_those_who_come() {
        let permits = Permits::new(1);
        let _taken = permits.take(1).unwrap();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| permits.take(2).is_none());
            wait_until_waiting(&permits, 1);
            permits.close();
            assert!(waiter.join().unwrap());
        });
        assert!(permits.take(3).is_none());
        assert!(permits.try_take().is_none());
    }

    #[test]
    fn a_try_takes_what_is_free_and_never_waits() {
        let permits = Permits::new(1);
        let taken = permits.try_take();
        assert!(taken.is_some() && permits.try_take().is_none());
        drop(taken);
        assert!(permits.try_take().is_some());
    }
}
