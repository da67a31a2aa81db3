//! The lock that makes one winner of many servers: a file beside the socket, `flock(2)`.
//!
//! Looking whether a socket file is stale and then removing it are two steps, and between them a
//! second server may have put its own there. So whoever wants the path takes this lock first and
//! keeps it. The kernel lets go of it when its holder dies, however that is.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::Context;

/// A lock that is held; dropping it removes the file and lets go.
#[derive(Debug)]
pub(super) struct LockFile {
    path: PathBuf,
    file: File,
}

impl LockFile {
    /// Takes the lock of the socket at `socket`, or returns `None` at once if somebody has it.
    pub(super) fn take(socket: &Path) -> io::Result<Option<Self>> {
        let mut path = socket.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let sentence = || format!("cannot lock {}", path.display());
        loop {
            let file = open(&path).context(sentence)?;
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error).context(sentence),
                Ok(()) if stands_at(&file, &path)? => return Ok(Some(Self { path, file })),
                Ok(()) => {} // its last holder removed it after we opened it: open the new one
            }
        }
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path); // while it is locked: so it is ours that goes
        let _ = self.file.unlock();
    }
}

/// Opens to read as well as to write, lest a FIFO in the lock's place makes us wait for a reader.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

fn stands_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    Ok(
        fs::metadata(path)
            .is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())),
    )
}
