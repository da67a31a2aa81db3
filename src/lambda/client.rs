//! The client: asks for a function, and learns where its output is.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use super::protocol::Request;
use crate::socket::{close, connect, send};
use crate::stop::StopToken;
use crate::support::error::Context;

/// The longest path that Linux knows, in bytes: no answer is longer.
#[doc(alias = "PATH_MAX")]
const PATH_LEN: u64 = 4096;

/// Asks the server at `path` and returns the path of the output file. `None` if `stop` is requested
/// before the answer is there; the function runs to its end all the same.
///
/// # Errors
/// - Those of [`connect`](connect()).
/// - [`ErrorKind::ConnectionAborted`]: the server went, or sent us away, without an answer.
/// - Those of starting a thread.
pub fn invoke(path: &Path, request: &Request, stop: &StopToken) -> io::Result<Option<PathBuf>> {
    // A thread that is blocked in connect, as when the backlog is full, sees no stop. So another one
    // asks, and this one waits for both.
    let (tell, told) = mpsc::channel();
    let stopped = tell.clone();
    let _waker = stop.on_stop(move || drop(stopped.send(Ok(None))));
    let (path, message) = (path.to_owned(), format!("{request}\n"));
    thread::Builder::new().spawn(move || tell.send(ask(&path, &message).map(Some)))?;
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

/// Opens the output file at `path`.
///
/// # Errors
/// Those of [`File::open`], with the path.
pub fn open_output(path: &Path) -> io::Result<BufReader<File>> {
    let open = File::open(path).map(BufReader::new);
    open.context(|| format!("cannot read the output {}", path.display()))
}
