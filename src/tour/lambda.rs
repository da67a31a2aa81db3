//! The lambda server, and functions that do what they should not (chapter 9).

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;

use super::{Scene, Theatre};

pub(super) const SCENES: &[Scene] = &[Scene {
    name: "lambda",
    chapter: "9",
    about: "one function crashes, one never ends, the server serves on",
    play: lambda,
}];

const LIBRARY: &str = "#!/bin/sh
run() { echo \"hello, world\"; }
crash() { echo \"so far, so good\"; kill -s SEGV $$; }
forever() { echo \"still here\"; sleep 1000; }
\"$@\"
";

fn lambda(theatre: &Theatre) -> io::Result<()> {
    fs::write(theatre.path("greet.sh"), LIBRARY)?;
    fs::set_permissions(theatre.path("greet.sh"), Permissions::from_mode(0o700))?;
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
