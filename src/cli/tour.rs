//! `ipc tour`: the words of the tour.

use std::io::{self, IsTerminal};
use std::time::Duration;

use crate::tour::{self, Manner, Pace, Scene};

use super::args::Args;
use super::output::Output;
use super::{Failure, Outcome, print};

/// How long a person at a terminal gets to read each line.
const PAUSE: Duration = Duration::from_millis(25);

const HELP: &str = "\
ipc tour: play every scenario with real processes of this command

  ipc tour [--only NAME] [--list] [--step | --pause SECONDS]

Each line shows who does what; a check says what was found to hold.
The exit code is 0 if every scene went as expected.

Options:
  --only NAME      play one scene
  --list           list the scenes
  --step           wait for Enter before each line
  --pause SECONDS  wait so long before each line, 0.5 for example
";

pub(super) fn run(words: &mut Args) -> Outcome {
    words.set_command("ipc tour");
    if words.wants_help() {
        return print(HELP);
    }
    let list = words.flag("--list");
    let only = words.value("--only")?;
    let pause = words.seconds("--pause")?;
    let step = words.flag("--step");
    words.finish()?;
    if list {
        return print_list();
    }
    let wanted = |scene: &&Scene| only.as_ref().is_none_or(|name| name == scene.name);
    let scenes: Vec<_> = tour::scenes().filter(wanted).collect();
    if scenes.is_empty() {
        return Err(words.fault("there is no such scene; `ipc tour --list` lists them"));
    }
    if step && pause.is_some() {
        return Err(words.fault("choose --step or --pause, not both"));
    }
    let terminal = io::stdout().is_terminal();
    let usual = if terminal { PAUSE } else { Duration::ZERO };
    let pace = match step {
        true => Pace::Step,
        false => Pace::Pause(pause.unwrap_or(usual)),
    };
    play(&scenes, Manner { terminal, pace }, words)
}

fn play(scenes: &[&Scene], manner: Manner, words: &Args) -> Outcome {
    let program = std::env::current_exe()?;
    let stop = words.stop()?;
    match tour::play(scenes, &program, manner, &mut Output::stdout()?, &stop) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::Run(io::Error::other(
            "not every scene went as expected",
        ))),
        Err(_) if stop.is_requested() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn print_list() -> Outcome {
    let line = |scene: &Scene| {
        let (name, chapter, about) = (scene.name, scene.chapter, scene.about);
        format!("{name:<16} chapter {chapter:<3} {about}\n")
    };
    print(&tour::scenes().map(line).collect::<String>())
}
