//! The assignment on signals: our own program holds, and each mistake fails the check that names it.

mod common;
mod grade;

use grade::{Source, Wrong, assert_each_fails_its_check, assert_full_marks, wrong};

const PROGRAM: Source = Source {
    file: "signals.c",
    flags: &[],
};

const WRONG: &[Wrong] = &[
    wrong("ignores-hup", "hup"),
    wrong("exits-in-the-handler", "says-so"),
    wrong("handles-pipe", "pipe"),
    wrong("handles-usr2", "leaves-alone"),
    wrong("blocks-alrm", "blocks-nothing"),
    wrong("quits-at-the-second", "burst"),
];

#[test]
fn our_own_program_gets_full_marks() {
    assert_full_marks("signals", &["signals", "wait"]);
}

#[test]
fn each_wrong_program_fails_its_check() {
    assert_each_fails_its_check("signals", &PROGRAM, &[], WRONG);
}
