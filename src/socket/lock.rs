//! The lock that lets one of many servers win: a file beside the socket, locked with `flock(2)`.
//!
//! Checking whether a socket file is stale and removing it are two steps, and between them a
//! second server may put its own file there. So a server that wants the path takes this lock first and
//! keeps it. The kernel releases the lock when its holder dies, however it dies.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::support::error::Context;
use crate::support::unlink_on_drop::{UnlinkOnDrop, open_itself, stands_at};

/// How often to try a lock that another process holds, and how long to wait after each try.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(3);

/// A lock that is held; dropping it removes the file and releases the lock.
#[derive(Debug)]
pub(super) struct LockFile {
    _removal: UnlinkOnDrop, // dropped first, while the file is locked
    _lock: File,
}

impl LockFile {
    /// Takes the lock of the socket at `socket`, or returns `None` if another process keeps it.
    ///
    /// A process that a killed server had just forked holds copies of its descriptors, the lock's among
    /// them, until it executes its program. So a lock that is held is tried again for a moment.
    pub(super) fn take(socket: &Path) -> io::Result<Option<Self>> {
        let mut path = socket.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        take_soon(&path, || thread::sleep(PAUSE))
            .context(|| format!("cannot lock {}; pass another --socket", path.display()))
    }
}

fn take_soon(path: &Path, mut pause: impl FnMut()) -> io::Result<Option<LockFile>> {
    for _ in 0..TRIES {
        if let Some(lock) = try_take(path)? {
            return Ok(Some(lock));
        }
        pause();
    }
    try_take(path)
}

fn try_take(path: &Path) -> io::Result<Option<LockFile>> {
    loop {
        let Some((file, is_new)) = open(path)? else {
            continue;
        };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => {
                if is_new {
                    let _ = fs::remove_file(path);
                }
                return Err(error); // it does not say whether the lock is free
            }
            Ok(()) if stands_at(&file, path)? => {
                let removal = UnlinkOnDrop::at(path)?;
                return Ok(Some(LockFile {
                    _removal: removal,
                    _lock: file,
                }));
            }
            Ok(()) => {} // its last holder removed it after we opened it: open the new one
        }
    }
}

/// Opens the lock file, or creates it, and says which; `None` if it came or went just then. The file is
/// removed later, so only an empty file is accepted. It is open for writing, because NFS gives the lock
/// to no other descriptor.
fn open(path: &Path) -> io::Result<Option<(File, bool)>> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() && found.len() == 0 => {
            let opened = open_itself(path, OpenOptions::new().write(true));
            Ok(unless(ErrorKind::NotFound, opened)?.map(|file| (file, false)))
        }
        Ok(_) => Err(io::Error::new(
            ErrorKind::AlreadyExists,
            "something else is there",
        )),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Ok(unless(ErrorKind::AlreadyExists, make(path))?.map(|file| (file, true)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_given_back_in_a_moment_is_waited_for_and_no_other() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lock");
        let held = make(&path).unwrap();
        held.lock().unwrap();
        let mut pauses = 0;
        assert!(take_soon(&path, || pauses += 1).unwrap().is_none());
        assert_eq!(pauses, TRIES);
        let mut held = Some(held);
        assert!(take_soon(&path, || drop(held.take())).unwrap().is_some());
    }
}
