//! A student's program at work: the one way to start and to end it.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::captured::Captured;
use super::peer::{Peer, connect};
use super::{Fault, Lab, Verdict, watch};
use crate::interrupt::Waker;
use crate::process::{Stream, signal};
use crate::signals::{Outcome, outcome};

/// How long a program that is needed no longer gets to end after SIGTERM, before SIGKILL.
const TERM_LIMIT: Duration = Duration::from_millis(100);
/// How long children may outlive their parent: they may be ending themselves.
const CHILD_LIMIT: Duration = Duration::from_millis(500);
/// How long the output of a program that has ended may take to reach us.
const OUTPUT_LIMIT: Duration = Duration::from_millis(500);
/// How long a program that dies may take to be dead.
const DYING_LIMIT: Duration = Duration::from_millis(100);
/// How long to wait for a program to come to rest. One that polls never does.
const REST_LIMIT: Duration = Duration::from_millis(300);

/// Likely causes of a server that does not listen where it should.
const NO_PATH: &str = "its own words, below, may say why: it needs the socket's path from {socket}, \
    from $IPC_SOCKET, or by --socket";
const WRITTEN_IN: &str = "the path is written into the program: take it from its arguments ({socket}), \
    or pass --socket";
const NO_SOCKET: &str = "socket, bind and listen were not all called, or it waits for something \
    before it calls them";
/// Likely cause of a program that cannot even be started.
const NO_PROGRAM: &str = "the path is wrong, the file is not executable (chmod +x), or its #! line \
    names no program";

/// A running program, with a process group of its own. Dropping it ends the program: SIGTERM to the
/// group, and SIGKILL to whoever is left, in the group or out of it.
pub struct Running<'a> {
    lab: &'a Lab<'a>,
    child: RefCell<Child>,
    pid: u32,
    stdin: RefCell<Option<ChildStdin>>,
    mark: String,
    output: Arc<Captured>,
    command: String,
    ended: Cell<Option<ExitStatus>>,
    signalled: Cell<bool>,
    paused: Cell<bool>,
    killer: RefCell<Option<Waker>>,
}

