//! The server continues, whatever functions and clients do, and on its end it ends all that it started.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;

use super::{answer, call, expect_output, library, read};
use crate::grade::{Check, Fault, Lab, Verdict};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "crash",
        points: 2,
        about: "a function that is killed harms nobody, and what it printed before is kept",
        cause: "the client is answered only if the function ended well",
        run: crash,
    },
    Check {
        name: "at-once",
        points: 2,
        about: "a second function runs while the first waits",
        cause: "accept is called again only when a function has ended",
        run: at_once,
    },
    Check {
        name: "client-vanishes",
        points: 2,
        about: "a client that goes before its answer harms nobody",
        cause: "the failed write of the answer ends the server: only this client is gone",
        run: client_vanishes,
    },
    Check {
        name: "bad-messages",
        points: 1,
        about: "an empty message, four fields, and 2,000 bytes harm nobody",
        cause: "a buffer of 1,024 bytes was written beyond its end, or a missing field was used",
        run: bad_messages,
    },
    Check {
        name: "zombies",
        points: 1,
        about: "nothing is left of functions that have ended",
        cause: "the library's process is not waited for (waitpid)",
        run: zombies,
    },
    Check {
        name: "ctrl-c-busy",
        points: 1,
        about: "Ctrl-C ends it and a function that runs",
        cause: "the function's process is waited for, and nobody ends it",
        run: ctrl_c_busy,
    },
];

fn crash(lab: &Lab) -> Verdict {
    let library = library(lab)?;
    let server = lab.serve()?;
    let output = read(&call(&server, &library, "crash")?);
    if !output.starts_with(b"before\n") {
        return Err(Fault::new(
            "what the function printed before it was killed is not in its output",
        )
        .compared(b"before\n", &output));
    }
    expect_output(&server, &library, "hello", "hello\n")
}

fn at_once(lab: &Lab) -> Verdict {
    let library = library(lab)?;
    let server = lab.serve()?;
    let gate = lab.path("gate");
    let made = Command::new("mkfifo").arg(&gate).status();
    made?;
    let mut first = server.connect()?;
    first.send(format!("{} wait {}\n", library.display(), gate.display()).as_bytes())?;
    server.settle();
    expect_output(&server, &library, "hello", "hello\n")?;
    // Opened for reading too, so that the open does not wait for a function that never began.
    let mut opened = OpenOptions::new().read(true).write(true).open(&gate)?;
    let _ = opened.write_all(b"go on\n");
    answer(&mut first).map(drop)
}

fn client_vanishes(lab: &Lab) -> Verdict {
    let library = library(lab)?;
    let server = lab.serve()?;
    drop(server.connect()?);
    let mut client = server.connect()?;
    server.pause(); // so that the client has closed before the answer is sent
    client.send(format!("{} hello\n", library.display()).as_bytes())?;
    drop(client);
    server.resume();
    server.settle();
    expect_output(&server, &library, "hello", "hello\n")
}

fn bad_messages(lab: &Lab) -> Verdict {
    let library = library(lab)?;
    let server = lab.serve()?;
    for message in [
        "\n".to_owned(),
        "a b c d\n".to_owned(),
        "x".repeat(2000) + "\n",
    ] {
        let mut client = server.connect()?;
        let _ = client.send(message.as_bytes()); // the server may refuse it in the middle
        client.end_sending();
        client.receive_up_to(4096);
    }
    expect_output(&server, &library, "hello", "hello\n")
}

fn zombies(lab: &Lab) -> Verdict {
    let library = library(lab)?;
    let server = lab.serve()?;
    for _ in 0..3 {
        call(&server, &library, "hello")?;
    }
    server.expect_no_zombies()
}

fn ctrl_c_busy(lab: &Lab) -> Verdict {
    let library = library(lab)?;
    let server = lab.serve()?;
    let mut client = server.connect()?;
    client.send_and_settle(format!("{} sleep\n", library.display()).as_bytes())?;
    server.expect_clean_end_by("INT")?;
    server.expect_no_children()
}
