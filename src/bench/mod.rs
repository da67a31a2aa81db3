//! Which mechanism, and at what cost: all mechanisms in one run, each between two real processes (chapter 11).
//!
//! [`run`] measures every [`Cell`] of a [`Plan`] once a round: a mechanism, a message size, and the round trip or
//! the throughput. Rounds follow each other until the time is over. Every second round runs backwards, because each
//! measurement is affected by the state in which the one before it left the machine. The result is the median of
//! the rounds, and how far they lie apart.
//!
//! For each measurement the program starts itself again, as the other process ([`serve_peer`]). The table shows the
//! work of the mechanisms for one message, as `tests/bench.rs` counts it where there is `strace`:
//!
//! | mechanism | each byte is copied | the message crosses into the kernel |
//! |---|---|---|
//! | pipe, sockets | twice: into the kernel, and out again | twice: `write(2)`, `read(2)` |
//! | ring, queue | twice: into shared memory, and out again | never, unless an end sleeps |
//!
//! Read the files in this order: `plan.rs` (what is measured), `messages.rs` (the loops that are timed),
//! `streams.rs` and `memory.rs` (the mechanisms), `copying.rs` (files), `process.rs` (the other processes),
//! `results.rs` (medians), `report.rs` (text, CSV and JSON), `plot.rs` (SVG).

mod copying;
mod machine;
mod memory;
mod messages;
mod plan;
mod plot;
mod process;
mod report;
mod results;
mod streams;

use std::hint::black_box;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::stop::StopToken;
use crate::support::error::Context;
use messages::{Budget, answer};
use process::Lab;

pub use copying::COPIES;
pub use machine::Machine;
pub use plan::{MAX_SIZE, MECHANISMS, Plan};
pub use plot::plots;
pub use report::{Report, csv, json, text};
pub use results::{Cell, Measure, Row, Sample};

/// How much memory is written before the first round, in bytes: on a virtual machine the first touch of a page can
/// take many times as long as the second.
const TOUCHED: usize = 64 * 1024 * 1024;

/// Measures what `plan` says, with the command at `program` as the other processes. `progress` is told what comes
/// next. When `stop` is requested, the run ends immediately with what has been measured until then.
///
/// # Errors
/// Those of the mechanisms and of starting processes, with the name of the cell that was measured.
pub fn run(
    plan: &Plan,
    program: &Path,
    progress: &dyn Fn(&str),
    stop: &StopToken,
) -> io::Result<Vec<Row>> {
    let start = Instant::now();
    let lab = Lab::new(program, plan.pin, plan.count, stop)?;
    let row = |cell: Cell| Row {
        cell,
        samples: Vec::new(),
    };
    let mut rows: Vec<_> = plan.cells().into_iter().map(row).collect();
    let budget = plan.budget(rows.len());
    if !plan.time.is_zero() {
        black_box(vec![1_u8; TOUCHED]); // a single round is not precise enough to need it
    }
    if rows.iter().any(|row| row.cell.measure == Measure::Copy) {
        copying::make_file(&lab, plan.file)?;
    }
    let mut longest = Duration::ZERO;
    for round in 0.. {
        let began = start.elapsed();
        if stop.is_requested() || round > 0 && began + longest >= plan.time {
            break;
        }
        let mut order: Vec<_> = rows.iter_mut().collect();
        if round % 2 == 1 {
            order.reverse();
        }
        play_round(&lab, order, budget, &|what| {
            progress(&format!("round {round}: {what}"))
        })?;
        longest = longest.max(start.elapsed() - began);
    }
    rows.retain(|row| row.rounds() > 0);
    Ok(rows)
}

/// Measures each cell once, until a stop is requested.
fn play_round(
    lab: &Lab,
    rows: Vec<&mut Row>,
    budget: Budget,
    progress: &dyn Fn(&str),
) -> io::Result<()> {
    for row in rows {
        let what = format!("{}, {}", row.cell.name, report::size(row.cell.bytes));
        progress(&what);
        match measure(lab, &row.cell, budget) {
            _ if lab.stop.is_requested() => return Ok(()),
            sample => row.samples.push(sample.context(|| what)?),
        }
    }
    Ok(())
}

fn measure(lab: &Lab, cell: &Cell, budget: Budget) -> io::Result<Sample> {
    let link = match cell.name {
        _ if cell.measure == Measure::Copy => return copying::measure(lab, cell),
        "pipe" => streams::open_pipe(lab, cell),
        "semaphore" => memory::open_semaphores(lab, cell),
        "ring" => memory::open_rings(lab, cell),
        "queue" => memory::open_queues(lab, cell),
        _ => streams::open_socket(lab, cell),
    };
    messages::measure(link?, cell.measure, cell.bytes, budget)
}

/// The other process of a measurement: answers messages of so many bytes, or floods us with them, until our end
/// closes the connection or kills it. `name` is the name of what the two share in memory.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] if there is no such mechanism; otherwise the end of the measurement is an error.
pub fn serve_peer(
    mechanism: &str,
    bytes: usize,
    name: &str,
    floods: bool,
    count: Option<usize>,
) -> io::Result<()> {
    match mechanism {
        "pipe" => answer(streams::join(bytes, true)?, floods, count),
        "unix-stream" | "unix-datagram" | "tcp" => {
            answer(streams::join(bytes, false)?, floods, count)
        }
        "semaphore" => answer(memory::join_semaphores(name)?, floods, count),
        "ring" => answer(memory::join_rings(bytes, name)?, floods, count),
        "queue" => answer(memory::join_queues(bytes, name)?, floods, count),
        _ => Err(ErrorKind::InvalidInput.into()),
    }
}
