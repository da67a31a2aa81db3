//! A message queue: it outlives its processes, orders by priority, and can be waited for (chapter 8).

use std::io;

use super::{Scene, Theatre};
use crate::queue;

pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "queue-plain",
        chapter: "8",
        about: "a mutex, an array and two semaphores keep messages",
        play: plain,
    },
    Scene {
        name: "message-queue",
        chapter: "8",
        about: "messages wait for a receiver, then it waits for them",
        play: last,
    },
];

fn plain(theatre: &Theatre) -> io::Result<()> {
    let name = &format!("/{}", theatre.name());
    let start =
        |who, words: &[&str]| theatre.start(who, &[&["queue"], words, &["--stage", "1"]].concat());
    start("maker", &["create", name])?.ends(Some(0))?;
    start("sender 1", &["send", name, "the news"])?.ends(Some(0))?;
    start("sender 2", &["send", name, "fire!", "--priority", "9"])?.ends(Some(0))?;
    let mut receiver = start("receiver", &["receive", name, "--count", "2"])?;
    receiver.prints("fire!")?;
    receiver.prints("the news")?;
    receiver.ends(Some(0))?;
    start("maker", &["unlink", name])?.ends(Some(0))
}

fn last(theatre: &Theatre) -> io::Result<()> {
    let name = &format!("/{}", theatre.name());
    let run = |who, words: &[&str]| theatre.start(who, words)?.ends(Some(0));
    run("maker", &["queue", "create", name])?;
    run("sender 1", &["queue", "send", name, "the news"])?;
    run(
        "sender 2",
        &["queue", "send", name, "fire!", "--priority", "9"],
    )?;

    let mut receiver = theatre.start("receiver", &["queue", "receive", name, "--follow"])?;
    receiver.prints("fire!")?;
    receiver.prints("the news")?;
    run("sender 3", &["queue", "send", name, "it is out"])?;
    receiver.prints("it is out")?;
    receiver.gets("INT")?;
    receiver.ends(Some(0))?;

    run("maker", &["queue", "unlink", name])?;
    let mut late = theatre.start("late", &["queue", "send", name, "anybody?"])?;
    late.says("there is no queue")?;
    late.ends(Some(1))?;
    let listed = queue::list()?.iter().any(|listed| listed == name);
    theatre.check("no queue is left", !listed)
}
