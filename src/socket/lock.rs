//! The lock that makes one winner of many servers: a file beside the socket, `flock(2)`.
//!
//! Looking whether a socket file is stale and then removing it are two steps, and between them a
//! second server may have put its own there. So whoever wants the path takes this lock first and
//! keeps it. The kernel lets go of it when its holder dies, however that is.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::Context;
use crate::own_file::{OwnFile, stands_at};

/// A lock that is held; dropping it removes the file and lets go.
#[derive(Debug)]
pub(super) struct LockFile {
    _removal: OwnFile, // first, while the file is locked
    _lock: File,
}

impl LockFile {
    /// Takes the lock of the socket at `socket`, or returns `None` at once if somebody has it.
    pub(super) fn take(socket: &Path) -> io::Result<Option<Self>> {
        let mut path = socket.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        try_take(&path).context(|| format!("cannot lock {}; pass another --socket", path.display()))
    }
}

fn try_take(path: &Path) -> io::Result<Option<LockFile>> {
    loop {
        let Some(file) = open(path)? else { continue };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
            Ok(()) if stands_at(&file, path)? => {
                let removal = OwnFile::at(path)?;
                return Ok(Some(LockFile {
                    _removal: removal,
                    _lock: file,
                }));
            }
            Ok(()) => {} // its last holder removed it after we opened it: open the new one
        }
    }
}

/// Opens the lock file, or makes it; `None` if it came or went just then. One day it is removed, so
/// nothing is taken for it but an empty file.
fn open(path: &Path) -> io::Result<Option<File>> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() && found.len() == 0 => {
            unless(ErrorKind::NotFound, File::open(path))
        }
        Ok(_) => Err(io::Error::new(
            ErrorKind::AlreadyExists,
            "something else is there",
        )),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            unless(ErrorKind::AlreadyExists, make(path))
        }
        Err(error) => Err(error),
    }
}

fn make(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?; // whatever the umask is
    Ok(file)
}

fn unless(raced: ErrorKind, opened: io::Result<File>) -> io::Result<Option<File>> {
    match opened {
        Err(error) if error.kind() == raced => Ok(None),
        other => other.map(Some),
    }
}
