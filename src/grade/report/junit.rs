//! JUnit's XML, which most services that run tests can show.

use std::fmt::Write;

use super::{Outcome, Report};

/// The report as JUnit XML: one `testcase` per check.
pub fn junit(report: &Report) -> String {
    let (tests, failed) = (report.results.len(), report.results.len() - report.held());
    let time: f64 = report
        .results
        .iter()
        .map(|graded| graded.time.as_secs_f64())
        .sum();
    let name = escaped(report.assignment.name);
    let counts = format!(
        "tests=\"{tests}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\" time=\"{time:.3}\""
    );
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        xml,
        "<testsuites {counts}>\n<testsuite name=\"{name}\" {counts}>"
    );
    let _ = writeln!(
        xml,
        "<properties><property name=\"seed\" value=\"{}\"/></properties>",
        report.seed
    );
    for graded in &report.results {
        let (check, time) = (escaped(graded.check.name), graded.time.as_secs_f64());
        let _ = write!(
            xml,
            "<testcase classname=\"{name}\" name=\"{check}\" time=\"{time:.3}\">"
        );
        if !graded.holds() {
            let kind = match graded.outcome {
                Outcome::NotTried(_) => "not tried",
                _ => "fault",
            };
            let (message, text) = (escaped(&graded.message()), escaped(&graded.explanation()));
            let _ = write!(
                xml,
                "<failure type=\"{kind}\" message=\"{message}\">{text}</failure>"
            );
        }
        xml += "</testcase>\n";
    }
    xml + "</testsuite>\n</testsuites>\n"
}

/// `text` as XML 1.0 can hold it, in an element or in an attribute. XML forbids most control characters, even
/// escaped: the replacement character stands for them.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            // A parser would turn them into blanks in an attribute if they were not escaped.
            '\t' | '\n' | '\r' => drop(write!(escaped, "&#{};", u32::from(c))),
            '\0'..=' ' | '\u{fffe}' | '\u{ffff}' if c != ' ' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_comes_back_or_is_replaced() {
        let all: String = (0..0x300u32)
            .chain(0xfff0..0x10000)
            .filter_map(char::from_u32)
            .collect();
        let xml = format!("<a b=\"{0}\">{0}</a>", escaped(&all));
        let document = roxmltree::Document::parse(&xml).unwrap();
        let allowed = |c: char| {
            if matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}') {
                c
            } else {
                '\u{fffd}'
            }
        };
        let expected: String = all.chars().map(allowed).collect();
        assert_eq!(
            document.root_element().attribute("b"),
            Some(expected.as_str())
        );
        assert_eq!(document.root_element().text(), Some(expected.as_str()));
    }
}
