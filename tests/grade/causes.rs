//! One fault, one message: checks that build on one that does not hold are not tried, and the cause that is told is
//! the one that shows in what came.

use crate::common::{Place, text};
use crate::grading::{failed, grader};
use crate::steady::program;

/// Grades a program of `tests/grade/programs/` that makes a mistake.
fn report(assignment: &str, source: &str, mistake: &str, options: &[&str]) -> Option<String> {
    let place = Place::new();
    let program = program(&place, source, &["{socket}"])?;
    let program: Vec<_> = program.iter().map(String::as_str).collect();
    let mut grader = grader(&place, assignment, options, &program);
    let output = grader.env("MISTAKE", mistake).output().unwrap();
    Some(text(&output.stdout).to_owned())
}

#[test]
fn what_builds_on_a_check_that_does_not_hold_is_not_tried() {
    let Some(said) = report(
        "chat-one-way",
        "chat_server.c",
        "keeps-its-output",
        &["--timeout", "1"],
    ) else {
        return;
    };
    assert_eq!(failed(&said), ["shows"], "{said}");
    assert!(
        said.contains("glued, cut, crlf")
            && said.contains("were not tried: shows has to hold before"),
        "{said}"
    );
    assert!(
        said.contains("holds  ctrl-c "),
        "what does not build on it is tried: {said}"
    );
}

#[test]
fn each_cause_is_seen_in_what_came() {
    for (source, mistake, options, says) in [
        (
            "sum_server.c",
            "swaps-bytes",
            "one-sum",
            "the other byte order",
        ),
        (
            "sum_server.c",
            "sends-packets",
            "starts",
            "came      SOCK_SEQPACKET",
        ),
        ("sum_server.c", "never-listens", "starts", "listen was not"),
    ] {
        let options = ["--timeout", "1", "--only", options];
        if let Some(said) = report("sum-server", source, mistake, &options) {
            assert!(said.contains(says), "{said}");
        }
    }
}
