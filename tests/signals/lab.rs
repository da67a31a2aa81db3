//! `ipc signals lab`: broken off, killed, without its tools, and under other shells.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{Place, has_tool, text, wait_until};
use ipc_primer::harness::{Program, Stream, state};
use ipc_primer::signals::outcome;

/// Longer than anything here takes on a loaded machine.
const LIMIT: Duration = Duration::from_secs(20);

/// `ipc signals lab`, with the tools in `place` in front of the system's.
fn lab(place: &Place) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut lab = place.ipc(&["signals", "lab"]);
    lab.env("PATH", format!("{}:{path}", place.path("").display()));
    lab
}

/// Makes the tool known at `path`.
fn link(tool: &str, path: &Path) {
    let asked = ["-c", "command -v \"$1\"", "sh", tool];
    let found = Command::new("sh").args(asked).output().unwrap();
    symlink(text(&found.stdout).trim_end(), path).unwrap();
}

/// A `cat` that does something else. A process of its own writes it: what this one has open for writing
/// while another test forks cannot be run.
fn make_cat(place: &Place, line: &str) {
    let script = "printf '#!/bin/sh\\n%s\\n' \"$1\" > cat && chmod +x cat";
    let made = place
        .command("sh")
        .args(["-c", script, "sh", line])
        .status();
    assert!(made.unwrap().success());
}

#[track_caller]
fn shown(run: &Output) -> &str {
    let shown = text(&run.stdout);
    assert!(run.status.success(), "{shown}\n{}", text(&run.stderr));
    shown
}

#[track_caller]
fn assert_nobody_is_left(place: &Place) {
    wait_until("nobody is left", || place.processes().is_empty());
}

/// A `cat` that never answers keeps the lab waiting, so that it is certainly at work.
#[test]
fn a_lab_that_is_broken_off_ends_at_once_and_leaves_nobody() {
    for signal in ["INT", "TERM", "HUP"] {
        let place = Place::new();
        make_cat(&place, "exec sleep 60");
        let mut lab = Program::start(&mut lab(&place)).unwrap();
        lab.wait_for(Stream::Stdout, "signal ").unwrap();
        let sent = Instant::now();
        lab.signal(signal).unwrap();
        assert_eq!(
            lab.wait().unwrap().code(),
            Some(0),
            "{}",
            lab.said(Stream::Stderr)
        );
        assert!(
            sent.elapsed() < LIMIT / 2,
            "it waited for `cat` all the same"
        );
        assert_nobody_is_left(&place);
    }
}

#[test]
fn a_lab_that_is_killed_leaves_nobody() {
    let kill_after = |line| {
        let place = Place::new();
        let mut lab = place.start(&["signals", "lab"]);
        if let Err(error) = lab.wait_for(Stream::Stdout, line) {
            panic!("{:?}: {error}", lab.wait().map(outcome));
        }
        lab.signal("KILL").unwrap(); // the lab alone, not its group
        lab.wait().unwrap();
        assert_nobody_is_left(&place);
    };
    let lines = [
        "signal ", "SIGINT ", "SIGKILL ", "SIGSEGV ", "sent by", "who ",
    ];
    thread::scope(|scope| {
        for line in lines {
            scope.spawn(move || kill_after(line));
        }
    });
}

/// `ipc signals wait` has no need of stdin, so the lab has to tell it to look for its end.
#[test]
fn a_lab_that_is_killed_while_a_process_waits_leaves_nobody() {
    let caught = (0..50).any(|_| {
        let place = Place::new();
        let mut lab = place.start(&["signals", "lab", "--only", "outcomes"]);
        let waits = |pid: &String| {
            let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            words.split(|&byte| byte == 0).any(|word| word == b"wait")
        };
        let own = u32::try_from(lab.pid()).unwrap();
        let mut found = false;
        while !found && state(own) != Some('Z') {
            found = place.processes().iter().any(waits);
        }
        lab.signal("KILL").unwrap();
        lab.wait().unwrap();
        assert_nobody_is_left(&place);
        found
    });
    assert!(caught, "in 50 labs none was killed in time");
}

#[test]
fn a_lab_whose_reader_goes_ends_quietly_and_leaves_nobody() {
    let place = Place::new();
    let mut command = place.ipc(&["signals", "lab"]);
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut lab = piped.spawn().unwrap();
    drop(lab.stdout.take());
    let run = lab.wait_with_output().unwrap();
    assert!(
        run.status.success() && run.stderr.is_empty(),
        "{}",
        text(&run.stderr)
    );
    assert_nobody_is_left(&place);
}

#[test]
fn a_lab_without_the_tools_says_what_it_skips() {
    let place = Place::new();
    for tool in ["sh", "cat"] {
        link(tool, &place.path(tool));
    }
    let run = lab(&place).env("PATH", place.path("")).output().unwrap();
    let shown = shown(&run);
    assert!(
        shown.contains("skipped: no `env --ignore-signal`"),
        "{shown}"
    );
    assert!(
        shown.contains("no `script` tool to make a terminal"),
        "{shown}"
    );
}

#[test]
fn a_lab_started_with_a_signal_ignored_says_so_instead_of_lying() {
    let place = Place::new();
    let mut ignoring = place.command("sh");
    ignoring.args(["-c", "trap '' USR1; exec \"$1\" signals lab", "sh"]);
    let run = ignoring.arg(env!("CARGO_BIN_EXE_ipc")).output().unwrap();
    let said = text(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "{said}");
    assert!(said.contains("SIGUSR1 ignored or blocked"), "{said}");
}

#[test]
fn a_lab_sees_the_same_under_each_shell() {
    if !has_tool("bash") || !has_tool("dash") {
        return;
    }
    let [bash, dash] = ["bash", "dash"].map(|shell| {
        let place = Place::new();
        link(shell, &place.path("sh"));
        let run = lab(&place).output().unwrap();
        assert_nobody_is_left(&place);
        shown(&run).to_owned()
    });
    assert_eq!(bash, dash);
}
