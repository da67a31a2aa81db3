//! One name, made and unlinked by many at the same time.

use std::fs::File;
use std::thread;
use std::time::Duration;

use crate::common::queueing::Name;
use ipc_primer::queue::{self, Error};
use ipc_primer::stop::StopToken;

/// What each maker makes: so many slots, so that one queue taken for another shows.
const SLOTS: [usize; 3] = [1, 4, 50];

/// Opens the queue, which makes it if it is not there, and uses it.
fn make_and_use(name: &Name, slots: usize) -> Result<(), Error> {
    let options = name.both_ways().create(true).max_messages(slots);
    let queue = options.message_size(64).open(&name.0)?;
    queue.attributes()?;
    for _ in 0..3 {
        unless_blocked(queue.try_send(&[7; 64], 0))?;
        unless_blocked(queue.try_receive(&mut [0; 64]).map(drop))?;
    }
    Ok(())
}

fn unless_blocked(done: Result<(), Error>) -> Result<(), Error> {
    match done {
        Err(Error::WouldBlock(_)) => Ok(()), // others use it too
        done => done,
    }
}

/// As with the kernel's queues, an open with `create` finds a queue or makes it: it never fails because
/// another process has just unlinked it, and a queue has one maker.
fn race(opens: usize) {
    let name = Name::new("race");
    let make = |slots: usize| {
        let made = (0..opens).map(|_| make_and_use(&name, slots));
        let faults: Vec<_> = made.filter_map(Result::err).collect();
        let (number, first) = (faults.len(), faults.first());
        assert_eq!(number, 0, "of {opens} opens failed; the first: {first:?}");
    };
    thread::scope(|scope| {
        let makers = SLOTS.map(|slots| scope.spawn(move || make(slots)));
        while !makers.iter().all(|maker| maker.is_finished()) {
            match queue::unlink(&name.0) {
                Ok(()) | Err(Error::NotFound(_)) => thread::yield_now(),
                Err(other) => panic!("a queue can be unlinked at any time, and not: {other:?}"),
            }
        }
    });
}

#[test]
fn a_queue_made_while_others_unlink_it_is_whole() {
    race(2_000);
}

#[test]
#[ignore = "the same for minutes"]
fn a_queue_made_while_others_unlink_it_is_whole_a_hundred_thousand_times() {
    race(100_000);
}

/// What a maker has done when it is stopped while it reserves the memory: the file is there, and locked.
fn begin_to_make(name: &Name) -> File {
    let file = File::create_new(name.file()).unwrap();
    file.lock().unwrap();
    file
}

/// Longer than a file may stay unlocked before it counts as a killed maker's.
const SLOW: Duration = Duration::from_millis(2500);

pub fn a_slow_maker_is_waited_for_and_a_killed_ones_queue_is_made_by_the_next() {
    let name = Name::new("slow");
    let maker = begin_to_make(&name);
    thread::scope(|scope| {
        let opener = scope.spawn(|| make_and_use(&name, 1));
        thread::sleep(SLOW);
        assert!(!opener.is_finished(), "its maker lives");
        drop(maker);
        opener.join().unwrap().unwrap();
    });
}

#[test]
fn waiting_for_a_slow_maker_ends_when_it_is_interrupted() {
    let name = Name::new("slow-interrupted");
    let _maker = begin_to_make(&name);
    let stop = StopToken::new();
    stop.request_stop();
    let opened = name.both_ways().stop(&stop).open(&name.0);
    assert!(matches!(opened, Err(Error::Interrupted)), "{opened:?}");
}
