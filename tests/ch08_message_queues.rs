//! Chapter 8, a test for each step of note 4's part on message queues.

mod common;

use std::thread;
use std::time::Duration;

use common::queueing::{self, Name};
use common::{Place, text};
use ipc_primer::harness::Stream;
use ipc_primer::queue::{self, Error, Mode, Queue, State};

#[test]
fn step_01_what_is_enqueued_first_is_dequeued_first_within_a_priority() {
    let name = Name::new("step-1");
    let queue = name.create(10, 64);
    println!("three orders are sent, then an urgent one");
    for (order, priority) in [("tea", 0), ("coffee", 0), ("water", 0), ("fire!", 9)] {
        queue.send(order.as_bytes(), priority).unwrap();
    }
    let mut buffer = [0; 64];
    for expected in ["fire!", "tea", "coffee", "water"] {
        let message = queue.receive(&mut buffer).unwrap();
        println!(
            "received with priority {}: {}",
            message.priority,
            text(message.bytes)
        );
        assert_eq!(
            text(message.bytes),
            expected,
            "the highest priority goes first, and the oldest within one"
        );
    }
}

#[test]
fn step_02_a_queue_is_found_by_its_name_and_names_have_rules() {
    let (name, place) = (Name::new("step-2"), Place::new());
    name.create(10, 64);
    let listed = place.run(&["queue", "list"]);
    assert!(
        text(&listed.stdout).lines().any(|line| line == name.0),
        "a queue that was made is listed"
    );
    for (wrong, errno) in [("jobs", "EINVAL"), ("/", "ENOENT"), ("/a/b", "EACCES")] {
        let error = name.both_ways().create(true).open(wrong).unwrap_err();
        println!("{wrong:?}: {error}");
        assert_eq!(
            error.errno(),
            Some(errno),
            "{wrong:?} breaks a rule of mq_overview(7)"
        );
    }
}

#[test]
fn step_03_a_queue_outlives_the_processes_that_use_it() {
    let (place, name) = (Place::new(), Name::new("step-3"));
    for words in [
        vec!["queue", "create", &name.0],
        vec!["queue", "send", &name.0, "kept"],
    ] {
        assert!(
            place.run(&words).status.success(),
            "ipc {} should work",
            words.join(" ")
        );
    }
    println!("its maker and its sender have ended; a third process receives");
    let received = place.run(&["queue", "receive", &name.0]);
    assert_eq!(text(&received.stdout), "kept\n");
}

#[test]
fn step_04_mq_open_in_its_short_form_opens_what_is_there() {
    let name = Name::new("step-4");
    let error = Queue::options().read(true).open(&name.0).unwrap_err();
    println!("before it was made: {error}");
    assert!(
        matches!(error, Error::NotFound(_)),
        "without create(true) nothing is made"
    );
    name.create(10, 64);
    let reader = Queue::options().read(true).open(&name.0).unwrap();
    let error = reader.send(b"wrong way", 0).unwrap_err();
    println!("sent by a handle that reads: {error}");
    assert!(
        matches!(error, Error::NotOpenFor(Mode::Writing)),
        "it is open for reading only"
    );
}

#[test]
fn step_05_mq_open_in_its_long_form_makes_a_queue_with_limits() {
    let name = Name::new("step-5");
    let queue = name.create(2, 5);
    let attributes = queue.attributes().unwrap();
    assert_eq!((attributes.max_messages, attributes.message_size), (2, 5));
    assert!(matches!(
        queue.send(b"too long", 0),
        Err(Error::MessageSize { len: 8, .. })
    ));

    let again = name
        .both_ways()
        .create(true)
        .max_messages(99)
        .open(&name.0)
        .unwrap();
    let kept = again.attributes().unwrap().max_messages;
    assert_eq!(
        kept, 2,
        "the limits of a queue that is there stay as they are"
    );
    let exclusive = name.both_ways().create(true).exclusive(true).open(&name.0);
    assert!(
        matches!(exclusive, Err(Error::Exists(_))),
        "exclusive(true) insists on a new one"
    );
}

#[test]
fn step_06_mq_close_closes_the_handle_and_not_the_queue() {
    let name = Name::new("step-6");
    let queue = name.create(10, 64);
    queue.send(b"still there", 0).unwrap();
    drop(queue);
    let mut buffer = [0; 64];
    let queue = name.both_ways().open(&name.0).unwrap();
    assert_eq!(queue.receive(&mut buffer).unwrap().bytes, b"still there");
}

#[test]
fn step_07_mq_send_blocks_while_the_queue_is_full() {
    let name = Name::new("step-7");
    let queue = name.create(1, 64);
    queue.send(b"first", 0).unwrap();
    assert!(matches!(
        queue.try_send(b"second", 0),
        Err(Error::WouldBlock(State::Full))
    ));
    let limit = Duration::from_millis(20);
    assert!(matches!(
        queue.send_timeout(b"second", 0, limit),
        Err(Error::TimedOut(State::Full))
    ));
    thread::scope(|scope| {
        let sender = scope.spawn(|| queue.send(b"second", 0));
        common::wait_until("the sender waits", || queueing::is_registered(&name));
        assert_eq!(queue.receive(&mut [0; 64]).unwrap().bytes, b"first");
        sender
            .join()
            .unwrap()
            .expect("a free slot lets the sender go on");
    });
    assert_eq!(queue.receive(&mut [0; 64]).unwrap().bytes, b"second");
}

#[test]
fn step_08_mq_receive_blocks_while_the_queue_is_empty() {
    let (place, name) = (Place::new(), Name::new("step-8"));
    let queue = name.create(10, 64);
    let too_small = queue.receive(&mut [0; 63]).unwrap_err();
    assert_eq!(
        too_small.errno(),
        Some("EMSGSIZE"),
        "the buffer has room for any message, or none"
    );

    let mut receiver = place.start(&["queue", "receive", &name.0, "--follow"]);
    common::wait_until("the receiver waits", || queueing::is_registered(&name));
    queue.send(b"at last", 0).unwrap();
    receiver.wait_for(Stream::Stdout, "at last").unwrap();
    receiver.signal("INT").unwrap();
    assert_eq!(
        receiver.wait().unwrap().code(),
        Some(0),
        "Ctrl-C is a good end"
    );
}

#[test]
fn step_09_mq_unlink_removes_the_name() {
    let name = Name::new("step-9");
    let queue = name.create(10, 64);
    queue::unlink(&name.0).unwrap();
    let error = name.both_ways().open(&name.0).unwrap_err();
    println!("once it is unlinked: {error}");
    assert!(
        matches!(error, Error::NotFound(_)),
        "the name leads nowhere any more"
    );
    queue
        .send(b"to myself", 0)
        .expect("a handle that is open goes on");
    assert!(!name.file().exists(), "nothing is left in /dev/shm");
}
