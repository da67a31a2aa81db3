//! A running program: started in a process group of its own, spoken to line by line, and ended
//! whatever happens.

use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use super::{Guarded, Identity, guard, signal};
use crate::stop::{StopToken, Waker};
use crate::support::error::Context;
use crate::support::lines::read_line;

/// How long a program may take to say or do what is expected of it. Only a broken program needs that long.
pub const LIMIT: Duration = Duration::from_secs(60);
/// The longest line that is kept of a program's output, in bytes.
const LINE_LEN: usize = 4096;
/// How many lines may wait; the program waits when there are more.
const QUEUED: usize = 1024;
/// How often to check whether a program has ended. std has no wait with a limit, and a thread that
/// waited would leave us a pid that may already belong to another process.
const LOOK: Duration = Duration::from_millis(2);
/// How long the output of a program that has ended may take to reach us.
const GRACE: Duration = Duration::from_millis(500);

/// The stream on which a program says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Its standard output.
    Stdout,
    /// Its standard error.
    Stderr,
}

enum Event {
    Line(Stream, String),
    End,
    Interrupted,
}

/// A running program. Its whole process group is killed when this is dropped, and when we end, in any way.
pub struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    events: Receiver<Event>,
    sender: SyncSender<Event>,
    open: usize,
    said: Vec<(Stream, String)>,
    heard: [usize; 2],
    stop: Option<(StopToken, Waker)>,
    ended: Option<ExitStatus>,
    guarded: Option<Guarded>,
}

impl Program {
    /// Starts `command` in a process group of its own, so that no Ctrl-C at our terminal reaches it.
    ///
    /// # Errors
    /// Those of [`Command::spawn`], with the program's name.
    #[doc(alias = "fork")]
    #[doc(alias = "exec")]
    #[doc(alias = "execve")]
    #[doc(alias = "popen")]
    #[doc(alias = "dup2")]
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let guarded = guard(command)?;
        let piped = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let spawned = piped.process_group(0).spawn();
        let mut child = spawned.context(|| format!("cannot start {:?}", command.get_program()))?;
        let (sender, events) = mpsc::sync_channel(QUEUED);
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let program = Self {
            stdin: child.stdin.take(),
            guarded: Some(guarded),
            child,
            events,
            sender: sender.clone(),
            open: 2,
            said: Vec::new(),
            heard: [0; 2],
            stop: None,
            ended: None,
        };
        listen_to(stdout, Stream::Stdout, sender.clone())?;
        listen_to(stderr, Stream::Stderr, sender)?;
        Ok(program)
    }

    /// Ends every wait for this program with [`ErrorKind::Interrupted`] when a stop is requested.
    pub(crate) fn watch(&mut self, stop: &StopToken) {
        let sender = self.sender.clone();
        let waker = stop.on_stop(move || drop(sender.try_send(Event::Interrupted)));
        self.stop = Some((stop.clone(), waker));
    }

    /// Its process ID.
    pub fn pid(&self) -> i64 {
        self.child.id().into()
    }

    /// Types a line.
    ///
    /// # Errors
    /// [`ErrorKind::BrokenPipe`] if the program no longer reads.
    pub fn say(&mut self, line: &str) -> io::Result<()> {
        match &mut self.stdin {
            Some(stdin) => stdin.write_all(format!("{line}\n").as_bytes()),
            None => Err(ErrorKind::BrokenPipe.into()),
        }
    }

    /// Ends its input, as Ctrl-D does.
    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Waits for the next line on `stream` that has `text` in it, and returns the line.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedEof`] if the program closes its output first, [`ErrorKind::TimedOut`]
    /// after [`LIMIT`]; both with all that the program said instead.
    pub fn wait_for(&mut self, stream: Stream, text: &str) -> io::Result<String> {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(line) = self.next_said(stream, text) {
                return Ok(line);
            }
            if self.open == 0 {
                return Err(self.fault(ErrorKind::UnexpectedEof, text));
            }
            if !self.hear(deadline)? {
                return Err(self.fault(ErrorKind::TimedOut, text));
            }
        }
    }

    /// Sends it a signal by name.
    ///
    /// # Errors
    /// Those of [`signal`](super::signal).
    pub fn signal(&self, name: &str) -> io::Result<()> {
        signal(name, self.pid()) // the pid belongs to the program until we have waited for it
    }

    /// Ends its input and waits for its end. Any process left in its process group is killed.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`] after [`LIMIT`], with all that the program said.
    #[doc(alias = "waitpid")]
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.end_input();
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.ended()? {
                // Its last output may still be on its way; a child of its own may keep the pipe open.
                let last_words = Instant::now() + GRACE;
                while self.open > 0 && self.hear(last_words)? {}
                return Ok(status);
            }
            if Instant::now() >= deadline {
                return Err(self.fault(ErrorKind::TimedOut, "its end"));
            }
            match self.open {
                0 => thread::sleep(LOOK),
                _ => drop(self.hear(Instant::now() + LOOK)?),
            }
        }
    }

    /// All lines that it has said on `stream` so far.
    pub fn said(&self, stream: Stream) -> String {
        let lines = self.said.iter().filter(|(on, _)| *on == stream);
        lines.map(|(_, line)| format!("{line}\n")).collect()
    }

    /// Takes in one event; false if none comes before the deadline.
    fn hear(&mut self, deadline: Instant) -> io::Result<bool> {
        if self
            .stop
            .as_ref()
            .is_some_and(|(stop, _)| stop.is_requested())
        {
            return Err(ErrorKind::Interrupted.into());
        }
        match self
            .events
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            Ok(Event::Line(stream, line)) => self.said.push((stream, line)),
            Ok(Event::End) => self.open -= 1,
            Ok(Event::Interrupted) => {} // the next call says so
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(false),
        }
        Ok(true)
    }

    /// Its exit status, if it has ended. The group is killed while its leader is a zombie: once the leader has
    /// been waited for, its number may belong to another process.
    fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        let has_gone = |error: io::Error| error.kind() == ErrorKind::NotFound;
        if self.ended.is_none() && Identity::of(self.child.id()).is_err_and(has_gone) {
            let _ = signal("KILL", -self.pid());
            self.ended = Some(self.child.wait()?);
            self.guarded = None;
        }
        Ok(self.ended)
    }

    fn next_said(&mut self, stream: Stream, text: &str) -> Option<String> {
        let heard = &mut self.heard[stream as usize];
        let mut new = self.said.iter().enumerate().skip(*heard);
        let found = new.find(|(_, (on, line))| *on == stream && line.contains(text));
        *heard = found.as_ref().map_or(self.said.len(), |(at, _)| at + 1);
        found.map(|(_, (_, line))| line.clone())
    }

    fn fault(&self, kind: ErrorKind, awaited: &str) -> io::Error {
        let said: String = self
            .said
            .iter()
            .map(|(on, line)| format!("\n  {on:?}: {line}"))
            .collect();
        let said = if said.is_empty() {
            "\n  nothing".into()
        } else {
            said
        };
        let end = if kind == ErrorKind::TimedOut {
            "kept us waiting"
        } else {
            "ended"
        };
        io::Error::new(
            kind,
            format!("the program {end} without {awaited:?}; it said:{said}"),
        )
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.ended.is_none() {
            let _ = signal("KILL", -self.pid());
            let _ = self.child.kill(); // where there is no shell to do it
            let _ = self.child.wait();
        }
    }
}

