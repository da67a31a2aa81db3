//! `connect_socket` of note 0: the client's side of a connection.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use super::address::check_path;
use crate::stop::{StopToken, Waker};
use crate::support::error::Context;
use crate::support::mailbox::Mailbox;

/// Connects to the server that listens at `path`: `socket(2)`, then `connect(2)`. Note 4 calls
/// this a *connection initiation request*.
///
/// It returns as soon as the kernel has put the connection into the server's backlog, before the
/// server accepts it. It waits only while the backlog is full.
///
/// # Errors
/// - [`ErrorKind::NotFound`]: no socket file is there.
/// - [`ErrorKind::ConnectionRefused`]: one is, but no server listens; a killed server left it.
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

/// Connects as [`connect`] does, and lets a stop end the wait: a stop while connecting makes this return `None`;
/// later, as long as the [`Waker`] is kept, a stop shuts the connection down, which wakes every call on it.
///
/// Nothing wakes a thread from `connect(2)` while the server's backlog is full. So another thread connects,
/// and this one waits for it and for the stop. A thread that is still connecting at a stop is left behind.
///
/// ```
/// use ipc_primer::{socket::{connect_unless, listen}, stop::StopToken};
/// use std::io::Read;
///
/// let directory = tempfile::tempdir()?;
/// let listener = listen(&directory.path().join("a.sock"))?; // it accepts nothing, and sends nothing
/// let stop = StopToken::new();
/// let (server, _waker) = connect_unless(listener.path(), &stop)?.unwrap();
/// stop.request_stop();
/// assert_eq!((&*server).read(&mut [0])?, 0);
/// assert!(connect_unless(listener.path(), &stop)?.is_none());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// Those of [`connect`], and of starting a thread.
pub fn connect_unless(
    path: &Path,
    stop: &StopToken,
) -> io::Result<Option<(Arc<UnixStream>, Waker)>> {
    let mailbox = Mailbox::new(1, stop);
    let (tell, server) = (mailbox.sender(), path.to_owned());
    thread::Builder::new().spawn(move || tell(connect(&server)))?;
    let Some(stream) = mailbox.next() else {
        return Ok(None);
    };
    let stream = Arc::new(stream?);
    let waking = Arc::clone(&stream);
    let waker = stop.on_stop(move || drop(waking.shutdown(Shutdown::Both)));
    Ok(Some((stream, waker)))
}
