//! Permits: a fixed number at a time, handed to the waiters in the order of their numbers.
//!
//! A counting semaphore may wake any of its waiters when a permit comes back. Here every waiter has a
//! number and a channel of its own, and the permit is handed to the lowest number: no waiter is
//! overtaken, and one waiter is woken, not all of them.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A number of permits to hand out.
#[derive(Debug)]
pub struct Permits(Mutex<State>);

#[derive(Debug)]
struct State {
    free: usize,
    /// How many permits there are in all, including those that are taken.
    count: usize,
    /// The waiters, by number. Dropping a sender turns its waiter away.
    waiting: BTreeMap<u64, SyncSender<()>>,
    closed: bool,
}

/// A permit; dropping it hands it to the next waiter.
#[derive(Debug)]
pub struct Permit {
    permits: Arc<Permits>,
    is_retired: bool,
}

impl Permits {
    /// As many permits as `count`.
    pub fn new(count: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            free: count,
            count,
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
                return Some(self.permit());
            }
            let (call, called) = mpsc::sync_channel(1);
            state.waiting.insert(number, call);
            called
        };
        called.recv().ok().map(|()| self.permit())
    }

    /// Takes a permit if one is free.
    pub fn try_take(self: &Arc<Self>) -> Option<Permit> {
        let mut state = self.state();
        let left = state.free.checked_sub(1).filter(|_| !state.closed)?;
        state.free = left;
        Some(self.permit())
    }

    /// Turns away the present waiters, and all later ones.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.waiting.clear();
    }

    /// Whether no permit will be handed out any more.
    pub fn is_closed(&self) -> bool {
        self.state().closed
    }

    fn permit(self: &Arc<Self>) -> Permit {
        Permit {
            permits: Arc::clone(self),
            is_retired: false,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Gives the permit up for good: there is one fewer. Says whether it was the last of all, which closes
    /// the permits.
    pub fn retire(mut self) -> bool {
        self.is_retired = true;
        let mut state = self.permits.state();
        state.count -= 1;
        let is_last = state.count == 0;
        drop(state);
        if is_last {
            self.permits.close();
        }
        is_last
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.is_retired {
            return;
        }
        let mut state = self.permits.state();
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
    fn a_retired_permit_does_not_come_back_and_the_last_one_closes() {
        let permits = Permits::new(2);
        let [first, second] = [1, 2].map(|number| permits.take(number).unwrap());
        assert!(!first.retire() && permits.try_take().is_none());
        thread::scope(|scope| {
            let third = scope.spawn(|| permits.take(3).unwrap().retire());
            wait_until_waiting(&permits, 1);
            drop(second); // as a copy that is aborted does: another may take its place
            assert!(third.join().unwrap() && permits.is_closed());
        });
        assert!(permits.take(4).is_none());
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
