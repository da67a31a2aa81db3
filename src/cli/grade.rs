//! `ipc grade`: the words of the grader.

use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::grade::{self, ASSIGNMENTS, Assignment, Check, Report, Submission, User, report};
use crate::support::error::Context;
use crate::support::log::log;
use crate::support::unlink_on_drop::create_private_dir;

use super::args::Args;
use super::{Failure, Outcome, print};

const HELP: &str = "\
ipc grade: run a student's program, in any language, against an assignment

  ipc grade list                list the assignments
  ipc grade show ASSIGNMENT     the task, the wire format, the checks
  ipc grade ASSIGNMENT [OPTIONS] -- PROGRAM ARGS...
  ipc grade ASSIGNMENT [OPTIONS] --program PROGRAM
                                with the arguments of the assignment's page

In ARGS, and in the values of environment variables, {socket}, {file}, {dir} and
{name} stand for what each check gives the program; $IPC_SOCKET, $IPC_FILE,
$IPC_DIR and $IPC_NAME hold the same. The exit code is 0 if every check holds, 1 if
one does not, 2 for wrong usage, and 3 if the grader itself failed: no points then.

Options:
  --socket PATH      the path that is written into the program
  --only CHECK       try one check; several, if it stands there several times
  --up-to CHECK      try the checks from the first to this one
  --hidden CHECK     in Gradescope, show this check to teachers only; several
                     times for several checks
  --timeout SECONDS  how long the program may take for each thing (default 5)
  --seed NUMBER      repeat a run with the random inputs of this seed
  --format FORMAT    text (default), tap, junit, gradescope or classroom
  --output FILE      write the report to FILE, at the end and in one step
  --user NAME        run the program as this user, who can do nothing to the
                     grader and its files; only root can do that

For teachers, chapter 10 of the book: docs/10-for-teachers.md.
";

pub(super) fn run(words: &mut Args) -> Outcome {
    words.set_command("ipc grade");
    if words.wants_help() {
        return print(HELP);
    }
    match words.command().as_deref() {
        Some("list") => list(words),
        Some("show") => show(words),
        Some(name) => grade(find(name, words)?, words),
        None => Err(words.fault("which assignment? `ipc grade list` lists them")),
    }
}

fn find(name: &str, words: &Args) -> Result<&'static Assignment, Failure> {
    let fault = || {
        words.fault(format!(
            "there is no assignment {name:?}; `ipc grade list` lists them"
        ))
    };
    grade::assignment(name).ok_or_else(fault)
}

fn list(words: &mut Args) -> Outcome {
    words.finish()?;
    let line = |assignment: &Assignment| {
        let (name, chapter, about) = (assignment.name, assignment.chapter, assignment.about);
        format!("{name:<20} chapter {chapter:<3} {about}\n")
    };
    print(&ASSIGNMENTS.iter().map(line).collect::<String>())
}

fn show(words: &mut Args) -> Outcome {
    let name = words.command().unwrap_or_default();
    let assignment = find(&name, words)?;
    words.finish()?;
    let row = |name, points, about| format!("{name:<18} {points:>2}  {about}\n");
    let checks = assignment.all_checks();
    let rows: String = checks
        .map(|check| row(check.name, check.points, check.about))
        .collect();
    let points = assignment.all_checks().map(|check| check.points).sum();
    let (about, task) = (assignment.about, assignment.task().trim_end());
    let (sum, example) = (row("", points, "points"), assignment.example);
    print(&format!(
        "{name}: {about}\n\n{task}\n\n## Checks\n\n{rows}{sum}\nipc grade {name} -- {example}\n"
    ))
}

/// The format of a report, and where it is written.
struct Form {
    format: fn(&Report) -> String,
    output: Option<PathBuf>,
}

fn grade(assignment: &'static Assignment, words: &mut Args) -> Outcome {
    let checks = checks(assignment, words)?;
    let hidden = names(assignment, "--hidden", words)?;
    let form = form(words)?;
    let submission = submission(assignment, words)?;
    words.finish()?;
    let stop = words.stop()?;
    let shows_progress = io::stderr().is_terminal();
    let progress = |check: &Check| {
        if shows_progress {
            log(format!("trying {}: {}", check.name, check.about));
        }
    };
    let target = Target::prepare(form.output).map_err(Failure::Ungraded)?;
    let graded = grade::grade(assignment, &checks, &submission, &progress, &stop);
    let mut report = graded.map_err(Failure::Ungraded)?;
    report.hidden = hidden;
    target.deliver(&(form.format)(&report))?;
    match report.holds() {
        true => Ok(()),
        false => Err(Failure::Run(io::Error::other("not every check holds"))),
    }
}

/// The checks that `--only` names, all of which exist, or all up to the one that `--up-to` names.
fn checks(
    assignment: &'static Assignment,
    words: &mut Args,
) -> Result<Vec<&'static Check>, Failure> {
    let (only, up_to) = (
        names(assignment, "--only", words)?,
        names(assignment, "--up-to", words)?,
    );
    let mut checks: Vec<_> = assignment.all_checks().collect();
    if let Some(last) = up_to
        .iter()
        .filter_map(|name| place_of(&checks, name))
        .max()
    {
        checks.truncate(last + 1);
    }
    let wanted = |check: &&Check| only.is_empty() || only.iter().any(|name| name == check.name);
    Ok(checks.into_iter().filter(wanted).collect())
}

