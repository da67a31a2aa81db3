//! Message queues: held against the kernel's, and against all that processes do to each other.

#[path = "../common/mod.rs"]
mod common;

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

use common::queueing;

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
