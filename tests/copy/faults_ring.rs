//! What goes wrong while a file is copied by shared memory, with real processes.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::copying::{Copying, FILE, RingPlace};
use crate::common::wait_until;
use crate::common::{assert_fails, assert_succeeds};
use ipc_primer::harness::Program;
use ipc_primer::harness::Stream::Stderr;

/// More than the small ring below holds: a peer that does not read holds up the sender.
pub const LARGE: usize = 1 << 20;
pub const SMALL_RING: &[&str] = &["--slots", "2", "--slot-size", "4096"];

/// A sender to `receivers`, two or more, and receiver `1`, which has joined and was stopped.
pub fn in_the_middle(place: &RingPlace, receivers: usize) -> (Program, Program) {
    let sender = place.sender(receivers, SMALL_RING);
    let first = place.receiver("1", &[]);
    place_is_taken(place, &first);
    first.signal("STOP").unwrap();
    (sender, first)
}

/// Waits until the receiver has joined: its partial file is there.
fn place_is_taken(place: &RingPlace, _receiver: &Program) {
    wait_until("the receiver has joined", || !place.files("1").is_empty());
}

#[test]
fn a_killed_receiver_is_reported_and_the_others_finish() {
    let place = RingPlace::new(LARGE);
    let (mut sender, mut first) = in_the_middle(&place, 3);
    let mut second = place.receiver("2", &[]);
    let mut third = place.receiver("3", &[]);
    first.signal("KILL").unwrap();
    first.wait().unwrap();
    for receiver in [&mut second, &mut third] {
        assert_succeeds(receiver);
    }
    assert_eq!(sender.wait().unwrap().code(), Some(1));
    let said = sender.said(Stderr);
    let named = format!("(process {}) has gone before its end", first.pid());
    assert!(said.contains(&named), "{said}");
    assert!(said.contains("1 receivers have no copy"), "{said}");
    place.assert_copied("2");
    place.assert_copied("3");
    place.assert_no_segment();
}

/// At any moment: while it waits, while it wakes, while it copies. The times differ from round to
/// round; whatever the moment, nobody hangs.
#[test]
fn a_receiver_killed_at_any_moment_holds_up_nobody() {
    let kill_after = |micros: u64| {
        let place = RingPlace::new(4 * LARGE);
        let mut sender = place.sender(2, SMALL_RING);
        let mut killed = place.receiver("1", &[]);
        let mut other = place.receiver("2", &[]);
        place_is_taken(&place, &killed);
        thread::sleep(Duration::from_micros(micros));
        killed.signal("KILL").unwrap();
        killed.wait().unwrap();
        assert_succeeds(&mut other);
        sender.wait().unwrap();
        place.assert_copied("2");
        place.assert_no_segment();
    };
    thread::scope(|scope| {
        (0..10).for_each(|round| drop(scope.spawn(move || kill_after(round * 700))));
    });
}

#[test]
fn a_killed_sender_is_noticed_within_3_seconds() {
    let place = RingPlace::new(LARGE);
    let (mut sender, mut first) = in_the_middle(&place, 2);
    let mut second = place.receiver("2", &[]);
    wait_until("the other has joined", || !place.files("2").is_empty());
    first.signal("CONT").unwrap();
    sender.signal("STOP").unwrap();
    sender.signal("KILL").unwrap();
    sender.wait().unwrap();
    let killed = Instant::now();
    for receiver in [&mut first, &mut second] {
        let status = receiver.wait().unwrap();
        let said = receiver.said(Stderr);
        // A receiver may have had everything before.
        if !status.success() {
            assert_eq!(status.code(), Some(1));
            assert!(said.contains("has died"), "{said}");
        }
    }
    assert!(
        killed.elapsed() < Duration::from_secs(3),
        "{:?}",
        killed.elapsed()
    );
    place.assert_no_segment();
}

#[test]
fn a_sender_killed_before_it_sends_leaves_no_partial_file() {
    let place = RingPlace::new(LARGE);
    let mut sender = place.sender(2, SMALL_RING); // the second never comes
    let mut receiver = place.receiver("1", &[]);
    place_is_taken(&place, &receiver);
    sender.signal("KILL").unwrap();
    sender.wait().unwrap();
    assert_fails(&mut receiver, "has died");
    assert!(place.files("1").is_empty());
    place.assert_no_segment();
}

