//! The plan: what to measure, and for how long.

use std::time::Duration;

use super::copying::{self, COPIES};
use super::messages::Budget;
use super::results::{Cell, Measure};
use super::streams;

/// The mechanisms that carry messages; the semaphores carry none.
pub const MECHANISMS: [&str; 7] = [
    "pipe",
    "unix-stream",
    "unix-datagram",
    "tcp",
    "semaphore",
    "ring",
    "queue",
];

/// The largest message, in bytes.
pub const MAX_SIZE: usize = 4 * 1024 * 1024;
/// The time is divided into so many measurements of each cell. Half of it is for starting processes.
const SHARES: u32 = 12;
/// The shortest and the longest measurement.
const SHORTEST: Duration = Duration::from_millis(2);
const LONGEST: Duration = Duration::from_millis(200);

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Names of [`MECHANISMS`] and [`COPIES`]; the first part of a name, such as `copy`, stands for all names that
    /// begin with it. Empty means all.
    pub only: Vec<String>,
    /// The lengths of messages, in bytes, from 1 to [`MAX_SIZE`].
    pub sizes: Vec<usize>,
    /// The length of the file that is copied, in bytes.
    pub file: usize,
    /// How long everything may take: no round begins that would take longer. The first round always runs.
    pub time: Duration,
    /// How many messages each measurement has; if `None`, the time decides.
    pub count: Option<usize>,
    /// The processors on which to run: ours, and that of the other process.
    pub pin: Option<[usize; 2]>,
}

impl Plan {
    /// All cells to measure: none, if nothing has such a name.
    pub fn cells(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        let mut add = |name, measure, bytes, receivers| {
            cells.push(Cell {
                name,
                measure,
                bytes,
                receivers,
            });
        };
        for name in MECHANISMS.into_iter().filter(|name| self.has(name)) {
            if name == "semaphore" {
                add(name, Measure::RoundTrip, 0, 1);
                continue;
            }
            let most = match name {
                "unix-datagram" => streams::largest_datagram(),
                _ => MAX_SIZE,
            };
            for &bytes in self.sizes.iter().filter(|bytes| **bytes <= most) {
                add(name, Measure::RoundTrip, bytes, 1);
                add(name, Measure::Throughput, bytes, 1);
            }
        }
        for name in COPIES.into_iter().filter(|name| self.has(name)) {
            for &receivers in copying::receivers(name) {
                add(name, Measure::Copy, self.file, receivers);
            }
        }
        cells
    }

    fn has(&self, name: &str) -> bool {
        let begins = |word: &String| {
            let rest = name.strip_prefix(word.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        self.only.is_empty() || self.only.iter().any(begins)
    }

    pub(super) fn budget(&self, cells: usize) -> Budget {
        let cells = u32::try_from(cells.max(1)).unwrap_or(u32::MAX);
        let time = (self.time / SHARES / cells).clamp(SHORTEST, LONGEST);
        self.count.map_or(Budget::Time(time), Budget::Count)
    }
}
