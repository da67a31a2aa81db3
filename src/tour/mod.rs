//! The tour: every scenario played live, by real processes of the real command.
//!
//! Each scenario has a file with its scenes, and one line in [`scenes()`]. A scene is a function that
//! starts processes in a theatre, types, waits and checks; the theatre shows what happens. A scene
//! that does not go as expected fails, and the summary says so.

mod chat;
mod copy;
mod lambda;
mod queue;
mod signals;
mod socket;
mod sum;
mod theatre;

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use crate::stop::StopToken;
use theatre::{Steps, Theatre};

/// One scene of the tour.
#[derive(Debug)]
pub struct Scene {
    /// Its name, for `--only`.
    pub name: &'static str,
    /// The chapter that explains it.
    pub chapter: &'static str,
    /// What it shows, in a few words.
    pub about: &'static str,
    play: fn(&Theatre) -> io::Result<()>,
}

/// All scenes, in the order of the book.
pub fn scenes() -> impl Iterator<Item = &'static Scene> {
    let rooms = [
        socket::SCENES,
        sum::SCENES,
        chat::SCENES,
        copy::SCENES,
        signals::SCENES,
        queue::SCENES,
        lambda::SCENES,
    ];
    rooms.into_iter().flatten()
}

/// How the tour is shown.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// In colour, for a person at a terminal.
    pub terminal: bool,
    /// What it waits for before each line.
    pub pace: Pace,
}

/// What the tour waits for before it shows a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// So much time.
    Pause(Duration),
    /// A line of stdin: Enter at a terminal. After the end of input the tour waits no more.
    Step,
}

/// Plays `scenes` with the command at `program`, shows them on `output`, and says whether all of them
/// went as expected.
///
/// # Errors
/// Those of writing to `output`, and [`io::ErrorKind::Interrupted`] when a stop is requested. A
/// scene that fails is not an error but a line of the summary.
pub fn play(
    scenes: &[&Scene],
    program: &Path,
    manner: Manner,
    output: &mut dyn Write,
    stop: &StopToken,
) -> io::Result<bool> {
    let steps = Steps::new(manner.pace, stop)?;
    let mut results = Vec::new();
    for scene in scenes {
        writeln!(
            output,
            "{} (chapter {}): {}",
            scene.name, scene.chapter, scene.about
        )?;
        let theatre = Theatre::new(program, manner, output, &steps, stop)?;
        let result = (scene.play)(&theatre);
        if let Err(error) = &result {
            theatre.show("tour", "failed", &error.to_string())?;
        }
        drop(theatre);
        writeln!(output)?;
        if stop.is_requested() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        results.push((scene, result.is_ok()));
    }
    summarise(&results, output)?;
    Ok(results.iter().all(|(_, held)| *held))
}

fn summarise(results: &[(&&Scene, bool)], output: &mut dyn Write) -> io::Result<()> {
    writeln!(output, "{:<16} {:<8} result", "scene", "chapter")?;
    for (scene, held) in results {
        let result = if *held { "as expected" } else { "FAILED" };
        writeln!(output, "{:<16} {:<8} {result}", scene.name, scene.chapter)?;
    }
    let held = results.iter().filter(|(_, held)| *held).count();
    writeln!(
        output,
        "{held} of {} scenes went as expected",
        results.len()
    )?;
    output.flush()
}
