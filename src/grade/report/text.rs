//! For people.

use std::fmt::Write;

use super::{Outcome, Report, indented};

/// The report as text: a line a check, an explanation below each that does not hold, the points on
/// the last line.
pub fn text(report: &Report) -> String {
    let assignment = report.assignment;
    let mut text = format!("{}: {}\n", assignment.name, assignment.about);
    let _ = writeln!(text, "program: {} (seed {})\n", report.command, report.seed);
    for graded in &report.results {
        let check = graded.check;
        let word = match graded.outcome {
            Outcome::Holds => "holds",
            Outcome::Fails(_) => "FAILS",
            Outcome::NotTried => "-",
        };
        let points = format!("{}/{}", graded.points(), check.points);
        let _ = writeln!(
            text,
            "{word:<6} {:<22} {points:>4}  {}",
            check.name, check.about
        );
        if let Outcome::Fails(failure) = &graded.outcome {
            text += &indented(&failure.to_string(), "       ");
        }
    }
    let _ = writeln!(text, "\n{}", report.summary());
    text
}
