//! The process that a signal is tried on, and how it takes it.

use std::fmt;
use std::io::{self, ErrorKind};
use std::process::{Child, Command};

use super::Bench;
use crate::harness::{Program, Stream};
use crate::signals::{Disposition, Outcome, Signal, dispositions, outcome, send};

/// A program that leaves every signal at its default, and answers each line with that line. A shell
/// is not enough: it handles some signals for its own use. After `exec`, those signals are back at
/// the default.
const DEFAULT: &str = "ulimit -c 0; exec cat";

/// An ignored signal stays ignored after `exec`.
const IGNORED: &str = "trap '' \"$1\"; ulimit -c 0; exec cat";

/// Some shells need SIGCHLD for themselves: `trap ''` does not make them ignore it. GNU `env` can.
const IGNORED_CHLD: &str = "exec env --ignore-signal=CHLD cat";

/// A shell whose handler leaves a word for the answer to the next line. In some shells `read` fails when
/// a handler interrupts it, and that failure is not the end of input. `$2` is run for each line.
const HANDLED: &str = "\
trap 'came=yes; answer=\"the trap ran\"' \"$1\"
ulimit -c 0
while read -r line || [ \"$came\" ]; do
    came=
    if [ \"$line\" ]; then $2; echo \"$line $answer\"; fi
done";

/// Some shells run the trap for SIGCHLD only if a child did end, so a child ends.
const END_A_CHILD: &str = "sh -c :";

/// How a subject took a signal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reaction {
    /// What its handler did, if it ran.
    pub(super) handler: Option<&'static str>,
    /// How it ended; `None` if it is still running.
    pub(super) end: Option<Outcome>,
}

/// Why a signal could not be tried.
pub(super) const SKIPPED: &str = "skipped: no `env --ignore-signal`";

impl fmt::Display for Reaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handler = self.handler.map_or(String::new(), |ran| format!("{ran}, "));
        match self.end {
            Some(end) => f.pad(&format!("{handler}{end}")),
            None => f.pad(&format!("{handler}runs on")),
        }
    }
}

/// Tries `signal` on a process that has it at its default, handles it by a shell's `trap`, or ignores it.
/// `None` if no tool here makes such a process.
pub(super) fn try_on_shell(
    bench: &Bench,
    signal: Signal,
    disposition: Disposition,
) -> io::Result<Option<Reaction>> {
    let script = match disposition {
        Disposition::Default => DEFAULT,
        Disposition::Caught => HANDLED,
        Disposition::Ignored if signal == Signal::CHLD => IGNORED_CHLD,
        Disposition::Ignored => IGNORED,
    };
    let mut command = Command::new("sh");
    let meanwhile = match signal {
        Signal::CHLD => END_A_CHILD,
        _ => ":",
    };
    command.args(["-c", script, "sh", signal.name(), meanwhile]);
    let mut program = Program::start(&mut command)?;
    program.watch(bench.stop);
    match ask(&mut program, "ready?") {
        Err(error) if is_end(&error) && script == IGNORED_CHLD => return Ok(None),
        ready => ready?, // so the disposition is set
    };
    check_disposition(&program, signal, disposition)?;
    send(program.pid(), signal)?;
    reaction(&mut program).map(Some)
}

fn reaction(program: &mut Program) -> io::Result<Reaction> {
    let (handler, end) = match ask(program, "still there?") {
        Ok(answer) => (answer.contains("the trap ran").then_some("trap ran"), None),
        Err(error) if is_end(&error) => (None, Some(end_of(program)?)),
        Err(error) => return Err(error),
    };
    Ok(Reaction { handler, end })
}

/// Tries `signal` on `ipc signals wait`, which handles it by a function of ours.
pub(super) fn try_on_wait(bench: &Bench, signal: Signal) -> io::Result<Reaction> {
    let mut command = Command::new(bench.program);
    command.args(["signals", "wait", "--until-eof"]);
    let mut program = Program::start(&mut command)?;
    program.watch(bench.stop);
    program.wait_for(Stream::Stderr, "waits for")?;
    check_disposition(&program, signal, Disposition::Caught)?;

    send(program.pid(), signal)?;
    let came = program.wait_for(Stream::Stdout, "a signal came").is_ok();
    Ok(Reaction {
        handler: came.then_some("routine ran"),
        end: Some(end_of(&mut program)?),
    })
}

/// The subject's word is not enough: the kernel has to report the same disposition.
fn check_disposition(program: &Program, signal: Signal, wanted: Disposition) -> io::Result<()> {
    let wanted = match signal.can_be_caught() {
        true => wanted,
        false => Disposition::Default, // whatever disposition it asked for
    };
    let found = dispositions(program.pid())?.of(signal);
    super::expect(&format!("what /proc says of {signal}"), found, wanted)
}

/// Says a line and waits for the answer, which repeats it.
fn ask(program: &mut Program, line: &str) -> io::Result<String> {
    program.say(line)?;
    program.wait_for(Stream::Stdout, line)
}

fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof
    )
}

/// How the program ended. Where the system pipes cores to a collector, `ulimit -c 0` does not stop it,
/// and the status says "core dumped"; that does not matter here.
pub(super) fn end_of(program: &mut Program) -> io::Result<Outcome> {
    Ok(match outcome(program.wait()?) {
        Outcome::Killed { number, .. } => Outcome::Killed {
            number,
            core_dumped: false,
        },
        exited => exited,
    })
}

/// The end caused by `signal`, as [`end_of`] reports it.
pub(super) fn killed_by(signal: Signal) -> Outcome {
    Outcome::Killed {
        number: signal.number(),
        core_dumped: false,
    }
}

/// A child whose pipes the lab handles itself; it is killed and waited for if the lab fails early.
pub(super) struct Guarded(pub(super) Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.0.kill(); // does nothing to a child that was waited for
        let _ = self.0.wait();
    }
}
