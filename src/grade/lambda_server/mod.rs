//! `lambda-server`: the function loader of note 0; the grader is its clients and writes its libraries.

mod faults;
mod functions;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Assignment, Fault, Lab, Peer, Running, Verdict, means, server};

pub(super) const ASSIGNMENT: Assignment = Assignment {
    name: "lambda-server",
    about: "a server that runs functions on request",
    chapter: "9",
    example: "./server {socket} {dir}",
    page: include_str!("../../../docs/assignments/lambda-server.md"),
    checks: &[
        ("starts", server::START),
        ("runs", functions::CHECKS),
        ("runs", faults::CHECKS),
        ("starts", server::ENDING),
    ],
};

/// The functions of every check's library.
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

/// Writes the library. A file that is open for writing cannot be run, so another process writes it.
fn library(lab: &Lab) -> Result<PathBuf, Fault> {
    let path = lab.path("library");
    let written = Command::new("sh")
        .args(["-c", "printf %s \"$2\" >\"$1\"", "sh"])
        .arg(&path)
        .arg(LIBRARY)
        .status();
    written?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
    means::runs(&path)?;
    lab.give(&path)?;
    Ok(path)
}

/// Receives the answer: a path, to the end of the stream.
fn answer(client: &mut Peer) -> Result<PathBuf, Fault> {
    let came = client.receive_up_to(4096);
    client.expect_end()?;
    let path = PathBuf::from(String::from_utf8_lossy(&came).trim_end_matches(['\n', '\0']));
    if path.is_absolute() && path.is_file() {
        return Ok(path);
    }
    let fault = Fault::new("the answer is not the path of a file")
        .expected("an absolute path")
        .came(super::bytes::show(&came));
    Err(match &came[..] {
        [] => fault.because("it closes the connection, and sends nothing before"),
        [b'/', ..] => {
            fault.because("there is no such file: it is removed, or is made under another name")
        }
        _ => fault.because(
            "the path is relative, and only the server knows to what: realpath makes it absolute",
        ),
    })
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
