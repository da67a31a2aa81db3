//! How far a copy has come: one line on stderr that is overwritten again and again.
//!
//! Only a person at a terminal wants that; in a file or a pipe it would be noise, so none is written.

use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::support::log::prompt;

/// How long a line stays before the next one.
const PERIOD: Duration = Duration::from_millis(200);
/// Return to the line's start, and erase everything right of the cursor (ECMA-48).
const OVER: &str = "\r\x1b[K";

/// Counts bytes and shows them with their rate and the time left. Threads can share one.
pub struct Progress {
    shown: bool,
    start: Instant,
    done: AtomicU64,
    total: AtomicU64,
    /// Milliseconds from `start` to the next line.
    next: AtomicU64,
}

impl Progress {
    /// Shows on stderr if that is a terminal. No bytes are expected yet.
    pub fn on_stderr() -> Self {
        Self::new(io::stderr().is_terminal())
    }

    fn new(shown: bool) -> Self {
        Self {
            shown,
            start: Instant::now(),
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            next: AtomicU64::new(millis(PERIOD)),
        }
    }

    /// Expects so many more bytes.
    pub fn expect(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes that are done; shows a new line if it is time.
    pub fn add(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if !self.shown {
            return;
        }
        let (elapsed, next) = (self.start.elapsed(), self.next.load(Ordering::Relaxed));
        let now = millis(elapsed);
        let exchange = |to| {
            self.next
                .compare_exchange(next, to, Ordering::Relaxed, Ordering::Relaxed)
        };
        // If the line is due in several threads, one of them wins.
        if now >= next && exchange(now + millis(PERIOD)).is_ok() {
            let total = self.total.load(Ordering::Relaxed);
            let line = Line {
                done,
                total,
                elapsed,
            };
            prompt(format!("{OVER}{line}"));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            prompt(OVER);
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

struct Line {
    done: u64,
    total: u64,
    elapsed: Duration,
}

impl fmt::Display for Line {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate is shown with three digits"
    )]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.done as f64 / self.elapsed.as_secs_f64();
        let left = self.total.saturating_sub(self.done) as f64 / rate;
        let (done, total) = (Bytes(self.done as f64), Bytes(self.total as f64));
        write!(f, "{done} of {total}, {}/s", Bytes(rate))?;
        if left.is_finite() {
            write!(f, ", {left:.0} s left")?;
        }
        Ok(())
    }
}

/// A number of bytes, for a person to read.
struct Bytes(f64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut number, mut unit) = (self.0, "B");
        for larger in ["KiB", "MiB", "GiB", "TiB"] {
            if number < 1024.0 {
                break;
            }
            (number, unit) = (number / 1024.0, larger);
        }
        let digits = usize::from(unit != "B" && number < 100.0);
        write!(f, "{number:.digits$} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long() {
        let line = |done, total, seconds| {
            let elapsed = Duration::from_secs(seconds);
            let line = Line {
                done,
                total,
                elapsed,
            };
            line.to_string()
        };
        let (mib, gib) = (1 << 20, 1 << 30);
        assert_eq!(
            line(256 * mib, gib, 2),
            "256 MiB of 1.0 GiB, 128 MiB/s, 6 s left"
        );
        assert_eq!(line(0, 10, 1), "0 B of 10 B, 0 B/s");
        assert_eq!(line(10, 10, 1), "10 B of 10 B, 10 B/s, 0 s left");
    }
}
