//! Signals: handled, not handled, and impossible to handle (chapter 7).

use std::io;

use super::{Scene, Theatre};

pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "signals-handled",
        chapter: "7",
        about: "a routine makes a clean end; SIGKILL asks no routine",
        play: handled,
    },
    Scene {
        name: "signals-lab",
        chapter: "7",
        about: "what the note's eight signals do, and who sends them",
        play: lab,
    },
];

fn handled(theatre: &Theatre) -> io::Result<()> {
    for signal in ["INT", "TERM", "HUP"] {
        let mut process = theatre.start("process", &["signals", "wait"])?;
        process.says("waits for")?;
        process.gets(signal)?;
        process.prints("the routine ran")?;
        process.ends(Some(0))?;
    }
    let mut process = theatre.start("process", &["signals", "wait"])?;
    process.says("waits for")?;
    process.gets("KILL")?;
    process.ends(None)?;
    let raiser = theatre.start("raiser", &["signals", "raise", "TERM"])?;
    raiser.ends(None)
}

fn lab(theatre: &Theatre) -> io::Result<()> {
    let mut lab = theatre.start("lab", &["signals", "lab"])?;
    for line in ["SIGINT ", "SIGKILL ", "SIGCHLD "] {
        lab.prints(line)?;
    }
    for line in ["nobody can read", "endless recursion", "raise(", "kill("] {
        lab.prints(line)?;
    }
    lab.prints("zombie")?;
    lab.prints("reaped")?;
    lab.ends(Some(0))
}
