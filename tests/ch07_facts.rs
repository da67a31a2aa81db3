//! What chapter 7 says about Rust, `ctrlc` and exec, read from `/proc` and not from a manual.

mod common;

use std::process::Command;

use common::{Place, has_tool, is_ignored, text};
use ipc_primer::harness::{Program, Stream, state};
use ipc_primer::signals::{Action, Disposition, Dispositions, Signal, dispositions, outcome, send};

fn of(process: &Program) -> Dispositions {
    dispositions(process.pid()).unwrap()
}

/// A shell that runs `script`, and is ready; then it becomes `ipc signals wait`.
fn becomes_waiting(place: &Place, script: &str) -> (Dispositions, Program) {
    let mut command = place.command("sh");
    let script = format!("{script}; echo ready; read -r go; exec \"$1\" signals wait");
    command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_ipc")]);
    let mut process = Program::start(&mut command).unwrap();
    process.wait_for(Stream::Stdout, "ready").unwrap();
    let before = of(&process);
    process.say("go").unwrap();
    process.wait_for(Stream::Stderr, "waits for").unwrap();
    (before, process)
}

#[test]
fn fact_1_a_rust_program_starts_with_sigpipe_ignored() {
    println!(
        "the same process, as a shell and then as a Rust program: nobody else touched SIGPIPE"
    );
    let place = Place::new();
    let (shell, rust) = becomes_waiting(&place, ":");
    assert_eq!(shell.of(Signal::PIPE), Disposition::Default);
    assert_eq!(of(&rust).of(Signal::PIPE), Disposition::Ignored);
}

#[test]
fn fact_2_ctrlc_sets_int_term_and_hup_to_caught_and_nothing_else() {
    let place = Place::new();
    let (_, rust) = becomes_waiting(&place, ":");
    let caught: Vec<_> = of(&rust).caught.iter().collect();
    println!("caught: {caught:?}; SIGSEGV and SIGBUS are for the stack overflow message of std");
    let expected = [
        Signal::HUP,
        Signal::INT,
        Signal::BUS,
        Signal::SEGV,
        Signal::TERM,
    ];
    assert_eq!(caught, expected);
}

#[test]
fn fact_3_a_child_gets_the_default_of_sigpipe_back() {
    let own = dispositions(std::process::id().into()).unwrap();
    assert_eq!(
        own.of(Signal::PIPE),
        Disposition::Ignored,
        "this test is a Rust program"
    );
    let mut child = Program::start(&mut Command::new("cat")).unwrap();
    child.say("ready").unwrap();
    child.wait_for(Stream::Stdout, "ready").unwrap();
    println!("std's Command sets it back between fork and exec: ignored would have survived");
    assert_eq!(of(&child).of(Signal::PIPE), Disposition::Default);
}

#[test]
fn fact_4_ignored_dispositions_survive_exec_and_caught_ones_do_not() {
    let place = Place::new();
    let (before, after) = becomes_waiting(&place, "trap '' USR1; trap ':' USR2");
    let after = of(&after);
    assert_eq!(before.of(Signal::USR1), Disposition::Ignored);
    assert_eq!(
        after.of(Signal::USR1),
        Disposition::Ignored,
        "survived exec"
    );
    assert_eq!(before.of(Signal::USR2), Disposition::Caught);
    let lost = "the handler was code of a program that is not there any more";
    assert_eq!(after.of(Signal::USR2), Disposition::Default, "{lost}");
}

#[test]
fn fact_5_a_stopped_process_keeps_its_signals_pending() {
    let mut process = Program::start(&mut Command::new("cat")).unwrap();
    process.say("ready").unwrap();
    process.wait_for(Stream::Stdout, "ready").unwrap();
    send(process.pid(), Signal::STOP).unwrap();
    wait_for_state(&process, 'T');
    send(process.pid(), Signal::USR1).unwrap();
    send(process.pid(), Signal::USR1).unwrap();
    let pending: Vec<_> = of(&process).pending.iter().collect();
    assert_eq!(
        pending,
        [Signal::USR1],
        "sent twice, pending once: a set and not a queue"
    );
    let shown = Place::new().run(&["signals", "show", &process.pid().to_string()]);
    let line = text(&shown.stdout)
        .lines()
        .find(|line| line.starts_with("SIGUSR1"));
    assert_eq!(line, Some("SIGUSR1    default (terminate)   pending"));
    process.signal("CONT").unwrap();
    assert_eq!(
        outcome(process.wait().unwrap()).signal(),
        Some(Signal::USR1)
    );
}

#[test]
fn fact_6_a_blocked_signal_waits_at_the_door() {
    let blocking = ["--block-signal=USR1", "cat"];
    if !has_tool("env") || !knows(&["--block-signal=USR1", "true"]) {
        return println!("skipped: this `env` cannot block a signal");
    }
    let mut process = Program::start(Command::new("env").args(blocking)).unwrap();
    process.say("ready").unwrap();
    process.wait_for(Stream::Stdout, "ready").unwrap();
    send(process.pid(), Signal::USR1).unwrap();
    let found = of(&process);
    assert!(found.blocked.contains(Signal::USR1) && found.pending.contains(Signal::USR1));
    assert_eq!(
        found.of(Signal::USR1),
        Disposition::Default,
        "blocked is not ignored"
    );
    process.say("still there").unwrap();
    process.wait_for(Stream::Stdout, "still there").unwrap();
}

