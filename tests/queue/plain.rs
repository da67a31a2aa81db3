//! Stage 1: what the plain queue does for well-behaved processes, and what blocks it for good.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::common::queueing::Name;
use crate::common::{Place, assert_fails, assert_succeeds, text, wait_until, wait_until_asleep};
use ipc_primer::harness::{Program, Stream};
use ipc_primer::queue::s1_plain::Queue;

/// Starts `ipc queue` at stage 1 with these words, of which the second names the queue.
fn start(place: &Place, words: &[&str]) -> Program {
    place.start(&[&["queue", "--stage", "1"], words].concat())
}

fn run(place: &Place, words: &[&str]) -> String {
    let mut program = start(place, words);
    assert_succeeds(&mut program);
    program.said(Stream::Stdout)
}

#[test]
fn a_plain_queue_is_kept_in_order_until_it_is_unlinked() {
    let (place, name) = (Place::new(), Name::new("plain"));
    let name = name.0.as_str();
    run(
        &place,
        &["create", name, "--max-messages=4", "--message-size=8"],
    );
    assert_fails(&mut start(&place, &["create", name]), "already exists");
    for (message, priority) in [("low", "1"), ("high", "9"), ("as high", "9"), ("", "5")] {
        run(&place, &["send", name, message, "--priority", priority]);
    }
    assert_fails(&mut start(&place, &["send", name, "nine byte"]), "invalid");
    let info = run(&place, &["info", name]);
    assert_eq!(info, "messages      4\nmax-messages  4\nmessage-size  8\n");
    let listed = run(&place, &["list"]);
    assert!(listed.lines().any(|line| line == name));
    let received = run(&place, &["receive", name, "--count", "4"]);
    assert_eq!(received, "high\nas high\n\nlow\n");
    run(&place, &["unlink", name]);
    assert_fails(&mut start(&place, &["send", name, "late"]), "No such file");
}

#[test]
fn a_receiver_waits_for_a_message_and_a_sender_for_room() {
    let (place, name) = (Place::new(), Name::new("plain-waits"));
    let name = name.0.as_str();
    run(&place, &["create", name, "--max-messages", "1"]);
    let mut receiver = start(&place, &["receive", name]);
    wait_until_asleep(&receiver);
    run(&place, &["send", name, "first"]);
    assert_succeeds(&mut receiver);
    assert_eq!(receiver.said(Stream::Stdout), "first\n");

    run(&place, &["send", name, "second"]);
    let mut sender = start(&place, &["send", name, "third"]);
    wait_until_asleep(&sender);
    assert_eq!(run(&place, &["receive", name]), "second\n");
    assert_succeeds(&mut sender);
    assert_eq!(run(&place, &["receive", name]), "third\n");
}

#[test]
fn of_two_thousand_lines_of_two_processes_none_is_lost_and_each_comes_in_its_turn() {
    let (place, name) = (Place::new(), Name::new("plain-lines"));
    let name = name.0.as_str();
    run(&place, &["create", name, "--message-size", "64"]);
    let receiver = || start(&place, &["receive", name, "--count", "1000"]);
    let mut receivers = [receiver(), receiver()];
    let mut senders = ["a", "b"].map(|sender| {
        let sender_program = start(&place, &["send", name, "-"]);
        (sender, sender_program)
    });
    for (sender, program) in &mut senders {
        for number in 0..1000 {
            program.say(&format!("{sender} {number}")).unwrap();
        }
        assert_succeeds(program);
    }
    let said = receivers.each_mut().map(|receiver| {
        assert_succeeds(receiver);
        receiver.said(Stream::Stdout)
    });
    let numbers = |said: &str, sender: &str| -> Vec<u32> {
        let own = said.lines().filter_map(|line| line.strip_prefix(sender));
        own.map(|number| number.trim().parse().unwrap()).collect()
    };
    for sender in ["a", "b"] {
        let [first, second] = said.each_ref().map(|said| numbers(said, sender));
        assert!(first.is_sorted() && second.is_sorted());
        let mut all = [first, second].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>(), "of sender {sender}");
    }
}

#[test]
fn neither_stage_takes_the_others_queue_for_its_own() {
    let (place, plain, last) = (Place::new(), Name::new("plain-1"), Name::new("plain-2"));
    run(&place, &["create", &plain.0]);
    let mut sender = place.start(&["queue", "send", &plain.0, "x"]);
    assert_fails(&mut sender, "is not a segment of this program");
    last.create(10, 64);
    let mut sender = start(&place, &["send", &last.0, "x"]);
    assert_fails(&mut sender, "is used for something else");
}

#[test]
fn the_plain_queue_has_no_time_limits() {
    for limit in ["--non-blocking", "--timeout=1"] {
        let refused = Place::new().run(&["queue", "receive", "/x", "--stage", "1", limit]);
        assert_eq!(refused.status.code(), Some(2));
        assert!(text(&refused.stderr).contains("stage 1 always waits"));
    }
}

/// The thread that has the mutex of the array locked, as the C library notes it in the mutex: in its third
/// word of 32 bits. It stands 64 bytes behind the beginning of the first of three cells of 256 bytes, at the end of the
/// segment.
fn holder(name: &Name) -> u32 {
    let file = File::open(name.file()).unwrap();
    let mutex = file.metadata().unwrap().len() - 3 * 256 + 64;
    let mut word = [0; 4];
    file.read_exact_at(&mut word, mutex + 8).unwrap();
    u32::from_ne_bytes(word)
}

fn is_stopped(pid: i64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| stat.contains(") T "))
}

/// The receiver is stopped again and again until it is stopped with the mutex locked, and killed there.
#[test]
fn a_process_killed_with_the_mutex_locked_blocks_the_plain_queue_for_good() {
    let (place, name) = (Place::new(), Name::new("plain-killed"));
    Queue::create(&name.0, 10, 100_000).unwrap();
    let ipc = env!("CARGO_BIN_EXE_ipc");
    let start_sh = |script: &str| Program::start(place.command("sh").args(["-c", script])).unwrap();
    let line = "yes \"$(printf %0100000d 7)\"";
    let _sender = start_sh(&format!("{line} | {ipc} queue send {} - --stage 1", name.0));
    let receive = format!("exec {ipc} queue receive {} --follow --stage 1", name.0);
    let mut receiver = start_sh(&format!("{receive} > /dev/null"));
    let pid = receiver.pid();
    wait_until("it is stopped with the mutex locked", || {
        receiver.signal("CONT").unwrap();
        receiver.signal("STOP").unwrap();
        wait_until("it is stopped", || is_stopped(pid));
        Path::new(&format!("/proc/{pid}/task/{}", holder(&name))).exists()
    });
    let dead = holder(&name);
    receiver.signal("KILL").unwrap();
    receiver.wait().unwrap();
    for words in [&["send", &name.0, "x"][..], &["receive", &name.0]] {
        wait_until_asleep(&start(&place, words));
    }
    assert_eq!(holder(&name), dead, "the dead process has it still");
}
