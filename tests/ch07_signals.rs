//! Note 4's signals, step by step. Run with `cargo test --test ch07_signals -- --nocapture`.
//!
//! Every process that gets a signal here is a child of the test.

mod common;

use std::process::Command;

use common::{Place, is_ignored, text};
use ipc_primer::harness::{Program, Stream, state};
use ipc_primer::signals::{Action, Disposition, Signal, dispositions, outcome, send};

/// A shell that runs `script` until it says "ready".
fn shell(script: &str) -> Program {
    let mut shell = Program::start(Command::new("sh").args(["-c", script])).unwrap();
    shell.wait_for(Stream::Stdout, "ready").unwrap();
    shell
}

/// `ipc signals wait`, once its routine is registered.
fn waiting(place: &Place) -> Program {
    let mut process = place.start(&["signals", "wait"]);
    process.wait_for(Stream::Stderr, "waits for").unwrap();
    process
}

#[track_caller]
fn ended_by(mut process: Program) -> Option<Signal> {
    outcome(process.wait().unwrap()).signal()
}

#[test]
fn step_01_a_signal_is_a_message_from_one_process_to_another() {
    println!(
        "process A is `ipc signals send`, process B a shell with a handler; A is not B's parent"
    );
    let mut b = shell("trap 'echo B has it; exit 7' USR1; echo ready; while :; do :; done");
    let sent = Place::new().run(&["signals", "send", "USR1", &b.pid().to_string()]);
    assert!(
        sent.status.success(),
        "A could not send: {}",
        text(&sent.stderr)
    );
    b.wait_for(Stream::Stdout, "B has it").unwrap();
    println!("B did what it had decided to do: the message is the number, and nothing else");
    assert_eq!(b.wait().unwrap().code(), Some(7));
}

#[test]
fn step_02_it_may_execute_the_default_action() {
    println!("a process that says nothing about SIGTERM is ended by it");
    let process = shell("echo ready; exec cat");
    let before = dispositions(process.pid()).unwrap();
    assert_eq!(before.of(Signal::TERM), Disposition::Default);
    send(process.pid(), Signal::TERM).unwrap();
    assert_eq!(
        ended_by(process),
        Some(Signal::TERM),
        "default of SIGTERM: terminate"
    );
}

#[test]
fn step_03_it_may_execute_a_handler_routine() {
    let place = Place::new();
    for signal in ["INT", "TERM", "HUP"] {
        println!(
            "SIG{signal} runs the routine that was registered, and the program ends by itself"
        );
        let mut process = waiting(&place);
        process.signal(signal).unwrap();
        process.wait_for(Stream::Stdout, "the routine ran").unwrap();
        let code = process.wait().unwrap().code();
        assert_eq!(
            code,
            Some(0),
            "not killed by SIG{signal}: ended in its own way"
        );
    }
}

#[test]
fn step_04_it_may_ignore_the_signal() {
    println!("`trap '' TERM` ignores it: it is thrown away, and nothing is pending");
    let mut process = shell("trap '' TERM; echo ready; exec cat");
    send(process.pid(), Signal::TERM).unwrap();
    let after = dispositions(process.pid()).unwrap();
    assert_eq!(after.of(Signal::TERM), Disposition::Ignored);
    assert!(
        !after.pending.contains(Signal::TERM),
        "an ignored signal does not wait"
    );
    process.say("still there").unwrap();
    process.wait_for(Stream::Stdout, "still there").unwrap();
}

#[test]
fn step_05_a_routine_is_registered_for_a_kind_of_signal() {
    println!("one process, before and after it registers: the shell becomes `ipc signals wait`");
    let place = Place::new();
    let mut command = place.command("sh");
    command.args([
        "-c",
        "echo ready; read -r go; exec \"$1\" signals wait",
        "sh",
    ]);
    let mut process = Program::start(command.arg(env!("CARGO_BIN_EXE_ipc"))).unwrap();
    process.wait_for(Stream::Stdout, "ready").unwrap();
    let before = dispositions(process.pid()).unwrap();
    process.say("go").unwrap();
    process.wait_for(Stream::Stderr, "waits for").unwrap();
    let after = dispositions(process.pid()).unwrap();
    for signal in [Signal::TERM, Signal::HUP] {
        if !is_ignored(signal) {
            assert_eq!(before.of(signal), Disposition::Default, "{signal} before");
        }
    }
    println!("(SIGINT too, but some shells handle that one for themselves)");
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let registered = after.of(signal);
        assert_eq!(
            registered,
            Disposition::Caught,
            "{signal} after ctrlc::set_handler"
        );
    }
    let other = after.of(Signal::USR1);
    assert_eq!(
        other,
        Disposition::Default,
        "a kind it did not register for"
    );
}

#[test]
fn step_06_the_routine_preempts_the_normal_flow() {
    println!(
        "the program counts and never asks whether a signal came; the routine breaks in, and the"
    );
    println!("count goes on where it was");
    let script = "trap 'echo at $n' USR1; n=0; echo ready; while :; do n=$((n+1)); done";
    let mut process = shell(script);
    let mut at = || -> u64 {
        send(process.pid(), Signal::USR1).unwrap();
        let line = process.wait_for(Stream::Stdout, "at ").unwrap();
        line["at ".len()..].parse().unwrap()
    };
    let first = at();
    // Two signals may come between two counts; a thousand do not.
    let later = (0..1000).map(|_| at()).find(|&count| count != first);
    assert!(
        later > Some(first),
        "it was at {first}, and then at {later:?}"
    );
}

