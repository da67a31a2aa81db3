//! A model of `shm/wait_queue.rs`, and every order in which the steps of its processes can meet.
//!
//! A test that runs threads sees the orders that the machine happens to choose. This one chooses all:
//! a state holds what is in shared memory and where each process is, `moves` lists the states that one
//! step of one process leads to, and the search visits every state that can be reached.
//!
//! Receivers wait for messages, senders bring one each. The model has no clock. Where nothing can move,
//! no message may lie while a receiver sleeps: that receiver would sleep until it wakes on its own, a
//! second later. A killed process may cost that second; then the sleepers wake, and it may happen once.
//! The steps meet one at a time, as `SeqCst` promises; weaker orders are not modelled.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use std::{process, thread};

use ipc_primer::shm::{Format, Lifetime, Segment, SegmentLayout, WaitQueue};
use ipc_primer::stop::StopToken;

/// What is in shared memory, and where each process is.
#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    messages: u8,
    register: u8,
    wait_slots: Vec<WaitSlot>,
    processes: Vec<Step>,
    kills_left: u8,
    seconds_lost: u8,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct WaitSlot {
    occupant: Option<usize>,
    asleep: bool,
    parker_open: bool,
}

/// The next step of a process, with the wait slot that it is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Step {
    // A receiver, which has found no message.
    TakeSlot(usize),
    Register(usize),
    Announce(usize),
    LookAgain(usize),
    Sleep(usize),
    Unregister(usize),
    Retract(usize),
    LeaveSlot { wait_slot: usize, woken: bool },
    // A sender.
    Put,
    // Either one that wakes another.
    ReadRegister,
    Swap { wait_slot: usize, register: u8 },
    Unpark { wait_slot: usize, register: u8 },
    IsOccupied { wait_slot: usize, register: u8 },
    // The end.
    Done,
    Killed,
}
use Step::*;

#[derive(Clone, Copy, Debug)]
struct Model {
    receivers: usize,
    /// So many of them sleep when it begins, and have no limit: fewer states.
    asleep: usize,
    senders: usize,
    kills: u8,
    /// What is tested: a waiter that was woken on its way out wakes another.
    passes_on: bool,
}

impl Model {
    fn start(&self) -> State {
        let processes = [vec![TakeSlot(0); self.receivers], vec![Put; self.senders]];
        let mut state = State {
            messages: 0,
            register: 0,
            wait_slots: vec![WaitSlot::default(); self.receivers],
            processes: processes.concat(),
            kills_left: self.kills,
            seconds_lost: 0,
        };
        for wait_slot in self.coming()..self.receivers {
            state.wait_slots[wait_slot].occupant = Some(wait_slot);
            state.wait_slots[wait_slot].asleep = true;
            state.register |= 1 << wait_slot;
            state.processes[wait_slot] = Sleep(wait_slot);
        }
        state
    }

    /// How many receivers are about to sit down: the first ones.
    fn coming(&self) -> usize {
        self.receivers - self.asleep
    }

    /// What one step of this process leads to; `None` if it cannot move.
    fn step(&self, state: &State, process: usize) -> Option<State> {
        let mut next = state.clone();
        let step = &mut next.processes[process];
        let wait_slots = &mut next.wait_slots;
        let lives = |who: Option<usize>| who.is_some_and(|who| state.processes[who] != Killed);
        *step = match *step {
            TakeSlot(wait_slot) if lives(wait_slots[wait_slot].occupant) => TakeSlot(wait_slot + 1),
            TakeSlot(wait_slot) => {
                wait_slots[wait_slot].occupant = Some(process);
                Register(wait_slot)
            }
            Register(wait_slot) => {
                next.register |= 1 << wait_slot;
                Announce(wait_slot)
            }
            Announce(wait_slot) => {
                wait_slots[wait_slot].asleep = true;
                LookAgain(wait_slot)
            }
            LookAgain(wait_slot) if next.messages == 0 => Sleep(wait_slot),
            LookAgain(wait_slot) => {
                next.messages -= 1;
                Unregister(wait_slot)
            }
            Sleep(wait_slot) if wait_slots[wait_slot].parker_open => {
                wait_slots[wait_slot].parker_open = false;
                Announce(wait_slot)
            }
            Sleep(_) => return None,
            Unregister(wait_slot) => {
                next.register &= !(1 << wait_slot);
                Retract(wait_slot)
            }
            Retract(wait_slot) => {
                let woken = !wait_slots[wait_slot].asleep;
                wait_slots[wait_slot].asleep = false;
                LeaveSlot { wait_slot, woken }
            }
            LeaveSlot { wait_slot, woken } => {
                wait_slots[wait_slot].occupant = None;
                if woken && self.passes_on {
                    ReadRegister
                } else {
                    Done
                }
            }
            Put => {
                next.messages += 1;
                ReadRegister
            }
            ReadRegister => on_from(0, next.register),
            Swap {
                wait_slot,
                register,
            } if !wait_slots[wait_slot].asleep => on_from(wait_slot + 1, register),
            Swap {
                wait_slot,
                register,
            } => {
                wait_slots[wait_slot].asleep = false;
                Unpark {
                    wait_slot,
                    register,
                }
            }
            Unpark {
                wait_slot,
                register,
            } => {
                wait_slots[wait_slot].parker_open = true;
                IsOccupied {
                    wait_slot,
                    register,
                }
            }
            IsOccupied {
                wait_slot,
                register,
            } => match on_from(wait_slot + 1, register) {
                another if !lives(wait_slots[wait_slot].occupant) => another,
                _ => Done,
            },
            Done | Killed => return None,
        };
        next.processes[self.receivers..].sort(); // which sender is where makes no difference
        Some(next)
    }

