//! Semaphores, rings and segments whose users are killed.

use std::cell::Cell;
use std::io::ErrorKind;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::common::queueing::LONGEST_HANG;
use crate::victim::{Reached, Victim, between_stops};
use ipc_primer::shm::ring::{Receiver, Sender, Shape};
use ipc_primer::shm::{Format, Lifetime, Segment, SegmentLayout, Semaphore, path};
use ipc_primer::stop::StopToken;

const LAYOUT: SegmentLayout = SegmentLayout {
    format: Format {
        kind: *b"anywhere",
        version: 1,
    },
    words: 1,
    wait_slots: 1,
    lifetime: Lifetime::Owner,
};
const SHAPE: Shape = Shape {
    slots: 2,
    slot_len: 16,
    receivers: 2,
};

/// What a victim does.
pub fn call(call: &str, name: &str) {
    let never = StopToken::new();
    match call {
        "wait" => {
            let semaphore = semaphore(name);
            between_stops(|| semaphore.wait(&never).unwrap());
        }
        "post" => {
            let semaphore = semaphore(name);
            between_stops(|| semaphore.post());
        }
        "send" => {
            let mut sender = Sender::create(name, SHAPE, b"").unwrap();
            between_stops(|| sender.send(b"new", &never).unwrap());
        }
        "receive" => {
            let mut receiver = Receiver::join(name).unwrap();
            between_stops(|| receiver.receive(&mut [0; 16], &never).unwrap());
        }
        "create" => between_stops(|| Segment::create(name, LAYOUT, |_| ()).unwrap()),
        other => panic!("no victim calls {other:?}"),
    }
}

fn new_name() -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("test-anywhere-{}-{number}", process::id())
}

/// The semaphore in the segment of this name.
fn semaphore(name: &str) -> Semaphore {
    let segment = Segment::open(name, LAYOUT.format).unwrap();
    Semaphore::new(&Arc::new(segment), 0, 0..1)
}

pub fn wait(changes: usize) -> Reached {
    let name = new_name();
    let _segment = Segment::create(&name, LAYOUT, |_| ()).unwrap();
    let semaphore = semaphore(&name);
    semaphore.post_many(2);
    let reached = Victim::start("semaphore wait", &name).kill_after(changes, None);
    let left = semaphore.value();
    assert!(left == 2 || left == 1, "{left} are left of 2");
    check_that_it_counts(&semaphore);
    reached
}

pub fn wait_blocking(changes: usize) -> Reached {
    let name = new_name();
    let _segment = Segment::create(&name, LAYOUT, |_| ()).unwrap();
    let semaphore = semaphore(&name);
    let posted = Cell::new(0);
    let wake = || {
        posted.set(1);
        semaphore.post();
    };
    let reached = Victim::start("semaphore wait", &name).kill_after(changes, Some(&wake));
    assert!(semaphore.value() <= posted.get());
    check_that_it_counts(&semaphore);
    reached
}

pub fn post(changes: usize) -> Reached {
    let name = new_name();
    let _segment = Segment::create(&name, LAYOUT, |_| ()).unwrap();
    let semaphore = semaphore(&name);
    Victim::start("semaphore wait", &name).kill_asleep();
    let reached = Victim::start("semaphore post", &name).kill_after(changes, None);
    assert!(semaphore.value() <= 1);
    check_that_it_counts(&semaphore);
    reached
}

/// Whatever is left is taken; then a post must wake the only wait slot.
fn check_that_it_counts(semaphore: &Semaphore) {
    while semaphore.try_wait() {}
    thread::scope(|scope| {
        let never = StopToken::new();
        let waiter = scope.spawn(move || semaphore.wait_timeout(LONGEST_HANG, &never));
        semaphore.post();
        waiter.join().unwrap().unwrap();
    });
    assert_eq!(semaphore.value(), 0);
}

/// The sender is killed: its receivers get the slot whole or not at all, and hear of its death.
pub fn ring_send(changes: usize) -> Reached {
    let name = new_name();
    let victim = Victim::start("ring send", &name);
    let receivers = [(); 2].map(|()| Receiver::join(&name).unwrap());
    let receivers = receivers.map(|receiver| thread::spawn(|| receive_to_the_end(receiver)));
    let reached = victim.kill_after(changes, None);
    for receiver in receivers {
        let (blocks, end) = receiver.join().unwrap();
        assert!(blocks.is_empty() || blocks == ["new"], "{blocks:?}");
        assert_eq!(end, ErrorKind::ConnectionAborted);
    }
    drop(Sender::create(&name, SHAPE, b"").expect("the name is free again"));
    assert!(!path(&name).unwrap().exists());
    reached
}

/// A receiver is killed: the other one gets every slot.
pub fn ring_receive(changes: usize) -> Reached {
    let (name, never) = (new_name(), StopToken::new());
    let mut sender = Sender::create(&name, SHAPE, b"").unwrap();
    let victim = Victim::start("ring receive", &name);
    let other = Receiver::join(&name).unwrap();
    let other = thread::spawn(|| receive_to_the_end(other));
    sender.send(b"0", &never).unwrap();
    let reached = victim.kill_after(changes, None);
    for block in ["1", "2", "3"] {
        sender.send(block.as_bytes(), &never).unwrap();
    }
    drop(sender);
    assert_eq!(other.join().unwrap().0, ["0", "1", "2", "3"]);
    reached
}

fn receive_to_the_end(mut receiver: Receiver) -> (Vec<String>, ErrorKind) {
    let (mut blocks, mut buffer) = (Vec::new(), [0; 16]);
    loop {
        match receiver.receive(&mut buffer, &StopToken::new()) {
            Ok(count) => blocks.push(String::from_utf8(buffer[..count].to_vec()).unwrap()),
            Err(error) => return (blocks, error.kind()),
        }
    }
}

/// A maker is killed: what it left is cleared by the next one.
pub fn create(changes: usize) -> Reached {
    let name = new_name();
    let reached = Victim::start("segment create", &name).kill_after(changes, None);
    let again = Segment::create(&name, LAYOUT, |_| ()).expect("what was left is removed");
    let semaphore = semaphore(&name);
    assert_eq!(semaphore.value(), 0, "a new segment is all zero");
    check_that_it_counts(&semaphore);
    drop(again);
    assert!(!path(&name).unwrap().exists());
    reached
}
