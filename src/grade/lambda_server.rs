//! `lambda-server`: the function loader of note 0; the grader is its clients and writes its libraries.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{Assignment, Check, Fault, Lab, Peer, Running, Verdict, server};

pub(super) const ASSIGNMENT: Assignment = Assignment {
    name: "lambda-server",
    about: "a server that runs functions on request",
    chapter: "9",
    example: "./server {socket} {dir}",
    page: include_str!("../../docs/assignments/lambda-server.md"),
    checks: &[server::START, CHECKS, server::ENDING],
};

const CHECKS: &[Check] = &[
    Check {
        name: "runs",
        points: 2,
        about: "it runs a function, and what that prints is in the file whose path is the answer",
        cause: "the library is not started with the function as its argument, or its stdout is not the file",
        run: runs,
    },
    Check {
        name: "path",
        points: 1,
        about: "the answer is an absolute path, no newline, then the end",
        cause: "a newline or a NUL is sent with it, or the connection is not closed",
        run: path,
    },
    Check {
        name: "default-function",
        points: 1,
        about: "without a function, it is run",
        cause: "the number of fields is not looked at",
        run: default_function,
    },
    Check {
        name: "file",
        points: 1,
        about: "a file is passed on",
        cause: "the third field is not an argument of the library",
        run: file,
    },
    Check {
        name: "message-ends",
        points: 1,
        about: "a message ends with a newline, with a half-close, or with what the first read brings",
        cause: "it reads on until a newline or the end comes: a C client sends its string and waits",
        run: message_ends,
    },
    Check {
        name: "not-there",
        points: 2,
        about: "a library that is not there gives the error line",
        cause: "the client gets no path, or the line is not exactly that of the assignment",
        run: not_there,
    },
    Check {
        name: "not-a-function",
        points: 1,
        about: "a library that does not know the function (exit status 127) gives the error line",
        cause: "the exit status of the library is not looked at (waitpid, WEXITSTATUS)",
        run: not_a_function,
    },
    Check {
        name: "files-of-their-own",
        points: 1,
        about: "every call has an output file of its own, readable by its user alone",
        cause: "the file's name is always the same, or it is made without mode 0600",
        run: files_of_their_own,
    },
    Check {
        name: "stdin",
        points: 1,
        about: "a function that reads stdin finds its end at once",
        cause: "the library inherits the server's stdin: open /dev/null",
        run: stdin,
    },
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

/// What every check's library knows.
const LIBRARY: &str = "#!/bin/sh
case $1 in
hello) echo hello;;
run) echo the default;;
show) printf '%s|' \"$@\";;
copy) cat;;
crash) echo before; kill -9 $$;;
wait) echo waiting; read line <\"$2\";;
sleep) sleep 1000;;
*) exit 127;;
esac
";

/// Writes the library. In a file that is being written nothing can be run, so another process writes it.
fn library(lab: &Lab) -> Result<PathBuf, Fault> {
    let path = lab.path("library");
    let written = std::process::Command::new("sh")
        .args(["-c", "printf %s \"$2\" >\"$1\"", "sh"])
        .arg(&path)
        .arg(LIBRARY)
        .status();
    written?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
    Ok(path)
}

/// Receives the answer: a path, to the end of the stream.
fn answer(client: &mut Peer) -> Result<PathBuf, Fault> {
    let came = client.receive_up_to(4096);
    client.expect_end()?;
    let path = PathBuf::from(String::from_utf8_lossy(&came).trim_end_matches(['\n', '\0']));
    match path.is_file() {
        true => Ok(path),
        false => Err(Fault::new("the answer is not the path of a file")
            .expected("an absolute path")
            .came(super::bytes::show(&came))),
    }
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_default()
}

/// Asks for a function of the library, and returns the path of the output.
fn call(server: &Running, library: &Path, rest: &str) -> Result<PathBuf, Fault> {
    let mut client = server.connect()?;
    client.send(format!("{} {rest}\n", library.display()).as_bytes())?;
    answer(&mut client)
}

/// Asks for a function, and expects what it prints.
fn expect_output(server: &Running, library: &Path, rest: &str, expected: &str) -> Verdict {
    let output = read(&call(server, library, rest)?);
    match output == expected.as_bytes() {
        true => Ok(()),
        false => Err(
            Fault::new("the output file does not hold what the function prints")
                .given(format!("LIBRARY {rest}"))
                .compared(expected.as_bytes(), &output),
        ),
    }
}