fn place_of(checks: &[&Check], name: &str) -> Option<usize> {
    checks.iter().position(|check| check.name == name)
}

/// The names of the checks that an option gives; it can be repeated.
fn names(
    assignment: &'static Assignment,
    option: &str,
    words: &mut Args,
) -> Result<Vec<String>, Failure> {
    let checks: Vec<_> = assignment.all_checks().collect();
    let mut names = Vec::new();
    while let Some(name) = words.value(option)? {
        let name = name.to_string_lossy().into_owned();
        if place_of(&checks, &name).is_none() {
            return Err(words.fault(format!(
                "{0} has no such check as {name:?}; `ipc grade show {0}` lists them",
                assignment.name
            )));
        }
        names.push(name);
    }
    Ok(names)
}

fn form(words: &mut Args) -> Result<Form, Failure> {
    let format: fn(&Report) -> String = match words
        .value("--format")?
        .as_deref()
        .map(|format| format.to_str())
    {
        None | Some(Some("text")) => report::text,
        Some(Some("tap")) => report::tap,
        Some(Some("junit")) => report::junit,
        Some(Some("gradescope")) => report::gradescope,
        Some(Some("classroom")) => report::classroom,
        Some(_) => {
            return Err(words.fault("--format needs text, tap, junit, gradescope or classroom"));
        }
    };
    let output = words.path("--output")?;
    Ok(Form { format, output })
}

fn submission(assignment: &Assignment, words: &mut Args) -> Result<Submission, Failure> {
    let socket = words.path("--socket")?;
    let positive = |&seconds: &f64| seconds > 0.0 && seconds <= 3600.0;
    let timeout = words.parsed("--timeout", "a number of seconds, at most 3600", positive)?;
    let seed = words.parsed("--seed", "a whole number", |_: &u64| true)?;
    Ok(Submission {
        words: program(assignment, words)?,
        socket,
        user: user(words)?,
        timeout: Duration::from_secs_f64(timeout.unwrap_or(5.0)),
        seed: seed.unwrap_or_else(new_seed),
    })
}

fn user(words: &mut Args) -> Result<Option<User>, Failure> {
    let name = words.value("--user")?;
    let found = name.map(|name| User::find(&name)).transpose();
    found.map_err(Failure::Ungraded)
}

/// The words after `--`, or another program followed by the words of the assignment's page.
fn program(assignment: &Assignment, words: &mut Args) -> Result<Vec<OsString>, Failure> {
    let (program, given) = (words.value("--program")?, words.behind_dashes());
    let example = assignment.example;
    match program {
        Some(program) if given.is_empty() => {
            let usual = example.split(' ').skip(1).map(OsString::from);
            Ok([program].into_iter().chain(usual).collect())
        }
        None if !given.is_empty() => Ok(given),
        _ => Err(words.fault(format!(
            "the program stands behind `--`: ipc grade {} -- {example}",
            assignment.name
        ))),
    }
}

/// A seed with few digits, because a person may have to type it.
fn new_seed() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::from(now.subsec_nanos()) % 1_000_000
}

/// Where the report goes.
enum Target {
    Stdout,
    /// A file, which appears only when everything is graded.
    File(PathBuf),
    /// An existing path that is not a file, such as `/dev/stderr`: it can only be written to.
    Device(PathBuf),
}

impl Target {
    /// A grader that does not finish leaves no report, not even that of the previous run.
    fn prepare(output: Option<PathBuf>) -> io::Result<Self> {
        let Some(path) = output else {
            return Ok(Self::Stdout);
        };
        match fs::symlink_metadata(&path) {
            Ok(found) if !found.is_file() => return Ok(Self::Device(path)),
            Ok(_) => fs::remove_file(&path)?,
            Err(_) => {}
        }
        Ok(Self::File(path))
    }

    fn deliver(&self, report: &str) -> Outcome {
        let (written, path) = match self {
            Self::Stdout => return print(report),
            Self::File(path) => (write_beside(report, path), path),
            Self::Device(path) => (fs::write(path, report), path),
        };
        let written = written.context(|| format!("cannot write {}", path.display()));
        written.map_err(Failure::Ungraded)
    }
}

/// Writes in a directory of our own, where the program cannot prepare a link or a pipe, and moves the whole
/// report into place in one step, whatever is there now.
fn write_beside(report: &str, file: &Path) -> io::Result<()> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let name = format!(".ipc-grade-{}", process::id());
    let private = folder.unwrap_or(Path::new(".")).join(name);
    create_private_dir(&private)?;
    let new = private.join("report");
    let written = fs::write(&new, report).and_then(|()| fs::rename(&new, file));
    let _ = fs::remove_dir_all(&private);
    written
}