#[test]
fn a_stopped_receiver_holds_up_the_ring_until_it_goes_on() {
    let place = RingPlace::new(LARGE);
    let (mut sender, mut first) = in_the_middle(&place, 2);
    let mut second = place.receiver("2", &[]);
    wait_until("the other has joined", || !place.files("2").is_empty());
    first.signal("CONT").unwrap();
    for program in [&mut first, &mut second, &mut sender] {
        assert_succeeds(program);
    }
    place.assert_copied("1");
    place.assert_copied("2");
    place.assert_no_segment();
}

#[test]
fn everybody_ends_on_ctrl_c_with_code_0_and_leaves_nothing() {
    let place = RingPlace::new(LARGE);
    let mut sender = place.sender(2, &[]);
    let mut receiver = place.receiver("1", &[]);
    let mut lonely = place.place.ipc(&["copy", "sharedmem", "receiver"]);
    let lonely = lonely.args(["--name", &format!("{}-absent", place.name)]);
    let mut lonely = Program::start(lonely).unwrap();
    place_is_taken(&place, &receiver);
    lonely.wait_for(Stderr, "waiting 10 s").unwrap();
    sender.wait_for(Stderr, "sending as").unwrap();
    for program in [&mut receiver, &mut lonely, &mut sender] {
        let start = Instant::now();
        program.signal("INT").unwrap();
        assert_eq!(
            program.wait().unwrap().code(),
            Some(0),
            "{}",
            program.said(Stderr)
        );
        assert!(
            start.elapsed() < Duration::from_secs(1),
            "{:?}",
            start.elapsed()
        );
    }
    assert!(place.files("1").is_empty());
    place.assert_no_segment();
}

#[test]
fn a_sender_that_is_interrupted_is_an_error_for_its_receivers() {
    let place = RingPlace::new(LARGE);
    let mut sender = place.sender(2, &[]);
    let mut receiver = place.receiver("1", &[]);
    place_is_taken(&place, &receiver);
    sender.signal("INT").unwrap();
    assert_eq!(sender.wait().unwrap().code(), Some(0));
    assert_fails(&mut receiver, "broke off");
    assert!(place.files("1").is_empty());
}

#[test]
fn a_receiver_whose_target_cannot_be_is_reported_and_the_others_finish() {
    let place = RingPlace::new(LARGE);
    fs::create_dir(place.place.path("1")).unwrap();
    fs::write(place.place.path("1").join(FILE), "precious").unwrap();
    symlink("/nowhere", place.place.path("2")).unwrap();
    let mut sender = place.sender(3, SMALL_RING);
    let mut refused = place.receiver("1", &[]);
    let mut nowhere = place.receiver("2", &[]);
    let mut third = place.receiver("3", &[]);
    assert_eq!(refused.wait().unwrap().code(), Some(1));
    assert_eq!(nowhere.wait().unwrap().code(), Some(1));
    assert_succeeds(&mut third);
    assert_eq!(sender.wait().unwrap().code(), Some(1));
    let said = (refused.said(Stderr), nowhere.said(Stderr));
    assert!(said.0.contains("exists; pass --force"), "{}", said.0);
    assert!(said.1.contains("cannot write into 2"), "{}", said.1);
    place.assert_copied("3");
    assert_eq!(
        fs::read(place.place.path("1").join(FILE)).unwrap(),
        b"precious"
    );
    place.assert_no_segment();
}

#[test]
fn a_file_that_shrinks_is_an_error_at_both_ends() {
    let place = RingPlace::new(LARGE);
    let mut sender = place.sender(2, SMALL_RING); // has looked at the length, and waits
    let mut first = place.receiver("1", &[]);
    place_is_taken(&place, &first);
    let file = fs::File::options().write(true).open(place.place.path(FILE));
    file.unwrap().set_len(10).unwrap();
    let mut second = place.receiver("2", &[]);
    assert_fails(&mut sender, "has shrunk");
    for (receiver, output) in [(&mut first, "1"), (&mut second, "2")] {
        assert_fails(receiver, "broke off");
        assert!(place.files(output).is_empty());
    }
    place.assert_no_segment();
}

#[test]
fn a_file_that_grows_is_copied_as_long_as_it_was() {
    let place = RingPlace::new(LARGE);
    let mut sender = place.sender(2, SMALL_RING); // has looked at the length, and waits
    sender.wait_for(Stderr, "sending as").unwrap();
    let file = fs::File::options()
        .append(true)
        .open(place.place.path(FILE));
    file.unwrap().write_all(b"more").unwrap();
    let mut receivers = [place.receiver("1", &[]), place.receiver("2", &[])];
    for receiver in &mut receivers {
        assert_succeeds(receiver);
    }
    assert_succeeds(&mut sender);
    assert!(sender.said(Stderr).contains("has grown"));
    place.assert_copied("1");
    place.assert_copied("2");
}
