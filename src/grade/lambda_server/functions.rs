//! A function runs, and its output is in a file whose path is the answer.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{answer, call, expect_output, library, read};
use crate::grade::{Check, Fault, Lab, Running, Verdict, bytes};

pub(super) const CHECKS: &[Check] = &[
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
];

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
            .came(bytes::show(&came))),
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
    )?;
    let literal = expect_output(&server, &library, "show $HOME;x", "show|$HOME;x|");
    literal.map_err(|fault| fault.because("the message is run by a shell (system, popen), to which a client can say anything: execv runs what is meant"))
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
