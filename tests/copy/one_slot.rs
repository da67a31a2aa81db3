//! Stage 2 of the copy by shared memory: what one slot does for well-behaved peers, and what breaks it.

use std::fs::{self, File};
use std::io::Write;

use crate::common::copying::{Copying, RingPlace, pattern};
use crate::common::{assert_fails, assert_succeeds, text, wait_until, wait_until_asleep};
use ipc_primer::harness::Program;
use ipc_primer::harness::Stream::Stderr;

const ONE_SLOT: &[&str] = &["--stage", "2"];
const PIPE: &str = "pipe";
const BLOCK: usize = 1000;

/// A sender of what is written into a pipe, until that is closed.
fn sender_of_a_pipe(place: &RingPlace) -> (Program, File) {
    let made = place.place.command("mkfifo").arg(PIPE).status();
    assert!(made.unwrap().success());
    let mut sender = place.send(PIPE, 1, ONE_SLOT);
    let pipe = File::options().write(true).open(place.place.path(PIPE));
    sender.wait_for(Stderr, "sending as").unwrap();
    (sender, pipe.unwrap())
}

/// A receiver that has the first block, and waits for the next.
fn receiver_of_a_block(place: &RingPlace, pipe: &mut File) -> Program {
    let receiver = place.receiver("1", ONE_SLOT);
    pipe.write_all(&[7; BLOCK]).unwrap();
    let copy = place.place.path("1").join(PIPE);
    wait_until("the first block is there", || {
        fs::read(&copy).is_ok_and(|copy| copy.len() == BLOCK)
    });
    wait_until_asleep(&receiver);
    receiver
}

fn kill(program: &mut Program) {
    program.signal("KILL").unwrap();
    program.wait().unwrap();
}

#[test]
fn a_file_of_30_mb_arrives_and_nothing_is_left() {
    let place = RingPlace::new(30_000_000);
    let mut sender = place.sender(1, ONE_SLOT);
    let mut receiver = place.receiver("1", ONE_SLOT);
    assert_succeeds(&mut receiver);
    assert_succeeds(&mut sender);
    place.assert_copied("1");
    place.assert_no_segment();
}

#[test]
fn the_receiver_may_come_first_and_the_file_be_of_any_length() {
    for len in [0, 1, 65_535, 65_536, 65_537] {
        let place = RingPlace::new(len);
        let mut receiver = place.receiver("1", ONE_SLOT);
        assert_succeeds(&mut place.sender(1, ONE_SLOT));
        assert_succeeds(&mut receiver);
        place.assert_copied("1");
    }
}

#[test]
fn no_file_is_replaced() {
    let place = RingPlace::new(BLOCK);
    fs::create_dir(place.place.path("1")).unwrap();
    fs::write(place.place.path("1").join("file"), "mine").unwrap();
    let mut sender = place.sender(1, ONE_SLOT);
    let mut receiver = place.receiver("1", ONE_SLOT);
    assert_fails(&mut receiver, "File exists");
    kill(&mut sender);
}

#[test]
fn each_block_goes_to_one_of_two_receivers_and_the_end_too() {
    let place = RingPlace::new(0);
    let (mut sender, mut pipe) = sender_of_a_pipe(&place);
    let receivers = ["1", "2"].map(|output| place.receiver(output, ONE_SLOT));
    let sent = pattern(300_000);
    pipe.write_all(&sent).unwrap();
    drop(pipe);
    assert_succeeds(&mut sender);
    let state = |receiver: &Program| {
        let stat = fs::read_to_string(format!("/proc/{}/stat", receiver.pid())).unwrap();
        stat.split(") ").last().unwrap().chars().next()
    };
    wait_until("one has ended, and one sleeps for ever", || {
        let mut states = receivers.each_ref().map(state);
        states.sort_unstable();
        states == [Some('S'), Some('Z')]
    });
    let copy = |output| fs::read(place.place.path(output).join(PIPE)).unwrap_or_default();
    assert_eq!(copy("1").len() + copy("2").len(), sent.len());
}

#[test]
fn a_killed_receiver_hangs_the_sender() {
    let place = RingPlace::new(0);
    let (mut sender, mut pipe) = sender_of_a_pipe(&place);
    kill(&mut receiver_of_a_block(&place, &mut pipe));
    pipe.write_all(&[7; BLOCK]).unwrap();
    drop(pipe);
    wait_until_asleep(&sender); // there is no receiver left that could wake it
    kill(&mut sender);
}

#[test]
fn a_killed_sender_hangs_the_receiver_and_its_segment_is_in_the_way() {
    let place = RingPlace::new(BLOCK);
    let (mut sender, mut pipe) = sender_of_a_pipe(&place);
    let receiver = receiver_of_a_block(&place, &mut pipe);
    kill(&mut sender);
    wait_until_asleep(&receiver);
    assert_eq!(place.files("1"), [PIPE], "what it has looks like a file");
    assert_fails(&mut place.sender(1, ONE_SLOT), "entity already exists");
}

#[test]
fn stages_2_and_3_are_told_apart() {
    let place = RingPlace::new(BLOCK);
    let refused: [(&[&str], &str); 4] = [
        (&["sender", "file", "--stage", "1"], "`ipc copy race`"),
        (
            &["sender", "file", "--stage", "2", "--receivers", "2"],
            "one receiver",
        ),
        (
            &["sender", "file", "--stage", "2", "--slots", "2"],
            "--slots",
        ),
        (&["receiver", "--stage", "2", "--force"], "for stage 3"),
    ];
    for (words, fault) in refused {
        let output = place.place.run(&[&["copy", "sharedmem"], words].concat());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
        assert!(said.contains(fault), "{words:?}: {said}");
    }
}
