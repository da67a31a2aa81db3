//! The report in the forms that services read, checked by parsers that are not ours.

use std::fs;

use crate::common::{Place, has_tool, text};
use crate::grading;
use serde_json::Value;

/// Prints what is hard to quote, and never listens.
const HARD: &str = "printf 'a \"quoted\" <tag> & \\\\ # \\001\\033[31m\\377 \\303\\244\\n' >&2";

/// Does all that is asked of it.
const GOOD: &[&str] = &[
    env!("CARGO_BIN_EXE_ipc"),
    "sum",
    "server",
    "--socket",
    "{socket}",
];

/// A report in one of the forms.
fn report(format: &str, program: &[&str]) -> String {
    let place = Place::new();
    let output = grading::grade(
        &place,
        "sum-server",
        &["--timeout", "1", "--format", format],
        program,
    );
    place.assert_left(&[]);
    text(&output.stdout).to_owned()
}

#[test]
fn gradescope_gets_what_its_specification_asks_for() {
    let place = Place::new();
    let file = place.path("results.json");
    let options = [
        "--timeout",
        "1",
        "--format",
        "gradescope",
        "--output",
        file.to_str().unwrap(),
    ];
    let output = grading::grade(&place, "sum-server", &options, &["sh", "-c", HARD]);
    assert_eq!(text(&output.stdout), "", "the report is in the file");
    let results: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(results["score"], 0);
    let tests = results["tests"].as_array().unwrap();
    assert_eq!(tests.len(), 21);
    for test in tests {
        assert!(
            test["name"].is_string() && test["output"].is_string(),
            "{test}"
        );
        assert!(
            test["score"].is_number() && test["max_score"].is_number(),
            "{test}"
        );
        assert!(
            matches!(test["status"].as_str(), Some("passed" | "failed")),
            "{test}"
        );
    }
    let said = tests[0]["output"].as_str().unwrap();
    assert!(
        said.contains("a \"quoted\" <tag> & \\ # \\u{1}\\u{1b}[31m\u{fffd} ä"),
        "{said}"
    );
}

