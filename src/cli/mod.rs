//! The command line: which command is meant, its options, and the exit code.
//!
//! Each scenario has a file of its own in `cli/` with its help and the calls it stands for.
//! Data goes to stdout and messages go to stderr; the exit code is 0 for success (Ctrl-C included), 1 for a
//! failure at run time, 2 for wrong usage, and 3 for a grader that could not grade.
//!
//! Every command ends within a second of Ctrl-C, SIGTERM or SIGHUP. Nearly every call that can block has a
//! waker, and the command cleans up on its way back. But a write to a full pipe has no waker, and neither has
//! the opening of a FIFO. So a command works on a thread of its own, and `main` returns without it if it does
//! not come back in time: the process ends, and the blocked thread with it. The next start of that command
//! finds and clears what is left, as after a SIGKILL.

mod args;
mod bench;
mod chat;
mod copy;
mod file_size;
mod grade;
mod lambda;
mod options;
mod output;
mod queue;
mod race;
mod signals;
mod sum;
mod tour;

use std::ffi::OsString;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use crate::socket::{self, Listener};
use crate::stop::StopToken;
use crate::support::error::Context;
use crate::support::log::{self, log};
use args::Args;
use output::{Output, is_closed_output};

const HELP: &str = "\
ipc: learn Unix inter-process communication from working programs

Start here:
  ipc tour                 play every scenario with real processes

The scenarios, each in two terminals (`ipc SCENARIO --help` says how):
  ipc sum                  a server that adds integers, sequential or threaded
  ipc chat                 clients talk to a server, one-way or two-way
  ipc copy                 one file to many, by sockets or by shared memory
  ipc signals              what signals do, who sends them, what a process does
  ipc queue                messages that wait, by priority, for who takes them
  ipc lambda               a server that runs functions from libraries

Which of them, and how fast:
  ipc bench                measure every mechanism on this machine

For students and teachers:
  ipc grade                run a program of yours against an assignment

Read the book with `cargo doc --open`, walk through it with `cargo test`.
";

/// Why a command did not do what it was called for.
enum Failure {
    /// It was called the wrong way; the command is the one whose help shows the right way.
    Usage(String, &'static str),
    /// It failed at run time.
    Run(io::Error),
    /// The grader failed at run time, and says nothing about the program: that has an exit code of its own.
    Ungraded(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Run(error)
    }
}

type Outcome = Result<(), Failure>;

/// How long `main` waits at a time for a command that was told to end.
const TURN: Duration = Duration::from_millis(10);
/// How many turns the command gets. A turn takes longer on a busy machine, or while we are stopped, as
/// everything else then does.
const TURNS: u32 = 80;
/// How many turns the last message gets if those were not enough.
const LAST_TURNS: u32 = 10;
/// The exit code of a panic, the same as std's.
const PANICKED: u8 = 101;

/// Runs the command that `args` (without the program's name) stand for.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    file_size::ignore_signal();
    let mut words = Args::new(args);
    let (tell, told) = mpsc::channel();
    let (stopped, last) = (tell.clone(), tell.clone());
    let _waker = words.stop.on_stop(move || _ = stopped.send(None));
    let (go, gone) = mpsc::channel::<()>();
    let work = move || {
        // A thread blocks all signals while it starts another thread, and `ipc signals` would find that.
        let _ = gone.recv();
        report(dispatch(&mut words))
    };
    let ended = move || panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or(PANICKED);
    if let Err(error) = thread::Builder::new().spawn(move || tell.send(Some(ended()))) {
        let error = Err(error).context(|| "cannot start a thread".into());
        return report(error.map_err(Failure::Run)).into();
    }
    drop(go);
    let code = told.recv().ok().flatten();
    let code = code.or_else(|| wait(&told, TURNS)).or_else(|| {
        let say = move || last.send(Some(report(Err(blocked().into()))));
        let _ = thread::Builder::new().spawn(say);
        wait(&told, LAST_TURNS)
    });
    code.unwrap_or(1).into()
}

/// Waits this many turns for an exit code.
fn wait(told: &Receiver<Option<u8>>, turns: u32) -> Option<u8> {
    (0..turns).find_map(|_| told.recv_timeout(TURN).ok().flatten())
}

fn blocked() -> io::Error {
    io::Error::other(
        "told to end while it was blocked, perhaps because nobody reads its output; what was not yet \
         written is lost",
    )
}

/// Reports how the command failed, if it did, and returns the exit code. All earlier messages are written
/// when it returns.
fn report(outcome: Outcome) -> u8 {
    let code = match outcome {
        Ok(()) => 0,
        Err(Failure::Run(error)) if is_closed_output(&error) => 0, // as with `| head`: enough was read
        Err(Failure::Run(error)) => {
            log(format!("ipc: {error}"));
            1
        }
        Err(Failure::Ungraded(error)) => {
            log(format!("ipc: nothing was graded: {error}"));
            3
        }
        Err(Failure::Usage(fault, command)) => {
            log(format!("ipc: {fault}"));
            log(format!("Try `{command} --help`."));
            2
        }
    };
    log::flush();
    code
}

fn dispatch(words: &mut Args) -> Outcome {
    match words.command().as_deref() {
        Some("sum") => sum::run(words),
        Some("chat") => chat::run(words),
        Some("copy") => copy::run(words),
        Some("signals") => signals::run(words),
        Some("queue") => queue::run(words),
        Some("lambda") => lambda::run(words),
        Some("tour") => tour::run(words),
        Some("bench") => bench::run(words),
        Some("grade") => grade::run(words),
        None if words.is_empty() => print(HELP),
        None if words.wants_help() => print(HELP),
        other => Err(unknown_command(other, words, "ipc")),
    }
}

/// Prints to stdout, as every command prints its help.
fn print(text: &str) -> Outcome {
    let mut output = Output::stdout()?;
    output.write_all(text.as_bytes())?;
    Ok(output.flush()?)
}

/// A subcommand: its name, and the function that it runs.
type Command<'a> = (&'a str, &'a dyn Fn(&mut Args) -> Outcome);

/// Runs the command `name`: prints its `help` if that is wanted, or else runs the subcommand in the next word.
fn scenario(words: &mut Args, name: &'static str, help: &str, commands: &[Command]) -> Outcome {
    words.set_command(name);
    if words.wants_help() {
        return print(help);
    }
    choose(words, name, commands)
}

/// Runs the subcommand of `name` that the next word names.
fn choose(words: &mut Args, name: &'static str, commands: &[Command]) -> Outcome {
    let found = words.command();
    let is_it = |(known, _): &&Command| found.as_deref() == Some(*known);
    match commands.iter().find(is_it) {
        Some((_, run)) => run(words),
        None => Err(unknown_command(found.as_deref(), words, name)),
    }
}

/// Listens at `path`, and says so.
fn listen(path: &Path) -> io::Result<Listener> {
    let listener = socket::listen(path)?;
    log(format!("listening on {}", path.display()));
    Ok(listener)
}

/// A stop is a normal end, whatever it interrupts.
fn unless_stopped(ended: Outcome, stop: &StopToken) -> Outcome {
    match ended {
        Err(_) if stop.is_requested() => Ok(()),
        ended => ended,
    }
}

fn unknown_command(found: Option<&str>, words: &Args, command: &'static str) -> Failure {
    let fault = match found.map(str::to_owned).or_else(|| words.first()) {
        Some(word) => format!("`{command}` has no command {word:?}"),
        None => format!("`{command}` needs to be told what to do"),
    };
    Failure::Usage(fault, command)
}
