//! `ipc queue` as a person or a script uses it: its words, its output, its exit codes.

use std::io::Write;
use std::process::{Output, Stdio};

use crate::common::queueing::Name;
use crate::common::{Place, text};

fn ipc(words: &[&str]) -> Output {
    Place::new().run(&[&["queue"], words].concat())
}

/// Runs the command with this text on its stdin.
fn ipc_with_input(words: &[&str], input: &str) -> Output {
    let place = Place::new();
    let mut command = place.ipc(&[&["queue"], words].concat());
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

#[track_caller]
fn fails(code: i32, words: &[&str], expected: &str) {
    let output = ipc(words);
    let said = text(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(code),
        "`ipc queue {words:?}` said: {said}"
    );
    assert!(
        said.contains(expected),
        "`ipc queue {words:?}` should say {expected:?}: {said}"
    );
    assert!(
        output.stdout.is_empty(),
        "what is said about data goes to stderr"
    );
}

#[test]
fn lines_of_stdin_become_messages_and_messages_lines() {
    let name = Name::new("cli-lines");
    name.create(10, 64);
    let sent = ipc_with_input(&["send", &name.0, "-"], "one\n\nthree\nlast");
    assert_eq!(text(&sent.stderr), "");
    let received = ipc(&["receive", &name.0, "--count", "4"]);
    assert_eq!(text(&received.stdout), "one\n\nthree\nlast\n");
}

#[test]
fn a_line_too_long_is_an_error_after_those_before_it_were_sent() {
    let name = Name::new("cli-long");
    let queue = name.create(10, 4);
    let sent = ipc_with_input(&["send", &name.0, "-"], "ok\ntoo long\nnever\n");
    assert_eq!(sent.status.code(), Some(1));
    assert!(
        text(&sent.stderr).contains("more than the 4 bytes"),
        "{}",
        text(&sent.stderr)
    );
    assert_eq!(queue.attributes().unwrap().messages, 1);
}

#[test]
fn what_fails_at_run_time_says_what_and_why() {
    let name = Name::new("cli-fails");
    let name = name.0.as_str();
    let made = ipc(&["create", name, "--max-messages", "1", "--message-size=8"]);
    assert!(made.status.success());
    fails(1, &["create", name], "already (EEXIST)");
    fails(
        1,
        &["receive", name, "--non-blocking"],
        "the queue is empty (EAGAIN)",
    );
    fails(1, &["receive", name, "--timeout", "0.01"], "(ETIMEDOUT)");
    fails(
        1,
        &["send", name, "more than eight"],
        "has 15 bytes, and can have 8 (EMSGSIZE)",
    );
    assert!(
        ipc(&["send", name, "--priority", "32767", "--", "-full-"])
            .status
            .success()
    );
    fails(
        1,
        &["send", name, "x", "--non-blocking"],
        "the queue is full (EAGAIN)",
    );
    fails(1, &["send", name, "x", "--timeout=0"], "(ETIMEDOUT)");
    fails(
        1,
        &["info", "/no-such-queue"],
        "there is no queue /no-such-queue (ENOENT)",
    );
    fails(1, &["unlink", "no-slash"], "begins with a / (EINVAL)");
    fails(
        1,
        &["create", "/huge", "--max-messages", "65537"],
        "(EINVAL)",
    );
    fails(
        1,
        &[
            "create",
            "/huge",
            "--max-messages=65536",
            "--message-size=16777216",
        ],
        "(EINVAL)",
    );
}

#[test]
fn wrong_usage_is_told_apart() {
    fails(2, &[], "needs to be told what to do");
    fails(2, &["enqueue"], "no command \"enqueue\"");
    fails(2, &["send", "/x"], "a text, or - for stdin");
    fails(
        2,
        &["send", "/x", "text", "--priority", "32768"],
        "from 0 to 32767",
    );
    fails(
        2,
        &["send", "/x", "text", "--timeout", "-1"],
        "a number of seconds",
    );
    fails(2, &["receive", "/x", "--count", "0"], "from 1 on");
    fails(
        2,
        &["receive", "/x", "--count", "1", "--follow"],
        "no meaning",
    );
    fails(
        2,
        &["receive", "/x", "--timeout", "1", "--non-blocking"],
        "no meaning",
    );
    fails(2, &["list", "/x"], "does not know what to do");
}