#[test]
fn step_07_there_are_31_kinds() {
    println!(
        "the note says 30: there are 31 standard signals, and the realtime signals from 32 on"
    );
    let list = Place::new().run(&["signals", "list"]);
    let list = text(&list.stdout);
    let kinds = list.lines().filter(|line| line.contains("  SIG")).count();
    assert_eq!(kinds, 31, "{list}");
    let marked = list.lines().filter(|line| line.starts_with('*'));
    let names: Vec<_> = marked
        .map(|line| line.split_whitespace().nth(2).unwrap())
        .collect();
    let noted = "SIGINT SIGABRT SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGTERM SIGCHLD";
    assert_eq!(names.join(" "), noted, "the note's eight, by number");
}

#[test]
fn step_08_sigusr1_and_sigusr2_mean_what_the_two_agree_on() {
    let mut process =
        shell("trap 'echo one' USR1; trap 'echo two; exit' USR2; echo ready; while :; do :; done");
    send(process.pid(), Signal::USR1).unwrap();
    process.wait_for(Stream::Stdout, "one").unwrap();
    send(process.pid(), Signal::USR2).unwrap();
    process.wait_for(Stream::Stdout, "two").unwrap();
    println!("nobody but these two processes knows what 10 and 12 stand for");
}

#[test]
fn step_09_sigkill_cannot_be_caught() {
    println!("the shell asks for it, and the kernel does not list it among the caught");
    let process = shell("trap 'echo caught' KILL 2>/dev/null; echo ready; while :; do :; done");
    let found = dispositions(process.pid()).unwrap();
    assert_eq!(found.of(Signal::KILL), Disposition::Default);
    send(process.pid(), Signal::KILL).unwrap();
    assert_eq!(ended_by(process), Some(Signal::KILL));
    assert!(!Signal::KILL.can_be_caught() && !Signal::STOP.can_be_caught());
}

#[test]
fn step_10_sigabrt_is_raised_by_abort() {
    println!(
        "a process that finds itself in a state that cannot be ends itself; ignoring does not help"
    );
    for before in ["", "trap '' ABRT; "] {
        let place = Place::new();
        let script = format!("ulimit -c 0; {before}exec \"$1\" signals raise ABRT");
        let mut command = place.command("sh");
        command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_ipc")]);
        let process = Program::start(&mut command).unwrap();
        assert_eq!(ended_by(process), Some(Signal::ABRT), "{script}");
        place.assert_left(&[]); // no core file: `ulimit -c 0`
    }
    assert_eq!(Signal::ABRT.action(), Action::Core);
}

#[test]
fn step_11_sigterm_is_what_kill_sends_and_can_be_caught() {
    println!("`kill PID` with no name: SIGTERM, which asks where SIGKILL does not");
    let place = Place::new();
    let mut process = waiting(&place);
    let kill = format!("kill {}", process.pid());
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
    process.wait_for(Stream::Stdout, "the routine ran").unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

#[test]
fn step_12_sigsegv_is_raised_by_the_kernel_at_an_address_that_is_not_ours() {
    println!("a function that calls itself needs stack until there is none");
    let place = Place::new();
    let mut recursion = place.command("sh");
    recursion.args([
        "-c",
        "ulimit -c 0; ulimit -s 64; deeper() { deeper; }; deeper",
    ]);
    let process = Program::start(&mut recursion).unwrap();
    assert_eq!(ended_by(process), Some(Signal::SEGV));
    place.assert_left(&[]);
}

#[test]
fn step_13_sigchld_tells_the_parent_that_a_child_ended() {
    println!("(the note writes SIGCHILD) a shell with a trap for it, and a child that ends");
    let script =
        "trap 'echo SIGCHLD came' CHLD; sh -c 'exit 3' & wait $!; echo waited; read -r end";
    let mut parent = Program::start(Command::new("sh").args(["-c", script])).unwrap();
    parent.wait_for(Stream::Stdout, "SIGCHLD came").unwrap();
    parent.wait_for(Stream::Stdout, "waited").unwrap();
}

#[test]
fn step_14_a_child_is_a_zombie_until_its_parent_waits() {
    let mut child = Command::new("true").spawn().unwrap();
    let pid = child.id();
    while state(pid) != Some('Z') {
        assert!(
            state(pid).is_some(),
            "it cannot be gone: nobody waited for it"
        );
        std::thread::yield_now();
    }
    println!("it has ended, and its entry stays: the parent has not asked how it ended");
    let refused = dispositions(pid.into()).unwrap_err();
    assert!(refused.to_string().contains("zombie"), "{refused}");
    assert!(child.wait().unwrap().success());
    assert_eq!(state(pid), None, "waited for, it is gone");
}

#[test]
fn step_15_the_three_ways_kernel_raise_and_kill() {
    let lab = Place::new().run(&["signals", "lab", "--only", "ways"]);
    let shown = text(&lab.stdout);
    println!("{shown}");
    assert!(lab.status.success(), "{}", text(&lab.stderr));
    for (way, end) in [
        ("a write that nobody can read", "killed by SIGPIPE"),
        ("endless recursion", "killed by SIGSEGV"),
        ("raise(SIGTERM)", "killed by SIGTERM"),
        ("kill(pid, SIGUSR1)", "killed by SIGUSR1"),
    ] {
        let line = shown.lines().find(|line| line.contains(way));
        let line = line.unwrap_or_else(|| panic!("the lab does not show {way:?}:\n{shown}"));
        assert!(line.ends_with(end), "{line}");
    }
}