fn listen_to(
    stream: Option<impl Read + Send + 'static>,
    on: Stream,
    events: SyncSender<Event>,
) -> io::Result<()> {
    let Some(stream) = stream else { return Ok(()) };
    let listen = move || {
        let mut stream = BufReader::new(stream);
        while let Ok(Some(line)) = read_line(&mut stream, LINE_LEN) {
            let line = String::from_utf8_lossy(&line.bytes).into_owned();
            if events.send(Event::Line(on, line)).is_err() {
                return;
            }
        }
        let _ = events.send(Event::End);
    };
    thread::Builder::new().spawn(listen).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAVES_A_CHILD: &str = "cat >/dev/null <&3 & echo $!; read -r line";

    /// A shell with a child in its group; the child waits for a pipe that never ends.
    fn parent_and_child() -> (Program, Identity, io::PipeWriter) {
        let (reader, writer) = io::pipe().unwrap();
        let (us, fd) = (std::process::id(), std::os::fd::AsRawFd::as_raw_fd(&reader));
        let script = format!("exec 3</proc/{us}/fd/{fd}; {LEAVES_A_CHILD}");
        let mut parent = Program::start(Command::new("sh").args(["-c", &script])).unwrap();
        let pid = parent
            .wait_for(Stream::Stdout, "")
            .unwrap()
            .parse()
            .unwrap();
        (parent, Identity::of(pid).unwrap(), writer)
    }

    fn assert_ends(child: Identity) {
        let deadline = Instant::now() + LIMIT;
        while !child.is_dead() {
            assert!(Instant::now() < deadline, "the child was left behind");
            thread::sleep(LOOK);
        }
    }

    #[test]
    fn dropping_a_program_ends_its_children() {
        let (parent, child, _pipe) = parent_and_child();
        drop(parent);
        assert_ends(child);
    }

    #[test]
    fn the_end_of_a_program_is_the_end_of_its_children() {
        let (mut parent, child, _pipe) = parent_and_child();
        assert_eq!(parent.wait().unwrap().code(), Some(1)); // `read` at the end of its input
        assert_ends(child);
        assert_eq!(
            parent.wait().unwrap().code(),
            Some(1),
            "it can be asked again"
        );
    }
}
