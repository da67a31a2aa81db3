//! SIGKILL at every instruction of the calls that change shared memory.
//!
//! A process, the victim, gets ready, stops, and makes one call. The test leads it through that call one
//! instruction at a time and kills it on the way. Whatever the victim had in its hands, the others must
//! find everything right, and go on.
//!
//! The others cannot tell a process killed at one instruction from one killed at the next, unless that
//! instruction has changed the shared memory or was a system call. So it is enough to kill one victim
//! before the first such change, another right after it, and so on to the last. `cargo test` does so for
//! a few of the changes; this does it for every one, and says how many there are:
//!
//! ```text
//! cargo test --test killed_anywhere -- --ignored --nocapture
//! ```

#[path = "../common/mod.rs"]
mod common;

mod queue;
mod shm;
mod victim;

use std::panic::catch_unwind;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use common::queueing::Random;
use victim::Reached;

/// A scenario kills a victim after so many changes, checks what it left, and says how far it got.
type Scenario = fn(usize) -> Reached;

const SCENARIOS: [(&str, Scenario); 13] = [
    ("queue send", queue::send),
    ("queue send, receivers asleep", queue::send_to_sleepers),
    ("queue send, blocking", queue::send_blocking),
    ("queue receive", queue::receive),
    (
        "queue receive, senders asleep",
        queue::receive_from_sleepers,
    ),
    ("queue receive, blocking", queue::receive_blocking),
    ("queue create", queue::create),
    ("semaphore wait", shm::wait),
    ("semaphore wait, blocking", shm::wait_blocking),
    ("semaphore post", shm::post),
    ("ring send", shm::ring_send),
    ("ring receive", shm::ring_receive),
    ("segment create", shm::create),
];

/// No test: what the victims do.
#[test]
fn victim() {
    let Some((call, name)) = victim::call_and_name() else {
        return;
    };
    match call.split_once(' ').unwrap() {
        ("queue", call) => queue::call(call, &name),
        (_, call) => shm::call(call, &name),
    }
}

/// Kills a victim after each of these numbers of changes; returns after which the others were not well.
fn kill_after(changes: impl Iterator<Item = usize> + Send, scenario: Scenario) -> Vec<usize> {
    let (changes, failed) = (Mutex::new(changes), Mutex::new(Vec::new()));
    let next = || changes.lock().unwrap().next();
    let kill = || {
        while let Some(changes) = next() {
            if catch_unwind(|| scenario(changes)).is_err() {
                failed.lock().unwrap().push(changes);
            }
        }
    };
    // Four at a time: much of it is waiting until the dead are missed.
    thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(kill))));
    failed.into_inner().unwrap()
}

#[test]
fn a_process_killed_at_some_instructions_leaves_the_others_going() {
    const SEED: u64 = 0x5eed_000d;
    /// Most of the calls make fewer changes; a victim is killed at its call's end then.
    const FIRST: u64 = 24;
    let mut random = Random(SEED);
    for (name, scenario) in SCENARIOS {
        let changes: Vec<_> = (0..4).map(|_| random.below(FIRST) as usize).collect();
        println!("{name}, seed {SEED:#x}: killed after {changes:?} changes");
        let failed = kill_after(changes.into_iter(), scenario);
        assert!(failed.is_empty(), "{name}, killed after {failed:?} changes");
    }
}

#[test]
#[ignore = "takes minutes"]
fn a_process_killed_at_any_instruction_leaves_the_others_going() {
    let mut all = Reached::default();
    for (name, scenario) in SCENARIOS {
        let start = Instant::now();
        let Reached {
            instructions,
            changes,
        } = scenario(usize::MAX);
        let failed = kill_after(0..changes + 1, scenario);
        let took = start.elapsed();
        println!("{name}: {instructions} instructions, {changes} changes, {took:.1?}");
        assert!(failed.is_empty(), "{name}, killed after {failed:?} changes");
        all.instructions += instructions;
        all.changes += changes;
    }
    println!("{all:?}");
}