/// What is left of a program: for the report.
#[derive(Clone, Debug)]
pub struct Record {
    /// The command line.
    pub command: String,
    /// How it ended if it did so by itself; `None` if it ran until it was no longer needed.
    pub end: Option<ExitStatus>,
    /// Whether it printed more than anybody wants to read.
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
        let mut child = command.spawn().map_err(|error| {
            Fault::new(format!("{shown} cannot be started: {error}")).because(NO_PROGRAM)
        })?;
        let pid = child.id();
        let kill = move || drop(signal("KILL", -i64::from(pid)));
        Ok(Self {
            lab,
            pid,
            stdin: RefCell::new(child.stdin.take()),
            mark: format!("IPC_GRADE={mark}"),
            output: Captured::of(&mut child, kill),
            child: RefCell::new(child),
            command: shown,
            ended: Cell::new(None),
            signalled: Cell::new(false),
            paused: Cell::new(false),
            killer: RefCell::new(Some(lab.interrupt().on_raise(kill))),
        })
    }

    /// Its process ID, which is its process group's too.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Connects to the program's socket.
    ///
    /// # Errors
    /// A fault if it takes no connection.
    pub fn connect(&self) -> Result<Peer<'_>, Fault> {
        connect(self.lab, self)
    }

    /// Waits until the program has come to rest: it waits for something, so it has read all that it was
    /// sent. A program that never rests is not waited for.
    pub fn settle(&self) {
        watch::wait_until(REST_LIMIT, || watch::is_at_rest(self.pid));
    }

    /// Sends a signal to the whole process group, as a terminal does at Ctrl-C.
    pub fn signal(&self, name: &str) {
        // A group that has ended already makes no fault here: who waits for its end sees how.
        let _ = signal(name, -i64::from(self.pid));
    }

    /// Stops the program (SIGSTOP), so that whatever is sent meanwhile has all arrived when it
    /// goes on; and waits until it has stopped.
    pub fn pause(&self) {
        self.paused.set(true);
        self.signal("STOP");
        self.settle();
    }

    /// Lets a program that was stopped go on (SIGCONT).
    pub fn resume(&self) {
        self.paused.set(false);
        self.signal("CONT");
    }

    /// Types a line.
    ///
    /// # Errors
    /// A fault if the program reads no more.
    pub fn type_line(&self, line: &str) -> Verdict {
        self.feed(format!("{line}\n").as_bytes())
    }

    /// Writes to the program's stdin.
    ///
    /// # Errors
    /// A fault if the program reads no more.
    pub fn feed(&self, bytes: &[u8]) -> Verdict {
        let mut stdin = self.stdin.borrow_mut();
        let written = stdin.as_mut().map(|stdin| stdin.write_all(bytes));
        match written {
            Some(Ok(())) => Ok(()),
            _ => Err(Fault::new("the program does not read its stdin any more")
                .given(String::from_utf8_lossy(bytes).escape_debug().to_string())),
        }
    }

    /// Ends its input, as Ctrl-D does.
    pub fn end_input(&self) {
        self.stdin.take();
    }

    /// Waits until `text` stands in what it printed.
    ///
    /// # Errors
    /// A fault if it does not come to stand there.
    pub fn expect_printed(&self, stream: Stream, text: &str) -> Verdict {
        let holds = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(text);
        if self.output.wait_until(stream, self.lab.timeout(), holds) {
            return Ok(());
        }
        let name = format!("{stream:?}").to_lowercase();
        Err(
            Fault::new(format!("it does not print what it should on {name}"))
                .expected(format!("{text:?}"))
                .came(shorten(&self.printed(stream))),
        )
    }

    /// Waits until `holds` of all that it printed on stdout; says whether it came to hold.
    pub fn wait_printed(&self, holds: impl Fn(&str) -> bool) -> bool {
        let holds = |bytes: &[u8]| holds(&String::from_utf8_lossy(bytes));
        self.output
            .wait_until(Stream::Stdout, self.lab.timeout(), holds)
    }

    /// What it has printed until now.
    pub fn printed(&self, stream: Stream) -> String {
        String::from_utf8_lossy(&self.output.bytes(stream)).into_owned()
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.look();
        self.ended.get().is_some()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// A fault if it does not end in time.
    pub fn wait(&self) -> Result<ExitStatus, Fault> {
        watch::wait_until(self.lab.timeout(), || self.has_ended());
        let Some(status) = self.ended.get() else {
            return Err(Fault::new("it does not end").expected(format!(
                "its end within {} s",
                self.lab.timeout().as_secs_f32()
            )));
        };
        self.output.wait_end(OUTPUT_LIMIT);
        Ok(status)
    }

    /// Sends the signal and waits for its end.
    ///
    /// # Errors
    /// A fault if it does not end in time.
    pub fn end_by(&self, name: &str) -> Result<ExitStatus, Fault> {
        self.signalled.set(true);
        self.signal(name);
        self.wait().map_err(|_| {
            Fault::new(format!("it is still running after SIG{name}")).expected(format!(
                "its end within {} s",
                self.lab.timeout().as_secs_f32()
            ))
        })
    }

    /// Waits for its end, and expects this exit code.
    ///
    /// # Errors
    /// A fault if it does not end in time, or otherwise.
    pub fn expect_end(&self, code: i32) -> Verdict {
        let status = self.wait()?;
        expect_code(status, code)
    }

    /// Sends the signal and expects that it ends with exit code 0.
    ///
    /// # Errors
    /// A fault if it does not end in time, or otherwise.
    pub fn expect_clean_end_by(&self, name: &str) -> Verdict {
        let status = self.end_by(name)?;
        expect_code(status, 0).map_err(|fault| {
            fault.because(match outcome(status).signal() {
                Some(_) => format!("SIG{name} has no handler, so its default action ended the program in the middle"),
                None => format!("SIG{name} asks the program to end, which is no failure: return 0 from main"),
            })
        })
    }

    /// Expects that no process is left of a program that has ended.
    ///
    /// # Errors
    /// A fault that names those that are.
    pub fn expect_no_children(&self) -> Verdict {
        if watch::wait_until(CHILD_LIMIT, || self.strays().is_empty()) {
            return Ok(());
        }
        let names: Vec<_> = self.strays().into_iter().map(|(_, name)| name).collect();
        Err(Fault::new(format!(
            "it left {} of its processes running: {}",
            names.len(),
            names.join(", ")
        ))
        .expected("no process once the program has ended"))
    }

    /// Expects that it has waited for every child that has ended.
    ///
    /// # Errors
    /// A fault that counts the zombies.
    pub fn expect_no_zombies(&self) -> Verdict {
        if watch::wait_until(CHILD_LIMIT, || watch::zombies(self.pid) == 0) {
            return Ok(());
        }
        let count = watch::zombies(self.pid);
        Err(Fault::new(format!(
            "{count} of its children have ended and nobody waited for them: zombies"
        ))
        .expected("no zombie once the clients are served"))
    }

    pub(super) fn why_it_does_not_listen(&self) -> Fault {
        let expected = format!("a socket that listens at {}", self.lab.socket().display());
        if self.has_ended() {
            return Fault::new("it ended before it listened")
                .expected(expected)
                .because(NO_PATH);
        }
        let elsewhere = watch::listens_where(self.pid);
        match elsewhere.first() {
            Some(place) => Fault::new("it listens, but elsewhere")
                .expected(expected)
                .came(format!("one at {}", elsewhere.join(", ")))
                .because(format!("{WRITTEN_IN} {place}")),
            None => Fault::new("it runs, but it does not listen")
                .expected(expected)
                .came("no listening socket")
                .because(NO_SOCKET),
        }
    }

    fn strays(&self) -> Vec<(crate::process::Identity, String)> {
        let mut found = watch::marked(&self.mark);
        found.retain(|(identity, _)| identity.pid != self.pid || self.ended.get().is_some());
        found
    }

    /// Looks whether it has ended.
    fn look(&self) {
        if self.ended.get().is_none()
            && let Ok(Some(status)) = self.child.borrow_mut().try_wait()
        {
            self.ended.set(Some(status));
            self.killer.take(); // its pid may be another's from now on
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // A program that has closed its sockets may still be about to end.
        watch::wait_until(DYING_LIMIT, || watch::is_at_rest(self.pid));
        self.look();
        let end = self.ended.get();
        if end.is_none() {
            self.signal("TERM");
            if self.paused.get() {
                self.resume(); // stopped, it would not even see the signal
            }
            self.stdin.take();
            watch::wait_until(TERM_LIMIT, || self.lab.is_interrupted() || self.has_ended());
        }
        if self.ended.get().is_none() {
            self.signal("KILL");
            let _ = self.child.borrow_mut().wait();
        }
        // Who forks while it is looked for is found the next time.
        watch::wait_until(CHILD_LIMIT, || {
            let strays = watch::marked(&self.mark);
            strays
                .iter()
                .for_each(|(stray, _)| drop(signal("KILL", stray.pid.into())));
            strays.is_empty()
        });
        self.output.wait_end(OUTPUT_LIMIT);
        self.lab.keep(Record {
            command: self.command.clone(),
            end: end.filter(|_| !self.signalled.get()),
            flooded: self.output.is_flood(),
            stdout: self.output.bytes(Stream::Stdout),
            stderr: self.output.bytes(Stream::Stderr),
        });
    }
}

/// How a program ended, in words. Whether it left a core is the machine's business.
pub(super) fn show_end(status: ExitStatus) -> String {
    match outcome(status) {
        Outcome::Killed { number, .. } => {
            let core_dumped = false;
            Outcome::Killed {
                number,
                core_dumped,
            }
            .to_string()
        }
        exited => exited.to_string(),
    }
}

fn expect_code(status: ExitStatus, code: i32) -> Verdict {
    if status.code() == Some(code) {
        return Ok(());
    }
    Err(Fault::new("it does not end as it should")
        .expected(format!("exit code {code}"))
        .came(show_end(status)))
}

/// The last of what was printed, for a line of a report.
fn shorten(printed: &str) -> String {
    const SHOWN: usize = 200;
    let count = printed.chars().count();
    let last: String = printed.chars().skip(count.saturating_sub(SHOWN)).collect();
    format!("{}{last:?}", if count > SHOWN { "… " } else { "" })
}
