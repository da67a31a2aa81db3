//! Measuring messages: back and forth, and one way.

use std::hint::black_box;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::process::Process;
use super::results::{Measure, Sample};

/// The largest number of round trips for which each time is kept.
const MOST: usize = 1 << 17;
/// About how many bytes, and at most how many messages, are received between two looks at the clock.
const BATCH: usize = 64 * 1024;
const LONGEST_BATCH: usize = 256;
/// How many messages precede those that are counted, including the very first.
const WARM_UP: usize = 2;

/// One end of a connection between two processes. The message has a length that is fixed when the end is made, and
/// lies in the end's own buffer: only the mechanism's work on it is measured.
pub(super) trait Channel {
    /// Sends a message, whole; blocks until there is room for it.
    fn send(&mut self) -> io::Result<()>;

    /// Receives a message, whole; blocks until it is there.
    fn receive(&mut self) -> io::Result<()>;
}

/// The process at the other end, dropped first, and our end, which removes what both use.
pub(super) struct Link {
    process: Process,
    channel: Box<dyn Channel>,
}

impl Link {
    pub(super) fn new(process: Process, channel: impl Channel + 'static) -> Self {
        let channel = Box::new(channel);
        Self { process, channel }
    }
}

/// How long a measurement lasts.
#[derive(Clone, Copy)]
pub(super) enum Budget {
    Time(Duration),
    /// This many messages or round trips.
    Count(usize),
}

impl Budget {
    fn is_spent(self, count: usize, time: Duration) -> bool {
        match self {
            Self::Time(limit) => time >= limit,
            Self::Count(limit) => count >= limit,
        }
    }

    fn warm_up(self) -> Self {
        match self {
            Self::Time(limit) => Self::Time(limit / 10),
            Self::Count(_) => Self::Count(WARM_UP - 1),
        }
    }

    fn batch(self, bytes: usize) -> usize {
        match self {
            Self::Time(_) => (BATCH / bytes).clamp(1, LONGEST_BATCH),
            Self::Count(_) => 1,
        }
    }
}

/// Measures at our end while [`answer`] runs in the other process.
pub(super) fn measure(
    mut link: Link,
    measure: Measure,
    bytes: usize,
    budget: Budget,
) -> io::Result<Sample> {
    let channel = &mut *link.channel;
    let sample = match measure {
        Measure::RoundTrip => round_trips(channel, budget),
        _ => one_way(channel, budget, bytes),
    };
    sample.map_err(|error| link.process.explain(error))
}

/// The other process's half: answers messages, or `floods` us with as many as we take. We kill it at the end.
pub(super) fn answer(
    mut channel: impl Channel,
    floods: bool,
    count: Option<usize>,
) -> io::Result<()> {
    let times = count.map_or(usize::MAX, |count| count + WARM_UP);
    for _ in 0..times {
        if !floods {
            channel.receive()?;
        }
        channel.send()?;
    }
    loop {
        thread::park();
    }
}

fn round_trips(channel: &mut dyn Channel, budget: Budget) -> io::Result<Sample> {
    channel.send()?;
    channel.receive()?; // so the other process has started
    time_round_trips(channel, budget.warm_up())?;
    Ok(Sample::of_times(time_round_trips(channel, budget)?))
}

fn time_round_trips(channel: &mut dyn Channel, budget: Budget) -> io::Result<Vec<f64>> {
    let mut times = black_box(vec![1.0; MOST]); // written, so that its memory is present
    times.clear();
    let start = Instant::now();
    let mut last = start;
    loop {
        channel.send()?;
        channel.receive()?;
        let now = Instant::now();
        times.push((now - last).as_nanos() as f64);
        last = now;
        if times.len() == MOST || budget.is_spent(times.len(), now - start) {
            return Ok(times);
        }
    }
}

fn one_way(channel: &mut dyn Channel, budget: Budget, bytes: usize) -> io::Result<Sample> {
    channel.receive()?; // so the other process has started
    let batch = budget.batch(bytes);
    time_messages(channel, budget.warm_up(), batch)?;
    Ok(Sample::of_mean(time_messages(channel, budget, batch)?))
}

/// Nanoseconds per message.
fn time_messages(channel: &mut dyn Channel, budget: Budget, batch: usize) -> io::Result<f64> {
    let start = Instant::now();
    let mut count = 0;
    loop {
        for _ in 0..batch {
            channel.receive()?;
        }
        count += batch;
        let time = start.elapsed();
        if budget.is_spent(count, time) {
            return Ok(time.as_nanos() as f64 / count as f64);
        }
    }
}
