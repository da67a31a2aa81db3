//! The other processes of a measurement: started, read from, and ended whatever happens.

use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{env, process, thread};

use super::results::{Cell, Measure};
use crate::harness::{Guarded, TemporaryDirectory, guard};
use crate::stop::{StopToken, Waker};
use crate::support::error::Context;

/// The place of a measurement: a directory of its own, this program, and the processors on which the two run.
pub(super) struct Lab<'a> {
    pub(super) program: &'a Path,
    pub(super) stop: &'a StopToken,
    pin: Option<[usize; 2]>,
    count: Option<usize>,
    directory: TemporaryDirectory,
    turns: AtomicUsize,
}

impl<'a> Lab<'a> {
    pub(super) fn new(
        program: &'a Path,
        pin: Option<[usize; 2]>,
        count: Option<usize>,
        stop: &'a StopToken,
    ) -> io::Result<Self> {
        if let Some([ours, _]) = pin {
            pin_ourselves(ours)?;
        }
        Ok(Self {
            program,
            stop,
            pin,
            count,
            directory: TemporaryDirectory::make("ipc-bench")?,
            turns: AtomicUsize::new(0),
        })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A name that nothing else has. Objects with that name in `/dev/shm` are removed with the directory.
    pub(super) fn new_name(&self) -> String {
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        format!("{}-{turn}", self.directory.name())
    }

    /// A command that runs on the other process's processor.
    pub(super) fn command(&self, program: &Path) -> Command {
        let Some([_, processor]) = self.pin else {
            return Command::new(program);
        };
        let mut command = Command::new("taskset");
        command.args(["-c", &processor.to_string()]).arg(program);
        command
    }

    /// Starts this program again, to do the other half of a measurement.
    pub(super) fn start_peer(
        &self,
        cell: &Cell,
        name: &str,
        stdin: Stdio,
        stdout: Stdio,
    ) -> io::Result<Process> {
        let mut command = self.command(self.program);
        command.args(["bench", "--peer", cell.name, "--name", name]);
        command.args(["--bytes", &cell.bytes.to_string()]);
        if cell.measure == Measure::Throughput {
            command.arg("--flood");
        }
        if let Some(count) = self.count {
            command.args(["--count", &count.to_string()]);
        }
        self.start(command.stdin(stdin).stdout(stdout))
    }

    /// Starts a process in a group of its own, so that a Ctrl-C reaches only us.
    pub(super) fn start(&self, command: &mut Command) -> io::Result<Process> {
        let guarded = guard(command)?;
        let spawned = command.stderr(Stdio::piped()).process_group(0).spawn();
        let mut child = spawned.context(|| format!("cannot start {:?}", command.get_program()))?;
        let stderr = child.stderr.take().expect("it is a pipe");
        let child = Arc::new(Mutex::new(child));
        let (tell, lines) = mpsc::channel();
        let (killed, ended) = (Arc::clone(&child), StopToken::new());
        let process = Process {
            child,
            lines,
            ended: ended.clone(),
            _waker: self.stop.on_stop(move || kill(&killed)),
            _guarded: guarded,
        };
        let listen = move || {
            let lines = BufReader::new(stderr).lines().map_while(Result::ok);
            lines.for_each(|line| drop(tell.send(line)));
            ended.request_stop();
        };
        thread::Builder::new().spawn(listen)?;
        Ok(process)
    }
}

/// A process that is killed when a stop is requested, when this is dropped, and when we are killed.
pub(super) struct Process {
    child: Arc<Mutex<Child>>,
    /// The lines that it writes to stderr.
    lines: Receiver<String>,
    /// A stop is requested here when the process has ended.
    pub(super) ended: StopToken,
    _waker: Waker,
    _guarded: Guarded,
}

impl Process {
    /// Waits until the process says a line with this beginning.
    pub(super) fn wait_for(&self, start: &str) -> io::Result<()> {
        let mut said = Vec::new();
        for line in &self.lines {
            if line.starts_with(start) {
                return Ok(());
            }
            said.push(line);
        }
        let said = said.join("; ");
        let fault = format!("a process ended before it said {start:?}: {said}");
        Err(io::Error::other(fault))
    }

    /// Waits for the end of the process, which should be a success.
    pub(super) fn wait(self) -> io::Result<()> {
        let said: Vec<_> = self.lines.iter().collect();
        match lock(&self.child).wait()? {
            status if status.success() => Ok(()),
            status => Err(io::Error::other(format!("{status}: {}", said.join("; ")))),
        }
    }

    /// Ends the process. Its own words explain an error at our end better than the error does.
    pub(super) fn explain(self, error: io::Error) -> io::Error {
        kill(&self.child);
        let said: Vec<_> = self.lines.iter().collect();
        let other = || io::Error::other(format!("the other process: {}", said.join("; ")));
        if said.is_empty() { error } else { other() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        kill(&self.child);
        let _ = lock(&self.child).wait();
    }
}

fn lock(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kill(child: &Mutex<Child>) {
    let _ = lock(child).kill(); // it may have ended already
}

/// Whether a tool is on the path.
pub(super) fn is_installed(tool: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| directory.join(tool).is_file())
}

/// Keeps this process on one processor: `sched_setaffinity(2)`, by `taskset`.
fn pin_ourselves(processor: usize) -> io::Result<()> {
    let (processor, us) = (processor.to_string(), process::id().to_string());
    let mut taskset = Command::new("taskset");
    let output = taskset.args(["-a", "-c", "-p", &processor, &us]).output();
    let output = output.context(|| "cannot start taskset, which --pin needs".into())?;
    let said = || String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let success = output.status.success().then_some(());
    success.ok_or_else(|| io::Error::other(said()))
}
