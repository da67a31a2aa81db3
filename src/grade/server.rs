//! What every server has to do: begin at its socket, and end without a trace.

use std::fs;

use super::{Check, Fault, Lab, Verdict};

pub(super) const START: &[Check] = &[Check {
    name: "starts",
    points: 1,
    about: "it listens at the path that it is given",
    cause: "socket, bind and listen were not all called",
    run: starts,
}];

pub(super) const ENDING: &[Check] = &[
    Check {
        name: "term",
        points: 1,
        about: "SIGTERM ends it with exit code 0, and no process is left",
        cause: "SIGTERM has no handler, or one that does not lead out of accept: set a flag and wake it, and use sigaction without SA_RESTART",
        run: term,
    },
    Check {
        name: "ctrl-c",
        points: 2,
        about: "Ctrl-C ends it with exit code 0 while a client is connected",
        cause: "the read from the connected client goes on after SIGINT: shut the connection down, or leave the loop at EINTR",
        run: ctrl_c,
    },
    Check {
        name: "unlinks",
        points: 1,
        about: "it removes its socket file when it ends",
        cause: "unlink is not called when the server ends: closing a socket does not remove its file",
        run: unlinks,
    },
    Check {
        name: "stale",
        points: 1,
        about: "it starts where a killed server left its socket file",
        cause: "bind fails with EADDRINUSE while the file is there, even if nobody listens: remove it before",
        run: stale,
    },
    Check {
        name: "spares-files",
        points: 1,
        about: "a file in its place that is not a socket is left alone",
        cause: "whatever stands at the path is unlinked before bind: look (lstat, S_ISSOCK) before you remove",
        run: spares_files,
    },
];

fn starts(lab: &Lab) -> Verdict {
    lab.serve().map(drop)
}

fn term(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    server.settle();
    server.expect_clean_end_by("TERM")?;
    server.expect_no_children()
}

fn ctrl_c(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let _client = server.connect()?;
    server.settle(); // it has accepted the client, and waits for it
    server.expect_clean_end_by("INT")
}

fn unlinks(lab: &Lab) -> Verdict {
    for signal in ["INT", "TERM"] {
        let server = lab.serve()?;
        server.settle();
        let ended = server.end_by(signal);
        if ended.is_ok() && lab.socket().exists() {
            return Err(
                Fault::new(format!("its socket file is still there after SIG{signal}"))
                    .expected("no file")
                    .came(lab.socket().display().to_string()),
            );
        }
    }
    Ok(())
}

fn stale(lab: &Lab) -> Verdict {
    let killed = lab.serve()?;
    killed.end_by("KILL")?;
    let server = lab.serve()?;
    server.connect().map(drop)
}

fn spares_files(lab: &Lab) -> Verdict {
    let text = "not a socket";
    fs::write(lab.socket(), text)?;
    drop(lab.serve()); // it may listen or end: only the file counts
    let found = fs::read_to_string(lab.socket());
    let _ = fs::remove_file(lab.socket());
    if found.is_ok_and(|found| found == text) {
        return Ok(());
    }
    Err(
        Fault::new("it removed a file that stood at the socket's path")
            .expected("the file, untouched")
            .came("no such file any more"),
    )
}
