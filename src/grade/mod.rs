//! The grader: it holds a student's program, in any language, against the protocols of this book.
//!
//! An [`Assignment`] is a list of [`Check`]s; a check is a name, points, and a plain function that starts
//! the student's program in a [`Lab`], talks to it, and returns a [`Fault`] if something does not
//! hold. Read the room in this order:
//!
//! 1. `sum_server/`: an assignment, which is what a teacher writes.
//! 2. [`Lab`] and [`Running`]: what a check can do with a program: start it, watch it, signal it, end it.
//! 3. [`Peer`]: the other end of its socket, where bytes are sent and compared.
//! 4. [`Fault`]: what a student reads when a check does not hold.
//! 5. [`report`]: the same results as text, TAP, JUnit XML, and the JSON of Gradescope and of GitHub Classroom.
//!
//! Two rules keep it fair. A start is judged by an event (the kernel says that the socket listens), never by
//! a pause. And the grader never probes: a probing connection would be a client that vanishes, which is a
//! check of its own.

mod bytes;
mod captured;
mod chat_client;
mod chat_server;
mod client;
mod copy_client;
mod copy_server;
mod copy_sharedmem;
mod directory;
mod fault;
mod host;
mod lab;
mod lambda_server;
mod listening;
mod means;
mod peer;
mod queue;
mod random;
pub mod report;
mod running;
mod server;
mod signals;
mod submission;
mod sum_client;
mod sum_server;
mod user;
mod watch;

pub use fault::{Fault, Verdict};
pub use host::Host;
pub use lab::Lab;
pub use peer::Peer;
pub use random::Random;
pub use report::{Failure, Graded, Outcome, Report};
pub use running::{Record, Running};
pub use submission::Submission;
pub use user::User;

use std::io::{self, ErrorKind};
use std::time::Instant;

use crate::harness::TemporaryDirectory;
use crate::stop::StopToken;

/// What a teacher hands out.
#[derive(Debug)]
pub struct Assignment {
    /// Its name on the command line, and the name of its page in `docs/assignments/`.
    pub name: &'static str,
    /// The task in a few words.
    pub about: &'static str,
    /// The chapter of the book that teaches it.
    pub chapter: &'static str,
    /// How a student's program is handed to the grader, after `--`.
    pub example: &'static str,
    /// The page of `docs/assignments/` that describes it.
    pub page: &'static str,
    /// Its checks, in groups that assignments may share, each with the name of the check that has to hold
    /// before the others in the group are tried.
    pub checks: &'static [(&'static str, &'static [Check])],
}

/// One thing that has to hold.
#[derive(Debug)]
pub struct Check {
    /// Its name, for `--only`.
    pub name: &'static str,
    /// What it is worth.
    pub points: u32,
    /// What is true of the program when the check holds.
    pub about: &'static str,
    /// The likely cause when it does not, in one sentence.
    pub cause: &'static str,
    /// Tries the check.
    pub run: fn(&Lab) -> Verdict,
}

impl Assignment {
    /// All its checks, from the first thing that a beginner gets right to the last that an expert
    /// forgets. When the first does not hold, the others are not tried.
    pub fn all_checks(&self) -> impl Iterator<Item = &'static Check> {
        self.checks.iter().flat_map(|(_, checks)| *checks)
    }

    /// Whether `check` builds on `other`, and so would fail for the same reason.
    fn builds_on(&self, check: &Check, other: &Check) -> bool {
        let is_first = |check: &Check| {
            self.all_checks()
                .next()
                .is_some_and(|one| one.name == check.name)
        };
        let is_in = |checks: &[Check]| checks.iter().any(|one| one.name == check.name);
        let mut groups = self.checks.iter();
        let is_parent = groups.any(|(parent, checks)| *parent == other.name && is_in(checks));
        check.name != other.name && (is_first(other) || (is_parent && !is_first(check)))
    }

    /// What its page says from the task to the hints.
    pub fn task(&self) -> &'static str {
        let start = self.page.find("## Task").unwrap_or(0);
        let end = self.page.find("## Hints").unwrap_or(self.page.len());
        &self.page[start..end]
    }
}

/// All assignments, in the order of the book.
pub const ASSIGNMENTS: &[Assignment] = &[
    sum_server::SEQUENTIAL,
    sum_server::THREADED,
    sum_client::ASSIGNMENT,
    chat_server::ONE_WAY,
    chat_server::TWO_WAY,
    chat_client::ASSIGNMENT,
    copy_server::ASSIGNMENT,
    copy_client::ASSIGNMENT,
    copy_sharedmem::ASSIGNMENT,
    signals::ASSIGNMENT,
    queue::ASSIGNMENT,
    lambda_server::ASSIGNMENT,
];

/// The assignment of this name.
pub fn assignment(name: &str) -> Option<&'static Assignment> {
    ASSIGNMENTS
        .iter()
        .find(|assignment| assignment.name == name)
}

/// Tries `checks` on `submission`, tells `progress` of each before it begins, and ends all that was started.
///
/// # Errors
/// [`ErrorKind::Interrupted`] when a stop is requested; otherwise an error that keeps the grader from
/// working: no directory for its files, or something else in the place of the socket.
pub fn grade(
    assignment: &'static Assignment,
    checks: &[&'static Check],
    submission: &Submission,
    progress: &dyn Fn(&Check),
    stop: &StopToken,
) -> io::Result<Report> {
    means::enough_descriptors()?;
    let mut results: Vec<Graded> = Vec::new();
    for &check in checks {
        let mut before = results
            .iter()
            .filter(|graded| assignment.builds_on(check, graded.check));
        if let Some(root) = before.find_map(Graded::spoils) {
            results.push(Graded::not_tried(check, root));
            continue;
        }
        progress(check);
        results.push(try_check(assignment, check, submission, stop)?);
    }
    Ok(Report {
        assignment,
        command: submission.shown(),
        seed: submission.seed,
        results,
        hidden: Vec::new(),
    })
}

fn try_check(
    assignment: &'static Assignment,
    check: &'static Check,
    submission: &Submission,
    stop: &StopToken,
) -> io::Result<Graded> {
    let directory = TemporaryDirectory::make("ipc-grade")?;
    let lab = Lab::new(submission, directory.path(), stop)?;
    let start = Instant::now();
    let verdict = (check.run)(&lab);
    if stop.is_requested() {
        return Err(ErrorKind::Interrupted.into());
    }
    let outcome = match verdict {
        Ok(()) => Outcome::Holds,
        Err(mut fault) => match fault.error() {
            Some(error) => return Err(error),
            None => Outcome::Fails(Failure::new(assignment, check, fault, lab.into_records())),
        },
    };
    let time = start.elapsed();
    Ok(Graded {
        check,
        outcome,
        time,
    })
}
