//! Our message queue, at both stages, against the kernel's, side by side in one run:
//!
//! ```console
//! $ cargo run --release --example queue_speed
//! ```
//!
//! Messages of 100 bytes; the median of several rounds, in which the three take turns. This
//! program is also its own other process: it starts itself with the words that say what to do.

use std::env;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use ipc_primer::queue::{self, Queue, s1_plain};
use nix::errno::Errno;
use nix::mqueue::{MQ_OFlag, MqAttr, MqdT};
use nix::mqueue::{mq_close, mq_open, mq_receive, mq_send, mq_unlink};
use nix::sys::stat::Mode;

const LEN: usize = 100;
const ROUNDS: usize = 11;

/// A queue of any kind, open both ways.
enum Any {
    Plain(s1_plain::Queue),
    Ours(Box<Queue>),
    Kernels(MqdT),
}

impl Any {
    fn open(kind: &str, name: &str, slots: usize) -> Result<Self, Errno> {
        if kind == "ours" {
            let options = Queue::options().read(true).write(true).create(true);
            let made = options.max_messages(slots).message_size(LEN).open(name);
            return Ok(Self::Ours(Box::new(
                made.expect("a queue of ours can be made"),
            )));
        }
        if kind == "plain" {
            let made = s1_plain::Queue::create(name, slots, LEN);
            let made = made.or_else(|_| s1_plain::Queue::open(name));
            return Ok(Self::Plain(made.expect("a plain queue can be made")));
        }
        let flags = MQ_OFlag::O_RDWR | MQ_OFlag::O_CREAT;
        let attributes = MqAttr::new(0, slots as i64, LEN as i64, 0);
        let made = mq_open(
            name,
            flags,
            Mode::S_IRUSR | Mode::S_IWUSR,
            Some(&attributes),
        )?;
        Ok(Self::Kernels(made))
    }

    fn send(&self, message: &[u8]) {
        match self {
            Self::Plain(queue) => queue.send(message, 0).expect("a message can be sent"),
            Self::Ours(queue) => queue.send(message, 0).expect("a message can be sent"),
            Self::Kernels(queue) => mq_send(queue, message, 0).expect("a message can be sent"),
        }
    }

    fn receive(&self, buffer: &mut [u8; LEN]) {
        let len = match self {
            Self::Plain(queue) => queue.receive().map(|message| message.len()).ok(),
            Self::Ours(queue) => queue
                .receive(buffer)
                .map(|message| message.bytes.len())
                .ok(),
            Self::Kernels(queue) => mq_receive(queue, buffer, &mut 0).ok(),
        };
        assert_eq!(len, Some(LEN), "a whole message can be received");
    }

    fn close(queues: [Self; 2]) {
        for queue in queues {
            if let Self::Kernels(queue) = queue {
                mq_close(queue).expect("a queue can be closed");
            }
        }
    }
}

/// The names of the two queues of one measurement; dropping them unlinks them.
struct Names {
    kind: &'static str,
    names: [String; 2],
}

impl Names {
    fn new(kind: &'static str) -> Self {
        let name = |which| format!("/queue-speed-{which}-{}", std::process::id());
        let names = ["there", "back"].map(name);
        Self { kind, names }
    }

    fn open(&self, slots: usize) -> Result<[Any; 2], Errno> {
        let [there, back] = &self.names;
        Ok([
            Any::open(self.kind, there, slots)?,
            Any::open(self.kind, back, slots)?,
        ])
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        for name in &self.names {
            match self.kind {
                "plain" => drop(s1_plain::unlink(name)),
                "ours" => drop(queue::unlink(name)),
                _ => drop(mq_unlink(name.as_str())),
            }
        }
    }
}

