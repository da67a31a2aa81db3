//! SIGKILL at any moment, many times: nobody hangs, and no message is torn, duplicated or lost
//! but the one that a killed receiver had in its hands.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{PipeReader, PipeWriter, Read, Write, pipe, stderr};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::queueing::{LONGEST_HANG, Mortal, Name, Random, start_worker};
use ipc_primer::queue::{Error, Queue};

const SIZE: usize = 256;
/// What a receiver reports of a message that is not as it was sent.
const TORN: u64 = u64::MAX;

/// A message that says who sent it and which it is, as often as fits: any torn one shows.
fn message(sender: u64, number: u64) -> Vec<u8> {
    let len = (number as usize % (SIZE / 8) + 1) * 8;
    let id = (sender << 32 | number).to_ne_bytes();
    id.iter().copied().cycle().take(len).collect()
}

fn id_of(bytes: &[u8]) -> u64 {
    let Some(first) = bytes.first_chunk() else {
        return TORN;
    };
    let id = u64::from_ne_bytes(*first);
    let (sender, number) = (id >> 32, id & u64::from(u32::MAX));
    if message(sender, number) == bytes {
        id
    } else {
        TORN
    }
}

/// What another process does: it sends or receives until it is killed.
pub fn send_or_receive(words: &[String]) {
    let queue = Queue::options()
        .read(true)
        .write(true)
        .open(&words[1])
        .unwrap();
    let sender: u64 = words[2].parse().unwrap(); // or receiver
    let mut buffer = [0; SIZE];
    for number in 0.. {
        if words[0] == "send" {
            queue
                .send(&message(sender, number), (number % 3) as u32)
                .unwrap();
        } else {
            let received = queue.receive(&mut buffer).unwrap();
            let report = [sender, id_of(received.bytes)].map(u64::to_ne_bytes);
            stderr().write_all(report.as_flattened()).unwrap();
        }
    }
}

/// All processes of the test, and what its receivers report.
struct Crowd {
    name: Name,
    reports: Receiver<[u64; 2]>,
    writer: PipeWriter,
    workers: Vec<(&'static str, u64, Mortal)>,
    started: u64,
    heard: Vec<u64>,
}

impl Crowd {
    fn new(slots: usize) -> Self {
        let name = Name::new("kill");
        name.create(slots, SIZE);
        let (reader, writer) = pipe().unwrap();
        let (sender, reports) = mpsc::channel();
        thread::spawn(move || forward(reader, |report| sender.send(report).is_ok()));
        let (workers, heard) = (Vec::new(), Vec::new());
        let mut crowd = Self {
            name,
            reports,
            writer,
            workers,
            started: 0,
            heard,
        };
        for role in ["send", "receive", "send", "receive"] {
            crowd.start(role);
        }
        crowd
    }

    fn start(&mut self, role: &'static str) {
        self.started += 1;
        let mut command = start_worker(&[role, &self.name.0, &self.started.to_string()]);
        if role == "receive" {
            command.stderr(self.writer.try_clone().unwrap());
        }
        let mortal = Mortal::start(&mut command);
        self.workers.push((role, self.started, mortal));
    }

    /// Waits for the next report: who received, and what.
    fn hear(&mut self, seed: u64) -> [u64; 2] {
        let report = self.reports.recv_timeout(LONGEST_HANG);
        let hang = format!("seed {seed}: two senders and two receivers live, and nothing moves");
        let report = report.expect(&hang);
        self.heard.push(report[1]);
        report
    }

    /// Waits until each of those who live has sent or received something: nobody hangs.
    fn hear_of_all(&mut self, seed: u64) {
        let mut silent: BTreeSet<u64> = self.workers.iter().map(|(_, number, _)| *number).collect();
        let start = Instant::now();
        while !silent.is_empty() {
            let [receiver, id] = self.hear(seed);
            silent.remove(&receiver);
            silent.remove(&(id >> 32));
            let waited = start.elapsed();
            assert!(
                waited < LONGEST_HANG,
                "seed {seed}: {silent:?} hang, while others go on"
            );
        }
    }
}

fn forward(mut reader: PipeReader, mut tell: impl FnMut([u64; 2]) -> bool) {
    let mut report = [[0; 8]; 2];
    while reader.read_exact(report.as_flattened_mut()).is_ok()
        && tell(report.map(u64::from_ne_bytes))
    {}
}

#[test]
fn whoever_is_killed_at_any_moment_takes_one_message_at_most() {
    kill_and_count(300);
}

#[test]
#[ignore = "the same for half a minute"]
fn whoever_is_killed_at_any_moment_takes_one_message_at_most_ten_thousand_times() {
    kill_and_count(9_999);
}

fn kill_and_count(all: usize) {
    let seed = 0x5eed_0008;
    println!("seed {seed}");
    let mut random = Random(seed);
    let start = Instant::now();
    let (mut killed_receivers, mut kills) = (0, 0);
    for slots in [1, 4, 64] {
        let mut crowd = Crowd::new(slots);
        for _ in 0..all / 3 {
            for _ in 0..random.below(40) {
                crowd.hear(seed);
            }
            let victim = random.below(crowd.workers.len() as u64) as usize;
            let (role, _, mortal) = crowd.workers.remove(victim);
            drop(mortal);
            killed_receivers += usize::from(role == "receive");
            crowd.start(role);
            kills += 1;
            if kills % 50 == 0 {
                crowd.hear_of_all(seed);
            }
        }
        let receivers = killed_receivers + 2;
        killed_receivers = 0;
        check(crowd, receivers);
    }
    println!("{kills} kills took {:?}", start.elapsed());
}

/// Kills all, takes what is left in the queue, and counts.
fn check(mut crowd: Crowd, receivers: usize) {
    crowd.workers.clear();
    let queue = crowd.name.both_ways().open(&crowd.name.0).unwrap();
    while let Ok(report) = crowd.reports.recv_timeout(Duration::from_millis(50)) {
        crowd.heard.push(report[1]);
    }
    let mut buffer = [0; SIZE];
    loop {
        match queue.try_receive(&mut buffer) {
            Ok(message) => crowd.heard.push(id_of(message.bytes)),
            Err(Error::WouldBlock(_)) => break,
            Err(other) => panic!("the queue should be sound, and says: {other}"),
        }
    }
    assert!(!crowd.heard.contains(&TORN), "a message was torn");
    let mut numbers: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for id in &crowd.heard {
        let new = numbers
            .entry(id >> 32)
            .or_default()
            .insert(id & u64::from(u32::MAX));
        assert!(new, "message {id:x} came twice");
    }
    let lost: usize = numbers
        .values()
        .map(|numbers| *numbers.last().unwrap() as usize + 1 - numbers.len())
        .sum();
    println!(
        "{} messages came, {lost} were lost with {receivers} receivers",
        crowd.heard.len()
    );
    assert!(
        lost <= receivers,
        "{lost} messages were lost with {receivers} killed receivers"
    );
}
