//! What the grader's tests share: submissions that are compiled, graded, and held against a kept report.

#![allow(dead_code, reason = "every test file uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::thread;

use crate::common::{Place, has_tool, text};

/// How many are graded at the same time: most of them wait for most of their time.
const AT_ONCE: usize = 8;

pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Grades `program` with a fixed seed, in a place of its own.
pub fn grade(place: &Place, assignment: &str, options: &[&str], program: &[&str]) -> Output {
    let words = [
        &["grade", assignment, "--seed", "1"],
        options,
        &["--"],
        program,
    ]
    .concat();
    let mut command = place.ipc(&words);
    command.env("TMPDIR", place.path("")).output().unwrap()
}

/// `ipc` itself has to get full marks.
#[track_caller]
pub fn assert_full_marks(assignment: &str, program: &[&str]) {
    let place = Place::new();
    let program = [&[env!("CARGO_BIN_EXE_ipc")], program].concat();
    let output = grade(&place, assignment, &[], &program);
    let report = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{report}{}",
        text(&output.stderr)
    );
    let last = report.lines().last().unwrap_or_default();
    let all = |words: &str| {
        last.split(words)
            .next()
            .unwrap()
            .rsplit(' ')
            .next()
            .map(str::to_owned)
    };
    assert_eq!(all(" of "), all(" checks hold"), "{last}");
    assert!(!report.contains("FAILS"), "{report}");
    place.assert_left(&[]);
}

/// A submission with one mistake, and the check that names it.
pub struct Wrong {
    /// The mistake, as it is called in the source, in lower case and with hyphens.
    pub mistake: &'static str,
    /// The only check that does not hold.
    pub fails: &'static str,
}

pub const fn wrong(mistake: &'static str, fails: &'static str) -> Wrong {
    Wrong { mistake, fails }
}

/// A program in C under `tests/grade/`, with the flags that make of it what the assignment asks for.
pub struct Source {
    pub file: &'static str,
    pub flags: &'static [&'static str],
}

impl Source {
    /// Compiles it, with or without a mistake.
    pub fn compile(&self, place: &Place, mistake: Option<&str>) -> PathBuf {
        let program = place.path(mistake.unwrap_or("right"));
        let mut cc = Command::new("cc");
        cc.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&program);
        cc.args(self.flags);
        if let Some(mistake) = mistake {
            cc.arg(format!("-D{}", mistake.to_uppercase().replace('-', "_")));
        }
        let compiled = cc
            .arg(Path::new(ROOT).join("tests/grade").join(self.file))
            .output()
            .unwrap();
        assert!(
            compiled.status.success(),
            "{mistake:?}: {}",
            text(&compiled.stderr)
        );
        program
    }
}

/// Grades the right program and all the wrong ones. Each wrong one has to fail its check, no other, and with the words of its golden file.
pub fn assert_each_fails_its_check(
    assignment: &str,
    source: &Source,
    words: &[&str],
    wrong: &[Wrong],
) {
    if has_tool("cc") {
        assert_is_right(assignment, source, words);
        assert_only_wrong(assignment, source, words, wrong);
    }
}

/// The same for a source that has no right form in this assignment.
pub fn assert_only_wrong(assignment: &str, source: &Source, words: &[&str], wrong: &[Wrong]) {
    if has_tool("cc") {
        assert_all(wrong, |wrong| {
            let place = Place::new();
            let program = source.compile(&place, Some(wrong.mistake));
            let program = [&[program.to_str().unwrap()], words].concat();
            assert_fails_its_check(&place, assignment, &program, wrong);
            place.assert_left(&[wrong.mistake]);
        });
    }
}

/// The same for a script around `ipc`, which makes the mistake that is its second argument.
pub fn assert_script_fails(assignment: &str, script: &str, wrong: &[Wrong]) {
    assert_all(wrong, |wrong| {
        let place = Place::new();
        let program = ["sh", script, env!("CARGO_BIN_EXE_ipc"), wrong.mistake];
        assert_fails_its_check(&place, assignment, &program, wrong);
        place.assert_left(&[]);
    });
}

/// A few at a time.
fn assert_all(wrong: &[Wrong], assert_one: impl Fn(&Wrong) + Sync) {
    let left = Mutex::new(wrong.iter());
    let next = || left.lock().unwrap().next();
    let work = || {
        while let Some(wrong) = next() {
            assert_one(wrong);
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
}

fn assert_is_right(assignment: &str, source: &Source, words: &[&str]) {
    let place = Place::new();
    let program = source.compile(&place, None);
    let program = [&[program.to_str().unwrap()], words].concat();
    let output = grade(&place, assignment, &[], &program);
    assert_eq!(
        output.status.code(),
        Some(0),
        "the right program: {}",
        text(&output.stdout)
    );
}

fn assert_fails_its_check(place: &Place, assignment: &str, program: &[&str], wrong: &Wrong) {
    let output = grade(place, assignment, &["--timeout", "2"], program);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{}: {report}", wrong.mistake);
    assert_eq!(failed(report), [wrong.fails], "{}: {report}", wrong.mistake);
    assert_golden(
        &format!("{assignment}.{}.txt", wrong.mistake),
        &normalised(report, place),
    );
}

/// The names of the checks that do not hold, in a text report.
pub fn failed(report: &str) -> Vec<&str> {
    let lines = report.lines().filter_map(|line| line.strip_prefix("FAILS"));
    lines
        .filter_map(|line| line.split_whitespace().next())
        .collect()
}

/// A report without what differs from run to run: the places, the grader's pid in its directories,
/// and a pid behind such a name.
pub fn normalised(report: &str, place: &Place) -> String {
    let place = place.path("");
    let bin = Path::new(env!("CARGO_BIN_EXE_ipc"))
        .parent()
        .unwrap()
        .display()
        .to_string();
    let report = report
        .replace(place.to_str().unwrap(), "")
        .replace(&bin, "")
        .replace(ROOT, "");
    let mut parts = report.split("ipc-grade-");
    let mut normal = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let number = |c: char| c.is_ascii_digit() || c == '-';
        let rest = part.trim_start_matches(number);
        let pid = rest
            .strip_prefix(' ')
            .filter(|rest| rest.starts_with(number));
        normal += &match pid {
            Some(rest) => format!("ipc-grade-N PID{}", rest.trim_start_matches(number)),
            None => format!("ipc-grade-N{rest}"),
        };
    }
    normal
}

/// Compares with the kept report; `GOLDEN=write` keeps the new one instead.
pub fn assert_golden(name: &str, report: &str) {
    let path = Path::new(ROOT).join("tests/grade/golden").join(name);
    if std::env::var_os("GOLDEN").is_some_and(|wish| wish == "write") {
        fs::write(&path, report).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        report, kept,
        "{name} says something else; if it is better, run the test with GOLDEN=write and look at the difference"
    );
}
