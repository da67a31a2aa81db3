//! Every assignment is tried: our own programs get full marks, and so do programs in C that do everything
//! right. Each of the wrong submissions makes one mistake, and fails the one check that names it.

use std::path::Path;
use std::process::{Command, Output};

use crate::common::{self, Place, has_tool, text};
use crate::grading::{self, PROGRAMS, ROOT, assert_golden, failed, in_parallel, normalised};
use crate::submissions::{COLLECTIONS, Collection, Source};

/// How many submissions are graded at the same time: most of them wait for most of their time.
const AT_ONCE: usize = 16;
/// How many where every check is tried, and each has its limit.
const FEW: usize = 5;

#[test]
fn every_assignment_has_wrong_submissions() {
    let tried = COLLECTIONS.iter().map(|collection| collection.assignment);
    let all = ipc_primer::grade::ASSIGNMENTS
        .iter()
        .map(|assignment| assignment.name);
    assert_eq!(tried.collect::<Vec<_>>(), all.collect::<Vec<_>>());
    let golden_of = |collection: &'static Collection| {
        let wrong = collection.wrong.iter();
        wrong.map(|(mistake, _)| golden(collection, mistake))
    };
    let mut kept: Vec<_> = COLLECTIONS.iter().flat_map(golden_of).collect();
    kept.sort();
    assert_eq!(
        common::names(&Path::new(ROOT).join("tests/grade/golden")),
        kept
    );
}

#[test]
fn our_own_programs_get_full_marks() {
    in_parallel(AT_ONCE, COLLECTIONS.iter(), |collection| {
        let place = Place::new();
        let program = [&[env!("CARGO_BIN_EXE_ipc")], collection.own].concat();
        let output = grading::grade(&place, collection.assignment, &[], &program);
        assert_full_marks(&output);
        place.assert_left(&[]);
    });
}

/// A shell without job control starts what stands before an `&` with SIGINT and SIGQUIT ignored.
#[test]
fn a_grader_in_the_background_blames_nobody_for_what_it_was_started_with() {
    let place = Place::new();
    let ipc = env!("CARGO_BIN_EXE_ipc");
    let mut grader = Command::new("sh");
    let line = r#"trap '' INT QUIT; exec "$0" grade signals -- "$0" signals wait"#;
    grader.args(["-c", line, ipc]).env("TMPDIR", place.path(""));
    assert_full_marks(&grader.output().unwrap());
    place.assert_left(&[]);
}

#[test]
fn mistakes_of_each_assignment_fail_the_checks_that_name_them() {
    each_fails_its_check(4);
}

#[test]
#[ignore = "ten seconds: cargo test --test grade -- --ignored each_mistake_fails_the_check"]
fn each_mistake_fails_the_check_that_names_it() {
    each_fails_its_check(1);
}

/// Tries one mistake of so many.
fn each_fails_its_check(of: usize) {
    let programs = Place::new();
    let mut wrong: Vec<_> = compiled(&programs).flat_map(wrong).step_by(of).collect();
    wrong.sort_by_key(|(collection, ..)| collection.assignment != "chat-two-way"); // the longest first
    let wrong = wrong.into_iter();
    in_parallel(AT_ONCE, wrong, |(collection, mistake, check)| {
        let output = collection.grade(&programs, mistake, &["--only", check]);
        assert_failed(&output, mistake, check);
    });
}

#[test]
#[ignore = "all checks for each mistake: half a minute"]
fn each_mistake_fails_no_other_check_and_a_right_program_none() {
    let programs = Place::new();
    let right: Vec<_> = compiled(&programs).collect();
    let wrong = right.iter().copied().flat_map(wrong);
    in_parallel(FEW, wrong, |(collection, mistake, check)| {
        let output = collection.grade(&programs, mistake, &[]);
        let report = assert_failed(&output, mistake, check);
        assert_golden(&golden(collection, mistake), &report);
    });
    in_parallel(FEW, right.iter(), |collection| {
        assert_full_marks(&collection.grade(&programs, "none", &[]));
    });
}

/// Those that can be run here; their programs are compiled.
fn compiled(programs: &Place) -> impl Iterator<Item = &'static Collection> + Send {
    let can_run = |collection: &&Collection| collection.is_script() || has_tool("cc");
    let here = || COLLECTIONS.iter().filter(can_run);
    in_parallel(AT_ONCE, here(), |collection| collection.compile(programs));
    here()
}

/// A program with each of its mistakes, and the check that names it.
fn wrong(
    collection: &'static Collection,
) -> impl Iterator<Item = (&'static Collection, &'static str, &'static str)> {
    let wrong = collection.wrong.iter();
    wrong.map(move |&(mistake, check)| (collection, mistake, check))
}

impl Collection {
    fn is_script(&self) -> bool {
        matches!(self.source, Source::Script(_))
    }

    /// Compiles the program, under its assignment's name; a script needs no compiler.
    fn compile(&self, programs: &Place) {
        if let Source::C(file, flags) = self.source {
            let mut cc = Command::new("cc");
            cc.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-o"])
                .arg(programs.path(self.assignment))
                .args(flags)
                .arg(format!("{PROGRAMS}/{file}"));
            let compiled = cc.output().unwrap();
            assert!(
                compiled.status.success(),
                "{file}: {}",
                text(&compiled.stderr)
            );
        }
    }

    /// Grades the program, which is told the mistake that it is to make.
    fn grade(&self, programs: &Place, mistake: &str, options: &[&str]) -> Output {
        let place = Place::new();
        let compiled = programs.path(self.assignment);
        let script;
        let program = match self.source {
            Source::C(..) => vec![compiled.to_str().unwrap()],
            Source::Script(file) => {
                script = format!("{PROGRAMS}/{file}");
                vec!["sh", &script, env!("CARGO_BIN_EXE_ipc")]
            }
        };
        let words = [&program, self.words].concat();
        let options = [&["--timeout", "2"], options].concat();
        let mut grader = grading::grader(&place, self.assignment, &options, &words);
        let mut output = grader.env("MISTAKE", mistake).output().unwrap();
        place.assert_left(&[]);
        let report = normalised(text(&output.stdout), &[&place, programs]);
        output.stdout = match mistake {
            "shares-the-offset" => without_bytes(&report).into(),
            _ => report.into(),
        };
        output
    }
}

/// A report without the bytes that were expected and came: which these are depends on how far another client was.
fn without_bytes(report: &str) -> String {
    let lines = report.lines().filter(|line| !line.ends_with(" bytes)"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Fails unless that check alone does not hold; returns the report.
#[track_caller]
fn assert_failed(output: &Output, mistake: &str, check: &str) -> String {
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{mistake}: {report}");
    assert_eq!(failed(report), [check], "{mistake}: {report}");
    report.to_owned()
}

fn golden(collection: &Collection, mistake: &str) -> String {
    format!("{}.{mistake}.txt", collection.assignment)
}

#[track_caller]
fn assert_full_marks(output: &Output) {
    let report = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{report}{}",
        text(&output.stderr)
    );
    assert_eq!(failed(report), [""; 0], "{report}");
    let last = report.lines().last().unwrap_or_default();
    let number_before = |words: &str| last.split(words).next()?.rsplit(' ').next();
    assert_eq!(
        number_before(" of "),
        number_before(" checks hold"),
        "{last}"
    );
}
