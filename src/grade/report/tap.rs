//! TAP, the Test Anything Protocol, version 13: what `prove` and many harnesses read.

use std::fmt::Write;

use super::{Graded, Report, indented};

/// The report as TAP version 13, which older harnesses read too, with explanations in YAML diagnostic blocks.
pub fn tap(report: &Report) -> String {
    let mut tap = format!("TAP version 13\n1..{}\n", report.results.len());
    let _ = writeln!(tap, "# {} (seed {})", report.command, report.seed);
    for (at, graded) in report.results.iter().enumerate() {
        let word = if graded.holds() { "ok" } else { "not ok" };
        let description = format!("{}: {}", graded.check.name, graded.check.about);
        let _ = writeln!(tap, "{word} {} - {}", at + 1, escaped(&description));
        if !graded.holds() {
            tap += &diagnostic(graded);
        }
    }
    let _ = writeln!(tap, "# {}", report.summary());
    tap
}

/// A `#` begins a directive and a `\` an escape.
fn escaped(description: &str) -> String {
    description.replace('\\', "\\\\").replace('#', "\\#")
}

fn diagnostic(graded: &Graded) -> String {
    // A JSON string is a YAML string.
    let message = super::gradescope::quoted(&graded.message());
    let points = graded.check.points;
    let explanation = indented(&graded.explanation(), "    ");
    format!(
        "  ---\n  message: {message}\n  points: 0 of {points}\n  explanation: |\n{explanation}  ...\n"
    )
}
