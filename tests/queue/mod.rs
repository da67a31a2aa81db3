//! Message queues: held against the kernel's, and against all that processes do to each other.

mod cli;
mod damage;
mod faults;
mod kernel;
mod kill;
mod objects;
mod oracle;
mod oracle_processes;
mod plain;
mod race;

use std::thread;

use crate::common::queueing;

/// Each of these waits for a second or more, and wants no processor meanwhile: so they wait side by side.
#[test]
fn what_takes_seconds() {
    let all: [fn(); 6] = [
        faults::a_process_stopped_with_the_lock_is_named_after_a_while,
        faults::a_crowd_that_waits_for_the_lock_learns_in_time_who_has_it,
        faults::more_waiters_than_wait_slots_is_an_error_and_no_hang,
        faults::a_clock_that_is_set_back_does_not_lengthen_a_wait,
        faults::a_stopped_process_holds_up_nobody_and_goes_on_when_it_is_continued,
        race::a_slow_maker_is_waited_for_and_a_killed_ones_queue_is_made_by_the_next,
    ];
    thread::scope(|scope| all.into_iter().for_each(|one| drop(scope.spawn(one))));
}

/// Not a test of its own but another process of one: what [`queueing::start_worker`] starts.
#[test]
fn worker() {
    let Some(words) = queueing::words() else {
        return;
    };
    match words[0].as_str() {
        "answer" => faults::answer(&words),
        "send" | "receive" => kill::send_or_receive(&words),
        "ours" | "kernel" => oracle_processes::call_as_told(&words),
        other => panic!("no worker is {other:?}"),
    }
}
