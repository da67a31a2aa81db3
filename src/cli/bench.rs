//! `ipc bench`: the words of the bench.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use crate::bench::{self, MAX_SIZE, Machine, Plan, Report};
use crate::support::error::Context;
use crate::support::log::{flush, prompt};

use super::args::Args;
use super::{Failure, Outcome, print};

const HELP: &str = "\
ipc bench: which mechanism, at what cost, measured between two processes

  ipc bench [--quick] [--only NAME]... [OPTIONS]

Each line is the median of some rounds, and says how far they lie apart. Ctrl-C
ends it, and prints what is there.

Options:
  --quick           a few sizes, within 20 seconds
  --only NAME       only this; can be repeated, or be a list: pipe,ring
                    messages: pipe unix-stream unix-datagram tcp semaphore
                    ring queue; files, by stage: cp copy-socket-1
                    copy-socket-2 copy-socket-3 copy-sharedmem-2
                    copy-sharedmem-3; `copy` is all five of ours
  --sizes LIST      message sizes, up to 4M (default 1,64,1K,4K,16K,64K,256K,1M)
  --file SIZE       the length of the file to copy (default 64M; it and five
                    copies lie in $TMPDIR, else in /tmp)
  --seconds N       how long it takes, about (default 60)
  --count N         so many messages a measurement, however long they take
  --pin A,B         run on processor A, the other process on B (by taskset)
  --format FORMAT   text (default), csv or json
  --svg DIR         write the plots DIR/latency.svg and DIR/throughput.svg

Chapter 11 of the book explains it: docs/11-which-one-and-how-fast.md.
";

const SIZES: &str = "1,64,1K,4K,16K,64K,256K,1M";
const QUICK_SIZES: &str = "64,4K,64K,1M";
const TIME: Duration = Duration::from_secs(60);
const QUICK_TIME: Duration = Duration::from_secs(15);
const FILE: usize = 64 * 1024 * 1024;
const QUICK_FILE: usize = 16 * 1024 * 1024;
/// The longest file, in bytes: five copies of it have to fit.
const MAX_FILE: usize = 1 << 40;
/// Moves to the start of the line, and erases the rest of it (ECMA-48).
const OVER: &str = "\r\x1b[K";

/// The format of the report, and the directory for the plots.
struct Form {
    format: fn(&Report) -> String,
    svg: Option<PathBuf>,
}

pub(super) fn run(words: &mut Args) -> Outcome {
    words.set_command("ipc bench");
    if words.wants_help() {
        return print(HELP);
    }
    if let Some(mechanism) = words.value("--peer")? {
        return serve_peer(&mechanism.to_string_lossy(), words);
    }
    let plan = plan(words)?;
    let form = form(words)?;
    words.finish()?;
    if plan.cells().is_empty() {
        return Err(words.fault("there is nothing of that name to measure; the help has the names"));
    }
    let stop = words.stop()?;
    let machine = Machine::look();
    let rows = bench::run(&plan, &env::current_exe()?, &progress, &stop);
    progress("");
    flush(); // stdout may be the same terminal
    let report = Report {
        machine,
        pin: plan.pin,
        rows: rows?,
        broken_off: stop.is_requested(),
    };
    deliver(&report, &form)
}

/// The command with which `ipc` starts itself, for the other half of a measurement.
fn serve_peer(mechanism: &str, words: &mut Args) -> Outcome {
    let name = words.value("--name")?.unwrap_or_default();
    let bytes = words.parsed("--bytes", "a number of bytes", |bytes| *bytes <= MAX_SIZE)?;
    let floods = words.flag("--flood");
    let count = words.parsed("--count", "a number", |_| true)?;
    words.finish()?;
    let (bytes, name) = (bytes.unwrap_or(0), name.to_string_lossy());
    Ok(bench::serve_peer(mechanism, bytes, &name, floods, count)?)
}