fn knows(words: &[&str]) -> bool {
    let run = Command::new("env").args(words).output();
    run.is_ok_and(|run| run.status.success())
}

#[test]
fn fact_7_a_program_survives_sigpipe_and_one_sent_sigsegv_but_no_other() {
    let place = Place::new();
    let raise = |signal: &str| {
        let mut command = place.command("sh");
        command.args(["-c", "ulimit -c 0; exec \"$1\" signals raise \"$2\"", "sh"]);
        let run = command
            .arg(env!("CARGO_BIN_EXE_ipc"))
            .arg(signal)
            .output()
            .unwrap();
        (
            outcome(run.status).to_string(),
            text(&run.stdout).to_owned(),
        )
    };
    let still = |why: &str| {
        (
            "exit code 0".to_owned(),
            format!("still here after {why}\n"),
        )
    };
    assert_eq!(raise("PIPE"), still("SIGPIPE: this process ignores it"));
    println!(
        "std's handler of SIGSEGV looks for a stack overflow, finds none, and sets the default back"
    );
    assert_eq!(
        raise("SEGV"),
        still("SIGSEGV: this process has a handler for it")
    );
    assert_eq!(
        raise("CHLD"),
        still("SIGCHLD: its default is to be ignored")
    );
    for fatal in [
        "INT", "TERM", "HUP", "KILL", "ABRT", "USR1", "STKFLT", "SYS",
    ] {
        if is_ignored(fatal.parse().unwrap()) {
            continue;
        }
        assert_eq!(
            raise(fatal),
            (format!("killed by SIG{fatal}"), String::new())
        );
    }
}

/// The overflow is this test's own program, started again.
#[test]
fn fact_8_a_rust_program_that_overflows_its_stack_is_ended_by_sigabrt() {
    const AGAIN: &str = "IPC_PRIMER_OVERFLOW";
    if std::env::var_os(AGAIN).is_some() {
        println!("{}", deeper(0));
        return;
    }
    let own = std::env::current_exe().unwrap();
    let name = "fact_8_a_rust_program_that_overflows_its_stack_is_ended_by_sigabrt";
    let mut again = Command::new("sh");
    again
        .args(["-c", "ulimit -c 0; exec \"$@\"", "sh"])
        .arg(own);
    again
        .args(["--exact", name, "--nocapture"])
        .env(AGAIN, "yes");
    let run = again.output().unwrap();
    assert_eq!(
        outcome(run.status).signal(),
        Some(Signal::ABRT),
        "not SIGSEGV: std caught that"
    );
    assert!(text(&run.stderr).contains("has overflowed its stack"));
}

fn deeper(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 64]);
    if depth == u64::MAX {
        return 0;
    }
    deeper(depth + 1) + room[0]
}

#[test]
fn fact_9_ctrlc_takes_back_what_nohup_asked_for() {
    let place = Place::new();
    let (before, after) = becomes_waiting(&place, "trap '' HUP"); // all that nohup does, but for files
    assert_eq!(before.of(Signal::HUP), Disposition::Ignored);
    println!("set_handler asks nobody what was there before; try_set_handler would refuse");
    assert_eq!(of(&after).of(Signal::HUP), Disposition::Caught);
}

#[test]
fn fact_10_by_default_the_kernel_does_what_the_table_says() {
    println!("each of the 31, sent to a `cat` of its own that left all of them at the default");
    for signal in Signal::all() {
        let limited = ["-c", "ulimit -c 0; exec cat"];
        let mut process = Program::start(Command::new("sh").args(limited)).unwrap();
        process.say("ready").unwrap();
        process.wait_for(Stream::Stdout, "ready").unwrap();
        if dispositions(process.pid()).unwrap().of(signal) != Disposition::Default {
            println!(
                "skipped: {signal} was ignored or blocked in the process that started this test"
            );
            continue;
        }
        send(process.pid(), signal).unwrap();
        match signal.action() {
            Action::Terminate | Action::Core => {
                let end = outcome(process.wait().unwrap());
                assert_eq!(end.signal(), Some(signal), "{signal}: {end}");
            }
            Action::Ignore | Action::Continue => {
                process.say("still there").unwrap();
                process.wait_for(Stream::Stdout, "still there").unwrap();
            }
            Action::Stop => wait_for_state(&process, 'T'),
        }
    }
}

fn wait_for_state(process: &Program, wanted: char) {
    let pid = u32::try_from(process.pid()).unwrap();
    while state(pid) != Some(wanted) {
        assert!(state(pid).is_some_and(|now| now != 'Z'), "it ended instead");
        std::thread::yield_now();
    }
}
