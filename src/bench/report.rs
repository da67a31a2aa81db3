//! The results, for people (text) and for programs (CSV, JSON).

use super::machine::Machine;
use super::results::{Cell, Measure, Row, Sample};

/// A spread of the rounds above this part means that something else was measured, too.
const WIDE: f64 = 0.5;
/// The longest bar, in characters.
const BAR: f64 = 24.0;
/// The fields of CSV and JSON. Times are in nanoseconds; the spread is a fraction of the median.
const FIELDS: [&str; 10] = [
    "mechanism",
    "measure",
    "bytes",
    "receivers",
    "rounds",
    "min_ns",
    "median_ns",
    "p99_ns",
    "bytes_per_second",
    "spread",
];

/// A run, ready to be shown.
#[derive(Clone, Debug)]
pub struct Report {
    /// The machine on which the run was measured.
    pub machine: Machine,
    /// The processors to which the two processes were pinned.
    pub pin: Option<[usize; 2]>,
    /// What was measured.
    pub rows: Vec<Row>,
    /// Whether the run was aborted.
    pub broken_off: bool,
}

impl Report {
    /// The machine in one line, and how many rounds were made there.
    pub fn heading(&self) -> String {
        let rounds = self.rows.iter().map(Row::rounds).max().unwrap_or(0);
        let on = |[ours, theirs]: [usize; 2]| format!(", on processors {ours} and {theirs}");
        let pinned = self.pin.map_or(String::new(), on);
        format!("{}{pinned}; medians of {rounds} rounds", self.machine)
    }

    /// Reasons to trust the figures less.
    pub fn warnings(&self) -> Vec<String> {
        let wide = self.rows.iter().filter(|row| row.spread() > WIDE).count();
        let wide_of = format!("{wide} of {} figures", self.rows.len());
        let load = format!("a load of {:.2} at the beginning", self.machine.load);
        let all = [
            (cfg!(debug_assertions), "this is a debug build".to_owned()),
            (
                self.machine.is_busy(),
                format!("the machine is busy, with {load}"),
            ),
            (
                wide > 0,
                format!("{wide_of} differ by more than half from round to round"),
            ),
            (
                self.broken_off,
                "broken off; this is what there is".to_owned(),
            ),
        ];
        let true_ones = all.into_iter().filter(|(holds, _)| *holds);
        true_ones.map(|(_, warning)| warning).collect()
    }
}

/// Tables; with `bars` for a terminal.
pub fn text(report: &Report, bars: bool) -> String {
    let mut text = format!("{}\n", report.heading());
    for warning in report.warnings() {
        text += &format!("warning: {warning}\n");
    }
    for measure in [Measure::RoundTrip, Measure::Throughput, Measure::Copy] {
        let of_measure = |row: &&Row| row.cell.measure == measure;
        let mut rows: Vec<_> = report.rows.iter().filter(of_measure).collect();
        let group = |cell: Cell| (cell.bytes, cell.receivers);
        rows.sort_by_key(|row| group(row.cell)); // stable: the mechanisms keep their order
        if !rows.is_empty() {
            text += &heading(measure);
        }
        for group in rows.chunk_by(|a, b| group(a.cell) == group(b.cell)) {
            let largest = group.iter().map(|row| length(row)).fold(0.0, f64::max);
            text += &format!("  {}\n", group_name(&group[0].cell));
            for row in group {
                let bar = BAR * length(row) / largest;
                let bar = if bars {
                    "█".repeat(bar.round() as usize)
                } else {
                    String::new()
                };
                text += format!("{}  {bar}", line(row)).trim_end();
                text.push('\n');
            }
        }
    }
    text
}

fn heading(measure: Measure) -> String {
    let (what, [a, b, c]) = match measure {
        Measure::RoundTrip => ("there and back, in µs", ["min", "median", "p99"]),
        Measure::Throughput => ("one way", ["ns/message", "messages/s", "MB/s"]),
        Measure::Copy => (
            "a file, by whole commands, in ms",
            ["min", "median", "MB/s"],
        ),
    };
    format!("\n{what:<32} {a:>10} {b:>10} {c:>10}  spread\n")
}

