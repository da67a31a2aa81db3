//! A process that is led through a call, an instruction at a time, and killed on the way: `ptrace(2)`.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::{env, fs, thread};

use ipc_primer::harness::Identity;
use ipc_primer::shm::path;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// In a victim: which call it was started to make, and on what.
pub fn call_and_name() -> Option<(String, String)> {
    let (call, name) = (env::var("VICTIM_CALL").ok()?, env::var("VICTIM_NAME").ok()?);
    Identity::own().unwrap(); // not to be looked up in the middle of the call
    ptrace::traceme().unwrap();
    Some((call, name))
}

/// In a victim: makes the call.
pub fn between_stops<T>(call: impl FnOnce() -> T) {
    raise(Signal::SIGSTOP).unwrap();
    let _value = call();
    raise(Signal::SIGSTOP).unwrap();
}

/// A process that is about to make its call; dropping it kills it.
pub struct Victim {
    process: Child,
    /// The one of its threads that makes the call.
    thread: Pid,
    /// The file of the segment that the call changes.
    segment: PathBuf,
}

/// How far a victim got before it was killed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reached {
    pub instructions: usize,
    /// How many of these changed what others see.
    pub changes: usize,
}

impl Victim {
    /// Starts one and waits until it is ready. The name of a queue begins with a `/`.
    pub fn start(call: &str, name: &str) -> Self {
        let segment = match name.strip_prefix('/') {
            Some(queue) => path(&format!("queue.{queue}")),
            None => path(name),
        };
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["--exact", "victim"])
            .env("VICTIM_CALL", call)
            .env("VICTIM_NAME", name)
            .stdout(Stdio::null());
        let process = command.spawn().unwrap();
        // For any thread, but only of victims that our own thread has started.
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        let stopped = waitpid(None, Some(flags)).unwrap();
        let WaitStatus::Stopped(thread, Signal::SIGSTOP) = stopped else {
            panic!("the victim of {call:?} should be stopped: {stopped:?}");
        };
        ptrace::setoptions(thread, Options::PTRACE_O_EXITKILL).unwrap();
        Self {
            process,
            thread,
            segment: segment.unwrap(),
        }
    }

    /// Kills it after so many changes, or at the call's end. `wake` is called when it has fallen asleep.
    pub fn kill_after(self, changes: usize, mut wake: Option<&dyn Fn()>) -> Reached {
        let mut reached = Reached::default();
        let mut segment = File::open(&self.segment).ok();
        let mut memory = contents(segment.as_ref());
        while reached.changes < changes {
            let is_system_call = self.is_at_system_call();
            ptrace::step(self.thread, None).unwrap();
            match self.next_stop(&mut wake) {
                WaitStatus::Stopped(_, Signal::SIGTRAP) => {}
                WaitStatus::Stopped(_, Signal::SIGSTOP) => break,
                other => panic!("the victim should be stopped: {other:?}"),
            }
            reached.instructions += 1;
            if is_system_call {
                segment = File::open(&self.segment).ok(); // which may have been made just now
            }
            let now = contents(segment.as_ref());
            reached.changes += usize::from(is_system_call || now != memory);
            memory = now;
        }
        reached
    }

    /// Lets it run until it sleeps, and kills it there.
    pub fn kill_asleep(self) {
        ptrace::cont(self.thread, None).unwrap();
        while !self.is_asleep() {
            thread::yield_now();
        }
    }

    /// Whether its next instruction is `syscall`.
    #[cfg(target_arch = "x86_64")]
    fn is_at_system_call(&self) -> bool {
        let next = ptrace::getregs(self.thread).unwrap().rip;
        let code = ptrace::read(self.thread, next as ptrace::AddressType).unwrap();
        code.to_le_bytes().starts_with(&[0x0f, 0x05])
    }

    /// Where the test does not know what a system call looks like, each instruction may be one.
    #[cfg(not(target_arch = "x86_64"))]
    fn is_at_system_call(&self) -> bool {
        true
    }

    fn next_stop(&self, wake: &mut Option<&dyn Fn()>) -> WaitStatus {
        loop {
            let mut flags = WaitPidFlag::__WALL;
            flags.set(WaitPidFlag::WNOHANG, wake.is_some());
            match waitpid(self.thread, Some(flags)).unwrap() {
                WaitStatus::StillAlive if self.is_asleep() => wake.take().unwrap()(),
                WaitStatus::StillAlive => thread::yield_now(),
                stopped => return stopped,
            }
        }
    }

    fn is_asleep(&self) -> bool {
        let (process, thread) = (self.process.id(), self.thread);
        let stat = fs::read_to_string(format!("/proc/{process}/task/{thread}/stat"));
        stat.unwrap().contains(") S ")
    }
}

/// The first bytes of a segment, all of it in these tests: in one system call, after each instruction.
fn contents(segment: Option<&File>) -> Vec<u8> {
    let mut bytes = vec![0; 32 << 10];
    let len = segment.map_or(0, |file| file.read_at(&mut bytes, 0).unwrap());
    bytes.truncate(len);
    bytes
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        // The process has ended when the end of its traced thread was seen.
        while let Ok(WaitStatus::Stopped(..)) = waitpid(self.thread, Some(WaitPidFlag::__WALL)) {}
        self.process.wait().unwrap();
    }
}
