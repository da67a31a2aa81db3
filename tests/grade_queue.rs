//! The assignment on message queues: our own holds, and each mistake fails the check that names it.

mod common;
mod grade;

use grade::{ROOT, Wrong, assert_full_marks, assert_script_fails, wrong};

const WRONG: &[Wrong] = &[
    wrong("reverses-priorities", "priority"),
    wrong("cuts-long-messages", "too-long"),
    wrong("makes-it-anew", "existing"),
    wrong("forgets-the-exit-code", "full"),
    wrong("unlinks-nothing", "unlink"),
];

#[test]
fn our_own_queue_gets_full_marks() {
    assert_full_marks("queue", &["queue"]);
}

#[test]
fn each_wrong_queue_fails_its_check() {
    assert_script_fails("queue", &format!("{ROOT}/tests/grade/queue.sh"), WRONG);
}
