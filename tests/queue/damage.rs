//! What a queue in shared memory has to make good or to notice, and the kernel's need not: half-done
//! work, memory that somebody overwrote, files that are no queues, and no room for one.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

use crate::common::queueing::{Name, Random};
use crate::common::{Place, has_tool, text};
use ipc_primer::harness::Identity;
use ipc_primer::queue::{self, Error, Queue};
use ipc_primer::shm::owner;

/// The first words of a queue's layout, in src/queue/layout.rs.
const LOCK: u64 = 0;
const COUNT: u64 = 1;
const NEXT: u64 = 2;
const ORDER: u64 = 8;

/// An owner word of nobody who lives.
fn dead() -> u64 {
    owner::word(Identity {
        pid: 4_194_303,
        start: 1,
    })
}

fn receive_all(queue: &Queue) -> Vec<(Vec<u8>, u32)> {
    let mut buffer = vec![0; queue.attributes().unwrap().message_size];
    let next = || {
        queue
            .try_receive(&mut buffer)
            .ok()
            .map(|got| (got.bytes.to_vec(), got.priority))
    };
    std::iter::from_fn(next).collect()
}

#[test]
fn whatever_half_done_work_a_killed_process_left_is_made_good() {
    let mut random = Random(0x5eed_000a);
    for round in 0..200 {
        let name = Name::new("half-done");
        let slots = random.below(20) + 1;
        let queue = name.create(slots as usize, 16);
        let mut expected: Vec<_> = (0..random.below(slots + 1))
            .map(|number| (number.to_ne_bytes().to_vec(), random.below(3) as u32))
            .collect();
        for (bytes, priority) in &expected {
            queue.send(bytes, *priority).unwrap();
        }
        expected.sort_by_key(|(_, priority)| u32::MAX - priority); // stable: FIFO within one
        // All but the states of the slots is only an index: any of it may be half written.
        let garbage = |random: &mut Random| random.below(u64::MAX) >> random.below(64);
        let index: Vec<_> = (0..slots).map(|_| garbage(&mut random)).collect();
        name.scribble(COUNT, &[garbage(&mut random), garbage(&mut random)]);
        name.scribble(ORDER, &index);
        name.scribble(LOCK, &[dead()]);
        assert_eq!(receive_all(&queue), expected, "round {round}");
        queue
            .try_send(b"and on it goes", 0)
            .expect("all slots are free again");
    }
}

#[test]
fn a_queue_that_cannot_be_trusted_says_so_at_every_call() {
    let name = Name::new("damaged");
    let queue = name.create(4, 16);
    queue.send(b"lost", 0).unwrap();
    let first_slot = ORDER + 8; // the order of four slots fills up its cache line
    name.scribble(first_slot + 3 * 8, &[0x1234]); // no possible state
    name.scribble(LOCK, &[dead()]);
    for _ in 0..3 {
        assert!(matches!(
            queue.try_receive(&mut [0; 16]),
            Err(Error::Damaged(_))
        ));
        assert!(matches!(queue.try_send(b"", 0), Err(Error::Damaged(_))));
        let error = queue.attributes().unwrap_err();
        println!("{error}");
        assert_eq!(io::Error::from(error).kind(), ErrorKind::InvalidData);
    }
    // The same without a killed process: its index and its slots contradict each other.
    let name = Name::new("damaged");
    let queue = name.create(4, 16);
    queue.send(b"lost", 0).unwrap();
    for (word, value) in [(COUNT, 99), (ORDER, u64::MAX), (ORDER, 0)] {
        name.scribble(word, &[value]);
        assert!(
            matches!(queue.receive(&mut [0; 16]), Err(Error::Damaged(_))),
            "word {word}"
        );
    }
    // It says that it holds one, and the slot that it names is free.
    let name = Name::new("damaged");
    let queue = name.create(4, 16);
    name.scribble(COUNT, &[1]);
    let error = queue.receive(&mut [0; 16]).map(drop).unwrap_err();
    assert!(matches!(error, Error::Damaged(_)), "{error}");
}

#[test]
fn the_order_holds_when_sequence_numbers_are_used_up() {
    let name = Name::new("used-up");
    let queue = name.create(10, 16);
    for (text, priority) in [("c", 0), ("a", 5), ("d", 0)] {
        queue.send(text.as_bytes(), priority).unwrap();
    }
    // As after four thousand million messages without the queue ever being empty.
    name.scribble(NEXT, &[1 << 32]);
    for (text, priority) in [("b", 5), ("e", 0)] {
        queue.send(text.as_bytes(), priority).unwrap();
    }
    let order: Vec<_> = receive_all(&queue)
        .into_iter()
        .map(|(bytes, _)| bytes)
        .collect();
    assert_eq!(order.concat(), b"abcde");
}

#[test]
fn a_queue_that_says_less_than_it_holds_takes_no_more_than_fits() {
    let name = Name::new("says-less");
    let queue = name.create(2, 16);
    queue.send(b"first", 0).unwrap();
    queue.send(b"second", 0).unwrap();
    name.scribble(COUNT, &[1, 1 << 32]); // and the sequence numbers are used up, so it counts anew
    assert!(matches!(queue.try_send(b"", 0), Err(Error::WouldBlock(_))));
    assert_eq!(receive_all(&queue).len(), 2);
}

