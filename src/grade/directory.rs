//! Where a check takes place: a directory of its own, and the path of a socket that is free.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, process};

use super::watch;
use crate::error::Context;
use crate::process::guard_directory;
use crate::socket::MAX_PATH;

/// A new private directory, removed with all that is in it.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn make() -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = env::temp_dir().join(format!("ipc-grade-{:07}-{number:04}", process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {} // of a grader that was killed
                made => {
                    made.context(|| {
                        format!(
                            "cannot make {}; set TMPDIR to another place",
                            path.display()
                        )
                    })?;
                    guard_directory(&path);
                    return Ok(Self(path));
                }
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

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
        Ok(_) if watch::is_listening(socket) => {
            let message = format!("a program is listening at {shown} already; end it first");
            Err(io::Error::new(ErrorKind::AddrInUse, message))
        }
        Ok(_) => fs::remove_file(socket).context(|| format!("cannot remove {shown}")),
    }
}
