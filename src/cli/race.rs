//! `ipc copy race`: two processes without order, and with it.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::copy::s1_race::{self, BLOCK, Race, TIMES};
use crate::harness::{Guarded, guard};
use crate::stop::StopToken;
use crate::support::error::Context;

use super::args::Args;
use super::output::Output;
use super::{Failure, Outcome, print, unless_stopped};

/// How often to look whether the second process has ended: std has no wait that a stop can end.
const LOOK: Duration = Duration::from_millis(1);

const HELP: &str = "\
ipc copy race: two processes share memory, first without order

  ipc copy race [--semaphores]
      both add 1 to a counter, 1000000 times each
  ipc copy race FILE [--output DIR] [--semaphores]
      one copies FILE through one slot of 4096 bytes to the other

Options:
  --output DIR    where to put the copy (default: it is only compared)
  --semaphores    keep order

Chapter 6 of the book explains it: docs/06-copy-by-shared-memory.md.
";

pub(super) fn run(words: &mut Args) -> Outcome {
    words.set_command("ipc copy");
    words.set_command("ipc copy race");
    if words.wants_help() {
        return print(HELP);
    }
    let ordered = words.flag("--semaphores");
    let output = words.path("--output")?;
    let join = words.value("--join")?; // how the first process starts the second
    let file = words.argument().map(PathBuf::from);
    words.finish()?;
    let stop = words.stop()?;
    let ended = match (join, file) {
        (Some(name), _) => second(&name.to_string_lossy(), output.is_some(), &stop),
        (None, None) => count(ordered, &stop),
        (None, Some(file)) => copy(&file, output.as_deref(), ordered, &stop),
    };
    unless_stopped(ended, &stop)
}

fn count(ordered: bool, stop: &StopToken) -> Outcome {
    let race = Race::create(ordered, 0)?;
    let (mut other, _guarded) = start_second(&[])?;
    race.count(&|| stop.is_requested())?;
    while other.try_wait()?.is_none() {
        if stop.wait_timeout(LOOK) {
            other.kill()?;
            other.wait()?;
            return Err(io::Error::from(ErrorKind::Interrupted).into());
        }
    }
    let (expected, counted) = (2 * TIMES, race.counter());
    drop(race); // remove the segment before the lines are printed, which may take a while
    let verdict = match expected - counted {
        0 => "no update was lost",
        _ => "updates were lost",
    };
    print(&format!(
        "{TIMES} by one process, {TIMES} by another: {counted}\n{verdict}\n"
    ))
}

fn copy(file: &Path, to: Option<&Path>, ordered: bool, stop: &StopToken) -> Outcome {
    let sent = fs::read(file).context(|| format!("cannot read {}", file.display()))?;
    let race = Race::create(ordered, sent.len() as u64)?;
    let (other, _guarded) = start_second(&["--output", "-"])?;
    race.send(&sent, &|| stop.is_requested())?;
    drop(race); // remove the segment before the rest, which may take a while
    let got = other.wait_with_output()?.stdout;
    if let Some(to) = to.map(|to| to.join("copy")) {
        fs::write(&to, &got).context(|| format!("cannot write {}", to.display()))?;
    }
    report(&sent, &got)
}

fn report(sent: &[u8], got: &[u8]) -> Outcome {
    let blocks = sent.chunks(BLOCK).zip(got.chunks(BLOCK));
    let wrong = blocks.filter(|(sent, got)| sent != got).count();
    let all = sent.len().div_ceil(BLOCK);
    let verdict = match wrong {
        0 => "the copy is the same",
        _ => "the copy differs",
    };
    print(&format!(
        "{wrong} of {all} blocks are not what was sent\n{verdict}\n"
    ))
}

/// The second process: it counts, or receives the file and prints it.
fn second(name: &str, receives: bool, stop: &StopToken) -> Outcome {
    let race = Race::join(name)?;
    if !receives {
        return Ok(race.count(&|| stop.is_requested())?);
    }
    let mut output = Output::stdout()?;
    output.write_all(&race.receive(&|| stop.is_requested())?)?;
    Ok(output.flush()?)
}

/// Starts the second process, which ends with us, however we end.
fn start_second(more: &[&str]) -> Result<(Child, Guarded), Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["copy", "race", "--join", &s1_race::name()])
        .args(more)
        .stdout(Stdio::piped());
    let guarded = guard(&mut command)?;
    let started = command.spawn();
    let process = started.context(|| "cannot start the second process".into())?;
    Ok((process, guarded))
}
