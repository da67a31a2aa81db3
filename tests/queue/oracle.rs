//! The kernel is the oracle: long random sequences of calls on our queues and on the kernel's, every
//! result, error and order the same.

use std::process;
use std::time::Duration;

use super::kernel::{Flags, Queues, kernel_has_queues};
use crate::common::queueing::Random;
use ipc_primer::queue::Queue;
use nix::mqueue::MqdT;

const SEQUENCES: u64 = 100;
const CALLS: usize = 400;

/// Both queues opened by the same call.
struct Both {
    ours: Queue,
    kernels: MqdT,
    message_size: usize,
}

/// The names and handles of one sequence.
struct Sequence {
    random: Random,
    names: Vec<String>,
    open: Vec<Both>,
    sent: u32,
}

impl Sequence {
    fn new(seed: u64) -> Self {
        let good = (0..3).map(|which| format!("/oracle-{}-{which}", process::id()));
        let (long, too_long) = ("l".repeat(230), "l".repeat(256));
        let odd = [
            "", "/", "//", "/a/b", "/.", "/..", "no-slash", "no/slash", "/a/",
        ];
        let odd = odd.into_iter().map(str::to_owned);
        let names = good
            .chain(odd)
            .chain([format!("/{long}"), format!("/{too_long}")]);
        Self {
            random: Random(seed),
            names: names.collect(),
            open: Vec::new(),
            sent: 0,
        }
    }

    /// Mostly one of the three good names.
    fn name(&mut self) -> String {
        let end = if self.random.chance(8) {
            self.names.len()
        } else {
            3
        };
        self.names[self.random.below(end as u64) as usize].clone()
    }

    /// One call of each; both answers as text.
    fn call(&mut self) -> (String, String, String) {
        let choice = self.random.below(100);
        if self.open.is_empty() || choice < 6 {
            return self.open();
        }
        let at = self.random.below(self.open.len() as u64) as usize;
        match choice {
            6..10 => self.unlink(),
            10..13 => self.close(at),
            13..17 => self.set_non_blocking(at),
            17..25 => {
                let both = &self.open[at];
                answers(
                    "attributes",
                    Queues::attributes(&both.ours),
                    both.kernels.attributes(),
                )
            }
            25..62 => self.send(at),
            _ => self.receive(at),
        }
    }

    fn open(&mut self) -> (String, String, String) {
        let name = self.name();
        let read = !self.random.chance(4);
        let flags = Flags {
            read,
            write: !read || !self.random.chance(4),
            create: !self.random.chance(3),
            exclusive: self.random.chance(4),
            non_blocking: self.random.chance(2),
            max_messages: *self.random.pick(&[0, 1, 2, 3, 7, 10]),
            message_size: *self.random.pick(&[0, 1, 8, 100, 8192]),
        };
        let ours = <Queue as Queues>::open(&name, flags);
        let kernels = <MqdT as Queues>::open(&name, flags);
        let what = format!("open {name:?} {flags:?}");
        let answers = answers(&what, ours.as_ref().map(drop), kernels.as_ref().map(drop));
        if let (Ok(ours), Ok(kernels)) = (ours, kernels) {
            let message_size = ours.attributes().unwrap().message_size;
            self.open.push(Both {
                ours,
                kernels,
                message_size,
            });
        }
        answers
    }

    fn unlink(&mut self) -> (String, String, String) {
        let name = self.name();
        let ours = <Queue as Queues>::unlink(&name);
        answers(
            &format!("unlink {name:?}"),
            ours,
            <MqdT as Queues>::unlink(&name),
        )
    }

    fn close(&mut self, at: usize) -> (String, String, String) {
        self.open.remove(at).kernels.close();
        answers("close", Ok::<_, String>(()), Ok::<_, String>(()))
    }