fn group_name(cell: &Cell) -> String {
    let receivers = match (cell.measure, cell.receivers) {
        (Measure::Copy, 1) => " to 1 receiver".into(),
        (Measure::Copy, receivers) => format!(" to {receivers} receivers"),
        _ => String::new(),
    };
    size(cell.bytes) + &receivers
}

fn line(row: &Row) -> String {
    let Sample { min, median, p99 } = row.typical();
    let megabytes = row.rate().unwrap_or(0.0) / 1e6;
    let [a, b, c] = match row.cell.measure {
        Measure::RoundTrip => [min / 1e3, median / 1e3, p99 / 1e3],
        Measure::Throughput => [median, 1e9 / median, megabytes],
        Measure::Copy => [min / 1e6, median / 1e6, megabytes],
    }
    .map(number);
    let (name, spread) = (row.cell.name, row.spread() * 100.0);
    format!("    {name:<28} {a:>10} {b:>10} {c:>10} {spread:>5.0} %")
}

/// The value that the row's bar shows.
fn length(row: &Row) -> f64 {
    match row.cell.measure {
        Measure::Throughput => row.rate().unwrap_or(0.0),
        _ => row.typical().median,
    }
}

/// A number with three digits.
fn number(number: f64) -> String {
    let digits = if number < 10.0 {
        2
    } else {
        usize::from(number < 100.0)
    };
    format!("{number:.digits$}")
}

/// A number of bytes: `64 B`, `4 KiB`.
pub(super) fn size(bytes: usize) -> String {
    match bytes {
        bytes if bytes >> 20 > 0 && bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        bytes if bytes >> 10 > 0 && bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} B"),
    }
}

/// One line per figure.
pub fn csv(report: &Report) -> String {
    let lines = report.rows.iter().map(|row| fields(row).join(",") + "\n");
    FIELDS.join(",") + "\n" + &lines.collect::<String>()
}

/// One object: the machine, the warnings, and a list with one object for each line of the CSV.
pub fn json(report: &Report) -> String {
    let Machine {
        processor,
        cores,
        kernel,
        load,
    } = &report.machine;
    let quoted = |text: &String| format!("\"{text}\""); // no text here needs to be escaped
    let warnings: Vec<_> = report.warnings().iter().map(quoted).collect();
    let field = |(name, value): (&str, String)| match (name, value.as_str()) {
        ("mechanism" | "measure", _) => format!("\"{name}\": \"{value}\""),
        (_, "") => format!("\"{name}\": null"),
        _ => format!("\"{name}\": {value}"),
    };
    let row = |row: &Row| {
        let fields: Vec<_> = FIELDS.into_iter().zip(fields(row)).map(field).collect();
        format!("{{{}}}", fields.join(", "))
    };
    let rows: Vec<_> = report.rows.iter().map(row).collect();
    let (warnings, rows) = (warnings.join(", "), rows.join(",\n"));
    format!(
        "{{\"processor\": \"{processor}\", \"cores\": {cores}, \"kernel\": \"{kernel}\", \"load\": {load},\n\
         \"warnings\": [{warnings}],\n\"rows\": [\n{rows}\n]}}\n"
    )
}

/// The values of [`FIELDS`]; empty where a value does not exist.
fn fields(row: &Row) -> [String; 10] {
    let (cell, Sample { min, median, p99 }) = (row.cell, row.typical());
    let (measure, p99) = match cell.measure {
        Measure::RoundTrip => ("round-trip", format!("{p99:.1}")),
        Measure::Throughput => ("throughput", String::new()),
        Measure::Copy => ("copy", String::new()),
    };
    [
        cell.name.into(),
        measure.into(),
        cell.bytes.to_string(),
        cell.receivers.to_string(),
        row.rounds().to_string(),
        format!("{min:.1}"),
        format!("{median:.1}"),
        p99,
        row.rate()
            .map_or(String::new(), |rate| format!("{rate:.0}")),
        format!("{:.3}", row.spread()),
    ]
}
