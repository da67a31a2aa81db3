//! The object behind a segment, as the file that it is: made by one, left behind by a killed one,
//! removed by whom it belongs to.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::header::{HEADER_LEN, Header};
use super::owner;
use super::segment::{Format, Plan};
use crate::error::Context;

/// How many bytes of zeros are written at a time.
const ZEROS: usize = 256 * 1024;
/// How often, and in between how long, to try for a lock that others hold for a look only.
const LOCK_TRIES: u32 = 500;
const RETRY: Duration = Duration::from_millis(1);

/// Makes the object and locks it while it is being made: `flock(2)` ends with its holder, so a lock
/// that is free says that nobody is at work on it. `None` if it was taken away before it was locked.
pub(super) fn create_locked(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let locked = match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(error)) => return Err(error),
    };
    Ok((locked && stands_at(&file, path)).then_some(file))
}

/// Writes the header, so that whoever looks knows whose it is, and zeros to the end.
pub(super) fn reserve(mut file: &File, plan: &Plan) -> io::Result<()> {
    let header = Header::of(plan).map(u64::to_ne_bytes);
    file.write_all(header.as_flattened())?;
    let zeros = vec![0; ZEROS];
    let mut left = plan.len() - HEADER_LEN;
    while left > 0 {
        let part = left.min(ZEROS);
        file.write_all(&zeros[..part])?;
        left -= part;
    }
    Ok(())
}

/// Removes what a killed process left at `path`; false if nothing is there (any more).
///
/// To look and to remove are two steps: in between somebody else may have removed it and made its own.
/// So it is locked first, and looked at, and removed only if it is still what stands there.
pub(super) fn remove_stale(path: &Path, format: Format) -> io::Result<bool> {
    let sentence = || format!("cannot look at {}", show(path));
    let file = match check_user(path).and_then(|()| File::open(path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        other => other.context(sentence)?,
    };
    if !lock(&file).context(sentence)? {
        return Err(in_use(path, "another process is making"));
    }
    let removed = remove_if_left(&file, path, format);
    file.unlock()?; // not only dropped: a child that is just being started may have a copy
    removed
}

/// Locks it; false if somebody else has it for longer than a look takes.
fn lock(file: &File) -> io::Result<bool> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => thread::sleep(RETRY),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(false)
}

/// Removes the locked `file` at `path`, if a killed process left it.
fn remove_if_left(file: &File, path: &Path, format: Format) -> io::Result<bool> {
    if !stands_at(file, path) {
        return Ok(false);
    }
    if let Some(header) = Header::read_from(file)? {
        header.check(path, format).map_err(not_to_be_removed)?;
        let owner = owner::identity(header.owner);
        if header.ready && header.kept {
            return Err(in_use(
                path,
                "some process has made, and it was not unlinked:",
            ));
        } else if header.ready && owner.is_alive() {
            return Err(in_use(path, &format!("the process {} uses", owner.pid)));
        }
    }
    fs::remove_file(path).context(|| format!("cannot remove the stale {}", show(path)))?;
    Ok(true)
}

/// Refuses what another user made: it could be cut short while we use it.
pub(super) fn check_user(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(error).context(|| format!("there is no {}", path.display()));
        }
        other => other?,
    };
    let fault = if !found.is_file() {
        "is not a shared memory object"
    } else if found.uid() != fs::metadata("/proc/self")?.uid() {
        "belongs to another user"
    } else {
        return Ok(());
    };
    let message = format!("{} {fault}; choose another name", show(path));
    Err(io::Error::new(ErrorKind::PermissionDenied, message))
}

/// Removes a segment whose making fails.
pub(super) struct Unfinished<'a> {
    pub(super) path: &'a Path,
    pub(super) file: (u64, u64),
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        remove_own(self.path, self.file);
    }
}

pub(super) fn remove_own(path: &Path, file: (u64, u64)) {
    if fs::symlink_metadata(path).is_ok_and(|found| identity(&found) == file) {
        let _ = fs::remove_file(path);
    }
}

fn stands_at(file: &File, path: &Path) -> bool {
    let there = fs::symlink_metadata(path);
    let ours = file.metadata();
    there.is_ok_and(|there| ours.is_ok_and(|ours| identity(&ours) == identity(&there)))
}

pub(super) fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

pub(super) fn show(path: &Path) -> String {
    format!("the shared memory segment {}", path.display())
}

pub(super) fn in_use(path: &Path, who: &str) -> io::Error {
    let message = format!(
        "{who} {}; wait for its end or choose another name",
        show(path)
    );
    io::Error::new(ErrorKind::AddrInUse, message)
}

pub(super) fn not_to_be_removed(error: io::Error) -> io::Error {
    io::Error::new(ErrorKind::AlreadyExists, error)
}

pub(super) fn no_room(path: &Path, len: usize) -> String {
    format!("cannot reserve {len} bytes for {}", show(path))
}
