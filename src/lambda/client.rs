//! The client: asks for a function, and learns where its output is.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use super::protocol::Request;
use crate::error::Context;
use crate::interrupt::Interrupt;
use crate::socket::{close, connect, send};

/// The longest path that Linux knows, in bytes: no answer is longer.
#[doc(alias = "PATH_MAX")]
const PATH_LEN: u64 = 4096;

/// Asks the server at `path` and returns the path of the output file. `None` if `interrupt` is raised
/// before the answer is there; the function runs to its end all the same.
///
/// # Errors
/// - Those of [`connect`](connect()).
/// - [`ErrorKind::ConnectionAborted`]: the server went, or sent us away, without an answer.
pub fn invoke(
    path: &Path,
    request: &Request,
    interrupt: &Interrupt,
) -> io::Result<Option<PathBuf>> {
    // A thread that is blocked in connect, as when the backlog is full, sees no interrupt. So another
    // one asks, and this one waits for both.
    let (tell, told) = mpsc::channel();
    let interrupted = tell.clone();
    let _waker = interrupt.on_raise(move || drop(interrupted.send(Ok(None))));
    let (path, message) = (path.to_owned(), format!("{request}\n"));
    thread::spawn(move || tell.send(ask(&path, &message).map(Some)));
    told.recv().unwrap_or(Ok(None))
}

fn ask(path: &Path, message: &str) -> io::Result<PathBuf> {
    let mut stream = connect(path)?;
    // A server that is gone already is noticed below, where the answer should be.
    let _ = send(&mut stream, message.as_bytes());
    let mut answer = Vec::new();
    let received = (&stream).take(PATH_LEN).read_to_end(&mut answer);
    close(&stream);
    if received.is_err() || answer.is_empty() {
        let fault = format!("the server at {} closed without an answer", path.display());
        return Err(io::Error::new(ErrorKind::ConnectionAborted, fault));
    }
    Ok(OsString::from_vec(answer).into())
}

/// Writes the path to `output`, a line of its own.
///
/// # Errors
/// Those of writing to `output`.
pub fn print_path(path: &Path, output: &mut impl Write) -> io::Result<()> {
    output.write_all(path.as_os_str().as_bytes())?;
    output.write_all(b"\n")?;
    output.flush()
}

/// Writes what the file at `path` holds to `output`, byte for byte.
///
/// # Errors
/// Those of opening and reading it, and of writing to `output`.
pub fn print_content(path: &Path, output: &mut impl Write) -> io::Result<()> {
    let open = File::open(path);
    let mut file = open.context(|| format!("cannot read the output {}", path.display()))?;
    io::copy(&mut file, output)?;
    output.flush()
}
