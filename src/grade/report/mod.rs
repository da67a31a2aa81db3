//! The results, and the formats in which others read them: plain functions over one type.

mod classroom;
mod gradescope;
mod junit;
mod tap;
mod text;

pub use classroom::classroom;
pub use gradescope::gradescope;
pub use junit::junit;
pub use tap::tap;
pub use text::text;

use std::fmt::Write;
use std::time::Duration;

use super::running::{Record, show_end};
use super::{Assignment, Check, Fault};
use crate::signals::{Signal, outcome};
use crate::support::escape::escape;

/// How much of each stream of a program is shown, in lines and in characters per line.
const SHOWN_LINES: usize = 12;
const SHOWN_LENGTH: usize = 160;

/// How one submission fared in one assignment.
#[derive(Debug)]
pub struct Report {
    /// The assignment.
    pub assignment: &'static Assignment,
    /// The program as it was given, with its placeholders.
    pub command: String,
    /// Where the random inputs came from.
    pub seed: u64,
    /// The checks that were asked for, in order.
    pub results: Vec<Graded>,
    /// The names of the checks that only teachers should see, in formats that can say so.
    pub hidden: Vec<String>,
}

/// The result of one check.
#[derive(Debug)]
pub struct Graded {
    /// The check.
    pub check: &'static Check,
    /// Whether it holds.
    pub outcome: Outcome,
    /// How long it took.
    pub time: Duration,
}

/// Whether a check holds.
#[derive(Debug)]
pub enum Outcome {
    /// It does.
    Holds,
    /// It does not.
    Fails(Failure),
    /// It was not tried, since the check of this name does not hold: it would have failed for the same reason.
    NotTried(&'static str),
}

/// A check that does not hold, with all that is known about it.
#[derive(Debug)]
pub struct Failure {
    fault: Fault,
    cause: String,
    chapter: &'static str,
    page: &'static str,
    programs: Vec<Record>,
}

impl Report {
    /// The points of the checks that hold.
    pub fn points(&self) -> u32 {
        let held = self.results.iter().filter(|graded| graded.holds());
        held.map(|graded| graded.check.points).sum()
    }

    /// The points of all checks that were asked for.
    pub fn max_points(&self) -> u32 {
        self.results.iter().map(|graded| graded.check.points).sum()
    }

    /// How many checks hold.
    pub fn held(&self) -> usize {
        self.results.iter().filter(|graded| graded.holds()).count()
    }

    /// The names of the checks that were not tried, after the name of the check that does not hold.
    pub fn not_tried(&self) -> Vec<(&'static str, Vec<&'static str>)> {
        let mut spoiled: Vec<(_, Vec<_>)> = Vec::new();
        for graded in &self.results {
            let Outcome::NotTried(root) = graded.outcome else {
                continue;
            };
            match spoiled.iter_mut().find(|(name, _)| *name == root) {
                Some((_, names)) => names.push(graded.check.name),
                None => spoiled.push((root, vec![graded.check.name])),
            }
        }
        spoiled
    }

    /// Whether every check holds.
    pub fn holds(&self) -> bool {
        self.results.iter().all(Graded::holds)
    }

    /// The last line of a text report.
    pub fn summary(&self) -> String {
        let (held, all) = (self.held(), self.results.len());
        let (points, max) = (self.points(), self.max_points());
        let name = self.assignment.name;
        format!("{name}: {held} of {all} checks hold, {points} of {max} points")
    }
}

impl Graded {
    pub(super) fn not_tried(check: &'static Check, root: &'static str) -> Self {
        Self {
            check,
            outcome: Outcome::NotTried(root),
            time: Duration::ZERO,
        }
    }

    /// Whether the check holds.
    pub fn holds(&self) -> bool {
        matches!(self.outcome, Outcome::Holds)
    }

    /// The check that does not hold, if checks that build on this one would fail for the same reason.
    pub(super) fn spoils(&self) -> Option<&'static str> {
        match self.outcome {
            Outcome::Holds => None,
            Outcome::Fails(_) => Some(self.check.name),
            Outcome::NotTried(root) => Some(root),
        }
    }

    /// The points that it earns.
    pub fn points(&self) -> u32 {
        if self.holds() { self.check.points } else { 0 }
    }

    /// One sentence on a check that does not hold.
    fn message(&self) -> String {
        match &self.outcome {
            Outcome::Holds => self.check.about.to_owned(),
            Outcome::Fails(failure) => failure.fault.what().to_owned(),
            Outcome::NotTried(root) => format!("not tried: {root} has to hold before"),
        }
    }

    /// The full explanation of a check that does not hold.
    fn explanation(&self) -> String {
        match &self.outcome {
            Outcome::Fails(failure) => failure.to_string(),
            _ => format!("{}\n", self.message()),
        }
    }
}

impl Failure {
    pub(super) fn new(
        assignment: &Assignment,
        check: &Check,
        fault: Fault,
        programs: Vec<Record>,
    ) -> Self {
        let likelier = programs.iter().find_map(cause_of_death);
        let cause = likelier
            .or(fault.cause().map(str::to_owned))
            .unwrap_or_else(|| check.cause.to_owned());
        Self {
            fault,
            cause,
            chapter: assignment.chapter,
            page: assignment.name,
            programs,
        }
    }
}

/// The likely cause, as far as the program's end reveals it.
fn cause_of_death(program: &Record) -> Option<String> {
    if program.flooded {
        return Some(
            "it floods its output, and was killed for that: a loop prints and never waits".into(),
        );
    }
    why_killed(outcome(program.end?).signal()?)
}

/// The likely cause, as far as the signal that killed a program reveals it.
pub(super) fn why_killed(signal: Signal) -> Option<String> {
    let cause = match signal {
        Signal::PIPE => {
            "it wrote to a connection that its peer had closed, which raises SIGPIPE: ignore that signal, and look at the error EPIPE"
        }
        Signal::SEGV | Signal::BUS => {
            "it used memory that is not its own: compile it with -g -fsanitize=address and try again"
        }
        Signal::ABRT => {
            "it gave itself up (abort, assert, or a C library that found memory in disorder): its stderr says why"
        }
        _ => return None,
    };
    Some(cause.into())
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for program in &self.programs {
            writeln!(f, "run       {}", program.command)?;
            if let Some(end) = program.end {
                writeln!(f, "ended     by itself: {}", show_end(end))?;
            }
        }
        write!(f, "{}", self.fault)?;
        writeln!(f, "cause     {}", self.cause)?;
        writeln!(
            f,
            "read      chapter {}, and docs/assignments/{}.md",
            self.chapter, self.page
        )?;
        for program in &self.programs {
            f.write_str(&shown_output("stdout", &program.stdout))?;
            f.write_str(&shown_output("stderr", &program.stderr))?;
        }
        Ok(())
    }
}

/// A program's output, each line after the name of its stream.
fn shown_output(stream: &str, bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut shown = String::new();
    for line in text.lines().take(SHOWN_LINES) {
        let cut: String = line.chars().take(SHOWN_LENGTH).collect();
        let more = if cut.len() < line.len() { "…" } else { "" };
        let _ = writeln!(shown, "{stream} |  {}{more}", escape(&cut));
    }
    let left = text.lines().count().saturating_sub(SHOWN_LINES);
    if left > 0 {
        let _ = writeln!(shown, "{stream} |  … ({left} more lines)");
    }
    shown
}

/// `text` with `prefix` before each line.
fn indented(text: &str, prefix: &str) -> String {
    text.lines()
        .map(|line| format!("{prefix}{line}\n"))
        .collect()
}
