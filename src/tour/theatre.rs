//! The theatre that scenes are played on: its actors are processes, its prompter shows their words.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{Manner, Pace};
use crate::harness::{Program, Stream, TemporaryDirectory};
use crate::stop::StopToken;
use crate::support::escape::escape;
use crate::support::lines::{Line, send_stdin_lines};
use crate::support::mailbox::Mailbox;

/// How much of a line is kept that only means "go on", in bytes.
const STEP_LEN: usize = 1;
/// How long a person gets to read what a scene is about.
const SCENE_PAUSE: Duration = Duration::from_millis(300);

/// Where a scene is played: a directory of its own, removed at the end, and the output.
pub(super) struct Theatre<'a> {
    program: &'a Path,
    directory: TemporaryDirectory,
    manner: Manner,
    output: RefCell<&'a mut dyn Write>,
    steps: &'a Steps,
    stop: &'a StopToken,
}

/// The lines of stdin that let the tour go on, one step each.
pub(super) struct Steps {
    lines: Mailbox<io::Result<Option<Line>>>,
    /// Whether there are no lines, or no more.
    ended: Cell<bool>,
}

impl Steps {
    pub(super) fn new(pace: Pace, stop: &StopToken) -> io::Result<Self> {
        let lines = Mailbox::new(1, stop);
        if pace == Pace::Step {
            send_stdin_lines(STEP_LEN, lines.sender())?;
        }
        let ended = Cell::new(pace != Pace::Step);
        Ok(Self { lines, ended })
    }

    fn wait(&self) {
        if !self.ended.get() {
            let goes_on = matches!(self.lines.next(), Some(Ok(Some(_))));
            self.ended.set(!goes_on);
        }
    }
}

impl<'a> Theatre<'a> {
    pub(super) fn new(
        program: &'a Path,
        manner: Manner,
        output: &'a mut dyn Write,
        steps: &'a Steps,
        stop: &'a StopToken,
    ) -> io::Result<Self> {
        let directory = TemporaryDirectory::make("ipc-tour")?;
        if manner.terminal {
            stop.wait_timeout(SCENE_PAUSE);
        }
        Ok(Self {
            program,
            directory,
            manner,
            output: RefCell::new(output),
            steps,
            stop,
        })
    }

    /// Starts `ipc` with `words` as an actor. Its sockets are in the theatre's directory.
    pub(super) fn start(&self, name: &'static str, words: &[&str]) -> io::Result<Actor<'_, 'a>> {
        self.show(name, "starts", &format!("ipc {}", words.join(" ")))?;
        let mut command = Command::new(self.program);
        // A relative directory keeps the path of a socket short, wherever the theatre is.
        command
            .args(words)
            .current_dir(self.directory.path())
            .env("IPC_PRIMER_DIR", ".");
        let mut program = Program::start(&mut command)?;
        program.watch(self.stop);
        Ok(Actor {
            name,
            theatre: self,
            program,
        })
    }

    /// A path in the theatre's directory.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A name for objects that stand elsewhere, and are removed with the theatre.
    pub(super) fn name(&self) -> String {
        self.directory.name()
    }

    /// Checks one thing and shows it; the scene fails if it does not hold.
    pub(super) fn check(&self, thing: &str, holds: bool) -> io::Result<()> {
        self.show("tour", if holds { "checked" } else { "WRONG" }, thing)?;
        if holds {
            Ok(())
        } else {
            Err(io::Error::other(format!("it does not hold that {thing}")))
        }
    }

    /// Shows one line: who does what.
    pub(super) fn show(&self, who: &str, does: &str, what: &str) -> io::Result<()> {
        let what = escape(what);
        let mut output = self.output.borrow_mut();
        match self.manner.pace {
            Pace::Pause(time) => drop(self.stop.wait_timeout(time)),
            Pace::Step => self.steps.wait(),
        }
        if self.manner.terminal {
            let (bold, dim, plain) = ("\x1b[1m", "\x1b[2m", "\x1b[0m");
            writeln!(
                output,
                "  {bold}{who:<9}{plain} {dim}{does:<8}{plain} {what}"
            )?;
        } else {
            writeln!(output, "  {who:<9} {does:<8} {what}")?;
        }
        output.flush()
    }
}

/// One process of a scene.
pub(super) struct Actor<'s, 'a> {
    name: &'static str,
    theatre: &'s Theatre<'a>,
    program: Program,
}

impl Actor<'_, '_> {
    /// Types a line at the process.
    pub(super) fn types(&mut self, line: &str) -> io::Result<()> {
        self.show("types", line)?;
        self.program.say(line)
    }

    /// Waits for a line with `text` on the process's stdout.
    pub(super) fn prints(&mut self, text: &str) -> io::Result<()> {
        let line = self.program.wait_for(Stream::Stdout, text)?;
        self.show("prints", &line)
    }

    /// Waits for a line with `text` on the process's stderr.
    pub(super) fn says(&mut self, text: &str) -> io::Result<()> {
        let line = self.program.wait_for(Stream::Stderr, text)?;
        self.show("says", &line)
    }

    /// Sends the process a signal.
    pub(super) fn gets(&self, signal: &str) -> io::Result<()> {
        let how = if signal == "INT" { " (Ctrl-C)" } else { "" };
        self.show("gets", &format!("SIG{signal}{how}"))?;
        self.program.signal(signal)
    }

    /// Waits for the end of the process, with `code` as its exit code (`None`: killed by a signal).
    pub(super) fn ends(mut self, code: Option<i32>) -> io::Result<()> {
        let status = self.program.wait()?;
        self.show("ends", &status.to_string())?;
        if status.code() == code {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "{} ended with {status} and not with {code:?}",
            self.name
        )))
    }

    fn show(&self, does: &str, what: &str) -> io::Result<()> {
        self.theatre.show(self.name, does, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_takes_one_line_and_the_end_of_input_all_others() {
        let stop = StopToken::new();
        let steps = Steps {
            lines: Mailbox::new(4, &stop),
            ended: Cell::new(false),
        };
        let tell = steps.lines.sender();
        let enter = || {
            let (bytes, cut) = (Vec::new(), false);
            Ok(Some(Line { bytes, cut }))
        };
        assert!(tell(enter()) && tell(enter()));
        steps.wait();
        assert!(steps.lines.next_waiting().is_some(), "one is left of two");
        assert!(steps.lines.next_waiting().is_none());
        assert!(tell(Ok(None)));
        steps.wait();
        steps.wait(); // without a line, which would block before the end of input
    }
}
