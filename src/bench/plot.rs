//! Two plots, latency and throughput by message size: both axes logarithmic, one line per mechanism, its name at
//! the line's end.

use super::plan::MECHANISMS;
use super::report::{Report, size};
use super::results::{Measure, Row};
use crate::support::svg::{Anchor, COLOURS, GREY, Point, Svg};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 460.0;
/// The edges of the area between the axes, in pixels.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 630.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 390.0;
/// How far apart labels are.
const LINE: f64 = 16.0;

/// The files of a report, by name: `latency.svg` and `throughput.svg`, if there is something to plot.
pub fn plots(report: &Report) -> Vec<(&'static str, String)> {
    let plot = |measure: Measure, title: &str, figure: fn(&Row) -> f64| {
        let of_measure = report.rows.iter().filter(|row| row.cell.measure == measure);
        let points: Vec<_> = of_measure
            .map(|row| (row.cell.name, row.cell.bytes, figure(row)))
            .collect();
        (!points.is_empty()).then(|| plot(title, &report.heading(), &points))
    };
    let micros = |row: &Row| row.typical().median / 1e3;
    let megabytes = |row: &Row| row.rate().unwrap_or(0.0) / 1e6;
    let latency = "There and back, the median in µs, by message size";
    let throughput = "One way, in MB/s, by message size";
    let latency = plot(Measure::RoundTrip, latency, micros);
    let throughput = plot(Measure::Throughput, throughput, megabytes);
    let files = [("latency.svg", latency), ("throughput.svg", throughput)];
    files
        .into_iter()
        .filter_map(|(name, plot)| Some((name, plot?)))
        .collect()
}

/// A mechanism, the length of its message in bytes, and the figure.
type Measured = (&'static str, usize, f64);

fn plot(title: &str, machine: &str, all: &[Measured]) -> String {
    let sizes = all
        .iter()
        .map(|(_, bytes, _)| *bytes)
        .filter(|bytes| *bytes > 0);
    let x = Axis::between(sizes.clone().map(|bytes| bytes as f64), [LEFT, RIGHT]);
    let tens = |(_, _, figure): &Measured| [figure.log10().floor(), figure.log10().ceil()];
    let tens = all.iter().flat_map(tens).map(|power| 10_f64.powf(power));
    let y = Axis::between(tens, [BOTTOM, TOP]);

    let mut svg = Svg::new(WIDTH, HEIGHT, &format!("{title}; {machine}"));
    svg.text((LEFT, 24.0), Anchor::Start, GREY, title);
    svg.text((LEFT, HEIGHT - 16.0), Anchor::Start, GREY, machine);
    let powers = std::iter::successors(Some(y.first), |power| Some(power * 10.0));
    for figure in powers.take_while(|power| *power < y.last * 1.1) {
        let at = y.at(figure);
        svg.line(&[(LEFT, at), (RIGHT, at)], GREY, 0.4);
        svg.text(
            (LEFT - 8.0, at + 4.0),
            Anchor::End,
            GREY,
            &figure.to_string(),
        );
    }
    for bytes in sizes.collect::<std::collections::BTreeSet<_>>() {
        let at = x.at(bytes as f64);
        svg.line(&[(at, BOTTOM), (at, BOTTOM + 5.0)], GREY, 1.0);
        svg.text((at, BOTTOM + 20.0), Anchor::Middle, GREY, &size(bytes));
    }
    let mut labels = Vec::new();
    for line in all.chunk_by(|a, b| a.0 == b.0) {
        let place = MECHANISMS.iter().position(|name| *name == line[0].0);
        let colour = COLOURS[place.unwrap_or(0)]; // the mechanism's own, in every plot
        let points = match *line {
            [(_, 0, figure)] => vec![(LEFT, y.at(figure)), (RIGHT, y.at(figure))], // it has no message size
            _ => line
                .iter()
                .map(|(_, bytes, figure)| (x.at(*bytes as f64), y.at(*figure)))
                .collect(),
        };
        svg.line(&points, colour, 2.0);
        points.iter().for_each(|point| svg.dot(*point, colour));
        let end = points[points.len() - 1];
        labels.push((end.1, line[0].0, colour, end));
    }
    move_apart(&mut labels);
    for (y, name, colour, end) in labels {
        svg.line(&[end, (RIGHT + 7.0, y)], colour, 0.5);
        svg.text((RIGHT + 10.0, y + 4.0), Anchor::Start, colour, name);
    }
    svg.finish()
}

/// Moves labels down, and at the bottom up again, until none covers another.
fn move_apart(labels: &mut [(f64, &str, &str, Point)]) {
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut next = TOP;
    for label in labels.iter_mut() {
        label.0 = label.0.max(next);
        next = label.0 + LINE;
    }
    let mut next = BOTTOM;
    for label in labels.iter_mut().rev() {
        label.0 = label.0.min(next);
        next = label.0 - LINE;
    }
}

/// A logarithmic axis, from `first` to `last`, between two edges.
struct Axis {
    first: f64,
    last: f64,
    edges: [f64; 2],
}

impl Axis {
    /// An axis for these values; it has some length even if they are all the same.
    fn between(values: impl Iterator<Item = f64> + Clone, edges: [f64; 2]) -> Self {
        let first = values.clone().reduce(f64::min).unwrap_or(1.0);
        let last = values.fold(first, f64::max);
        let last = if last > first { last } else { first * 10.0 };
        Self { first, last, edges }
    }

    fn at(&self, value: f64) -> f64 {
        let part = (value / self.first).ln() / (self.last / self.first).ln();
        self.edges[0] + part * (self.edges[1] - self.edges[0])
    }
}