fn main() {
    let words: Vec<_> = env::args().skip(1).collect();
    if let [role, kind, slots, times, there, back] = &words[..] {
        let slots = slots.parse().expect("a number of slots");
        let times = times.parse().expect("a number of times");
        let [there, back] =
            [there, back].map(|name| Any::open(kind, name, slots).expect("it is there"));
        return child(role, &there, &back, times);
    }
    println!("messages of {LEN} bytes, medians of {ROUNDS} rounds, nanoseconds");
    println!(
        "the kernel's, stage 1 and stage 2 of ours, and how many times as fast stage 2 is as the kernel's"
    );
    println!(
        "{:<42} {:>8} {:>8} {:>8} {:>6}",
        "", "kernel", "stage 1", "stage 2", "times"
    );
    compare(
        "send and receive in one process, 10 slots",
        10,
        in_one_process,
    );
    compare("from one process to another, 10 slots", 10, throughput);
    compare("from one process to another, 256 slots", 256, throughput);
    compare("to another process and back, 10 slots", 10, ping_pong);
}

/// Prints one line: what it takes the kernel's queues and ours at both stages. Where the kernel does not let us have
/// so many slots (`/proc/sys/fs/mqueue/msg_max`), its queue has 10.
fn compare(what: &str, slots: usize, measure: fn(&Names, usize) -> Result<Duration, Errno>) {
    let kernel_slots = match Names::new("kernel").open(slots).map(Any::close) {
        Err(Errno::EINVAL) => 10,
        _ => slots,
    };
    let mut taken = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        let kinds = [("kernel", kernel_slots), ("plain", slots), ("ours", slots)];
        for (taken, (kind, slots)) in taken.iter_mut().zip(kinds) {
            match measure(&Names::new(kind), slots) {
                Ok(time) => taken.push(time.as_secs_f64() * 1e9),
                Err(errno) => return println!("{what:<42} the kernel says {errno}"),
            }
        }
    }
    let [kernel, plain, ours] = taken.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    });
    let note = if kernel_slots < slots {
        " (the kernel's: 10)"
    } else {
        ""
    };
    println!(
        "{what:<42} {kernel:>8.0} {plain:>8.0} {ours:>8.0} {:>6.1}{note}",
        kernel / ours
    );
}

/// A message in and out again.
fn in_one_process(names: &Names, slots: usize) -> Result<Duration, Errno> {
    const TIMES: u32 = 200_000;
    let [queue, other] = names.open(slots)?;
    let mut buffer = [0; LEN];
    let start = Instant::now();
    for _ in 0..TIMES {
        queue.send(&[7; LEN]);
        queue.receive(&mut buffer);
    }
    let time = start.elapsed() / TIMES;
    Any::close([queue, other]);
    Ok(time)
}

/// A message of many that another process sends as fast as it can.
fn throughput(names: &Names, slots: usize) -> Result<Duration, Errno> {
    const TIMES: u32 = 100_000;
    let [there, back] = names.open(slots)?;
    let mut child = start_child("sender", names, slots, TIMES);
    let mut buffer = [0; LEN];
    there.receive(&mut buffer); // the first: so it has started
    let start = Instant::now();
    for _ in 1..TIMES {
        there.receive(&mut buffer);
    }
    let time = start.elapsed() / (TIMES - 1);
    assert!(child.wait().expect("a child ends").success());
    Any::close([there, back]);
    Ok(time)
}

/// A message to another process, and its answer.
fn ping_pong(names: &Names, slots: usize) -> Result<Duration, Errno> {
    const TIMES: u32 = 20_000;
    let [there, back] = names.open(slots)?;
    let mut child = start_child("echo", names, slots, TIMES);
    let mut buffer = [0; LEN];
    let mut once = || {
        there.send(&[7; LEN]);
        back.receive(&mut buffer);
    };
    once();
    let start = Instant::now();
    (1..TIMES).for_each(|_| once());
    let time = start.elapsed() / (TIMES - 1);
    assert!(child.wait().expect("a child ends").success());
    Any::close([there, back]);
    Ok(time)
}

fn start_child(role: &str, names: &Names, slots: usize, times: u32) -> Child {
    let program = env::current_exe().expect("this program has a path");
    let mut command = Command::new(program);
    command
        .args([role, names.kind])
        .args([slots.to_string(), times.to_string()]);
    command.args(&names.names).spawn().expect("a child starts")
}

fn child(role: &str, there: &Any, back: &Any, times: u32) {
    let mut buffer = [7; LEN];
    for _ in 0..times {
        match role {
            "sender" => there.send(&buffer),
            _ => {
                there.receive(&mut buffer);
                back.send(&buffer);
            }
        }
    }
}
