//! The JSON that GitHub Classroom's autograding reporter reads, of one of its runners.

use super::gradescope::quoted;
use super::{Graded, Report};

/// The report as that JSON: one test per check, with its points and its time in milliseconds. The reporter wants
/// it in base64, in an output of the step that graded.
pub fn classroom(report: &Report) -> String {
    let status = if report.holds() { "pass" } else { "fail" };
    let tests: Vec<_> = report.results.iter().map(test).collect();
    format!(
        "{{\n  \"version\": 1,\n  \"status\": \"{status}\",\n  \"max_score\": {},\n  \"tests\": [\n{}\n  ]\n}}\n",
        report.max_points(),
        tests.join(",\n")
    )
}

fn test(graded: &Graded) -> String {
    let (status, message) = match graded.holds() {
        true => ("pass", "null".to_owned()),
        false => ("fail", quoted(&graded.explanation())),
    };
    let name = quoted(&format!("{}: {}", graded.check.name, graded.check.about));
    let (score, max) = (graded.points(), graded.check.points);
    let time = graded.time.as_millis();
    format!(
        "    {{\"name\": {name}, \"status\": \"{status}\", \"score\": {score}, \"max_score\": {max}, \"message\": {message}, \"test_code\": \"\", \"filename\": \"\", \"line_no\": 0, \"execution_time\": \"{time}ms\"}}"
    )
}
