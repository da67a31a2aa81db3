//! The three ways of generating a signal: by the kernel, by the process itself, by another process.

use std::io::{self, ErrorKind};
use std::process::{Command, Stdio};

use super::subject::{Guarded, end_of, killed_by};
use super::{Bench, expect};
use crate::harness::{Program, Stream};
use crate::signals::{Outcome, Signal, outcome};
use crate::support::error::Context;

pub(super) fn play(bench: &mut Bench) -> io::Result<()> {
    bench.show_row("sent by", "how", "what came of it")?;
    terminal(bench)?;
    closed_pipe(bench)?;
    bad_address(bench)?;
    let raised = ["signals", "raise", "TERM"];
    run(
        bench,
        "the process",
        "raise(SIGTERM)",
        &raised,
        Signal::TERM,
    )?;
    let aborted = ["signals", "raise", "ABRT"];
    run(bench, "the process", "abort()", &aborted, Signal::ABRT)?;
    another(bench)
}

/// Two processes in the foreground of a terminal: one Ctrl-C reaches both.
const FOREGROUND: &str = "\
trap 'echo the shell got it' INT
sh -c 'trap \"echo its child got it; exit\" INT
    echo ready
    while read -r line; do :; done'
echo both ended";

/// The kernel's terminal driver turns the byte of Ctrl-C into SIGINT. std cannot make a terminal, so
/// the `script` tool does: it types into the terminal what we write to its stdin.
fn terminal(bench: &mut Bench) -> io::Result<()> {
    let mut command = Command::new("script");
    command.args(["-q", "-c", FOREGROUND, "/dev/null"]);
    command.env("SHELL", "/bin/sh");
    let how = "Ctrl-C at a terminal";
    let skipped = "skipped: no `script` tool to make a terminal";
    let mut script = match Program::start(&mut command) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return bench.show_row("the kernel", how, skipped);
        }
        other => other?,
    };
    script.watch(bench.stop);
    match script.wait_for(Stream::Stdout, "ready") {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            return bench.show_row(
                "the kernel",
                how,
                "skipped: `script` could make no terminal",
            );
        }
        other => other?,
    };
    script.say("\x03")?;
    script.wait_for(Stream::Stdout, "its child got it")?;
    script.wait_for(Stream::Stdout, "the shell got it")?;
    end_of(&mut script)?;
    let seen = "SIGINT to both foreground processes";
    bench.show_row("the kernel", how, seen)
}

/// A write to a pipe that has no reader.
fn closed_pipe(bench: &mut Bench) -> io::Result<()> {
    let how = "a write that nobody can read";
    let shell = ["-c", "read -r line; echo \"nobody reads this\""];
    let mut in_shell = Command::new("sh");
    let seen = write_unread(in_shell.args(shell))?;
    bench.show_row("the kernel", how, &seen.to_string())?;
    expect(how, seen, killed_by(Signal::PIPE))?;

    let mut in_rust = Command::new(bench.program);
    let seen = write_unread(in_rust.args(["signals", "list"]))?;
    let shown = format!("{seen}: Rust ignores SIGPIPE");
    bench.show_row("", "the same by a Rust program", &shown)?;
    expect(how, seen, Outcome::Exited(0))
}

/// Runs a command whose stdout has no reader.
fn write_unread(command: &mut Command) -> io::Result<Outcome> {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = Guarded(piped.stderr(Stdio::null()).spawn()?);
    drop(child.0.stdout.take());
    drop(child.0.stdin.take()); // only now does the shell's `read` return
    Ok(outcome(child.0.wait()?))
}

/// A shell function that calls itself needs stack until it reaches an address that is not its own.
/// Rust is no use here: its runtime handles this very SIGSEGV, prints a message and calls `abort`.
const NO_STACK_LEFT: &str = "ulimit -c 0; ulimit -s 64; deeper() { deeper; }; deeper";

fn bad_address(bench: &mut Bench) -> io::Result<()> {
    let how = "endless recursion";
    let mut shell = Program::start(Command::new("sh").args(["-c", NO_STACK_LEFT]))?;
    shell.watch(bench.stop);
    match end_of(&mut shell)? {
        Outcome::Exited(code) => {
            let skipped = format!("skipped: this `sh` watches its stack itself (exit code {code})");
            bench.show_row("the kernel", how, &skipped)
        }
        killed => {
            bench.show_row("the kernel", how, &killed.to_string())?;
            expect(how, killed, killed_by(Signal::SEGV))
        }
    }
}

/// Runs `ipc` with these words; `signal` has to end it.
fn run(bench: &mut Bench, from: &str, how: &str, words: &[&str], signal: Signal) -> io::Result<()> {
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -c 0; exec \"$@\"", "sh"]);
    limited.arg(bench.program).args(words);
    let mut program = Program::start(&mut limited)?;
    program.watch(bench.stop);
    let seen = end_of(&mut program)?;
    bench.show_row(from, how, &seen.to_string())?;
    expect(how, seen, killed_by(signal))
}

/// Process A is `ipc signals send`, process B is `cat`; neither is the other's parent.
fn another(bench: &mut Bench) -> io::Result<()> {
    let mut target = Program::start(&mut Command::new("cat"))?;
    target.watch(bench.stop);
    target.say("ready?")?;
    target.wait_for(Stream::Stdout, "ready?")?;
    let mut send = Command::new(bench.program);
    send.args(["signals", "send", "USR1", &target.pid().to_string()]);
    let mut sender = Program::start(&mut send)?;
    sender.watch(bench.stop);
    let sent = outcome(sender.wait()?);
    expect("`ipc signals send`", sent, Outcome::Exited(0))
        .context(|| sender.said(Stream::Stderr))?;
    let seen = end_of(&mut target)?;
    bench.show_row("another", "kill(pid, SIGUSR1)", &seen.to_string())?;
    expect("kill", seen, killed_by(Signal::USR1))
}
