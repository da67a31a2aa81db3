//! A student's program at work: started, fed, watched; `ending.rs` ends it, and `expect.rs` judges it.

mod ending;
mod expect;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

pub(super) use ending::{STRAYS_LIMIT, show_end};

use super::captured::Captured;
use super::peer::{Peer, connect};
use super::{Fault, Lab, Verdict, watch};
use crate::harness::{Guarded, Identity, Stream, guard, signal, state};
use crate::stop::Waker;
use crate::support::escape::escape;

/// How much processor time a program may use before it rests. A program that polls never rests. Time in which
/// a busy machine does not run the program does not count, so it makes no program late.
const WORK_LIMIT: Duration = Duration::from_millis(300);

/// The likely cause when a program cannot even be started.
const NO_PROGRAM: &str = "the path is wrong, the file is not executable (chmod +x), or its #! line \
    names no program";

/// A running program, with a process group of its own. Dropping it ends the program: SIGTERM to the group,
/// and SIGKILL to every process that is left, in the group or outside.
pub struct Running<'a> {
    lab: &'a Lab<'a>,
    child: RefCell<Child>,
    pid: u32,
    stdin: RefCell<Option<ChildStdin>>,
    mark: String,
    before: BTreeSet<u32>,
    output: Arc<Captured>,
    command: String,
    ended: Cell<Option<ExitStatus>>,
    signalled: Cell<bool>,
    paused: Cell<bool>,
    record: RefCell<Option<Record>>,
    killer: RefCell<Option<Waker>>,
    _guarded: Guarded,
}

/// What remains of a program, for the report.
#[derive(Clone, Debug)]
pub struct Record {
    /// The command line.
    pub command: String,
    /// How it ended if it did so on its own; `None` if it ran until it was no longer needed.
    pub end: Option<ExitStatus>,
    /// Whether it flooded its output.
    pub flooded: bool,
    /// What it printed on stdout.
    pub stdout: Vec<u8>,
    /// What it printed on stderr.
    pub stderr: Vec<u8>,
}

impl<'a> Running<'a> {
    pub(super) fn start(
        lab: &'a Lab<'a>,
        mut command: Command,
        mark: &str,
        shown: String,
    ) -> Result<Self, Fault> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env("IPC_GRADE", mark)
            .process_group(0);
        let no_start = |error| Fault::new(format!("{shown} cannot be started: {error}"));
        let guarded = guard(&mut command).map_err(no_start)?;
        let before = watch::all_pids();
        let spawned = command.spawn();
        let mut child = spawned.map_err(|error| no_start(error).because(NO_PROGRAM))?;
        let pid = child.id();
        let kill = move || drop(signal("KILL", -i64::from(pid)));
        let output = Captured::of(&mut child, kill);
        let unheard = Arc::clone(&output);
        let end = move || {
            unheard.give_up(); // a process that has left the group may keep the output open
            kill();
        };
        Ok(Self {
            lab,
            pid,
            stdin: RefCell::new(child.stdin.take()),
            mark: format!("IPC_GRADE={mark}"),
            before,
            output,
            child: RefCell::new(child),
            command: shown,
            ended: Cell::new(None),
            signalled: Cell::new(false),
            paused: Cell::new(false),
            record: RefCell::new(None),
            killer: RefCell::new(Some(lab.stop().on_stop(end))),
            _guarded: guarded,
        })
    }

    /// Its process ID, which is also the ID of its process group.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Connects to the program's socket.
    ///
    /// # Errors
    /// A fault if it accepts no connection.
    pub fn connect(&self) -> Result<Peer<'_>, Fault> {
        connect(self.lab, self)
    }

    /// Waits until the program rests: it waits for something, so it has read all that it was sent. The call
    /// gives up on a program that never rests.
    pub fn settle(&self) {
        let mut first = None;
        self.lab.wait_until(|| {
            let watch::Look { used, rested } = watch::look(self.pid);
            let worked = used.saturating_sub(*first.get_or_insert(used));
            worked > WORK_LIMIT || rested
        });
    }

    /// Sends a signal to the whole process group, as a terminal does at Ctrl-C.
    pub fn signal(&self, name: &str) {
        // A group that has ended already is no fault here: the caller that waits for its end sees how.
        let _ = signal(name, -i64::from(self.pid));
    }

    /// Stops the program (SIGSTOP) and waits until it has stopped: everything that is sent meanwhile has
    /// arrived when it continues.
    pub fn pause(&self) {
        self.paused.set(true);
        self.signal("STOP");
        self.settle();
    }

    /// Stops only the program's first process: those that it has started continue.
    pub fn pause_first(&self) {
        self.paused.set(true);
        let _ = signal("STOP", self.pid.into());
        let stopped = || matches!(state(self.pid), Some('T' | 't') | None);
        self.lab.wait_until(stopped);
    }

    /// Lets a stopped program continue (SIGCONT).
    pub fn resume(&self) {
        self.paused.set(false);
        self.signal("CONT");
    }

    /// Types a line.
    ///
    /// # Errors
    /// A fault if the program no longer reads.
    pub fn type_line(&self, line: &str) -> Verdict {
        self.feed(format!("{line}\n").as_bytes())
    }

    /// Writes to the program's stdin.
    ///
    /// # Errors
    /// A fault if the program no longer reads.
    pub fn feed(&self, bytes: &[u8]) -> Verdict {
        let mut stdin = self.stdin.borrow_mut();
        let written = stdin.as_mut().map(|stdin| stdin.write_all(bytes));
        match written {
            Some(Ok(())) => Ok(()),
            _ => Err(self
                .fault("the program does not read its stdin any more")
                .given(escape(bytes))),
        }
    }

    /// Ends its input, as Ctrl-D does.
    pub fn end_input(&self) {
        self.stdin.take();
    }

    /// Waits until `holds` is true of all its output on stdout; returns whether it was.
    pub fn wait_printed(&self, holds: impl Fn(&str) -> bool) -> bool {
        let holds = |bytes: &[u8]| holds(&String::from_utf8_lossy(bytes));
        self.output
            .wait_until(Stream::Stdout, self.lab.timeout(), holds)
    }

    /// What it has printed until now.
    pub fn printed(&self, stream: Stream) -> String {
        String::from_utf8_lossy(&self.output.bytes(stream)).into_owned()
    }

    /// A fault of this program. The report shows what the program has printed until now: its output on the
    /// way to an end that we cause is not worth reading.
    pub fn fault(&self, what: impl Into<String>) -> Fault {
        self.hear();
        Fault::new(what)
    }

    /// Waits until all its output has been read. Processes left by a program that has ended may still print:
    /// the call waits for those that are not at rest.
    fn settle_output(&self) {
        let stray_rests = |(stray, _): &(Identity, String)| watch::is_at_rest(stray.pid);
        let others_rest = || !self.has_ended() || self.strays().iter().all(stray_rests);
        self.lab
            .wait_until(|| self.output.has_ended() || (others_rest() && self.output.is_taken()));
    }

    /// Remembers what it has printed until now, and how it has ended, if it has.
    fn hear(&self) {
        // A program that has closed its sockets may still be about to end.
        self.settle();
        self.settle_output();
        self.look(); // it may have ended meanwhile
        let record = Record {
            command: self.command.clone(),
            end: self.ended.get().filter(|_| !self.signalled.get()),
            flooded: self.output.is_flood(),
            stdout: self.output.bytes(Stream::Stdout),
            stderr: self.output.bytes(Stream::Stderr),
        };
        self.record.replace(Some(record));
    }
}
