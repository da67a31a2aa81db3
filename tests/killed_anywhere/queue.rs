//! Queues whose users are killed: a message is there whole or not at all, and every slot can be used.

use std::cell::Cell;
use std::thread;

use crate::common::queueing::{LONGEST_HANG, Name};
use crate::victim::{Reached, Victim, between_stops};
use ipc_primer::queue::{Error, Queue};

/// What a victim does.
pub fn call(call: &str, name: &str) {
    let options = Queue::options().read(true).write(true);
    if call == "create" {
        let options = options.create(true).max_messages(3).message_size(16);
        return between_stops(|| options.open(name).unwrap());
    }
    let queue = options.open(name).unwrap();
    match call {
        "send" => between_stops(|| queue.send(b"new", 1).unwrap()),
        "receive" => between_stops(|| queue.receive(&mut [0; 16]).map(drop).unwrap()),
        other => panic!("no victim calls {other:?}"),
    }
}

/// A queue with these messages, and the room for `slots`.
fn queue(slots: usize, messages: &[&str]) -> (Name, Queue) {
    let name = Name::new("anywhere");
    let queue = name.create(slots, 16);
    for message in messages {
        queue.send(message.as_bytes(), 0).unwrap();
    }
    (name, queue)
}

/// Leaves two wait slots as they are of processes killed asleep in this call.
fn kill_sleepers(call: &str, name: &Name) {
    let sleepers = [(); 2].map(|()| Victim::start(call, &name.0));
    sleepers.into_iter().for_each(Victim::kill_asleep);
}

pub fn send(changes: usize) -> Reached {
    let (name, queue) = queue(3, &["last"]);
    queue.send(b"first", 2).unwrap();
    let reached = Victim::start("queue send", &name.0).kill_after(changes, None);
    let left = receive_all(&queue);
    assert!(left == ["first", "last"] || left == ["first", "new", "last"]);
    check_that_it_works(&queue);
    reached
}

pub fn send_to_sleepers(changes: usize) -> Reached {
    let (name, queue) = queue(3, &[]);
    kill_sleepers("queue receive", &name);
    let reached = Victim::start("queue send", &name.0).kill_after(changes, None);
    let left = receive_all(&queue);
    assert!(left.is_empty() || left == ["new"], "{left:?}");
    check_that_it_works(&queue);
    reached
}

pub fn send_blocking(changes: usize) -> Reached {
    let (name, queue) = queue(1, &["old"]);
    let woken = Cell::new(false);
    let wake = || woken.set(receive_all(&queue) == ["old"]);
    let reached = Victim::start("queue send", &name.0).kill_after(changes, Some(&wake));
    let left = receive_all(&queue);
    match woken.get() {
        false => assert_eq!(left, ["old"]),
        true => assert!(left.is_empty() || left == ["new"], "{left:?}"),
    }
    check_that_it_works(&queue);
    reached
}

pub fn receive(changes: usize) -> Reached {
    let (name, queue) = queue(3, &["first", "second", "third"]);
    let reached = Victim::start("queue receive", &name.0).kill_after(changes, None);
    let left = receive_all(&queue);
    assert!(left == ["first", "second", "third"] || left == ["second", "third"]);
    check_that_it_works(&queue);
    reached
}

pub fn receive_from_sleepers(changes: usize) -> Reached {
    let (name, queue) = queue(1, &["old"]);
    kill_sleepers("queue send", &name);
    let reached = Victim::start("queue receive", &name.0).kill_after(changes, None);
    let left = receive_all(&queue);
    assert!(left.is_empty() || left == ["old"], "{left:?}");
    check_that_it_works(&queue);
    reached
}

pub fn receive_blocking(changes: usize) -> Reached {
    let (name, queue) = queue(3, &[]);
    let woken = Cell::new(false);
    let wake = || woken.set(queue.try_send(b"new", 0).is_ok());
    let reached = Victim::start("queue receive", &name.0).kill_after(changes, Some(&wake));
    let left = receive_all(&queue);
    assert!(
        left.is_empty() || woken.get() && left == ["new"],
        "{left:?}"
    );
    check_that_it_works(&queue);
    reached
}

pub fn create(changes: usize) -> Reached {
    let name = Name::new("anywhere");
    let reached = Victim::start("queue create", &name.0).kill_after(changes, None);
    let options = name.both_ways().create(true);
    let again = options.max_messages(3).message_size(16).open(&name.0);
    check_that_it_works(&again.expect("it is made, or what was left of it is removed"));
    reached
}

fn receive_all(queue: &Queue) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        match queue.try_receive(&mut [0; 16]) {
            Ok(message) => all.push(String::from_utf8(message.bytes.to_vec()).unwrap()),
            Err(Error::WouldBlock(_)) => return all,
            Err(other) => panic!("the queue should be sound, and says: {other}"),
        }
    }
}

/// An empty queue must have all its slots, and wake those who sleep.
fn check_that_it_works(queue: &Queue) {
    let attributes = queue.attributes().unwrap();
    assert_eq!(attributes.messages, 0);
    let messages = &["a", "b", "c"][..attributes.max_messages];
    for message in messages {
        queue.try_send(message.as_bytes(), 0).expect("a free slot");
    }
    assert!(matches!(queue.try_send(b"", 0), Err(Error::WouldBlock(_))));
    assert_eq!(receive_all(queue), messages);
    thread::scope(|scope| {
        scope.spawn(|| {
            queue
                .receive_timeout(&mut [0; 16], LONGEST_HANG)
                .map(drop)
                .unwrap()
        });
        queue.send_timeout(b"", 0, LONGEST_HANG).unwrap();
    });
}
