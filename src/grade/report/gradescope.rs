//! Gradescope's `results.json`.

use std::fmt::Write;

use super::{Graded, Report};

/// The report as the JSON that Gradescope expects in `/autograder/results/results.json`.
pub fn gradescope(report: &Report) -> String {
    let is_hidden = |graded: &Graded| report.hidden.iter().any(|name| name == graded.check.name);
    let tests = report.results.iter();
    let tests: Vec<_> = tests
        .map(|graded| test(graded, is_hidden(graded)))
        .collect();
    format!(
        "{{\n  \"score\": {},\n  \"output\": {},\n  \"tests\": [\n{}\n  ]\n}}\n",
        report.points(),
        quoted(&format!("{} (seed {})", report.summary(), report.seed)),
        tests.join(",\n")
    )
}

fn test(graded: &Graded, hidden: bool) -> String {
    let status = if graded.holds() { "passed" } else { "failed" };
    let output = match graded.holds() {
        true => graded.check.about.to_owned(),
        false => graded.explanation(),
    };
    let visibility = if hidden { "hidden" } else { "visible" };
    format!(
        "    {{\"name\": {}, \"score\": {}, \"max_score\": {}, \"status\": \"{status}\", \"visibility\": \"{visibility}\", \"output\": {}}}",
        quoted(graded.check.name),
        graded.points(),
        graded.check.points,
        quoted(&output)
    )
}

/// `text` as a JSON string (RFC 8259, section 7).
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted += "\\n",
            '\t' => quoted += "\\t",
            c if c.is_control() => drop(write!(quoted, "\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_comes_back() {
        let text: String = (0..0x300u32)
            .filter_map(char::from_u32)
            .chain("…😀".chars())
            .collect();
        let parsed: String = serde_json::from_str(&quoted(&text)).unwrap();
        assert_eq!(parsed, text);
    }
}
