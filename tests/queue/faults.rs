//! A process that uses a queue can be killed, stopped or interrupted in any call, and keeps no other waiting.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::queueing::{
    self, LONGEST_HANG, Mortal, Name, Random, start_worker, wait_until_asleep,
};
use crate::common::{Place, has_tool, text, wait_until};
use ipc_primer::harness::{Identity, signal};
use ipc_primer::queue::{Error, Queue};
use ipc_primer::shm::owner;

/// The first word of a queue's layout, in src/queue/layout.rs.
const LOCK: u64 = 0;

/// What another process does: it answers each message that it receives with the same message.
pub fn answer(words: &[String]) {
    let queue = Queue::options().read(true).open(&words[1]).unwrap();
    let mut buffer = vec![0; queue.attributes().unwrap().message_size];
    let answers = Queue::options().write(true).open(&words[2]).unwrap();
    loop {
        let message = queue.receive(&mut buffer).unwrap();
        answers.send(message.bytes, 0).unwrap();
    }
}

#[test]
fn a_receiver_killed_in_its_sleep_keeps_nobody_from_being_woken() {
    let (name, answers) = (Name::new("asleep"), Name::new("asleep-answers"));
    let (queue, heard) = (name.create(4, 16), answers.create(4, 16));
    let mut random = Random(0x5eed_0009);
    let start = || Mortal::start(&mut start_worker(&["answer", &name.0, &answers.0]));
    let mut sleepers: Vec<_> = (0..3).map(|_| start()).collect();
    for round in 0..40_u32 {
        sleepers
            .iter()
            .for_each(|sleeper| wait_until_asleep(sleeper.0.id()));
        let victim = random.below(3) as usize;
        drop(sleepers.remove(victim));
        queue.send(&round.to_ne_bytes(), 0).unwrap();
        let mut buffer = [0; 16];
        let answer = heard.receive_timeout(&mut buffer, LONGEST_HANG);
        let hang = "two receivers live, and neither was woken nor woke";
        assert_eq!(answer.expect(hang).bytes, round.to_ne_bytes());
        sleepers.push(start());
    }
}

pub fn a_stopped_process_holds_up_nobody_and_goes_on_when_it_is_continued() {
    let (name, answers) = (Name::new("stopped"), Name::new("stopped-answers"));
    let (queue, heard) = (name.create(4, 16), answers.create(4, 16));
    let start = || Mortal::start(&mut start_worker(&["answer", &name.0, &answers.0]));
    let (first, second) = (start(), start());
    let mut buffer = [0; 16];
    for stopped in [&first, &second] {
        wait_until_asleep(first.0.id());
        wait_until_asleep(second.0.id());
        signal("STOP", stopped.0.id().into()).unwrap();
        for number in [1_u8, 2, 3] {
            queue.send(&[number], 0).unwrap();
            let answer = heard.receive_timeout(&mut buffer, LONGEST_HANG);
            assert_eq!(answer.expect("the other receiver takes it").bytes, [number]);
        }
        signal("CONT", stopped.0.id().into()).unwrap();
    }
    drop(second);
    queue.send(b"on", 0).unwrap();
    assert_eq!(
        heard
            .receive_timeout(&mut buffer, LONGEST_HANG)
            .unwrap()
            .bytes,
        b"on"
    );
}

/// Stops a process, and has it hold the lock of the queue `name`.
fn stop_with_lock(name: &Name, answers: &Name) -> (Mortal, Identity) {
    let holder = Mortal::start(&mut start_worker(&["answer", &answers.0, &name.0]));
    wait_until_asleep(holder.0.id());
    signal("STOP", holder.0.id().into()).unwrap();
    let identity = Identity::of(holder.0.id()).unwrap();
    name.scribble(LOCK, &[owner::word(identity)]);
    (holder, identity)
}

pub fn a_process_stopped_with_the_lock_is_named_after_a_while() {
    let (name, answers) = (Name::new("stalled"), Name::new("stalled-answers"));
    let (queue, _heard) = (name.create(4, 16), answers.create(4, 16));
    queue.send(b"kept", 0).unwrap();
    let (holder, identity) = stop_with_lock(&name, &answers);
    let start = Instant::now();
    match queue.try_receive(&mut [0; 16]) {
        Err(Error::Stalled { pid }) => assert_eq!(pid, identity.pid),
        other => panic!("the stopped process should be named, and not: {other:?}"),
    }
    assert!(
        start.elapsed() < LONGEST_HANG,
        "it took {:?}",
        start.elapsed()
    );
    drop(holder);
    let message = queue
        .try_receive(&mut [0; 16])
        .map(|got| got.bytes.to_vec());
    assert_eq!(
        message.expect("the killed holder's lock is taken over"),
        b"kept"
    );
}

