//! Signals by the kernel's own hand: Ctrl-C at a real terminal, and what strace says of who sent what.

mod common;

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::{Place, has_tool, is_ignored};
use ipc_primer::harness::{Program, Stream, state};
use ipc_primer::signals::{Signal, dispositions, outcome, send};

/// Two processes, one the parent of the other, both in the foreground.
const FOREGROUND: &str = "\
trap 'echo the shell got it' INT
sh -c 'trap \"echo its child got it; exit\" INT; echo ready; while read -r line; do :; done'
echo both ended";

/// Starts a shell with `script` as the leader of a new terminal; what it prints comes by the pipe.
fn at_terminal(tracer: &str, script: &str) -> (File, Program) {
    let (keyboard, path) = terminal();
    let mut command = Command::new("sh");
    let start = format!("exec {tracer} setsid --ctty --wait sh -c \"$1\" < \"$2\"");
    command.args(["-c", &start, "sh", script]).arg(path);
    let mut process = Program::start(&mut command).unwrap();
    process.wait_for(Stream::Stdout, "ready").unwrap();
    (keyboard, process)
}

/// A terminal's other end, and its path. Dropping the end closes the terminal.
fn terminal() -> (File, PathBuf) {
    let made = nix::pty::openpty(None, None).expect("a pseudo-terminal can be made");
    let path = fs::read_link(format!("/proc/self/fd/{}", made.slave.as_raw_fd())).unwrap();
    // The clone is closed on exec; what openpty gives, a child would inherit and keep open.
    (File::from(made.master.try_clone().unwrap()), path)
}

/// LockGuard by each test to its end: a child started elsewhere, just when a terminal is made, would inherit
/// it and keep it open.
fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether processes can be traced here: a container may not allow it.
fn can_trace() -> bool {
    let traces = |()| {
        let run = Command::new("strace")
            .args(["-o", "/dev/null", "true"])
            .output();
        run.is_ok_and(|run| run.status.success())
    };
    let can = has_tool("strace") && traces(());
    if !can {
        println!("skipped: nothing can be traced here");
    }
    can
}

#[test]
fn ctrl_c_reaches_every_process_of_the_foreground_and_no_kill_was_called() {
    if is_ignored(Signal::INT) {
        return;
    }
    let _alone = alone();
    if !has_tool("setsid") {
        return;
    }
    let (mut keyboard, mut shell) = at_terminal("", FOREGROUND);
    println!("the byte of Ctrl-C is 3; no process ever reads it");
    keyboard.write_all(b"\x03").unwrap();
    shell.wait_for(Stream::Stdout, "its child got it").unwrap();
    shell.wait_for(Stream::Stdout, "the shell got it").unwrap();
    shell.wait_for(Stream::Stdout, "both ended").unwrap();
    assert!(shell.wait().unwrap().success());
}

#[test]
fn ctrl_c_ends_a_program_of_ours_by_its_routine() {
    let _alone = alone();
    if !has_tool("setsid") {
        return;
    }
    let wait = format!(
        "echo ready; exec '{}' signals wait",
        env!("CARGO_BIN_EXE_ipc")
    );
    let (mut keyboard, mut process) = at_terminal("", &wait);
    process.wait_for(Stream::Stderr, "waits for").unwrap();
    keyboard.write_all(b"\x03").unwrap();
    process.wait_for(Stream::Stdout, "the routine ran").unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

#[test]
fn a_terminal_that_is_closed_sends_sighup() {
    let _alone = alone();
    if !has_tool("setsid") {
        return;
    }
    let wait = format!(
        "echo ready; exec '{}' signals wait",
        env!("CARGO_BIN_EXE_ipc")
    );
    let (keyboard, mut process) = at_terminal("", &wait);
    process.wait_for(Stream::Stderr, "waits for").unwrap();
    drop(keyboard);
    process.wait_for(Stream::Stdout, "the routine ran").unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

#[test]
fn strace_names_the_kernel_as_the_sender_of_ctrl_c() {
    if is_ignored(Signal::INT) {
        return;
    }
    let _alone = alone();
    if !has_tool("setsid") || !can_trace() {
        return;
    }
    let place = Place::new();
    let log = place.path("log");
    let tracer = format!("strace -f -e trace=none -o '{}'", log.display());
    let (mut keyboard, mut shell) = at_terminal(&tracer, FOREGROUND);
    keyboard.write_all(b"\x03").unwrap();
    shell.wait_for(Stream::Stdout, "both ended").unwrap();
    shell.wait().unwrap();
    let log = fs::read_to_string(log).unwrap();
    let sent = log
        .matches("--- SIGINT {si_signo=SIGINT, si_code=SI_KERNEL")
        .count();
    assert_eq!(
        sent, 2,
        "one SIGINT for each process of the foreground:\n{log}"
    );
}

#[test]
fn strace_tells_a_fault_from_a_signal_that_somebody_sent() {
    let _alone = alone();
    if !can_trace() {
        return;
    }
    let fault = traced("ulimit -s 64; deeper() { deeper; }; deeper");
    assert!(
        fault.contains("--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_"),
        "{fault}"
    );
    let sent = traced("kill -s SEGV $$");
    assert!(
        sent.contains("--- SIGSEGV {si_signo=SIGSEGV, si_code=SI_USER"),
        "{sent}"
    );
}

/// The program is the one that the chapter shows.
#[test]
fn a_handler_that_takes_a_lock_stands_still_for_ever() {
    let _alone = alone();
    if !has_tool("cc") {
        return;
    }
    let place = Place::new();
    let page = include_str!("../docs/07-signals.md");
    let (_, program) = page.split_once("```c\n").unwrap();
    fs::write(place.path("broken.c"), program.split("```").next().unwrap()).unwrap();
    let words = ["-pthread", "-o", "broken", "broken.c"];
    assert!(place.command("cc").args(words).status().unwrap().success());

    let broken = Program::start(&mut place.command(place.path("broken"))).unwrap();
    let pid = u32::try_from(broken.pid()).unwrap();
    while !dispositions(broken.pid())
        .unwrap()
        .caught
        .contains(Signal::USR1)
    {
        std::thread::yield_now();
    }
    // It never sleeps but for the lock, and there is nobody else to open it.
    let stands_still = (1..10_000).find(|_| {
        send(broken.pid(), Signal::USR1).unwrap();
        state(pid) == Some('S')
    });
    println!("after {stands_still:?} signals it waits for a lock that it holds itself");
    assert!(stands_still.is_some());
}

/// What strace saw of the signals to a shell that runs `script`.
fn traced(script: &str) -> String {
    let place = Place::new();
    let limited = format!("ulimit -c 0; {script}");
    let mut strace = place.command("strace");
    strace.args(["-e", "trace=none", "-o", "log", "sh", "-c", &limited]);
    let mut strace = Program::start(&mut strace).unwrap();
    let end = outcome(strace.wait().unwrap()); // strace ends as what it traced did
    assert_eq!(end.signal(), Some(Signal::SEGV), "{script}");
    fs::read_to_string(place.path("log")).unwrap()
}
