//! `signals`: a program that handles some signals, ignores one, and leaves the others alone; judged by
//! sending them, and over `/proc`.

use std::fs;
use std::process;

use super::running::show_end;
use super::watch::Quiet;
use super::{Assignment, Check, Fault, Lab, Running, Verdict};
use crate::harness::Stream;
use crate::signals::{self, Disposition, Dispositions, Signal, outcome};

pub(super) const ASSIGNMENT: Assignment = Assignment {
    name: "signals",
    about: "a program that handles, ignores and leaves alone",
    chapter: "7",
    example: "./wait",
    page: include_str!("../../docs/assignments/signals.md"),
    checks: &[("waits", CHECKS)],
};

const CHECKS: &[Check] = &[
    Check {
        name: "waits",
        points: 1,
        about: "it runs until a signal comes, and SIGINT has a handler",
        cause: "it ends by itself (pause, sigsuspend), or sigaction was not called",
        run: waits,
    },
    Check {
        name: "int",
        points: 2,
        about: "SIGINT is handled: it ends with exit code 0",
        cause: "the handler does not lead to the end of main",
        run: |lab| handles(lab, "INT"),
    },
    Check {
        name: "term",
        points: 2,
        about: "SIGTERM is handled: it ends with exit code 0",
        cause: "the handler does not lead to the end of main",
        run: |lab| handles(lab, "TERM"),
    },
    Check {
        name: "hup",
        points: 1,
        about: "SIGHUP is handled: it ends with exit code 0",
        cause: "the handler does not lead to the end of main",
        run: |lab| handles(lab, "HUP"),
    },
    Check {
        name: "says-so",
        points: 1,
        about: "it prints a line when it was ended by a signal",
        cause: "the line is in stdio's buffer, and _exit, which does not write it out, was called in the handler",
        run: says_so,
    },
    Check {
        name: "pipe",
        points: 2,
        about: "SIGPIPE is ignored, not handled",
        cause: "SIGPIPE has its default, which ends the program, or an empty handler: SIG_IGN is asked for",
        run: pipe,
    },
    Check {
        name: "leaves-alone",
        points: 2,
        about: "SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2 and SIGCHLD keep their defaults",
        cause: "a loop installed a handler for every signal: name those that are meant",
        run: leaves_alone,
    },
    Check {
        name: "usr1",
        points: 1,
        about: "SIGUSR1 ends it, as is its default",
        cause: "SIGUSR1 is handled, ignored or blocked",
        run: usr1,
    },
    Check {
        name: "blocks-nothing",
        points: 1,
        about: "no signal but SIGCHLD is blocked while it waits, and it takes no processor time",
        cause: "sigprocmask blocked a signal and nobody unblocked it: it stays pending for ever",
        run: blocks_nothing,
    },
    Check {
        name: "stop-and-go-on",
        points: 1,
        about: "stopped and continued (SIGSTOP, SIGCONT), it waits on",
        cause: "what interrupts the wait is taken for the signal that was waited for: look at the flag that the handler set",
        run: stop_and_go_on,
    },
    Check {
        name: "burst",
        points: 1,
        about: "many signals at the same time are no more than one",
        cause: "the second signal is taken for an emergency, or finds the handler gone (SA_RESETHAND): it is on its way out already",
        run: burst,
    },
];

/// Signals that the program is to leave alone.
const LEFT_ALONE: [&str; 5] = ["QUIT", "ALRM", "USR1", "USR2", "CHLD"];

/// Those of them that a runtime uses itself, by the name of its executable.
const OF_RUNTIMES: &[(&str, &[&str])] = &[
    ("bash", &["QUIT", "CHLD"]),
    ("java", &["QUIT", "USR2"]),
    ("node", &["USR1"]),
];

fn dispositions(program: &Running) -> Dispositions {
    dispositions_of(program.pid())
}

fn dispositions_of(pid: u32) -> Dispositions {
    signals::dispositions(pid.into()).unwrap_or_default()
}

/// Whether the signal belongs to the runtime that runs the program.
fn is_of_its_runtime(program: &Running, signal: Signal) -> bool {
    let link = fs::read_link(format!("/proc/{}/exe", program.pid())).unwrap_or_default();
    let file = link.file_name().unwrap_or_default().to_string_lossy();
    let mut runtimes = OF_RUNTIMES.iter();
    runtimes.any(|(name, signals)| *name == file && signals.iter().any(|own| *own == signal.name()))
}

/// Starts the program and waits until it is ready: everything required is in place, or it waits without. A handler
/// of SIGINT alone proves nothing, because some runtimes install theirs before the program's first line.
fn start<'a>(lab: &'a Lab) -> Result<Running<'a>, Fault> {
    let program = lab.start()?;
    let is_caught = || dispositions(&program).of(Signal::INT) == Disposition::Caught;
    let mut quiet = Quiet::of(program.pid());
    lab.wait_until(|| is_complete(&program) || program.has_ended() || quiet.holds());
    program.settle();
    if program.has_ended() {
        return Err(program
            .fault("it ended before a signal came")
            .expected("a program that waits"));
    }
    match is_caught() {
        true => Ok(program),
        false => Err(program
            .fault("SIGINT has no handler")
            .expected("SIGINT among the caught signals (SigCgt in /proc/<pid>/status)")),
    }
}

