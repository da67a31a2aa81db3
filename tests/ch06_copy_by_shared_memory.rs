//! Chapter 6: a file from one peer to many by shared memory, step by step as in note 3.
//!
//! Run it with `cargo test --test ch06_copy_by_shared_memory -- --nocapture` to read along.

mod common;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::{process, thread};

use common::assert_succeeds;
use common::copying::{Copying, FILE, RingPlace, pattern};
use common::wait_until;
use common::{Place, text};
use ipc_primer::harness::Stream::Stderr;
use ipc_primer::shm::ring::{Receiver, Sender, Shape};
use ipc_primer::shm::{self, Format, Lifetime, Segment, SegmentLayout, Semaphore};
use ipc_primer::stop::StopToken;

const FORMAT: Format = Format {
    kind: *b"chapter6",
    version: 1,
};

fn race(words: &[&str]) -> String {
    let place = Place::new();
    fs::write(place.path(FILE), pattern(1 << 20)).unwrap();
    let output = place.run(&[&["copy", "race"], words].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout).to_owned();
    println!("$ ipc copy race {}\n{said}", words.join(" "));
    said
}

#[test]
fn step_01_two_processes_share_a_word_of_memory() {
    let name = format!("ch06-word-{}", process::id());
    let plan = SegmentLayout {
        format: FORMAT,
        words: 1,
        wait_slots: 0,
        lifetime: Lifetime::Owner,
    };
    let ours = Segment::create(&name, plan, |_| ()).unwrap();
    let theirs = Segment::open(&name, FORMAT).unwrap();
    theirs.words()[0].store(42, Ordering::Release);
    assert_eq!(ours.words()[0].load(Ordering::Acquire), 42);
    let file = shm::path(&name).unwrap();
    println!("one object, mapped twice: {}", file.display());
    assert!(file.exists());
    drop(ours);
    assert!(!file.exists(), "its maker removes it");
}

#[test]
fn step_02_without_order_updates_are_lost() {
    assert!(
        race(&[]).ends_with("updates were lost\n"),
        "two processes that both load, add and store are bound to overwrite each other's sums"
    );
}

#[test]
fn step_03_without_order_a_file_arrives_torn() {
    assert!(race(&[FILE]).ends_with("the copy differs\n"));
}

#[test]
fn step_04_semaphores_keep_order() {
    assert!(race(&["--semaphores"]).ends_with("no update was lost\n"));
    assert!(race(&[FILE, "--semaphores"]).ends_with("the copy is the same\n"));
}

#[test]
fn step_05_a_semaphore_counts_and_blocks_at_0() {
    let name = format!("ch06-semaphore-{}", process::id());
    let plan = SegmentLayout {
        format: FORMAT,
        words: 1,
        wait_slots: 1,
        lifetime: Lifetime::Owner,
    };
    let segment = Arc::new(Segment::create(&name, plan, |_| ()).unwrap());
    let semaphore = Semaphore::new(&segment, 0, 0..1);
    semaphore.post();
    semaphore.post();
    assert_eq!(
        semaphore.value(),
        2,
        "two posts are two, where an event would know one"
    );
    assert!(semaphore.try_wait() && semaphore.try_wait());
    assert!(!semaphore.try_wait(), "and no third");
    let poster = semaphore.clone();
    let posting = thread::spawn(move || poster.post());
    semaphore.wait(&StopToken::new()).unwrap();
    posting.join().unwrap();
    println!("blocked at 0, and was woken by a post");
}

#[test]
fn step_06_the_sender_fills_a_slot_once_and_every_receiver_reads_it() {
    let name = format!("ch06-ring-{}", process::id());
    let shape = Shape {
        slots: 2,
        slot_len: 4,
        receivers: 3,
    };
    let mut sender = Sender::create(&name, shape, b"").unwrap();
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let name = name.clone();
            thread::spawn(move || {
                let mut receiver = Receiver::join(&name).unwrap();
                let mut read = Vec::new();
                for _ in 0..1000 {
                    let mut slot = [0; 4];
                    receiver.receive(&mut slot, &StopToken::new()).unwrap();
                    read.push(u32::from_ne_bytes(slot));
                }
                receiver.finish();
                read
            })
        })
        .collect();
    let never = StopToken::new();
    sender.wait_for_receivers(&never).unwrap();
    for number in 0..1000u32 {
        sender.send(&number.to_ne_bytes(), &never).unwrap();
    }
    assert_eq!(sender.finish(&never).unwrap(), 0);
    for reader in readers {
        let read = reader.join().unwrap();
        assert!(
            read.into_iter().eq(0..1000),
            "in order, none lost, none twice"
        );
    }
    println!("1000 blocks through two slots to three receivers, each in order");
}

#[test]
fn step_07_sender_and_receivers_run_at_the_same_time_in_any_order() {
    let place = RingPlace::new(1 << 20);
    let mut early = place.receiver("1", &[]);
    let line = early.wait_for(Stderr, "waiting 10 s").unwrap();
    println!("receiver 1: {line}");
    let mut sender = place.sender(2, &[]);
    let line = sender.wait_for(Stderr, "sending as").unwrap();
    println!("sender: {line}");
    let mut late = place.receiver("2", &[]);
    for program in [&mut early, &mut late, &mut sender] {
        assert_succeeds(program);
    }
    place.assert_copied("1");
    place.assert_copied("2");
    place.assert_no_segment();
}

#[test]
fn step_08_what_a_killed_receiver_leaves_holds_up_nobody() {
    let place = RingPlace::new(1 << 20);
    let mut sender = place.sender(2, &["--slots", "2", "--slot-size", "4096"]);
    let mut killed = place.receiver("1", &[]);
    wait_until("it has joined", || !place.files("1").is_empty());
    killed.signal("STOP").unwrap();
    let mut other = place.receiver("2", &[]);
    killed.signal("KILL").unwrap();
    killed.wait().unwrap();
    assert_succeeds(&mut other);
    assert_eq!(sender.wait().unwrap().code(), Some(1));
    println!("the sender said:\n{}", sender.said(Stderr));
    assert!(sender.said(Stderr).contains("has gone before its end"));
    place.assert_copied("2");
    place.assert_no_segment();
}
