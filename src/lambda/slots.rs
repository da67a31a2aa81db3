//! Slots: so many at once, and the others in the order of their arrival.
//!
//! A semaphore would let go of whoever it likes when a slot falls free. Here every waiter has a
//! number and a channel of its own, and the slot goes to the lowest number: no one is overtaken, and
//! one waiter is woken, not all of them.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A number of slots to be had.
pub(super) struct Slots(Mutex<State>);

struct State {
    free: usize,
    /// Who waits, by number. Dropping a sender turns its waiter away.
    waiting: BTreeMap<u64, SyncSender<()>>,
    closed: bool,
}

/// A slot; dropping it hands it on.
pub(super) struct Slot(Arc<Slots>);

impl Slots {
    pub(super) fn new(count: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            free: count,
            waiting: BTreeMap::new(),
            closed: false,
        })))
    }

    /// Waits for a slot; the lower the number, the sooner. `None` once [closed](Self::close).
    pub(super) fn take(self: &Arc<Self>, number: u64) -> Option<Slot> {
        let called = {
            let mut state = self.state();
            if state.closed {
                return None;
            }
            if state.free > 0 {
                state.free -= 1;
                return Some(Slot(Arc::clone(self)));
            }
            let (call, called) = mpsc::sync_channel(1);
            state.waiting.insert(number, call);
            called
        };
        called.recv().ok().map(|()| Slot(Arc::clone(self)))
    }

    /// Turns away who waits, and whoever comes.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.waiting.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
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

    fn wait_until_waiting(slots: &Slots, count: usize) {
        while slots.state().waiting.len() < count {
            thread::yield_now();
        }
    }

    #[test]
    fn slots_are_handed_out_by_number_whoever_asked_first() {
        let slots = Slots::new(1);
        let first = slots.take(1).unwrap();
        let order = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for (already, number) in [4, 2, 3].into_iter().enumerate() {
                let (slots, order) = (&slots, &order);
                scope.spawn(move || {
                    let _slot = slots.take(number).unwrap();
                    order.lock().unwrap().push(number);
                });
                wait_until_waiting(slots, already + 1);
            }
            drop(first);
        });
        assert_eq!(*order.lock().unwrap(), [2, 3, 4]);
        assert_eq!(slots.state().free, 1);
    }

    #[test]
    fn closing_turns_away_who_waits_and_who_comes() {
        let slots = Slots::new(1);
        let _taken = slots.take(1).unwrap();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| slots.take(2).is_none());
            wait_until_waiting(&slots, 1);
            slots.close();
            assert!(waiter.join().unwrap());
        });
        assert!(slots.take(3).is_none());
    }
}
