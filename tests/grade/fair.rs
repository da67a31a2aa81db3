//! Right programs never lose a point: neither for what their language does, nor for what the machine does, nor for
//! what the grader itself lacks.

use std::fs;

use crate::common::{Place, has_tool, text};
use crate::grading::{grade, grader};
use crate::steady::{RIGHT, program};

/// Works for a while, without a moment of sleep.
const WORK: &str = "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done";

#[track_caller]
fn assert_full_marks(assignment: &str, options: &[&str], program: &[&str]) {
    let output = grade(&Place::new(), assignment, options, program);
    assert!(output.status.success(), "{}", text(&output.stdout));
}

/// Grades a program of `tests/grade/right/`, if its language is there.
fn assert_right(assignment: &str, file: &str, options: &[&str]) {
    let place = Place::new();
    let right = RIGHT
        .iter()
        .find(|right| (right.0, right.1) == (assignment, file));
    let (_, source, words) = right.unwrap();
    if let Some(program) = program(&place, source, words) {
        let program: Vec<_> = program.iter().map(String::as_str).collect();
        assert_full_marks(assignment, options, &program);
    }
}

#[test]
fn a_program_that_handles_one_signal_is_not_yet_ready() {
    let handle = "trap 'kill $!; echo a signal came; exit 0'";
    let line = format!("{handle} INT; {WORK}; {handle} TERM HUP; trap '' PIPE; sleep 1000 & wait");
    assert_full_marks("signals", &["--only", "term"], &["sh", "-c", &line]);
}

#[test]
fn a_runtime_may_have_its_signals() {
    assert_right("signals", "signals.py", &[]);
    assert_right("signals", "signals.bash", &[]);
}

#[test]
fn last_words_are_waited_for() {
    // The program has ended, and a process of its own is about to say why.
    let line = format!("read byte <&3; ({WORK}; echo the server has gone >&2) & exit 1");
    let line = format!(
        "import socket, sys, subprocess\ns = socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\nsys.exit(subprocess.call(['sh', '-c', {line:?}], pass_fds=[3]))"
    );
    if has_tool("python3") {
        let program = ["python3", "-c", &line, "{socket}"];
        assert_full_marks("sum-client", &["--only", "server-gone"], &program);
    }
}

#[test]
fn a_receiver_may_make_its_file_before_it_joins() {
    assert_right(
        "copy-sharedmem",
        "copy_sharedmem.c",
        &["--only", "receiver-killed"],
    );
}

#[test]
fn a_server_may_keep_much_for_a_slow_client_for_its_time() {
    assert_right(
        "chat-two-way",
        "chat_server.py",
        &["--only", "stuck-client"],
    );
}

#[test]
fn what_the_grader_lacks_is_its_own_error() {
    let place = Place::new();
    let ipc = env!("CARGO_BIN_EXE_ipc");
    let line = r#"ulimit -n 64; exec "$0" grade sum-server -- "$0" sum server --socket {socket}"#;
    let output = place
        .command("sh")
        .args(["-c", line, ipc])
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "", "no points");
    assert!(
        text(&output.stderr).contains("ulimit -n"),
        "{}",
        text(&output.stderr)
    );

    let blank = place.path("a blank");
    fs::create_dir(&blank).unwrap();
    let server = [ipc, "lambda", "server", "--socket", "{socket}"];
    let mut grader = grader(&place, "lambda-server", &["--only", "runs"], &server);
    let output = grader.env("TMPDIR", blank).output().unwrap();
    assert_eq!(text(&output.stdout), "", "no points");
    assert!(
        text(&output.stderr).contains("TMPDIR"),
        "{}",
        text(&output.stderr)
    );
}
