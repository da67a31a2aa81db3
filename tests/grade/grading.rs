//! What the grader's tests share: grading with a fixed seed, and reports that are kept.

#![allow(dead_code, reason = "chapter 10's tests use a part of it")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::thread;

use crate::common::Place;

pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The programs in C and the scripts that are graded.
pub const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/grade/programs");

/// The grader, to be run on `program` with a fixed seed, in a place of its own.
pub fn grader(place: &Place, assignment: &str, options: &[&str], program: &[&str]) -> Command {
    let words = [
        &["grade", assignment, "--seed", "1"],
        options,
        &["--"],
        program,
    ]
    .concat();
    let mut command = place.ipc(&words);
    command.env("TMPDIR", place.path(""));
    command
}

/// Grades `program`.
pub fn grade(place: &Place, assignment: &str, options: &[&str], program: &[&str]) -> Output {
    let mut grader = grader(place, assignment, options, program);
    grader.output().unwrap()
}

/// The names of the checks that do not hold, in a text report.
pub fn failed(report: &str) -> Vec<&str> {
    let lines = report.lines().filter_map(|line| line.strip_prefix("FAILS"));
    lines
        .filter_map(|line| line.split_whitespace().next())
        .collect()
}

/// A report without what differs from run to run: the places, the grader's pid in its directories,
/// a client's pid in its HELLO, and how much is shown of a text that is cut behind a path.
pub fn normalised(report: &str, places: &[&Place]) -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_ipc"))
        .parent()
        .unwrap()
        .display()
        .to_string();
    let mut report = report.replace(&bin, "").replace(ROOT, "");
    for place in places {
        report = report.replace(place.path("").to_str().unwrap(), "");
    }
    let mut parts = report.split("ipc-grade-");
    let mut normal = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
        let rest = match rest.strip_prefix(' ') {
            Some(pid) if normal.ends_with("HELLO ") => &format!(
                " PID{}",
                pid.trim_start_matches(|c: char| c.is_ascii_digit())
            ),
            _ => rest,
        };
        normal += &format!("ipc-grade-N{rest}");
    }
    let lines = normal
        .lines()
        .map(|line| match line.split_once("ipc-grade-N") {
            Some((before, rest)) if rest.contains("… (") => format!("{before}ipc-grade-N…\n"),
            _ => format!("{line}\n"),
        });
    lines.collect()
}

/// The report that is kept.
pub fn golden(name: &str) -> String {
    let path = Path::new(ROOT).join("tests/grade/golden").join(name);
    fs::read_to_string(&path).unwrap_or_default()
}

/// Compares with the kept report; `GOLDEN=write` keeps the new one instead.
pub fn assert_golden(name: &str, report: &str) {
    let path = Path::new(ROOT).join("tests/grade/golden").join(name);
    if std::env::var_os("GOLDEN").is_some_and(|wish| wish == "write") {
        fs::write(&path, report).unwrap();
    }
    let kept = golden(name);
    assert_eq!(
        report, kept,
        "{name} says something else; if it is better, run the test with GOLDEN=write and look at the difference"
    );
}

/// So many at a time.
pub fn in_parallel<T: Send>(
    at_once: usize,
    all: impl Iterator<Item = T> + Send,
    assert_one: impl Fn(T) + Sync,
) {
    let left = Mutex::new(all);
    let next = || left.lock().unwrap().next();
    let work = || {
        while let Some(one) = next() {
            assert_one(one);
        }
    };
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(work);
        }
    });
}