fn is_complete(program: &Running) -> bool {
    let found = dispositions(program);
    let caught = |signal: &Signal| found.of(*signal) == Disposition::Caught;
    let handled = [Signal::INT, Signal::TERM, Signal::HUP];
    handled.iter().all(caught) && found.of(Signal::PIPE) == Disposition::Ignored
}

fn waits(lab: &Lab) -> Verdict {
    start(lab).map(drop)
}

fn handles(lab: &Lab, signal: &str) -> Verdict {
    start(lab)?.expect_clean_end_by(signal)
}

fn says_so(lab: &Lab) -> Verdict {
    let program = start(lab)?;
    let said = |program: &Running| {
        [Stream::Stdout, Stream::Stderr].map(|on| program.printed(on).lines().count())
    };
    let before: usize = said(&program).iter().sum();
    program.end_by("TERM")?;
    match said(&program).iter().sum::<usize>() > before {
        true => Ok(()),
        false => Err(program
            .fault("it ends without a word")
            .given("SIGTERM")
            .expected("a line on stdout or stderr")
            .came("nothing")),
    }
}

fn pipe(lab: &Lab) -> Verdict {
    let program = start(lab)?;
    match dispositions(&program).of(Signal::PIPE) {
        Disposition::Ignored => {}
        found => {
            return Err(program
                .fault("SIGPIPE is not ignored")
                .expected("SIGPIPE among the ignored signals (SigIgn in /proc/<pid>/status)")
                .came(found.to_string()));
        }
    }
    program.signal("PIPE");
    program.settle();
    match program.has_ended() {
        true => Err(program
            .fault("it ended")
            .given("SIGPIPE")
            .expected("a program that waits on")),
        false => Ok(()),
    }
}

fn leaves_alone(lab: &Lab) -> Verdict {
    let program = start(lab)?;
    let found = dispositions(&program);
    let left_alone = LEFT_ALONE
        .iter()
        .filter_map(|name| name.parse::<Signal>().ok());
    let wrongly = |signal: &Signal| {
        found.of(*signal) != Disposition::Default
            && !is_of_its_runtime(&program, *signal)
            && !acts_as_default(lab, *signal)
    };
    // The program inherits from us the signals that we were started with as ignored (by a shell's `&`, say).
    let inherited = dispositions_of(process::id());
    let changed: Vec<_> = left_alone
        .filter(|&signal| found.of(signal) != inherited.of(signal))
        .filter(wrongly)
        .map(|signal| format!("{signal} is {}", found.of(signal)))
        .collect();
    match changed[..] {
        [] => Ok(()),
        _ => Err(program
            .fault("it changed what it was to leave alone")
            .expected("the default of each")
            .came(changed.join(", "))),
    }
}

/// Whether a signal that is not at its default acts as the default does: some runtimes handle all signals,
/// and pass on those that the program does not ask for.
fn acts_as_default(lab: &Lab, signal: Signal) -> bool {
    let Ok(program) = start(lab) else {
        return false;
    };
    program.signal(signal.name());
    program.settle();
    if signal == Signal::CHLD {
        return !program.has_ended();
    }
    let ended = program.has_ended().then(|| program.wait().ok()).flatten();
    ended.and_then(|status| outcome(status).signal()) == Some(signal)
}

fn usr1(lab: &Lab) -> Verdict {
    let program = start(lab)?;
    if is_of_its_runtime(&program, Signal::USR1) {
        return Ok(());
    }
    let status = program.end_by("USR1")?;
    match outcome(status).signal() {
        Some(Signal::USR1) => Ok(()),
        _ => Err(program
            .fault("SIGUSR1 does not end it as is its default")
            .expected("killed by SIGUSR1")
            .came(show_end(status))),
    }
}

fn blocks_nothing(lab: &Lab) -> Verdict {
    let program = start(lab)?;
    program.expect_rest()?;
    let blocked = dispositions(&program).blocked;
    // A shell that waits for its child blocks SIGCHLD meanwhile, and misses nothing.
    match blocked.iter().all(|signal| signal == Signal::CHLD) {
        true => Ok(()),
        false => Err(program
            .fault("signals are blocked while it waits")
            .expected("none in SigBlk of /proc/<pid>/status")
            .came(blocked.to_string())),
    }
}

fn stop_and_go_on(lab: &Lab) -> Verdict {
    let program = start(lab)?;
    program.pause();
    program.resume();
    program.settle();
    if program.has_ended() {
        return Err(program
            .fault("it ended")
            .given("SIGSTOP, then SIGCONT")
            .expected("a program that waits on"));
    }
    program.expect_clean_end_by("TERM")
}

fn burst(lab: &Lab) -> Verdict {
    let program = start(lab)?;
    program.pause(); // so that all of them are pending when it continues
    for signal in ["INT", "TERM", "HUP", "INT"] {
        program.signal(signal);
    }
    program.resume();
    program.expect_end(0) // no signal follows: how a runtime ends is not the program's doing
}
