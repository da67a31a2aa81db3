//! The sum server and its clients (chapter 3).

use std::io;

use super::{Scene, Theatre};

pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "sum-plain",
        chapter: "3",
        about: "a client that breaks off takes the plain server with it",
        play: plain,
    },
    Scene {
        name: "sum-sequential",
        chapter: "3",
        about: "the second client waits until the first is done",
        play: sequential,
    },
    Scene {
        name: "sum-threaded",
        chapter: "3",
        about: "the second is served while the first thinks",
        play: threaded,
    },
    Scene {
        name: "sum-goodbye",
        chapter: "3",
        about: "a server that ends tells the client at its prompt",
        play: goodbye,
    },
];

const CLIENT: &[&str] = &["sum", "client"];

fn plain(theatre: &Theatre) -> io::Result<()> {
    let mut server = theatre.start("server", &["sum", "server", "--stage", "1"])?;
    server.says("listening on")?;
    let client = |name| theatre.start(name, &["sum", "client", "--stage", "1"]);
    let mut first = client("client 1")?;
    for line in ["40", "2", "0"] {
        first.types(line)?;
    }
    first.prints("Result = 42")?;
    first.ends(Some(0))?;
    let mut second = client("client 2")?;
    second.types("forty-two")?;
    second.ends(Some(1))?;
    server.says("failed to fill whole buffer")?; // it waited for an integer
    server.ends(Some(1))
}

fn sequential(theatre: &Theatre) -> io::Result<()> {
    let mut server = theatre.start("server", &["sum", "server", "--stage", "2"])?;
    server.says("listening on")?;
    let mut first = theatre.start("client 1", CLIENT)?;
    first.types("not a number")?;
    first.says("ignored")?; // so it has connected before client 2 starts
    let mut second = theatre.start("client 2", CLIENT)?;
    for line in ["1", "2", "0"] {
        second.types(line)?;
    }
    for line in ["40", "2", "0"] {
        first.types(line)?;
    }
    first.prints("Result = 42")?;
    server.says("client 1 was sent \"Result = 42\"")?;
    second.prints("Result = 3")?;
    server.says("client 2 was sent \"Result = 3\"")?;
    first.ends(Some(0))?;
    second.ends(Some(0))?;
    server.gets("INT")?;
    server.ends(Some(0))
}

fn threaded(theatre: &Theatre) -> io::Result<()> {
    let mut server = theatre.start("server", &["sum", "server"])?;
    server.says("listening on")?;
    let mut first = theatre.start("client 1", CLIENT)?;
    first.types("not a number")?;
    first.says("ignored")?;
    let mut second = theatre.start("client 2", CLIENT)?;
    for line in ["1", "2", "0"] {
        second.types(line)?;
    }
    second.prints("Result = 3")?;
    second.ends(Some(0))?;
    for line in ["40", "2", "0"] {
        first.types(line)?;
    }
    first.prints("Result = 42")?;
    first.ends(Some(0))?;
    server.gets("INT")?;
    server.ends(Some(0))
}

fn goodbye(theatre: &Theatre) -> io::Result<()> {
    let mut server = theatre.start("server", &["sum", "server"])?;
    server.says("listening on")?;
    let mut client = theatre.start("client", CLIENT)?;
    client.types("forty-two")?;
    client.says("ignored")?; // now it waits for its next line
    server.gets("INT")?;
    client.says("is shutting down")?;
    client.ends(Some(1))?;
    server.says("client 1 was sent \"Goodbye")?;
    server.ends(Some(0))?;
    theatre.check("no socket file is left", !theatre.path("sum.sock").exists())
}