/// Another process may write what it likes, wherever it likes: that may spoil the messages, and fail.
#[test]
fn no_overwritten_word_makes_a_call_panic_or_hang() {
    const ODD: [u64; 8] = [0, 1, 3, 17, 1 << 32, 1 << 63, u64::MAX - 1, u64::MAX];
    const READY: u64 = 7; // a queue that is not ready is waited for
    let mut random = Random(0x5eed_000b);
    let name = Name::new("odd");
    let queue = name.create(3, 16);
    for priority in 0..3 {
        queue.send(b"sent", priority).unwrap();
    }
    let file = File::options().write(true).open(name.file()).unwrap();
    let whole = fs::read(name.file()).unwrap();
    let words = 8 + ORDER + 8 + 3 * 8; // the segment's, the queue's, the order's, the slots'
    let use_it = |queue: &Queue| {
        let results = [
            queue.try_send(b"more", 1),
            queue.try_receive(&mut [0; 16]).map(drop),
            queue.try_send(b"more", 1),
            queue.attributes().map(drop),
        ];
        for error in results.into_iter().filter_map(Result::err) {
            match error {
                Error::Damaged(_) | Error::WouldBlock(_) => {}
                Error::MessageSize { .. } => {} // another limit, which fits the length just as well
                other => panic!("{other}"),
            }
        }
    };
    let own = owner::word(Identity::own().unwrap());
    for round in 0..5000 {
        file.write_all_at(&whole, 0).unwrap();
        for _ in 0..=random.below(3) {
            let word = [random.below(words), 8 + random.below(ORDER)][random.below(2) as usize];
            let from = random.below(words) as usize * 8;
            let other = u64::from_ne_bytes(*whole[from..].first_chunk().unwrap());
            let value = [*random.pick(&ODD), other][random.below(2) as usize];
            if word != READY && value != own {
                file.write_all_at(&value.to_ne_bytes(), word * 8).unwrap();
            }
        }
        match name.both_ways().open(&name.0) {
            Ok(opened) => use_it(&opened),
            Err(Error::Damaged(_) | Error::NotAQueue(_) | Error::OtherVersion(_)) => {}
            Err(Error::OtherNamespace(_)) => {} // as the header's word for it may say now
            Err(other) => panic!("round {round}: {other}"),
        }
        use_it(&queue);
    }
    file.write_all_at(&whole, 0).unwrap(); // to be unlinked
}

#[test]
fn what_is_not_a_queue_of_this_version_is_refused_and_left_alone() {
    let refused = |bytes: &dyn Fn(&mut Vec<u8>), expected: &str| {
        let name = Name::new("foreign");
        name.create(2, 16);
        let mut whole = fs::read(name.file()).unwrap();
        bytes(&mut whole);
        fs::write(name.file(), &whole).unwrap();
        for create in [false, true] {
            let error = name.both_ways().create(create).open(&name.0).unwrap_err();
            let found = format!("{error:?}: {error}");
            println!("{found}");
            assert!(
                found.starts_with(expected),
                "{expected} was expected, and not {found}"
            );
        }
        assert_eq!(
            fs::read(name.file()).unwrap(),
            whole,
            "a refused file should stay as it is"
        );
        fs::remove_file(name.file()).unwrap();
    };
    refused(
        &|bytes| *bytes = b"a file of somebody else's".to_vec(),
        "NotAQueue",
    );
    refused(&|bytes| bytes.fill(b'x'), "NotAQueue");
    refused(
        &|bytes| bytes[8..16].copy_from_slice(b"copyring"),
        "NotAQueue",
    );
    refused(&|bytes| bytes[16] = 77, "OtherVersion");
    refused(&|bytes| bytes.truncate(4096), "Damaged");
    refused(&|bytes| bytes[8 * 11] = 3, "Damaged"); // max_messages, which do not fit the length
}

#[test]
fn a_queue_unlinked_in_use_goes_on_for_those_who_have_it() {
    let name = Name::new("unlinked");
    let (sender, receiver) = (name.create(2, 16), name.both_ways().open(&name.0).unwrap());
    sender.send(b"before", 0).unwrap();
    queue::unlink(&name.0).unwrap();
    sender.send(b"after", 0).unwrap();
    let new = name.create(2, 16);
    new.send(b"new", 0).unwrap();
    let bytes =
        |all: Vec<(Vec<u8>, u32)>| -> Vec<_> { all.into_iter().map(|(bytes, _)| bytes).collect() };
    assert_eq!(bytes(receive_all(&receiver)), [&b"before"[..], b"after"]);
    assert_eq!(bytes(receive_all(&new)), [b"new"]);
}

#[test]
fn a_full_dev_shm_is_an_error_and_leaves_nothing() {
    if !has_tool("unshare") {
        return;
    }
    let script = "mount -t tmpfs -o size=256k tmpfs /dev/shm || { echo skipped; exit; }
        \"$IPC\" queue create /small || echo wrong
        \"$IPC\" queue create /large --max-messages 100 2>&1 && echo wrong
        \"$IPC\" queue list; ls /dev/shm";
    let place = Place::new();
    let mut command = place.command("unshare");
    command
        .args(["-rm", "sh", "-c", script])
        .env("IPC", env!("CARGO_BIN_EXE_ipc"));
    let output = command.output().unwrap();
    let said = text(&output.stdout);
    if !output.status.success() || said == "skipped\n" {
        return println!("skipped: no /dev/shm of our own: {}", text(&output.stderr));
    }
    println!("{said}");
    assert!(
        said.contains("No space left on device"),
        "ENOSPC should be told: {said}"
    );
    assert!(
        said.ends_with("\n/small\nipc-primer-queue.small\n"),
        "nothing else is left: {said}"
    );
}
