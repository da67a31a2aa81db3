//! The chat server, one-way and two-way (chapter 4).

use std::io;

use super::{Scene, Theatre};

pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "chat-plain",
        chapter: "4",
        about: "the plain server shows what comes, raw",
        play: plain,
    },
    Scene {
        name: "chat-one-way",
        chapter: "4",
        about: "the server shows who said what, and escapes controls",
        play: one_way,
    },
    Scene {
        name: "chat-two-way",
        chapter: "4",
        about: "the server answers all, or one, and ends",
        play: two_way,
    },
];

const ALICE: &[&str] = &["chat", "client", "--name", "alice"];
const BOB: &[&str] = &["chat", "client", "--name", "bob"];

fn plain(theatre: &Theatre) -> io::Result<()> {
    let mut server = theatre.start("server", &["chat", "server", "--stage", "1"])?;
    server.says("listening on")?;
    let mut alice = theatre.start("alice", &[ALICE, &["--stage", "1"]].concat())?;
    server.says("joined")?;
    alice.types("good morning")?;
    server.prints("alice#1: good morning")?;
    alice.types("\x1b]0;I rename your terminal\x07")?;
    server.prints("alice#1: \x1b]0;")?; // shown escaped by the tour, not by the server
    alice.ends(Some(0))?;
    server.says("left")?;
    server.gets("KILL")?; // it never ends on its own
    server.ends(None)
}

fn one_way(theatre: &Theatre) -> io::Result<()> {
    let mut server = theatre.start("server", &["chat", "server", "--stage", "2"])?;
    server.says("listening on")?;
    let mut alice = theatre.start("alice", ALICE)?;
    server.says("joined")?;
    let mut bob = theatre.start("bob", BOB)?;
    server.says("joined")?;
    alice.types("good morning")?;
    server.prints("alice#1: good morning")?;
    bob.types("\x1b]0;I rename your terminal\x07")?;
    server.prints("bob#2: \\u{1b}]0;")?;
    bob.gets("KILL")?;
    server.says("left")?;
    alice.types("the server outlives us all")?;
    server.prints("alice#1: the server outlives us all")?;
    alice.ends(Some(0))?;
    server.gets("INT")?;
    server.ends(Some(0))
}

fn two_way(theatre: &Theatre) -> io::Result<()> {
    let mut server = theatre.start("server", &["chat", "server"])?;
    server.says("listening on")?;
    let mut alice = theatre.start("alice", ALICE)?;
    server.says("joined")?;
    let mut bob = theatre.start("bob", BOB)?;
    server.says("joined")?;
    server.types("good morning to you all")?;
    alice.prints("server: good morning to you all")?;
    bob.prints("server: good morning to you all")?;
    server.types("@bob this is between us")?;
    bob.prints("server: this is between us")?;
    server.types("@carol are you there?")?;
    server.says("nobody here is @carol")?;
    server.gets("INT")?;
    alice.says("has gone")?;
    alice.ends(Some(1))?;
    bob.ends(Some(1))?;
    server.ends(Some(0))?;
    theatre.check(
        "no socket file is left",
        !theatre.path("chat.sock").exists(),
    )
}
