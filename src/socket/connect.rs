//! `connect_socket` of note 0: the client's side of a connection.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::address::check_path;
use crate::support::error::Context;

/// Connects to the server that listens at `path`: `socket(2)`, then `connect(2)`. The call that
/// note 4 names *connection initiation request*.
///
/// It returns as soon as the kernel has put the connection into the server's backlog, before the
/// server accepts it. Only while the backlog is full does it wait.
///
/// # Errors
/// - [`ErrorKind::NotFound`]: no socket file is there.
/// - [`ErrorKind::ConnectionRefused`]: one is, but nobody listens; a killed server left it.
/// - [`ErrorKind::PermissionDenied`]: the file, or a directory above it, is another user's.
/// - [`ErrorKind::InvalidInput`]: the path is empty, holds a NUL, or is over
///   [`MAX_PATH`](super::MAX_PATH) bytes long.
///
/// ```
/// use std::{io::ErrorKind, path::Path};
///
/// let error = ipc_primer::socket::connect(Path::new("/no/such.sock")).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// ```
#[doc(alias = "connect_socket")]
#[doc(alias = "create_socket")]
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    check_path(path)?;
    let stream = UnixStream::connect(path);
    let kind = stream.as_ref().err().map(io::Error::kind);
    let is_socket = || fs::metadata(path).is_ok_and(|found| found.file_type().is_socket());
    stream.context(|| {
        let path = path.display();
        match kind {
            Some(ErrorKind::ConnectionRefused) if !is_socket() => {
                format!("{path} is not a socket; pass the server's --socket")
            }
            Some(ErrorKind::NotFound) => {
                format!("no server at {path}; start it first, or pass its --socket")
            }
            Some(ErrorKind::ConnectionRefused) => {
                format!("nobody listens at {path} any more; start the server again")
            }
            _ => format!("cannot connect to {path}"),
        }
    })
}
