//! The plain semaphore between processes, and plain bytes: what it does for those that live, and how it hangs on those that
//! are killed. A process that sleeps here sleeps for ever, since no process is left that could wake it (and
//! one that had ended would be a zombie, which does not sleep).
//!
//! The processes are this test's own program: it starts itself with the name of a segment and what
//! to do there, and runs the "test" `child` alone.

mod common;

use std::env;
use std::process::{self, Command};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use common::wait_until_asleep;
use ipc_primer::harness::{Program, Stream::Stdout};
use ipc_primer::shm::PlainSegment;
use ipc_primer::shm::bytes::{copy_in, copy_out};
use ipc_primer::shm::s1_semaphore::Semaphore;

fn create(test: &str) -> (String, PlainSegment) {
    let name = format!("plain-{test}-{}", process::id());
    let segment = PlainSegment::create(&name, 1, 1).unwrap();
    (name, segment)
}

/// Starts a process that does `what` with the semaphore, once it has said so.
fn start(what: &str, name: &str) -> Program {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env("SHM_CHILD", what)
        .env("SHM_NAME", name);
    let mut program = Program::start(&mut command).unwrap();
    program.wait_for(Stdout, "begins").unwrap();
    program
}

/// No test: what the processes of the tests do.
#[test]
fn child() {
    let Ok(what) = env::var("SHM_CHILD") else {
        return;
    };
    let segment = PlainSegment::open(&env::var("SHM_NAME").unwrap(), 1).unwrap();
    let semaphore = Semaphore::new(&segment, 0).unwrap();
    let mutex = segment.mutex(0).unwrap();
    println!("\nbegins");
    match what.as_str() {
        "wait" => semaphore.wait().unwrap(),
        "post" => semaphore.post().unwrap(),
        "hold" => {
            let _locked = mutex.lock().unwrap();
            segment.words()[0].store(1, Ordering::Relaxed);
            thread::park(); // as if it had been stopped in the middle of `post`
        }
        other => panic!("{other}"),
    }
    println!("\nis done");
}

fn finish(mut program: Program) {
    program.wait_for(Stdout, "is done").unwrap();
    program.wait().unwrap();
}

fn kill_asleep(mut program: Program) {
    wait_until_asleep(&program);
    program.signal("KILL").unwrap();
    program.wait().unwrap();
}

#[test]
fn a_post_wakes_a_process_that_waits() {
    let (name, _segment) = create("wake");
    let waiters = [start("wait", &name), start("wait", &name)];
    waiters.iter().for_each(wait_until_asleep);
    finish(start("post", &name));
    finish(start("post", &name));
    waiters.into_iter().for_each(finish);
}

#[test]
fn a_waiter_killed_asleep_makes_a_later_post_hang() {
    let (name, _segment) = create("waiter");
    kill_asleep(start("wait", &name));
    finish(start("post", &name));
    finish(start("wait", &name));
    let waiter = start("wait", &name);
    wait_until_asleep(&waiter);
    let poster = start("post", &name);
    wait_until_asleep(&poster);
    wait_until_asleep(&waiter);
}

#[test]
fn a_process_killed_in_the_middle_of_a_post_hangs_all_others() {
    let (name, _segment) = create("holder");
    kill_asleep(start("hold", &name));
    for what in ["wait", "post"] {
        wait_until_asleep(&start(what, &name));
    }
}

/// Four threads, each with the segment mapped anew as a process would, take what four others give.
#[test]
fn as_many_waits_end_as_there_are_posts() {
    const TIMES: usize = 2000;
    let name = format!("plain-posts-{}", process::id());
    let segment = PlainSegment::create(&name, 2, 2).unwrap();
    thread::scope(|scope| {
        for thread in 0..8 {
            let name = &name;
            scope.spawn(move || {
                let segment = PlainSegment::open(name, 2).unwrap();
                let semaphore = Semaphore::new(&segment, 1).unwrap();
                for _ in 0..TIMES {
                    match thread % 2 {
                        0 => semaphore.wait().unwrap(),
                        _ => semaphore.post().unwrap(),
                    }
                }
            });
        }
    });
    assert!(!Semaphore::new(&segment, 1).unwrap().try_wait().unwrap());
}

#[test]
fn what_goes_in_comes_out_across_pages_and_nothing_behind_it_changes() {
    for len in [0_usize, 1, 7, 8, 9, 4095, 4096, 4097, 8192, 3 * 4096 + 13] {
        let bytes: Vec<u8> = (0..len).map(|at| (at % 251) as u8 + 1).collect();
        let room = len.div_ceil(8);
        let words: Vec<_> = (0..=room).map(|_| AtomicU64::new(u64::MAX)).collect();
        copy_in(&words, &bytes);
        assert_eq!(words[room].load(Ordering::Relaxed), u64::MAX, "{len} bytes");

        let mut back = vec![0; len];
        copy_out(&words, &mut back);
        assert!(back == bytes, "{len} bytes");
    }
}
