//! `signals`: a program that handles some signals, ignores one, and leaves the others alone; judged by
//! sending them, and over `/proc`.

use std::fs;

use super::{Assignment, Check, Fault, Lab, Running, Verdict, running::show_end, watch};
use crate::process::Stream;
use std::os::unix::process::ExitStatusExt;

pub(super) const ASSIGNMENT: Assignment = Assignment {
    name: "signals",
    about: "a program that handles, ignores and leaves alone",
    chapter: "7",
    example: "./wait",
    page: include_str!("../../docs/assignments/signals.md"),
    checks: &[CHECKS],
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
        about: "no signal is blocked while it waits",
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

/// The signals by their numbers on Linux, as far as they are asked about here.
const INT: u32 = 2;
const PIPE: u32 = 13;
const DEFAULTS: [(&str, u32); 5] = [
    ("SIGQUIT", 3),
    ("SIGALRM", 14),
    ("SIGUSR1", 10),
    ("SIGUSR2", 12),
    ("SIGCHLD", 17),
];

/// One line of `/proc/<pid>/status`: a set of signals, a bit each.
#[derive(Clone, Copy)]
struct Mask(u64);

impl Mask {
    fn of(program: &Running, line: &str) -> Self {
        let status =
            fs::read_to_string(format!("/proc/{}/status", program.pid())).unwrap_or_default();
        let value = status
            .lines()
            .find_map(|found| found.strip_prefix(line)?.strip_prefix(":\t"));
        Self(
            value
                .and_then(|mask| u64::from_str_radix(mask, 16).ok())
                .unwrap_or(0),
        )
    }

    fn has(self, signal: u32) -> bool {
        self.0 >> (signal - 1) & 1 == 1
    }
}

/// Starts the program and waits until it has installed its handlers and rests.
fn start<'a>(lab: &'a Lab) -> Result<Running<'a>, Fault> {
    let program = lab.start()?;
    let ready = || Mask::of(&program, "SigCgt").has(INT) || program.has_ended();
    watch::wait_until(lab.timeout(), ready);
    program.settle();
    if program.has_ended() {
        return Err(Fault::new("it ended before a signal came").expected("a program that waits"));
    }
    match Mask::of(&program, "SigCgt").has(INT) {
        true => Ok(program),
        false => Err(Fault::new("SIGINT has no handler")
            .expected("SIGINT among the caught signals (SigCgt in /proc/<pid>/status)")),
    }
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
        false => Err(Fault::new("it ends without a word")
            .given("SIGTERM")
            .expected("a line on stdout or stderr")
            .came("nothing")),
    }
}

fn pipe(lab: &Lab) -> Verdict {
    let program = start(lab)?;
    if !Mask::of(&program, "SigIgn").has(PIPE) {
        return Err(Fault::new("SIGPIPE is not ignored")
            .expected("SIGPIPE among the ignored signals (SigIgn in /proc/<pid>/status)"));
    }
    program.signal("PIPE");
    program.settle();
    match program.has_ended() {
        true => Err(Fault::new("it ended")
            .given("SIGPIPE")
            .expected("a program that waits on")),
        false => Ok(()),
    }
}

fn leaves_alone(lab: &Lab) -> Verdict {
    let program = start(lab)?;
    let masks = ["SigCgt", "SigIgn"].map(|line| Mask::of(&program, line));
    let changed = DEFAULTS
        .iter()
        .filter(|(_, signal)| masks.iter().any(|mask| mask.has(*signal)));
    let names: Vec<_> = changed.map(|(name, _)| *name).collect();
    match names[..] {
        [] => Ok(()),
        _ => Err(Fault::new("it changed what is not its own")
            .expected("the default of each")
            .came(format!("caught or ignored: {}", names.join(", ")))),
    }
}

fn usr1(lab: &Lab) -> Verdict {
    const USR1: i32 = 10;
    let status = start(lab)?.end_by("USR1")?;
    match status.signal() {
        Some(USR1) => Ok(()),
        _ => Err(Fault::new("SIGUSR1 does not end it as is its default")
            .expected("killed by signal: 10 (SIGUSR1)")
            .came(show_end(status))),
    }
}

fn blocks_nothing(lab: &Lab) -> Verdict {
    let program = start(lab)?;
    match Mask::of(&program, "SigBlk").0 {
        0 => Ok(()),
        mask => Err(Fault::new("signals are blocked while it waits")
            .expected("SigBlk: 0000000000000000")
            .came(format!("SigBlk: {mask:016x}"))),
    }
}

fn stop_and_go_on(lab: &Lab) -> Verdict {
    let program = start(lab)?;
    program.pause();
    program.resume();
    program.settle();
    if program.has_ended() {
        return Err(Fault::new("it ended")
            .given("SIGSTOP, then SIGCONT")
            .expected("a program that waits on"));
    }
    program.expect_clean_end_by("TERM")
}

fn burst(lab: &Lab) -> Verdict {
    let program = start(lab)?;
    program.pause(); // so that all of them are there when it goes on
    for signal in ["INT", "TERM", "HUP", "INT"] {
        program.signal(signal);
    }
    program.resume();
    program.expect_clean_end_by("INT")
}
