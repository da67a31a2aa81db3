//! What has the ring's name before the sender comes, and who comes when the ring is full or gone.

use std::fs;

use super::faults_ring::{LARGE, in_the_middle};
use crate::common::copying::{Copying, RingPlace, pattern};
use crate::common::wait_until;
use crate::common::{assert_fails, assert_succeeds};
use ipc_primer::harness::Stream::Stderr;

#[test]
fn what_a_killed_sender_left_is_taken_over() {
    let place = RingPlace::new(LARGE);
    let mut killed = place.sender(1, &[]);
    killed.wait_for(Stderr, "sending as").unwrap();
    killed.signal("KILL").unwrap();
    killed.wait().unwrap();
    assert!(place.segment().exists(), "a killed process cannot clean up");
    let mut receiver = place.receiver("1", &[]); // finds a dead sender, and waits for a living one
    receiver.wait_for(Stderr, "waiting 10 s").unwrap();
    let mut sender = place.sender(1, &[]);
    assert_succeeds(&mut sender);
    assert_succeeds(&mut receiver);
    place.assert_copied("1");
    place.assert_no_segment();
}

#[test]
fn a_second_sender_of_the_name_is_refused() {
    let place = RingPlace::new(1);
    let mut first = place.sender(1, &[]);
    first.wait_for(Stderr, "sending as").unwrap();
    let mut second = place.sender(1, &[]);
    assert_eq!(second.wait().unwrap().code(), Some(1));
    let said = second.said(Stderr);
    assert!(
        said.contains(&format!("the process {} uses", first.pid())),
        "{said}"
    );
    let mut receiver = place.receiver("1", &[]);
    assert_succeeds(&mut receiver);
    assert_succeeds(&mut first);
}

#[test]
fn a_receiver_too_many_is_told_so() {
    let place = RingPlace::new(LARGE);
    let (mut sender, mut first) = in_the_middle(&place, 2);
    let mut second = place.receiver("2", &[]);
    wait_until("the other has joined", || !place.files("2").is_empty());
    let mut third = place.receiver("3", &[]);
    assert_fails(&mut third, "has its 2 receivers already");
    first.signal("CONT").unwrap();
    for program in [&mut first, &mut second, &mut sender] {
        assert_succeeds(program);
    }
    assert!(place.files("3").is_empty());
}

#[test]
fn a_receiver_too_late_waits_for_the_next_sender_and_not_for_ever() {
    let place = RingPlace::new(10);
    let (mut sender, mut first) = (place.sender(1, &[]), place.receiver("1", &[]));
    assert_succeeds(&mut first);
    assert_succeeds(&mut sender);
    let mut late = place.receiver("2", &["--wait", "0.2"]);
    assert_fails(&mut late, "waiting 0.2 s for a sender named");
    let said = late.said(Stderr);
    assert!(said.contains("No such file"), "{said}");
    assert!(place.files("2").is_empty());
}

#[test]
fn a_segment_that_is_not_ours_is_neither_used_nor_removed() {
    let header = |magic: &[u8; 8], kind: &[u8; 8], version: u64| {
        let numbers = [version, 64, 0, 0, 0, 1].map(u64::to_ne_bytes);
        [&magic[..], kind, numbers.as_flattened()].concat()
    };
    for (bytes, sender_says, receiver_says) in [
        (
            b"short".to_vec(),
            "is not a segment of this program",
            "is too short",
        ),
        (
            pattern(4096),
            "is not a segment of this program",
            "is not a segment of this program",
        ),
        (
            header(b"ipcprime", b"castring", 99),
            "is of version 99",
            "is of version 99",
        ),
        (
            header(b"ipcprime", b"othering", 1),
            "is used for something else",
            "is used for something else",
        ),
    ] {
        let place = RingPlace::new(1);
        fs::write(place.segment(), &bytes).unwrap();
        let mut sender = place.sender(1, &[]);
        assert_fails(&mut sender, sender_says);
        let mut receiver = place.receiver("1", &[]);
        assert_fails(&mut receiver, receiver_says);
        assert!(
            fs::read(place.segment()).unwrap() == bytes,
            "it was not ours to change"
        );
    }
}

#[test]
fn a_receiver_waits_for_a_sender_that_is_slow_to_make_its_segment() {
    let place = RingPlace::new(10);
    let made = fs::File::create_new(place.segment()).unwrap();
    made.lock().unwrap(); // as a sender does while it reserves the memory
    let mut receiver = place.receiver("1", &[]);
    receiver
        .wait_for(Stderr, "waiting 10 s for a sender")
        .unwrap();
    drop(made); // it is killed, and the next one takes the segment over
    let mut sender = place.sender(1, &[]);
    assert_succeeds(&mut receiver);
    assert_succeeds(&mut sender);
}
