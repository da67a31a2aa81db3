//! The skeletons compile without a warning, start, and fail with a first message that helps; and the
//! examples of handing in run.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{self, Place, has_tool, text};
use crate::grading::{self, PROGRAMS, ROOT, failed};

/// The assignment, its skeleton, how it is started, and what its first complaint has to say.
const SKELETONS: &[(&str, &str, &[&str], &str)] = &[
    ("sum-server", "sum_server", &["{socket}"], DOES_NOT_LISTEN),
    ("sum-client", "sum_client", &["{socket}"], DOES_NOT_CONNECT),
    (
        "chat-one-way",
        "chat_server",
        &["{socket}"],
        DOES_NOT_LISTEN,
    ),
    (
        "chat-client",
        "chat_client",
        &["{socket}", "{name}"],
        DOES_NOT_CONNECT,
    ),
    (
        "copy-socket-server",
        "copy_server",
        &["{file}", "{socket}"],
        DOES_NOT_LISTEN,
    ),
    (
        "copy-socket-client",
        "copy_client",
        &["{socket}", "{dir}"],
        DOES_NOT_CONNECT,
    ),
    (
        "copy-sharedmem",
        "copy_sharedmem",
        &[],
        "has written no file",
    ),
    ("signals", "signals", &[], "it ended before a signal came"),
    ("queue", "queue", &[], "other messages are received"),
    (
        "lambda-server",
        "lambda_server",
        &["{socket}", "{dir}"],
        DOES_NOT_LISTEN,
    ),
];
const DOES_NOT_LISTEN: &str = "it ended before it listened";
const DOES_NOT_CONNECT: &str = "it does not connect";

fn skeleton(name: &str) -> PathBuf {
    Path::new(ROOT)
        .join("docs/assignments/skeletons")
        .join(name)
}

fn assert_helps(place: &Place, assignment: &str, program: &[&str], says: &str) {
    let output = grading::grade(place, assignment, &["--timeout", "2"], program);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(failed(report).len(), 1, "one message, not many: {report}");
    assert!(
        report.contains(says) && report.contains("cause ") && report.contains("stdout |"),
        "{report}"
    );
}

fn compile(command: &mut Command) {
    let compiled = command.output().unwrap();
    let said = text(&compiled.stderr);
    assert!(
        compiled.status.success() && said.is_empty(),
        "{command:?}: {said}"
    );
}

#[test]
fn each_skeleton_in_c_compiles_starts_and_fails_helpfully() {
    if !has_tool("cc") {
        return;
    }
    for (assignment, file, words, says) in SKELETONS {
        let place = Place::new();
        let mut cc = place.command("cc");
        compile(
            cc.args(["-Wall", "-Wextra", "-o", "program"])
                .arg(skeleton(&format!("{file}.c"))),
        );
        assert_helps(&place, assignment, &[&["./program"], *words].concat(), says);
    }
}

#[test]
fn each_skeleton_in_rust_compiles_starts_and_fails_helpfully() {
    if !has_tool("rustc") {
        return;
    }
    for (assignment, file, words, says) in SKELETONS {
        let place = Place::new();
        let mut rustc = place.command("rustc");
        rustc.args([
            "--edition",
            "2024",
            "-C",
            "prefer-dynamic=no",
            "-o",
            "program",
        ]);
        compile(rustc.arg(skeleton(&format!("{file}.rs"))));
        assert_helps(&place, assignment, &[&["./program"], *words].concat(), says);
    }
}

#[test]
fn every_skeleton_is_tried() {
    let mut files: Vec<_> = SKELETONS
        .iter()
        .flat_map(|(_, file, ..)| [format!("{file}.c"), format!("{file}.rs")])
        .collect();
    files.sort();
    assert_eq!(common::names(&skeleton("")), files);
}

/// The directory of the `ipc` command, put before the others.
fn search_path() -> String {
    let ipc = Path::new(env!("CARGO_BIN_EXE_ipc")).parent().unwrap();
    format!(
        "{}:{}",
        ipc.display(),
        std::env::var("PATH").unwrap_or_default()
    )
}

/// Hands in a right server, in several files.
fn hand_in(directory: &Path, program: &str) {
    for file in [program, "server.h", "forks.h", "mistake.h"] {
        fs::copy(Path::new(PROGRAMS).join(file), directory.join(file)).unwrap();
    }
}

/// A directory for what is handed in, which another user may look into.
fn submission(place: &Place) -> PathBuf {
    let submission = place.path("submission");
    fs::create_dir(&submission).unwrap();
    fs::set_permissions(place.path(""), fs::Permissions::from_mode(0o711)).unwrap();
    submission
}

/// What Gradescope shows of the files in `submission`.
fn gradescope(place: &Place, assignment: &str) -> serde_json::Value {
    let script = Path::new(ROOT).join("docs/assignments/gradescope/run_autograder");
    let mut command = place.command(&script);
    command
        .env("AUTOGRADER", place.path(""))
        .env("ASSIGNMENT", assignment)
        .env("PATH", search_path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let results = fs::read_to_string(place.path("results/results.json"));
    let results = results.unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
    serde_json::from_str(&results).unwrap()
}

#[test]
fn the_example_for_gradescope_grades_what_is_handed_in() {
    if !has_tool("cc") {
        return;
    }
    let place = Place::new();
    let submission = submission(&place);
    hand_in(&submission, "sum_server.c");
    let results = gradescope(&place, "sum-server");
    assert_eq!(results["score"], 27, "{results}");
    fs::write(submission.join("sum_server.c"), "no C").unwrap();
    let results = gradescope(&place, "sum-server");
    assert_eq!(results["score"], 0, "{results}");
}

/// Not every program is a server with a socket's path alone.
#[test]
fn the_example_for_gradescope_starts_each_assignment_with_its_own_words() {
    if !has_tool("cc") {
        return;
    }
    let place = Place::new();
    let submission = submission(&place);
    hand_in(&submission, "copy_server.c");
    let results = gradescope(&place, "copy-socket-server");
    assert_eq!(results["score"], 23, "{results}");
}

#[test]
fn the_example_for_github_classroom_grades_what_is_handed_in() {
    if !has_tool("cc") {
        return;
    }
    let place = Place::new();
    hand_in(&place.path(""), "sum_server.c");
    let file = Path::new(ROOT).join("docs/assignments/classroom/classroom.yml");
    let workflow = fs::read_to_string(file).unwrap();
    let commands = workflow
        .lines()
        .filter_map(|line| line.trim().strip_prefix("run: "));
    // The first one fetches the grader.
    for command in commands.skip(1) {
        let mut shell = place.command("sh");
        shell.args(["-c", command]).env("PATH", search_path());
        shell.env("GITHUB_OUTPUT", place.path("output"));
        let output = shell.output().unwrap();
        assert!(
            output.status.success(),
            "{command}: {}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
    }
    let output = fs::read_to_string(place.path("output")).unwrap();
    assert!(
        output.starts_with("result=ewog"),
        "JSON in base64: {output}"
    );
}