/// There are wait slots for 16 of them.
pub fn a_crowd_that_waits_for_the_lock_learns_in_time_who_has_it() {
    let (name, answers) = (Name::new("lock-crowd"), Name::new("lock-crowd-answers"));
    let (queue, _heard) = (name.create(4, 16), answers.create(4, 16));
    let (_holder, identity) = stop_with_lock(&name, &answers);
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..80 {
            scope.spawn(|| match queue.try_receive(&mut [0; 16]) {
                Err(Error::Stalled { pid }) => assert_eq!(pid, identity.pid),
                other => panic!("the stopped process should be named, and not: {other:?}"),
            });
        }
    });
    let (took, limit) = (start.elapsed(), 2 * LONGEST_HANG);
    assert!(took < limit, "it took {took:?}");
}

#[test]
fn threads_can_share_one_handle() {
    const EACH: u32 = 2000;
    let name = Name::new("threads");
    let queue = name.create(3, 8);
    let mut all = thread::scope(|scope| {
        for sender in 0..3_u32 {
            let number = move |number: u32| (sender << 16 | number).to_ne_bytes();
            let queue = &queue;
            scope.spawn(move || (0..EACH).for_each(|at| queue.send(&number(at), 0).unwrap()));
        }
        let receive = || {
            let mut buffer = [0; 8];
            let mut next = || {
                *queue
                    .receive(&mut buffer)
                    .unwrap()
                    .bytes
                    .first_chunk()
                    .unwrap()
            };
            (0..EACH)
                .map(|_| u32::from_ne_bytes(next()))
                .collect::<Vec<_>>()
        };
        let receivers: Vec<_> = (0..3).map(|_| scope.spawn(receive)).collect();
        let received = receivers.into_iter().map(|thread| thread.join().unwrap());
        received.collect::<Vec<_>>()
    });
    for received in &all {
        let of = |sender| {
            received
                .iter()
                .filter(move |number| *number >> 16 == sender)
        };
        let in_order = (0..3).all(|sender| of(sender).is_sorted());
        assert!(
            in_order,
            "what one thread got of another's messages should be in order"
        );
    }
    let mut all = all.drain(..).flatten().collect::<Vec<_>>();
    all.sort_unstable();
    let sent: Vec<_> = (0..3)
        .flat_map(|sender| (0..EACH).map(move |at| sender << 16 | at))
        .collect();
    assert!(all == sent, "every message should come, once");
}

pub fn more_waiters_than_wait_slots_is_an_error_and_no_hang() {
    let name = Name::new("crowd");
    let queue = name.create(1, 8);
    let (limit, threads) = (Duration::from_millis(1500), 70);
    let waited = thread::scope(|scope| {
        let wait = || {
            queue
                .receive_timeout(&mut [0; 8], limit)
                .map(drop)
                .unwrap_err()
        };
        let waiting: Vec<_> = (0..threads).map(|_| scope.spawn(wait)).collect();
        let errors = waiting.into_iter().map(|thread| thread.join().unwrap());
        errors.collect::<Vec<_>>()
    });
    let refused = waited
        .iter()
        .filter(|error| matches!(error, Error::TooManyWaiters));
    assert_eq!(refused.count(), threads - 64, "64 can wait: {waited:?}");
}

#[test]
fn ctrl_c_ends_who_is_blocked() {
    let (place, name) = (Place::new(), Name::new("ctrl-c"));
    let queue = name.create(1, 16);
    for (words, fill) in [
        (["queue", "receive", &name.0, "--follow"], false),
        (["queue", "send", &name.0, "text"], true),
    ] {
        if fill {
            queue.send(b"full", 0).unwrap();
        }
        for how in ["INT", "TERM", "HUP"] {
            let mut program = place.start(&words);
            wait_until("it waits for the queue", || queueing::is_registered(&name));
            let start = Instant::now();
            program.signal(how).unwrap();
            assert_eq!(
                program.wait().unwrap().code(),
                Some(0),
                "after SIG{how}: {words:?}"
            );
            assert!(
                start.elapsed() < Duration::from_secs(1),
                "it took {:?}",
                start.elapsed()
            );
        }
    }
    assert_eq!(
        queue.attributes().unwrap().messages,
        1,
        "an interrupted sender has sent nothing"
    );
}

/// A limit is a duration, whatever happens to the time of day. No test may set the machine's clock; so a
/// library shows the command a time of day that is ten seconds ahead of the kernel's, which is what a
/// program sees that looked at the clock just before it was set back.
pub fn a_clock_that_is_set_back_does_not_lengthen_a_wait() {
    const AHEAD: &str = r"
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec += 10;
    return failed;
}
";
    if !has_tool("cc") {
        return;
    }
    let (place, name) = (Place::new(), Name::new("set-back"));
    let _queue = name.create(1, 16);
    fs::write(place.path("ahead.c"), AHEAD).unwrap();
    let words = ["-shared", "-fPIC", "-o", "ahead.so", "ahead.c"];
    assert!(place.command("cc").args(words).status().unwrap().success());
    let mut receive = place.ipc(&["queue", "receive", &name.0, "--timeout", "1"]);
    receive.env("LD_PRELOAD", place.path("ahead.so"));
    let start = Instant::now();
    let received = receive.output().unwrap();
    assert_eq!(received.status.code(), Some(1));
    assert!(text(&received.stderr).contains("ETIMEDOUT"), "{received:?}");
    let waited = start.elapsed();
    assert!(waited < Duration::from_secs(10), "it waited {waited:?}");
}
