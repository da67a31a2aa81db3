//! SIGKILL at any moment, thousands of times: nobody hangs, and no message is torn, duplicated or lost
//! but the one that a killed receiver had in its hands.

mod queueing;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{PipeReader, PipeWriter, Read, Write, pipe, stderr};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use ipc_primer::queue::{Error, Queue};
use queueing::{LONGEST_HANG, Mortal, Name, Random, start_worker, words};

const KILLS: usize = 2001;
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

#[test]
fn worker() {
    // Not a test of its own: the process that sends or receives until it is killed.
    let Some(words) = words() else { return };
    let queue = Queue::options()
        .read(true)
        .write(true)
        .open(&words[1])
        .unwrap();
    let sender = words[2].parse().unwrap();
    let mut buffer = [0; SIZE];
    for number in 0.. {
        if words[0] == "send" {
            queue
                .send(&message(sender, number), (number % 3) as u32)
                .unwrap();
        } else {
            let received = queue.receive(&mut buffer).unwrap();
            stderr()
                .write_all(&id_of(received.bytes).to_ne_bytes())
                .unwrap();
        }
    }
}

/// All processes of the test, and what its receivers report.
struct Crowd {
    name: Name,
    reports: Receiver<u64>,
    writer: PipeWriter,
    workers: Vec<(&'static str, Mortal)>,
    started: u64,
    heard: Vec<u64>,
}

impl Crowd {
    fn new(slots: usize) -> Self {
        let name = Name::new("kill");
        name.create(slots, SIZE);
        let (reader, writer) = pipe().unwrap();
        let (sender, reports) = mpsc::channel();
        thread::spawn(move || forward(reader, |id| sender.send(id).is_ok()));
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
        self.workers.push((role, Mortal::start(&mut command)));
    }

    /// Waits until the receivers have reported so many messages more.
    fn hear(&mut self, reports: u64, seed: u64) {
        for _ in 0..reports {
            let report = self.reports.recv_timeout(LONGEST_HANG);
            let hang =
                format!("seed {seed}: two senders and two receivers live, and nothing moves");
            self.heard.push(report.expect(&hang));
        }
    }
}

fn forward(mut reader: PipeReader, mut tell: impl FnMut(u64) -> bool) {
    let mut word = [0; 8];
    while reader.read_exact(&mut word).is_ok() && tell(u64::from_ne_bytes(word)) {}
}

#[test]
fn whoever_is_killed_at_any_moment_takes_one_message_at_most() {
    let seed = 0x5eed_0008;
    println!("seed {seed}");
    let mut random = Random(seed);
    let start = Instant::now();
    let (mut killed_receivers, mut kills) = (0, 0);
    for slots in [1, 4, 64] {
        let mut crowd = Crowd::new(slots);
        for _ in 0..KILLS / 3 {
            let moment = random.below(40);
            crowd.hear(moment, seed);
            let victim = random.below(crowd.workers.len() as u64) as usize;
            let (role, mortal) = crowd.workers.remove(victim);
            drop(mortal);
            kills += 1;
            killed_receivers += usize::from(role == "receive");
            crowd.start(role);
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
        crowd.heard.push(report);
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
