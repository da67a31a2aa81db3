//! The kernel is the oracle, with several processes: each step is taken by one process of three on our
//! queue and by one of three on the kernel's, who may block until another's step lets them go on.

use std::io::{BufRead, stdin};

use super::kernel::{Flags, Queues, kernel_has_queues};
use crate::common::queueing::{Name, Random, start_worker, wait_until_asleep};
use ipc_primer::harness::{Program, Stream};
use ipc_primer::queue::Queue;
use nix::mqueue::MqdT;

const SEEDS: u64 = 16;
const STEPS: usize = 120;
const SLOTS: usize = 3;
const SIZE: usize = 32;

const FLAGS: Flags = Flags {
    read: true,
    write: true,
    create: true,
    exclusive: false,
    non_blocking: false,
    max_messages: SLOTS,
    message_size: SIZE,
};

/// What another process does: a call for each line on stdin.
pub fn call_as_told(words: &[String]) {
    match words[0].as_str() {
        "ours" => obey(<Queue as Queues>::open(&words[1], FLAGS).unwrap()),
        _ => obey(<MqdT as Queues>::open(&words[1], FLAGS).unwrap()),
    }
}

fn obey(mut queue: impl Queues) {
    println!("> ready");
    for line in stdin().lock().lines() {
        let line = line.unwrap();
        let mut words = line.split(' ');
        let call = words.next().unwrap();
        queue.set_non_blocking(call.starts_with("try-"));
        println!("> calls {call}");
        if call.ends_with("send") {
            let priority = words.next().unwrap().parse().unwrap();
            let sent = queue.send(words.next().unwrap().as_bytes(), priority);
            println!("> answer {sent:?}");
        } else {
            println!("> answer {:?}", queue.receive(SIZE));
        }
    }
}

/// The same step taken twice: by a process on our queue, and by one on the kernel's.
struct Player([Program; 2]);

impl Player {
    fn start(name: &str) -> Self {
        Self(["ours", "kernel"].map(|kind| {
            let mut program = Program::start(&mut start_worker(&[kind, name])).unwrap();
            program.wait_for(Stream::Stdout, "> ready").unwrap();
            program
        }))
    }

    fn call(&mut self, line: &str) {
        for program in &mut self.0 {
            program.say(line).unwrap();
            program.wait_for(Stream::Stdout, "> calls").unwrap();
        }
    }

    /// What both answer; fails if they do not agree.
    #[track_caller]
    fn answer(&mut self, about: &str) {
        let [ours, kernels] = &mut self.0;
        let answer = |program: &mut Program| program.wait_for(Stream::Stdout, "> answer").unwrap();
        let kernels = kernels.wait_for(Stream::Stdout, "> answer").unwrap();
        assert_eq!(answer(ours), kernels, "{about}: ours on the left");
    }

    fn wait_until_asleep(&self) {
        for program in &self.0 {
            wait_until_asleep(program.pid().try_into().unwrap());
        }
    }
}

/// Plays one game; says how often somebody blocked.
fn play(seed: u64, name: &str) -> u32 {
    let mut random = Random(seed);
    let mut players: Vec<_> = (0..3).map(|_| Player::start(name)).collect();
    let (mut full, mut blocked, mut times) = (0, None, 0);
    for step in 0..STEPS {
        let free: Vec<_> = (0..3).filter(|at| blocked != Some(*at)).collect();
        let at = *random.pick(&free);
        let sends = random.chance(2);
        let blocks = if sends { full == SLOTS } else { full == 0 };
        // One is blocked at a time: which of two goes on first is nowhere said.
        let tries = blocks && (blocked.is_some() || random.chance(2));
        let call = format!(
            "{}{} {} message-{step}",
            if tries { "try-" } else { "" },
            if sends { "send" } else { "receive" },
            random.below(3)
        );
        let about = format!("seed {seed}, step {step}: process {at}: {call}");
        players[at].call(&call);
        if blocks && !tries {
            players[at].wait_until_asleep();
            (blocked, times) = (Some(at), times + 1);
            continue;
        }
        players[at].answer(&about);
        if blocks {
            continue;
        }
        match blocked.take() {
            // It takes what we sent, or fills what we emptied.
            Some(other) => players[other].answer(&about),
            None if sends => full += 1,
            None => full -= 1,
        }
    }
    times
}

#[test]
fn three_processes_get_the_same_answers_in_the_same_order() {
    let name = Name::new("oracle-processes");
    if !kernel_has_queues(&name.0) {
        return;
    }
    for seed in 0..SEEDS {
        let made = (
            <Queue as Queues>::open(&name.0, FLAGS).unwrap(),
            <MqdT as Queues>::open(&name.0, FLAGS).unwrap(),
        );
        let blocked = play(seed, &name.0);
        println!("seed {seed}: {STEPS} steps, {blocked} times somebody slept until another's step");
        made.1.close();
        <Queue as Queues>::unlink(&name.0).unwrap();
        <MqdT as Queues>::unlink(&name.0).unwrap();
    }
    name.create(SLOTS, SIZE); // for the name to be unlinked at the end
}
