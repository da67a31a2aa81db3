//! The cells that are measured, and the results.

/// What a figure measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A message to the other process, and an answer of the same length.
    RoundTrip,
    /// Messages one way, as fast as the receiver takes them.
    Throughput,
    /// A whole file, by whole commands, from the start of the first process to the end of the last.
    Copy,
}

/// One thing that is measured in every round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The mechanism, or the way to copy a file.
    pub name: &'static str,
    /// What is measured about it.
    pub measure: Measure,
    /// The length of a message, or of the file.
    pub bytes: usize,
    /// How many processes receive.
    pub receivers: usize,
}

/// Times in nanoseconds, for each message, round trip or copy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The shortest.
    pub min: f64,
    /// The median.
    pub median: f64,
    /// The 99th percentile: 99 of 100 times do not exceed it.
    pub p99: f64,
}

impl Sample {
    /// A round of which only the mean is known.
    pub(super) fn of_mean(mean: f64) -> Self {
        Self::of_times(vec![mean])
    }

    /// A round of which each time is known; there must be at least one.
    pub(super) fn of_times(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        let (min, median, p99) = (at(0), at(50), at(99));
        Self { min, median, p99 }
    }
}

/// A cell, and the result of each round.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was measured.
    pub cell: Cell,
    pub(super) samples: Vec<Sample>,
}

impl Row {
    /// The rounds that count. The first one warms up, and counts only if it is the only one.
    fn counted(&self) -> &[Sample] {
        &self.samples[usize::from(self.samples.len() > 1)..]
    }

    /// How many rounds count.
    pub fn rounds(&self) -> usize {
        self.counted().len()
    }

    /// The median round, figure by figure; but the shortest time is the shortest of all rounds.
    pub fn typical(&self) -> Sample {
        let p99 = self.all(|sample| sample.p99);
        Sample {
            min: self.all(|sample| sample.min)[0],
            median: self.median(),
            p99: p99[p99.len() / 2],
        }
    }

    /// How far apart the rounds lie, as a fraction of the median: 0.1 is 10 %.
    pub fn spread(&self) -> f64 {
        let medians = self.all(|sample| sample.median);
        (medians[medians.len() - 1] - medians[0]) / self.median()
    }

    /// Bytes per second, if they travel one way.
    pub fn rate(&self) -> Option<f64> {
        let rate = || self.cell.bytes as f64 * 1e9 / self.median();
        (self.cell.measure != Measure::RoundTrip).then(rate)
    }

    fn median(&self) -> f64 {
        let medians = self.all(|sample| sample.median);
        medians[medians.len() / 2]
    }

    /// One figure of all rounds, sorted.
    fn all(&self, figure: impl Fn(&Sample) -> f64) -> Vec<f64> {
        let mut figures: Vec<_> = self.counted().iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_99th_percentile_is_not_the_longest() {
        let times = (1..=1000).rev().map(f64::from).collect();
        let Sample { min, median, p99 } = Sample::of_times(times);
        assert_eq!((min, median, p99), (1.0, 500.0, 990.0));
    }

    #[test]
    fn the_first_round_counts_only_alone() {
        let cell = Cell {
            name: "pipe",
            measure: Measure::Throughput,
            bytes: 100,
            receivers: 1,
        };
        let samples = [900.0, 100.0, 110.0, 90.0].map(Sample::of_mean).to_vec();
        let mut row = Row { cell, samples };
        assert_eq!((row.rounds(), row.typical().median), (3, 100.0));
        assert_eq!((row.typical().min, row.spread()), (90.0, 0.2));
        assert_eq!(row.rate(), Some(1e9));
        row.samples.truncate(1);
        assert_eq!(row.typical().median, 900.0);
    }
}