fn plan(words: &mut Args) -> Result<Plan, Failure> {
    let quick = words.flag("--quick");
    let (size_list, time, file) = match quick {
        true => (QUICK_SIZES, QUICK_TIME, QUICK_FILE),
        false => (SIZES, TIME, FILE),
    };
    let mut only = Vec::new();
    while let Some(names) = words.value("--only")? {
        let names = names.to_string_lossy().into_owned();
        only.extend(names.split(',').map(str::to_owned));
    }
    Ok(Plan {
        only,
        sizes: sizes(words, size_list)?,
        file: words.value("--file")?.map_or(Ok(file), |text| {
            let file = size(&text.to_string_lossy()).filter(|bytes| (1..=MAX_FILE).contains(bytes));
            file.ok_or_else(|| words.fault("--file needs a size, such as 64M"))
        })?,
        time: words.seconds("--seconds")?.unwrap_or(time),
        count: words.parsed("--count", "a number from 1 on", |count| *count > 0)?,
        pin: pin(words)?,
    })
}

fn sizes(words: &mut Args, default: &str) -> Result<Vec<usize>, Failure> {
    let list = words.value("--sizes")?;
    let list = list.map_or(default.into(), |list| list.to_string_lossy().into_owned());
    let sizes: Option<Vec<_>> = list.split(',').map(size).collect();
    let fault = || words.fault("--sizes needs sizes up to 4M, such as 64,4K,1M");
    let mut sizes = sizes.ok_or_else(fault)?;
    sizes.sort_unstable();
    sizes.dedup();
    match sizes.iter().all(|bytes| (1..=MAX_SIZE).contains(bytes)) {
        true => Ok(sizes),
        false => Err(fault()),
    }
}

/// A number of bytes, with `K` and `M` for KiB and MiB.
fn size(text: &str) -> Option<usize> {
    let (number, unit) = match text.char_indices().last()? {
        (at, 'K' | 'k') => (&text[..at], 1 << 10),
        (at, 'M' | 'm') => (&text[..at], 1 << 20),
        _ => (text, 1),
    };
    number.parse::<usize>().ok()?.checked_mul(unit)
}

fn pin(words: &mut Args) -> Result<Option<[usize; 2]>, Failure> {
    let Some(text) = words.value("--pin")? else {
        return Ok(None);
    };
    let text = text.to_string_lossy();
    let numbers = text.split_once(',');
    let numbers = numbers.and_then(|(a, b)| Some([a.parse().ok()?, b.parse().ok()?]));
    let fault = || words.fault("--pin needs two numbers of processors, such as 0,1");
    numbers.map(Some).ok_or_else(fault)
}

fn form(words: &mut Args) -> Result<Form, Failure> {
    let format = words.value("--format")?;
    let format: fn(&Report) -> String = match format.as_ref().map(|format| format.to_str()) {
        None | Some(Some("text")) => |report| bench::text(report, io::stdout().is_terminal()),
        Some(Some("csv")) => bench::csv,
        Some(Some("json")) => bench::json,
        Some(_) => return Err(words.fault("--format needs text, csv or json")),
    };
    let svg = words.path("--svg")?;
    Ok(Form { format, svg })
}

/// Shows the progress, but only to a person at a terminal.
fn progress(what: &str) {
    if io::stderr().is_terminal() {
        prompt(format!("{OVER}{what}"));
    }
}

fn deliver(report: &Report, form: &Form) -> Outcome {
    print(&(form.format)(report))?;
    match &form.svg {
        Some(directory) => Ok(write_plots(report, directory)?),
        None => Ok(()),
    }
}

fn write_plots(report: &Report, directory: &Path) -> io::Result<()> {
    let fault = || format!("cannot write plots to {}", directory.display());
    fs::create_dir_all(directory).context(fault)?;
    for (name, plot) in bench::plots(report) {
        fs::write(directory.join(name), plot).context(fault)?;
    }
    Ok(())
}
