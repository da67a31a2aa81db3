//! For people.

use std::fmt::Write;

use super::{Outcome, Report, indented};

/// The report as text: one line per check, an explanation below each that does not hold, the points on the
/// last line.
pub fn text(report: &Report) -> String {
    let assignment = report.assignment;
    let mut text = format!("{}: {}\n", assignment.name, assignment.about);
    let _ = writeln!(text, "program: {} (seed {})\n", report.command, report.seed);
    for graded in &report.results {
        let check = graded.check;
        let points = format!("{}/{}", graded.points(), check.points);
        let mut line = |word| {
            let (name, about) = (check.name, check.about);
            let _ = writeln!(text, "{word:<6} {name:<22} {points:>4}  {about}");
        };
        match &graded.outcome {
            Outcome::Holds => line("holds"),
            Outcome::Fails(failure) => {
                line("FAILS");
                text += &indented(&failure.to_string(), "       ");
            }
            Outcome::NotTried(_) => {}
        }
    }
    for (root, names) in report.not_tried() {
        let others = match names.len() + 1 == report.results.len() {
            true => format!("The other {}", names.len()),
            false => names.join(", "),
        };
        let _ = writeln!(text, "{others} were not tried: {root} has to hold before.");
    }
    let _ = writeln!(text, "\n{}", report.summary());
    text
}
