//! The file behind a segment: one process makes it, a killed process leaves it behind, and its
//! owner removes it.

use std::fs::{self, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::header::{Format, HEADER_LEN, Header, SegmentLayout, show};
use super::owner;
use crate::support::error::Context;
use crate::support::identity::own_user;
use crate::support::unlink_on_drop::{UnlinkOnDrop, open_itself, stands_at};

/// How many bytes of zeros are written at a time.
const ZEROS: usize = 256 * 1024;
/// How long, and how often, to try for a lock that another process holds only to look at the file.
const LOOK: Duration = Duration::from_millis(500);
const RETRY: Duration = Duration::from_millis(1);

/// Makes the object and locks it while it is being made: `flock(2)` ends with its holder, so a free
/// lock means that no process is making the object. An object that a killed process left is removed
/// first. Dropping the returned `UnlinkOnDrop` removes the object.
pub(super) fn create_locked(path: &Path, format: Format) -> io::Result<(File, UnlinkOnDrop)> {
    loop {
        match try_create_locked(path) {
            Ok(Some(made)) => return Ok(made),
            Ok(None) => {} // another process took it for a stale one before we had locked it
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                remove_stale(path, format)?;
            }
            Err(error) => return Err(error).context(|| format!("cannot make {}", show(path))),
        }
    }
}

fn try_create_locked(path: &Path) -> io::Result<Option<(File, UnlinkOnDrop)>> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let own_file = UnlinkOnDrop::of(&file, path)?; // removed again if anything fails
    file.set_permissions(Permissions::from_mode(0o600))?; // whatever the umask
    if try_lock(&file, path)? && stands_at(&file, path)? {
        return Ok(Some((file, own_file)));
    }
    own_file.keep(); // the process that has it locked removes it
    Ok(None)
}

/// Writes the header, which tells every other process the owner, and zeros to the end.
pub(super) fn reserve(mut file: &File, layout: &SegmentLayout) -> io::Result<()> {
    let header = Header::of(layout)?.0.map(u64::to_ne_bytes);
    file.write_all(header.as_flattened())?;
    let zeros = vec![0; ZEROS];
    let mut left = layout.len() - HEADER_LEN;
    while left > 0 {
        let part = left.min(ZEROS);
        file.write_all(&zeros[..part])?;
        left -= part;
    }
    Ok(())
}

/// Removes the object that a killed process left at `path`; false if there is none (any more).
pub(super) fn remove_stale(path: &Path, format: Format) -> io::Result<bool> {
    let is_left = |header: &Header| {
        header.check(path, format).map_err(not_to_be_removed)?;
        let owner = owner::identity(header.owner());
        if header.is_kept() {
            let what = "some process has made, and it was not unlinked:";
            return Err(in_use(path, what));
        } else if header.is_ready() && !owner.is_dead() {
            return Err(in_use(path, &format!("the process {} uses", owner.pid)));
        }
        Ok(())
    };
    match remove(path, LOOK, check_user, is_left) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        removed => removed.map(|()| true),
    }
}

/// Removes the file at `path`, unless `refuse` or `may_go` forbids it. Fails if another process
/// holds the lock for longer than `limit`: that process is making the object.
pub(super) fn remove(
    path: &Path,
    limit: Duration,
    refuse: Refuse,
    may_go: impl Fn(&Header) -> io::Result<()>,
) -> io::Result<()> {
    while !remove_file(&open(path, refuse)?, path, limit, &may_go)? {}
    Ok(())
}

/// Removes our own `file`, if it still stands at its path.
pub(super) fn remove_own(file: &File, path: &Path) -> io::Result<()> {
    remove_file(file, path, LOOK, |_| Ok(())).map(drop)
}

/// Removes `file`, unless `may_go` forbids it; false if something else stands at its path by now.
///
/// Checking and removing are two steps: in between, another process may remove the file and make
/// its own. So every process that removes a file first locks it, checks it, and removes it only if
/// it still stands at its path.
fn remove_file(
    file: &File,
    path: &Path,
    limit: Duration,
    may_go: impl Fn(&Header) -> io::Result<()>,
) -> io::Result<bool> {
    let deadline = Instant::now() + limit;
    while !try_lock(file, path)? {
        if Instant::now() > deadline {
            return Err(in_use(path, "another process is making"));
        }
        thread::sleep(RETRY);
    }
    let remove = || {
        if !stands_at(file, path)? {
            return Ok(false);
        }
        if let Some(header) = Header::read_from(file)? {
            may_go(&header)?;
        }
        fs::remove_file(path).context(|| format!("cannot remove {}", show(path)))?;
        Ok(true)
    };
    let removed = remove();
    file.unlock()?; // not just dropped: a child that is being started may have a copy
    removed
}

/// Locks the file; false if another process has it locked.
fn try_lock(file: &File, path: &Path) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => {
            Err(error).context(|| format!("cannot lock {}", show(path)))
        }
    }
}

/// Whether a process is making the object at `path`, and so holds its lock.
pub(super) fn is_being_made(path: &Path) -> io::Result<bool> {
    Ok(!try_lock(&open(path, check_user)?, path)?)
}

/// Returns an error if a file with this metadata must not be touched.
type Refuse = fn(&Path, &Metadata) -> io::Result<()>;

/// Opens the file at `path` for a look, unless `refuse` refuses it: before the opening, because
/// opening a device may do something, and after, because the path may lead to another file by then.
pub(super) fn open(path: &Path, refuse: Refuse) -> io::Result<File> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(error).context(|| format!("there is no {}", path.display()));
        }
        other => other?,
    };
    refuse(path, &found)?;
    let file = open_itself(path, OpenOptions::new().read(true))
        .context(|| format!("cannot open {}", show(path)))?;
    refuse(path, &file.metadata()?)?;
    Ok(file)
}

/// Refuses a file of another user, who could cut it short while we use it.
pub(super) fn check_user(path: &Path, found: &Metadata) -> io::Result<()> {
    check_type(path, found)?;
    match found.uid() == own_user()? {
        true => Ok(()),
        false => Err(refusal(path, "belongs to another user")),
    }
}

/// Refuses a file that is not a shared memory object.
pub(super) fn check_type(path: &Path, found: &Metadata) -> io::Result<()> {
    match found.is_file() {
        true => Ok(()),
        false => Err(refusal(path, "is not a shared memory object")),
    }
}

fn refusal(path: &Path, fault: &str) -> io::Error {
    let message = format!("{} {fault}; choose another name", show(path));
    io::Error::new(ErrorKind::PermissionDenied, message)
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
