//! The assignment on the function loader: our own program holds, and each mistake fails the check that names it.

mod common;
mod grade;

use grade::{Source, Wrong, assert_each_fails_its_check, assert_full_marks, wrong};

const SERVER: Source = Source {
    file: "lambda_server.c",
    flags: &[],
};

const WRONG: &[Wrong] = &[
    wrong("sends-a-newline", "path"),
    wrong("knows-no-default", "default-function"),
    wrong("waits-for-a-newline", "message-ends"),
    wrong("ignores-the-exit-status", "not-a-function"),
    wrong("output-for-all", "files-of-their-own"),
    wrong("inherits-stdin", "stdin"),
    wrong("answers-good-ends-only", "crash"),
];

#[test]
fn our_own_program_gets_full_marks() {
    let words = [
        "lambda",
        "server",
        "--socket",
        "{socket}",
        "--output-dir",
        "{dir}",
    ];
    assert_full_marks("lambda-server", &words);
}

#[test]
fn each_wrong_program_fails_its_check() {
    assert_each_fails_its_check("lambda-server", &SERVER, &["{socket}", "{dir}"], WRONG);
}
