//! The client code that stages 2 and 3 share: the connection, which a stop wakes, its first line and its end.

use std::io::{self, BufReader, ErrorKind};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::protocol::Header;
use crate::socket::{Received, connect_unless, recv};
use crate::stop::StopToken;
use crate::support::error::Context;

/// How many bytes are gathered before they are written.
pub(super) const BUFFER_LEN: usize = 128 * 1024;
/// How long the server may take to close after its last byte.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// Connects to the server at `path` and runs `receive_file`; `None` if `stop` was requested.
pub(super) fn run(
    path: &Path,
    stop: &StopToken,
    receive_file: impl FnOnce(&UnixStream) -> io::Result<PathBuf>,
) -> io::Result<Option<PathBuf>> {
    let Some((server, _waker)) = connect_unless(path, stop)? else {
        return Ok(None);
    };
    match receive_file(&server) {
        Err(_) if stop.is_requested() => Ok(None),
        received => received
            .map(Some)
            .context(|| format!("no copy from {}", path.display())),
    }
}

/// Receives the header byte by byte, and reads no byte after it. If the client then cannot make a copy, it
/// closes with the file unread, and so the server learns that the copy failed.
pub(super) fn receive_header(server: &UnixStream) -> io::Result<Header> {
    let header = Header::read(&mut BufReader::with_capacity(1, server));
    header.map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => broken_off(0, None),
        _ => error,
    })
}

/// Waits until the server closes. A server that sends more than it announced is not one of ours.
pub(super) fn expect_end(mut server: &UnixStream) -> io::Result<()> {
    server.set_read_timeout(Some(CLOSE_LIMIT))?;
    match recv(&mut server, &mut [0]) {
        Ok(Received::Bytes(_)) => {
            let fault = "the server sent more than it had announced";
            Err(io::Error::new(ErrorKind::InvalidData, fault))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(error),
    }
}

/// The error for a server that closed after `received` bytes.
pub(super) fn broken_off(received: u64, length: Option<u64>) -> io::Error {
    let of = length.map_or(String::new(), |length| format!(" of {length}"));
    let fault = format!("the server went after {received}{of} bytes; nothing was kept");
    io::Error::new(ErrorKind::UnexpectedEof, fault)
}