    /// What may happen to this process, and need not: it waited long enough; it wakes on its own,
    /// because a second is over; it is killed.
    fn chances(&self, state: &State, process: usize) -> Vec<State> {
        let becomes = |step| {
            let mut next = state.clone();
            next.processes[process] = step;
            next
        };
        let mut chances = match state.processes[process] {
            Done | Killed => return Vec::new(),
            Sleep(wait_slot) if process < self.coming() => {
                vec![becomes(Announce(wait_slot)), becomes(Unregister(wait_slot))]
            }
            _ => Vec::new(),
        };
        if state.kills_left > 0 {
            let mut killed = becomes(Killed);
            killed.kills_left -= 1;
            chances.push(killed);
        }
        chances
    }

    /// Visits every state; returns how many there are, and how many of them lose a wake-up for good.
    fn search(&self) -> (usize, usize) {
        let mut seen = HashSet::from([self.start()]);
        let mut to_visit = vec![self.start()];
        let mut bad = 0;
        while let Some(state) = to_visit.pop() {
            let all = 0..state.processes.len();
            let mut moves: Vec<_> = all
                .clone()
                .filter_map(|one| self.step(&state, one))
                .collect();
            if moves.is_empty() && state.is_a_message_missed() {
                bad += usize::from(state.seconds_lost == self.kills - state.kills_left);
                moves.push(state.after_a_second());
            }
            moves.extend(all.flat_map(|one| self.chances(&state, one)));
            to_visit.extend(moves.into_iter().filter(|next| seen.insert(next.clone())));
        }
        (seen.len(), bad)
    }
}

/// The next wait slot in the register, from `wait slot` on.
fn on_from(wait_slot: usize, register: u8) -> Step {
    let mut wait_slots = (wait_slot..8).filter(|wait_slot| register >> wait_slot & 1 == 1);
    wait_slots.next().map_or(Done, |wait_slot| Swap {
        wait_slot,
        register,
    })
}

impl State {
    fn is_a_message_missed(&self) -> bool {
        self.messages > 0 && self.processes.iter().any(|step| matches!(step, Sleep(_)))
    }

    fn after_a_second(&self) -> Self {
        let mut next = self.clone();
        for step in &mut next.processes {
            if let Sleep(wait_slot) = *step {
                *step = Announce(wait_slot);
            }
        }
        next.seconds_lost += 1;
        next
    }
}

/// Searches, says what came of it, and returns in how many states a wake-up is lost for good.
fn lost(model: Model) -> usize {
    let (states, lost) = model.search();
    println!("{model:?}: {states} states, in {lost} of them a wake-up is lost");
    lost
}

/// Receivers of any kind, two senders, and waiters that pass on what they do not need.
const MENDED: Model = Model {
    receivers: 2,
    asleep: 0,
    senders: 2,
    kills: 0,
    passes_on: true,
};

#[test]
fn a_wake_up_that_is_not_passed_on_can_be_lost_without_any_kill() {
    let passes_on = false;
    assert!(
        lost(Model {
            passes_on,
            ..MENDED
        }) > 0
    );
}

#[test]
fn a_wake_up_that_is_passed_on_is_never_lost() {
    assert_eq!(lost(MENDED), 0);
    let (receivers, asleep) = (3, 2);
    assert_eq!(
        lost(Model {
            receivers,
            asleep,
            ..MENDED
        }),
        0
    );
}

#[test]
fn a_kill_costs_the_others_one_second_at_most() {
    let (asleep, kills) = (1, 1);
    assert_eq!(
        lost(Model {
            asleep,
            kills,
            ..MENDED
        }),
        0
    );
    assert_eq!(
        lost(Model {
            asleep,
            kills,
            senders: 3,
            ..MENDED
        }),
        0
    );
}

/// The queue itself: two threads pass a number back and forth, a hundred thousand times. No wake-up may be lost, or
/// each would cost the second in which a sleeper wakes on its own.
#[test]
fn no_wake_up_is_lost() {
    const TURNS: u64 = 100_000;
    let layout = SegmentLayout {
        format: Format {
            kind: *b"waittest",
            version: 1,
        },
        words: 1,
        wait_slots: 2,
        lifetime: Lifetime::Owner,
    };
    let name = format!("model-turns-{}", process::id());
    let segment = Arc::new(Segment::create(&name, layout, |_| ()).unwrap());
    let start = Instant::now();
    let player = |own: u64| {
        let segment = Arc::clone(&segment);
        let wait_slot = |of: u64| usize::try_from(of).unwrap()..usize::try_from(of).unwrap() + 1;
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
