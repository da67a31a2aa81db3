//! The place for a program's socket: a path that is free.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use super::listening;
use crate::socket::MAX_PATH;
use crate::support::error::Context;

/// Removes the socket file that an earlier program left; anything else in its place is an error.
pub(super) fn make_way(socket: &Path) -> io::Result<()> {
    let shown = socket.display();
    let length = socket.as_os_str().len();
    if length > MAX_PATH {
        let message = format!(
            "the socket's path is {length} bytes long and {MAX_PATH} is the limit: {shown}; set TMPDIR to a shorter one"
        );
        return Err(io::Error::new(ErrorKind::InvalidInput, message));
    }
    match fs::symlink_metadata(socket) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).context(|| format!("cannot look at {shown}")),
        Ok(found) if !found.file_type().is_socket() => {
            let message = format!("{shown} is not a socket; move it away or pass another --socket");
            Err(io::Error::new(ErrorKind::AlreadyExists, message))
        }
        Ok(_) if listening::is_listening(socket) => {
            let message = format!("a program is listening at {shown} already; end it first");
            Err(io::Error::new(ErrorKind::AddrInUse, message))
        }
        Ok(_) => fs::remove_file(socket).context(|| format!("cannot remove {shown}")),
    }
}
