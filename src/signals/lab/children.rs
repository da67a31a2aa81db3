//! SIGCHLD, the zombie, and reaping.

use std::io::{self, ErrorKind};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::subject::{Guarded, end_of};
use super::{Bench, expect};
use crate::harness::{LIMIT, Program, Stream, state};
use crate::signals::{Outcome, Signal, outcome, send};

/// How often to look for the zombie: the kernel's only event for it is SIGCHLD, which needs a handler.
const LOOK: Duration = Duration::from_millis(1);

pub(super) fn play(bench: &mut Bench) -> io::Result<()> {
    bench.show_row("who", "does", "what came of it")?;
    told(bench)?;
    reaped(bench)
}

/// A parent that handles SIGCHLD: the kernel sends it when the child ends.
const PARENT: &str =
    "trap 'echo SIGCHLD came' CHLD; sh -c 'exit 3' & wait \"$!\"; echo ended; read -r line";

fn told(bench: &mut Bench) -> io::Result<()> {
    let mut parent = Program::start(Command::new("sh").args(["-c", PARENT]))?;
    parent.watch(bench.stop);
    parent.wait_for(Stream::Stdout, "SIGCHLD came")?;
    bench.show_row("a shell", "traps SIGCHLD; its child ends", "the trap ran")?;
    expect("the parent", end_of(&mut parent)?, Outcome::Exited(1)) // `read` at the end of input
}

/// A parent that does not wait: the child stays in the process table until the parent does.
fn reaped(bench: &mut Bench) -> io::Result<()> {
    let (stdin, stdout) = (Stdio::piped(), Stdio::null());
    let mut child = Guarded(Command::new("cat").stdin(stdin).stdout(stdout).spawn()?);
    let pid = child.0.id();
    drop(child.0.stdin.take()); // `cat` ends at the end of its input
    wait_for_state(bench, pid, 'Z')?;
    bench.show_row(
        "a child",
        "ends; its parent does not wait",
        "state Z in /proc: a zombie",
    )?;

    send(pid.into(), Signal::KILL)?;
    expect("a zombie after SIGKILL", state(pid).unwrap_or('-'), 'Z')?;
    bench.show_row(
        "the parent",
        "sends it SIGKILL",
        "still a zombie: nothing to kill",
    )?;

    let end = outcome(child.0.wait()?);
    bench.show_row(
        "the parent",
        "waits for it",
        &format!("{end}, kept for it until now"),
    )?;
    expect("the end of the zombie", end, Outcome::Exited(0))?;
    expect("the zombie is in /proc", state(pid).is_some(), false)?;
    bench.show_row("", "", "gone from /proc: reaped")
}

fn wait_for_state(bench: &Bench, pid: u32, wanted: char) -> io::Result<()> {
    let deadline = Instant::now() + LIMIT;
    while state(pid) != Some(wanted) {
        if bench.stop.wait_timeout(LOOK) {
            return Err(ErrorKind::Interrupted.into());
        }
        if Instant::now() >= deadline {
            return Err(ErrorKind::TimedOut.into());
        }
    }
    Ok(())
}
