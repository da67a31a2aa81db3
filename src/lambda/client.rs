//! The client: asks for a function, and learns where its output is.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::protocol::Request;
use crate::socket::{close, connect_unless, send};
use crate::stop::StopToken;
use crate::support::error::Context;

/// The longest path that Linux allows, in bytes: no answer is longer.
#[doc(alias = "PATH_MAX")]
const PATH_LEN: u64 = 4096;

/// Asks the server at `path` and returns the path of the output file. `None` if `stop` is requested
/// before the answer arrives; the function still runs to its end.
///
/// # Errors
/// - Those of [`connect_unless`].
/// - [`ErrorKind::ConnectionAborted`]: the server exited, or sent the client away, without an answer.
pub fn invoke(path: &Path, request: &Request, stop: &StopToken) -> io::Result<Option<PathBuf>> {
    let Some((server, _waker)) = connect_unless(path, stop)? else {
        return Ok(None);
    };
    match ask(&server, request) {
        None if stop.is_requested() => Ok(None),
        Some(output) => Ok(Some(output)),
        None => {
            let fault = format!("the server at {} closed without an answer", path.display());
            Err(io::Error::new(ErrorKind::ConnectionAborted, fault))
        }
    }
}

fn ask(mut server: &UnixStream, request: &Request) -> Option<PathBuf> {
    // If the server has already closed, the answer is missing below, and that is noticed there.
    let _ = send(&mut server, format!("{request}\n").as_bytes());
    let mut answer = Vec::new();
    let received = server.take(PATH_LEN).read_to_end(&mut answer);
    close(server);
    let answer = received.is_ok().then_some(answer)?;
    (!answer.is_empty()).then(|| OsString::from_vec(answer).into())
}

/// Opens the output file at `path`.
///
/// # Errors
/// Those of [`File::open`], with the path.
pub(crate) fn open_output(path: &Path) -> io::Result<BufReader<File>> {
    let open = File::open(path).map(BufReader::new);
    open.context(|| format!("cannot read the output {}", path.display()))
}
