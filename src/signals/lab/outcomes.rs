//! The three things that can happen, for each of the note's eight signals.

use std::io;

use super::subject::{Reaction, SKIPPED, killed_by, try_on_shell, try_on_wait};
use super::{Bench, expect};
use crate::signals::{Disposition, Outcome, Signal};

use Disposition::{Caught, Default, Ignored};

pub(super) fn play(bench: &mut Bench) -> io::Result<()> {
    bench.show("Each signal was sent to three processes: one that left it at its default,")?;
    bench.show("one that handles it, and one that ignores it.")?;
    show(bench, "signal", ["default", "handled", "ignored"])?;
    for signal in Signal::NOTED {
        play_signal(bench, signal)?;
    }
    bench.show("SIGKILL can be neither handled nor ignored: both were asked for here.")
}

fn play_signal(bench: &mut Bench, signal: Signal) -> io::Result<()> {
    let default = try_on_shell(bench, signal, Default)?;
    let handled = match has_routine(signal) {
        true => Some(try_on_wait(bench, signal)?),
        false => try_on_shell(bench, signal, Caught)?,
    };
    let ignored = try_on_shell(bench, signal, Ignored)?;
    let seen = [default, handled, ignored];
    let cell = |seen: &Option<Reaction>| seen.as_ref().map_or(SKIPPED.into(), Reaction::to_string);
    show(bench, &signal.to_string(), seen.each_ref().map(cell))?;
    for (disposition, seen) in [Default, Caught, Ignored].into_iter().zip(seen) {
        if let Some(seen) = seen {
            let what = format!("{signal}, {disposition}");
            expect(&what, seen, expected(signal, disposition))?;
        }
    }
    Ok(())
}

/// Whether `ipc signals wait` handles it. A program in safe Rust has no handler for the other signals, but
/// a shell's `trap` does.
fn has_routine(signal: Signal) -> bool {
    matches!(signal, Signal::INT | Signal::TERM)
}

fn expected(signal: Signal, disposition: Disposition) -> Reaction {
    let runs_on = |handler| Reaction { handler, end: None };
    let ends = |end| Reaction {
        handler: None,
        end: Some(end),
    };
    match disposition {
        _ if !signal.can_be_caught() => ends(killed_by(signal)),
        Default if signal == Signal::CHLD => runs_on(None),
        Default => ends(killed_by(signal)),
        Caught if has_routine(signal) => Reaction {
            handler: Some("routine ran"),
            end: Some(Outcome::Exited(0)),
        },
        Caught => runs_on(Some("trap ran")),
        Ignored => runs_on(None),
    }
}

fn show(bench: &mut Bench, name: &str, cells: [impl std::fmt::Display; 3]) -> io::Result<()> {
    let [default, handled, ignored] = cells;
    bench.show(&format!("{name:<9} {default:<18} {handled:<25} {ignored}"))
}
