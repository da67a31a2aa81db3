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
//! cargo test --release --test killed_anywhere -- --ignored --nocapture
//! ```
//!
//! `SCENARIO=ring`, as an environment variable, chooses those with this in their names.

#[path = "../common/mod.rs"]
mod common;

mod queue;
mod shm;
mod victim;

use std::panic::catch_unwind;
use std::sync::Mutex;
use std::time::Instant;
use std::{env, thread};

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

/// What a victim of `SCENARIOS` is killed after: so many changes.
type Kill = (&'static str, Scenario, usize);

/// Kills all these victims; returns after which the others were not well.
fn kill_all(kills: impl Iterator<Item = Kill> + Send) -> Vec<String> {
    let (kills, failed) = (Mutex::new(kills), Mutex::new(Vec::new()));
    let next = || kills.lock().unwrap().next();
    let kill = || {
        while let Some((name, scenario, changes)) = next() {
            if catch_unwind(|| scenario(changes)).is_err() {
                let what = format!("{name}, killed after {changes} changes");
                failed.lock().unwrap().push(what);
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
    println!("seed {SEED:#x}");
    let kills = SCENARIOS
        .iter()
        .map(|(name, scenario)| (*name, *scenario, random.below(FIRST) as usize));
    assert_eq!(kill_all(kills), [""; 0]);
}

#[test]
#[ignore = "takes minutes"]
fn a_process_killed_at_any_instruction_leaves_the_others_going() {
    let mut all = Reached::default();
    let chosen = env::var("SCENARIO").unwrap_or_default();
    for (name, scenario) in SCENARIOS {
        if !name.contains(&chosen) {
            continue;
        }
        let start = Instant::now();
        let Reached {
            instructions,
            changes,
        } = scenario(usize::MAX);
        let failed = kill_all((0..changes + 1).map(|changes| (name, scenario, changes)));
        let took = start.elapsed();
        println!("{name}: {instructions} instructions, {changes} changes, {took:.1?}");
        assert_eq!(failed, [""; 0]);
        all.instructions += instructions;
        all.changes += changes;
    }
    assert!(all.changes > 0, "no scenario has {chosen:?} in its name");
    println!("{all:?}");
}