fn runs(lab: &Lab) -> Verdict {
    let library = library(lab)?;
    let server = lab.serve()?;
    expect_output(&server, &library, "hello", "hello\n")
}

fn path(lab: &Lab) -> Verdict {
    let library = library(lab)?;
    let server = lab.serve()?;
    let mut client = server.connect()?;
    client.send(format!("{} hello\n", library.display()).as_bytes())?;
    let came = client.receive_up_to(4096);
    client.expect_end()?;
    let is_path = came.starts_with(b"/") && Path::new(&*String::from_utf8_lossy(&came)).is_file();
    match is_path {
        true => Ok(()),
        false => Err(Fault::new("the answer is not exactly the path of a file")
            .expected("an absolute path, and nothing else")
            .came(super::bytes::show(&came))),
    }
}

fn default_function(lab: &Lab) -> Verdict {
    let library = library(lab)?;
    let server = lab.serve()?;
    expect_output(&server, &library, "", "the default\n")
}

fn file(lab: &Lab) -> Verdict {
    let library = library(lab)?;
    let server = lab.serve()?;
    expect_output(
        &server,
        &library,
        "show /etc/hostname",
        "show|/etc/hostname|",
    )
}

fn message_ends(lab: &Lab) -> Verdict {
    let library = library(lab)?;
    let server = lab.serve()?;
    let message = format!("{} hello", library.display());
    for (end, half_close) in [("\n", false), ("", true), ("", false)] {
        let mut client = server.connect()?;
        client.send(format!("{message}{end}").as_bytes())?;
        if half_close {
            client.end_sending();
        }
        answer(&mut client)?;
    }
    Ok(())
}

/// Expects the line that stands for "could not be run".
fn expect_error_line(server: &Running, message: &str) -> Verdict {
    let mut client = server.connect()?;
    client.send(format!("{message}\n").as_bytes())?;
    let output = read(&answer(&mut client)?);
    let expected = format!("Error: {message} could not be executed.\n");
    match output == expected.as_bytes() {
        true => Ok(()),
        false => Err(Fault::new("the output file does not hold the error line")
            .given(message)
            .compared(expected.as_bytes(), &output)),
    }
}

fn not_there(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    expect_error_line(&server, "/no/such/library hello")
}

fn not_a_function(lab: &Lab) -> Verdict {
    let library = library(lab)?;
    let server = lab.serve()?;
    expect_error_line(&server, &format!("{} nothing", library.display()))
}

fn files_of_their_own(lab: &Lab) -> Verdict {
    let library = library(lab)?;
    let server = lab.serve()?;
    let (one, two) = (
        call(&server, &library, "hello")?,
        call(&server, &library, "run")?,
    );
    let mode = fs::metadata(&one)
        .map(|found| found.permissions().mode() & 0o777)
        .unwrap_or_default();
    if one == two || read(&one) != b"hello\n" {
        return Err(Fault::new("the second call has the file of the first")
            .expected("two files")
            .came(one.display().to_string()));
    }
    match mode {
        0o600 => Ok(()),
        _ => Err(Fault::new("others can read the output")
            .expected("mode 600")
            .came(format!("mode {mode:o}"))),
    }
}

fn stdin(lab: &Lab) -> Verdict {
    let library = library(lab)?;
    let server = lab.serve()?;
    expect_output(&server, &library, "copy", "")
}

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
    let made = std::process::Command::new("mkfifo").arg(&gate).status();
    made?;
    let mut first = server.connect()?;
    first.send(format!("{} wait {}\n", library.display(), gate.display()).as_bytes())?;
    server.settle();
    expect_output(&server, &library, "hello", "hello\n")?;
    // Opened to read, too: that does not wait for the function, should it never have begun.
    let mut opened = OpenOptions::new()
        .read(true)
        .write(true)
        .mode(0o600)
        .open(&gate)?;
    let _ = opened.write_all(b"go on\n");
    answer(&mut first).map(drop)
}

fn client_vanishes(lab: &Lab) -> Verdict {
    let library = library(lab)?;
    let server = lab.serve()?;
    drop(server.connect()?);
    let mut client = server.connect()?;
    server.pause(); // so that the client is gone for certain before the answer is sent
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
        let _ = client.send(message.as_bytes()); // it may be refused in the middle
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