#[test]
fn gradescope_gets_full_marks_of_a_good_program() {
    let results: Value = serde_json::from_str(&report("gradescope", GOOD)).unwrap();
    let max: u64 = results["tests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|test| test["max_score"].as_u64().unwrap())
        .sum();
    assert_eq!(results["score"].as_u64(), Some(max));
}

#[test]
fn junit_is_well_formed_and_counts_right() {
    let xml = report("junit", &["sh", "-c", HARD]);
    let document = roxmltree::Document::parse(&xml).unwrap();
    let suites = document.root_element();
    assert_eq!(suites.tag_name().name(), "testsuites");
    let suite = suites.first_element_child().unwrap();
    let named = |name: &str| {
        suite
            .descendants()
            .filter(|node| node.has_tag_name(name))
            .count()
            .to_string()
    };
    assert_eq!(suite.attribute("name"), Some("sum-server"));
    assert_eq!(suite.attribute("tests"), Some(named("testcase").as_str()));
    assert_eq!(suite.attribute("failures"), Some(named("failure").as_str()));
    for case in suite
        .children()
        .filter(|node| node.has_tag_name("testcase"))
    {
        assert!(case.attribute("name").is_some() && case.attribute("classname").is_some());
        assert!(case.attribute("time").unwrap().parse::<f64>().is_ok());
    }
    let failure = suite
        .descendants()
        .find(|node| node.has_tag_name("failure"))
        .unwrap();
    assert_eq!(
        failure.attribute("message"),
        Some("it ended before it listened")
    );
    assert!(
        failure
            .text()
            .unwrap()
            .contains("a \"quoted\" <tag> & \\ # \\u{1}"),
        "{xml}"
    );
}

#[test]
fn tap_is_version_13_with_yaml_for_what_does_not_hold() {
    let tap = report("tap", &["sh", "-c", HARD]);
    let mut lines = tap.lines();
    assert_eq!(lines.next(), Some("TAP version 13"));
    assert_eq!(lines.next(), Some("1..21"));
    let points = tap
        .lines()
        .filter(|line| line.starts_with("not ok ") || line.starts_with("ok "));
    for (number, line) in points.enumerate() {
        let (_, rest) = line.split_once("ok ").unwrap();
        assert!(rest.starts_with(&format!("{} - ", number + 1)), "{line}");
        assert!(
            !rest.replace("\\#", "").contains('#'),
            "no directive by accident: {line}"
        );
    }
    assert_eq!(
        tap.matches("  ---\n").count(),
        tap.matches("  ...\n").count()
    );
    for line in tap.lines().filter(|line| line.starts_with(' ')) {
        let in_block = line == "  ---"
            || line == "  ..."
            || line.starts_with("  message: \"")
            || line.starts_with("  points: ")
            || line == "  explanation: |"
            || line.starts_with("    ");
        assert!(in_block, "{line:?}");
    }
}

#[test]
fn tap_is_read_by_prove() {
    if !has_tool("prove") {
        return;
    }
    let place = Place::new();
    for (tap, failed) in [
        (report("tap", &["sh", "-c", HARD]), 21),
        (report("tap", GOOD), 0),
    ] {
        fs::write(place.path("sum.tap"), tap).unwrap();
        let output = place
            .command("prove")
            .args(["--source", "File", "sum.tap"])
            .output()
            .unwrap();
        let said = text(&output.stdout);
        assert_eq!(output.status.success(), failed == 0, "{said}");
        assert!(
            !said.contains("Parse errors") && said.contains("Tests=21"),
            "{said}"
        );
        assert!(failed == 0 || said.contains("Failed: 21"), "{said}");
    }
}

#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let place = Place::new();
    let output = grading::grade(
        &place,
        "sum-server",
        &["--only", "starts", "--output", "/no/such/file"],
        &["true"],
    );
    assert_eq!(output.status.code(), Some(3), "there are no points");
    assert!(text(&output.stderr).contains("cannot write /no/such/file"));
}

#[test]
fn classroom_gets_points_for_each_check() {
    let place = Place::new();
    let options = [
        "--only",
        "starts",
        "--only",
        "frame",
        "--format",
        "classroom",
    ];
    let output = grading::grade(&place, "sum-server", &options, GOOD);
    let results: Value = serde_json::from_str(text(&output.stdout)).unwrap();
    assert_eq!(
        (&results["version"], &results["status"]),
        (&1.into(), &"pass".into())
    );
    let tests = results["tests"].as_array().unwrap();
    let sum = |field: &str| -> u64 { tests.iter().map(|test| test[field].as_u64().unwrap()).sum() };
    assert_eq!((tests.len(), sum("score")), (2, 2), "{results}");
    assert_eq!(Some(sum("max_score")), results["max_score"].as_u64());
    let failed: Value = serde_json::from_str(&report("classroom", &["sh", "-c", HARD])).unwrap();
    assert_eq!(failed["status"], "fail");
    assert!(
        failed["tests"][0]["message"]
            .as_str()
            .unwrap()
            .contains("it ended before it listened")
    );
}

#[test]
fn a_check_can_be_hidden_in_gradescope() {
    let place = Place::new();
    let options = [
        "--up-to",
        "waits-for-0",
        "--hidden",
        "one-sum",
        "--format",
        "gradescope",
    ];
    let output = grading::grade(&place, "sum-server", &options, GOOD);
    let results: Value = serde_json::from_str(text(&output.stdout)).unwrap();
    let seen = results["tests"].as_array().unwrap().iter();
    let seen: Vec<_> = seen
        .map(|test| {
            (
                test["name"].as_str().unwrap(),
                test["visibility"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("starts", "visible"),
            ("one-sum", "hidden"),
            ("waits-for-0", "visible")
        ]
    );
}
