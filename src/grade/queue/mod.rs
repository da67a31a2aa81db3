//! `queue`: note 4's message queue, the student's own, behind the command words of `ipc queue`.

mod crowd;
mod messages;
mod names;
mod waits;

use super::{Assignment, Fault, Lab, Running, Verdict, running::show_end};
use crate::harness::Stream;

pub(super) const ASSIGNMENT: Assignment = Assignment {
    name: "queue",
    about: "a message queue with priorities, kept until it is unlinked",
    chapter: "8",
    example: "./queue",
    page: include_str!("../../../docs/assignments/queue.md"),
    checks: &[
        ("send-and-receive", messages::CHECKS),
        ("send-and-receive", waits::CHECKS),
        ("send-and-receive", names::CHECKS),
        ("send-and-receive", crowd::CHECKS),
    ],
};

/// Starts the student's program with these words; `/name` stands for the queue's name.
fn start<'a>(lab: &'a Lab, words: &str) -> Result<Running<'a>, Fault> {
    let name = format!("/{}", lab.name());
    let words: Vec<_> = words
        .split(' ')
        .map(|word| word.replace("/name", &name))
        .collect();
    lab.start_with(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Runs it to its end, expects success, and returns what it printed.
fn run(lab: &Lab, words: &str) -> Result<String, Fault> {
    let program = start(lab, words)?;
    program.expect_end(0).map_err(|fault| fault.given(words))?;
    Ok(program.printed(Stream::Stdout))
}

/// Runs it to its end, and expects failure.
fn expect_failure(lab: &Lab, words: &str, error: &str) -> Verdict {
    let status = start(lab, words)?
        .wait()
        .map_err(|fault| fault.given(words))?;
    match status.code() {
        Some(1..) => Ok(()),
        _ => Err(Fault::new("it does not say that it failed")
            .given(words)
            .expected(format!("{error}: a message on stderr, and exit code 1"))
            .came(show_end(status))),
    }
}

fn expect_received(lab: &Lab, expected: &[&str]) -> Verdict {
    let words = format!("receive /name --count {}", expected.len());
    let printed = run(lab, &words)?;
    let expected: String = expected.iter().map(|line| format!("{line}\n")).collect();
    match printed == expected {
        true => Ok(()),
        false => Err(
            Fault::new("other messages are received, or in another order")
                .given(words)
                .compared(expected.as_bytes(), printed.as_bytes()),
        ),
    }
}

/// Makes a queue, which is removed with the check's directory, whatever the program does.
fn create(lab: &Lab, options: &str) -> Verdict {
    run(lab, format!("create /name {options}").trim_end()).map(drop)
}
