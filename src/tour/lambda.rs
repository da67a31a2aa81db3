//! The lambda server, and functions that do what they should not (chapter 9).

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;

use super::{Scene, Theatre};

pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "lambda-plain",
        chapter: "9",
        about: "two plain servers write to the same file",
        play: plain,
    },
    Scene {
        name: "lambda",
        chapter: "9",
        about: "one function crashes, one never ends, the server serves on",
        play: limits,
    },
];

const LIBRARY: &str = "#!/bin/sh
run() { echo \"hello, world\"; }
crash() { echo \"so far, so good\"; kill -s SEGV $$; }
forever() { echo \"still here\"; sleep 1000; }
\"$@\"
";

fn make_library(theatre: &Theatre) -> io::Result<()> {
    fs::write(theatre.path("greet.sh"), LIBRARY)?;
    fs::set_permissions(theatre.path("greet.sh"), Permissions::from_mode(0o700))
}

fn plain(theatre: &Theatre) -> io::Result<()> {
    make_library(theatre)?;
    for (who, socket, function) in [
        ("server 1", "1.sock", "run"),
        ("server 2", "2.sock", "crash"),
    ] {
        let at_stage = ["--stage", "1", "--socket", socket];
        let words = ["lambda", "server", "--output-dir", "outputs"];
        let mut server = theatre.start(who, &[&words[..], &at_stage].concat())?;
        server.says("listening on")?;
        let words = ["lambda", "invoke", "greet.sh", function];
        let mut client = theatre.start("client", &[&words[..], &at_stage].concat())?;
        client.prints("outputs/output-1")?;
        client.ends(Some(0))?;
        server.gets("KILL")?; // it never ends on its own
        server.ends(None)?;
    }
    let output = fs::read_to_string(theatre.path("outputs").join("output-1"))?;
    theatre.check(
        "the output of the first server's function has gone",
        output == "so far, so good\n",
    )
}

fn limits(theatre: &Theatre) -> io::Result<()> {
    make_library(theatre)?;
    let mut server = theatre.start("server", &["lambda", "server", "--timeout", "1"])?;
    server.says("listening on")?;
    for (function, output, log) in [
        ("run", "hello, world", "has run"),
        ("crash", "so far, so good", "SIGSEGV"),
        (
            "forever",
            "Error: greet.sh forever was killed",
            "ran longer than 1 s",
        ),
        (
            "fly",
            "Error: greet.sh fly could not be executed.",
            "exit status: 127",
        ),
    ] {
        let words = ["lambda", "invoke", "greet.sh", function, "--show"];
        let mut client = theatre.start("client", &words)?;
        client.prints(output)?;
        client.ends(Some(0))?;
        server.says(log)?;
    }
    server.gets("INT")?;
    server.ends(Some(0))?;
    let gone = !theatre.path("lambda.sock").exists();
    theatre.check("the server that was ended left no socket file", gone)
}
