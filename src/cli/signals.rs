//! `ipc signals`: the words of the signals scenario.

use std::process;
use std::thread;
use std::time::Duration;

use crate::signals::lab::{self, Part};
use crate::signals::{self, Action, Disposition, Dispositions, Signal, WaitEnd};
use crate::support::log::log;

use super::args::Args;
use super::output::Output;
use super::{Command, Failure, Outcome, print, scenario, unless_stopped};

const HELP: &str = "\
ipc signals: send signals, handle them, and see what a process does with each

  ipc signals list               all 31 standard signals; * marks the note's eight
  ipc signals lab [--only PART]  the note's eight at work, with real processes;
                                 parts: outcomes, ways, children
  ipc signals show PID           what a process does with each signal
  ipc signals send SIGNAL PID    send one
  ipc signals raise SIGNAL       send one to itself
  ipc signals wait [--until-eof] handle SIGINT, SIGTERM and SIGHUP: end cleanly
                                 when one comes (or when stdin ends)

A SIGNAL is a name or a number: INT, SIGINT, int, 2. A PID is a positive number:
0 and negative ones, which stand for groups of processes, are refused.

Chapter 7 of the book explains it: docs/07-signals.md.
";

pub(super) fn run(words: &mut Args) -> Outcome {
    let commands: [Command; 6] = [
        ("list", &list),
        ("show", &show),
        ("send", &send),
        ("raise", &raise),
        ("wait", &wait),
        ("lab", &play_lab),
    ];
    scenario(words, "ipc signals", HELP, &commands)
}

fn list(words: &mut Args) -> Outcome {
    words.finish()?;
    let line = |signal: Signal| {
        let is_noted = Signal::NOTED.contains(&signal);
        let mark = if is_noted { '*' } else { ' ' };
        let (number, action, sender) = (signal.number(), signal.action(), signal.sender());
        format!("{mark} {number:>3}  {signal:<9}  {action:<9}  {sender}\n")
    };
    let lines: String = Signal::all().map(line).collect();
    print(&format!("   nr  signal     default    sent by\n{lines}"))
}

fn show(words: &mut Args) -> Outcome {
    let pid = pid(words)?;
    words.finish()?;
    let found = signals::dispositions(pid)?;
    let line = |signal| {
        let (happens, now) = (what_happens(&found, signal), now(&found, signal));
        let line = format!("{signal:<9}  {happens:<20}  {now}");
        line.trim_end().to_owned() + "\n"
    };
    let lines: String = Signal::all().map(line).collect();
    print(&format!("signal     what happens          now\n{lines}"))
}

fn what_happens(found: &Dispositions, signal: Signal) -> String {
    match found.of(signal) {
        Disposition::Default => format!("default ({})", signal.action()),
        other => other.to_string(),
    }
}

fn now(found: &Dispositions, signal: Signal) -> &'static str {
    match (
        found.blocked.contains(signal),
        found.pending.contains(signal),
    ) {
        (true, true) => "blocked, pending",
        (true, false) => "blocked",
        (false, true) => "pending",
        (false, false) => "",
    }
}

fn send(words: &mut Args) -> Outcome {
    let signal = signal(words)?;
    let pid = pid(words)?;
    words.finish()?;
    Ok(signals::send(pid, signal)?)
}

/// The answer for a signal that should have ended this process, and how long it gets to do so.
const ON_ITS_WAY: &str = "it is still on its way";
const ON_ITS_WAY_FOR: Duration = Duration::from_secs(10);

fn raise(words: &mut Args) -> Outcome {
    let signal = signal(words)?;
    words.finish()?;
    let before = signals::dispositions(process::id().into())?;
    signals::raise(signal)?;
    let why = why_it_is_still_here(&before, signal);
    if why == ON_ITS_WAY {
        thread::sleep(ON_ITS_WAY_FOR); // the thread that takes the signal has to run first
    }
    print(&format!("still here after {signal}: {why}\n"))
}

fn why_it_is_still_here(before: &Dispositions, signal: Signal) -> &'static str {
    match (before.of(signal), signal.action()) {
        (Disposition::Ignored, _) => "this process ignores it",
        _ if before.blocked.contains(signal) => "it is blocked, and now pending",
        (Disposition::Caught, _) => "this process has a handler for it",
        (Disposition::Default, Action::Stop) => "it was stopped, and then continued",
        (Disposition::Default, Action::Ignore) => "its default is to be ignored",
        (Disposition::Default, Action::Continue) => "it continues what is stopped, and this is not",
        (Disposition::Default, Action::Terminate | Action::Core) => ON_ITS_WAY,
    }
}

fn wait(words: &mut Args) -> Outcome {
    let until_eof = words.flag("--until-eof");
    words.finish()?;
    let stop = words.stop()?;
    let pid = process::id();
    log(format!("process {pid} waits for SIGINT, SIGTERM or SIGHUP"));
    let end = match signals::wait(&stop, until_eof) {
        WaitEnd::Signal => "a signal came and the routine ran: this is the clean end",
        WaitEnd::Input => "the input ended and no signal came",
    };
    print(&format!("{end}\n"))
}

fn play_lab(words: &mut Args) -> Outcome {
    let only = words.value("--only")?;
    words.finish()?;
    let wanted = |part: &Part| only.as_ref().is_none_or(|name| name == part.name());
    let parts: Vec<_> = Part::ALL.into_iter().filter(wanted).collect();
    if parts.is_empty() {
        return Err(words.fault("the parts of the lab are outcomes, ways and children"));
    }
    let program = std::env::current_exe()?;
    let stop = words.stop()?;
    let played = lab::play(&parts, &program, &mut Output::stdout()?, &stop);
    unless_stopped(played.map_err(Failure::Run), &stop)
}

fn signal(words: &mut Args) -> Result<Signal, Failure> {
    let word = words.required("a signal")?;
    word.parse().map_err(|unknown: signals::UnknownSignal| {
        words.fault(format!("{unknown}; `ipc signals list` lists them"))
    })
}

fn pid(words: &mut Args) -> Result<i64, Failure> {
    let word = words.required("a PID")?;
    let digits = word.strip_prefix('-').unwrap_or(&word);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let Some(pid) = word.parse().ok().filter(|_| is_number) else {
        return Err(words.fault(format!(
            "{word:?} is no PID: it takes the number of a process"
        )));
    };
    signals::check_pid(pid).map_err(|error| words.fault(error))?;
    Ok(pid)
}