    fn set_non_blocking(&mut self, at: usize) -> (String, String, String) {
        let non_blocking = self.random.chance(2);
        let both = &mut self.open[at];
        Queues::set_non_blocking(&mut both.ours, non_blocking);
        Queues::set_non_blocking(&mut both.kernels, non_blocking);
        answers("set_non_blocking", Ok::<_, String>(()), Ok::<_, String>(()))
    }

    fn send(&mut self, at: usize) -> (String, String, String) {
        let both = &self.open[at];
        let len = match self.random.below(10) {
            0 => both.message_size + 1,
            1 => both.message_size,
            2 => 0,
            _ => self.random.below(both.message_size as u64 + 1) as usize,
        };
        let priority = match self.random.below(10) {
            0 => *self.random.pick(&[32767, 32768, u32::MAX]),
            1..4 => self.random.below(32768) as u32,
            _ => self.random.below(3) as u32,
        };
        self.sent += 1;
        let mark = self.sent.to_ne_bytes();
        let bytes: Vec<u8> = mark.iter().copied().cycle().take(len).collect();
        let what = format!("send {len} bytes with priority {priority}");
        if would_block(both, |(max, _, now)| now == max) {
            return answers(&what, Ok::<_, String>("blocks"), Ok::<_, String>("blocks"));
        }
        let ours = Queues::send(&both.ours, &bytes, priority);
        answers(&what, ours, both.kernels.send(&bytes, priority))
    }

    fn receive(&mut self, at: usize) -> (String, String, String) {
        let both = &self.open[at];
        let less = usize::from(self.random.chance(12));
        let len = both.message_size - less.min(both.message_size);
        if !self.random.chance(4) && !would_block(both, |(_, _, now)| now == 0) {
            let what = format!("receive into {len} bytes");
            return answers(
                &what,
                Queues::receive(&both.ours, len),
                both.kernels.receive(len),
            );
        }
        let limit = Duration::from_micros(*self.random.pick(&[0, 0, 0, 300]));
        let what = format!("receive into {len} bytes within {limit:?}");
        let ours = Queues::receive_timeout(&both.ours, len, limit);
        answers(&what, ours, both.kernels.receive_timeout(len, limit))
    }
}

/// Whether a call on this handle would block for ever, as the kernel sees its queue.
fn would_block(both: &Both, blocks: impl Fn((usize, usize, usize)) -> bool) -> bool {
    let (max, size, now, non_blocking) = both.kernels.attributes().unwrap();
    !non_blocking && blocks((max, size, now))
}

fn answers<T: std::fmt::Debug, E: std::fmt::Debug>(
    what: &str,
    ours: Result<T, E>,
    kernels: Result<T, E>,
) -> (String, String, String) {
    (what.to_owned(), format!("{ours:?}"), format!("{kernels:?}"))
}

#[test]
fn random_sequences_of_calls_have_the_same_results() {
    if !kernel_has_queues(&format!("/oracle-probe-{}", process::id())) {
        return;
    }
    let mut calls = std::collections::BTreeMap::new();
    for seed in 0..SEQUENCES {
        let mut sequence = Sequence::new(seed);
        for number in 0..CALLS {
            let (what, ours, kernels) = sequence.call();
            assert_eq!(
                ours, kernels,
                "seed {seed}, call {number}: {what}: ours on the left, the kernel's on the right"
            );
            let kind = what.split(' ').next().unwrap().to_owned();
            let result = ours
                .split('(')
                .nth(if ours.starts_with("Err") { 1 } else { 0 });
            *calls
                .entry((kind, result.unwrap_or_default().to_owned()))
                .or_insert(0) += 1;
        }
        sequence
            .open
            .into_iter()
            .for_each(|both| both.kernels.close());
        for name in sequence.names {
            let _ = <MqdT as Queues>::unlink(&name);
            let _ = <Queue as Queues>::unlink(&name);
        }
    }
    for ((call, result), times) in calls {
        println!("{times:>6} × {call}: {result}");
    }
}
