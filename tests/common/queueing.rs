//! What the tests of message queues share: names that are unlinked again, chance that can be repeated,
//! and processes that sleep.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crate::common::wait_until;
use ipc_primer::queue::{self, OpenOptions, Queue};

/// The longest that a process may be kept waiting by another's death.
pub const LONGEST_HANG: Duration = Duration::from_secs(3);

/// A name of a test's own; dropping it unlinks what has it.
pub struct Name(pub String);

impl Name {
    pub fn new(test: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self(format!("/test-{test}-{}-{number}", process::id()))
    }

    /// Makes the queue, with so many slots of so many bytes, open both ways.
    pub fn create(&self, max_messages: usize, message_size: usize) -> Queue {
        let options = self.both_ways().create(true).exclusive(true);
        let options = options
            .max_messages(max_messages)
            .message_size(message_size);
        options.open(&self.0).expect("a new queue can be made")
    }

    pub fn both_ways(&self) -> OpenOptions {
        Queue::options().read(true).write(true)
    }

    /// Overwrites words of the queue (see src/queue/layout.rs), behind the segment's 8 of its own.
    pub fn scribble(&self, first: u64, words: &[u64]) {
        let file = fs::File::options().write(true).open(self.file()).unwrap();
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        file.write_all_at(&bytes, (8 + first) * 8).unwrap();
    }

    /// The file of its segment.
    pub fn file(&self) -> PathBuf {
        let name = self.0.trim_start_matches('/');
        PathBuf::from(format!("/dev/shm/ipc-primer-queue.{name}"))
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        if queue::unlink(&self.0).is_err() {
            let _ = fs::remove_file(self.file());
        }
        let gone = !self.file().exists();
        assert!(
            gone || thread::panicking(),
            "{} should be gone",
            self.file().display()
        );
    }
}

/// Chance that can be repeated: splitmix64.
pub struct Random(pub u64);

impl Random {
    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ bits >> 31) % end
    }

    pub fn chance(&mut self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }
}

/// Waits until a thread of the process sleeps in `futex(2)`, as one that waits for a queue does.
#[track_caller]
pub fn wait_until_asleep(pid: u32) {
    wait_until("the process sleeps on the queue", || {
        let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
            return false;
        };
        let sleeps = |thread: PathBuf| {
            let stat = fs::read_to_string(thread.join("stat")).unwrap_or_default();
            let name = fs::read_to_string(thread.join("comm")).unwrap_or_default();
            stat.contains(") S ") && name.starts_with(WORKER)
        };
        threads.flatten().any(|thread| sleeps(thread.path()))
    });
}

/// The name of the test that is no test but another process of one: libtest names its thread so.
pub const WORKER: &str = "queue::worker";

/// Starts this test program again, as a worker with these words.
pub fn start_worker(words: &[&str]) -> Command {
    let program = std::env::current_exe().expect("this program has a path");
    let mut command = Command::new(program);
    command
        .args([WORKER, "--exact", "--nocapture", "--test-threads=2"])
        .env("QUEUE_WORKER", words.join(" "))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
    command
}

/// The words this process was started with, if it is a worker.
pub fn words() -> Option<Vec<String>> {
    let words = std::env::var("QUEUE_WORKER").ok()?;
    Some(words.split(' ').map(str::to_owned).collect())
}

/// A child that is killed, at the latest when it is dropped.
pub struct Mortal(pub Child);

impl Mortal {
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().expect("a worker starts"))
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a process waits to receive or to send: the registers of these wait queues, each the third word of its
/// first slot. At the end of the segment stand 16 slots of 128 bytes for its lock, and 64 and 64 for these.
pub fn is_registered(name: &Name) -> bool {
    let file = fs::File::open(name.file()).unwrap();
    let end = file.metadata().unwrap().len();
    [128, 64].into_iter().any(|slots_before_end| {
        let mut word = [0; 8];
        let register = end - slots_before_end * 128 + 16;
        file.read_exact_at(&mut word, register).unwrap();
        word != [0; 8]
    })
}
