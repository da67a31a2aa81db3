//! Stage 1, plain: a server that runs functions on request and its client, as a textbook would print them.
//!
//! A library is an executable file, and a function its first argument. It works for functions that end
//! soon and print little. Stage 2 begins with what breaks it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// Runs what the clients ask for, each on a thread of its own, for ever. The output of a
/// function goes to a file in `directory`. The socket file must not be there yet.
///
/// # Errors
/// Those of making the directory, of `bind(2)` and of `accept(2)`.
pub fn serve(path: &Path, directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let directory = directory.canonicalize()?; // the answer is an absolute path
    let listener = UnixListener::bind(path)?; // socket, bind, listen
    eprintln!("listening on {}", path.display());
    for (number, client) in (1..).zip(listener.incoming()) {
        let client = client?; // accept
        let output = directory.join(format!("output-{number}"));
        thread::spawn(move || answer(client, &output));
    }
    Ok(())
}

/// Receives `<library> [<function> [<file>]]`, runs it, and sends the path of its output.
fn answer(mut client: UnixStream, output: &Path) -> io::Result<()> {
    let mut message = [0; 1024];
    let count = client.read(&mut message)?; // recv
    let message = String::from_utf8_lossy(&message[..count]);
    let asked = message.trim();
    if !run(asked, output)? {
        fs::write(output, format!("Error: {asked} could not be executed.\n"))?;
    }
    client.write_all(output.as_os_str().as_bytes()) // send; dropping `client` closes it
}

/// Runs a function with its output in a file: `fork(2)`, `dup2(2)`, `execve(2)`, `waitpid(2)`.
/// Says whether there was such a function; a shell ends with 127 if there is no such command.
fn run(asked: &str, output: &Path) -> io::Result<bool> {
    let mut words = asked.split_whitespace();
    let library = words.next().unwrap_or_default();
    let function = words.next().unwrap_or("run");
    let status = Command::new(Path::new(".").join(library)) // a path: no search in $PATH
        .arg(function)
        .args(words)
        .stdin(Stdio::null())
        .stdout(File::create(output)?)
        .status();
    Ok(status.is_ok_and(|status| status.code() != Some(127)))
}

/// Asks the server at `path` for a function, and returns the path of its output.
///
/// # Errors
/// Those of `connect(2)` and of the connection.
pub fn invoke(path: &Path, asked: &str) -> io::Result<String> {
    let mut server = UnixStream::connect(path)?; // socket, connect
    server.write_all(format!("{asked}\n").as_bytes())?; // in one piece: the server reads once
    let mut output = String::new();
    server.read_to_string(&mut output)?;
    Ok(output)
}
