//! A directory for the programs that we start. It is removed when we end, together with anything they have left
//! elsewhere under its name.
//!
//! After a kill the [guard](super::orphan_reaper) removes it; if the guard is killed too, the next process that
//! makes such a directory does. The kernel releases the lock on a dead process's directory, however it died.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, process};

use super::orphan_reaper::{guard_directory, start_guard};
use crate::support::error::Context;
use crate::support::unlink_on_drop::{create_private_dir, open_itself, stands_at};

/// A private directory, removed with everything in it, and with the shared memory objects whose names contain
/// the directory's name.
#[derive(Debug)]
pub(crate) struct TemporaryDirectory {
    path: PathBuf,
    _lock: File,
}

impl TemporaryDirectory {
    /// Makes a directory whose name begins with `what`, where temporary files are kept (`TMPDIR`), and
    /// removes directories of the same kind that killed processes left there.
    ///
    /// # Errors
    /// Those of `mkdir(2)` and `flock(2)`.
    #[doc(alias = "mkdtemp")]
    pub(crate) fn make(what: &str) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let parent = env::temp_dir();
        let mut tries = 0..100;
        start_guard(); // before there is a lock
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("{what}-{:07}-{number:04}", process::id()));
            let locked = match create_private_dir(&path).and_then(|()| lock(&path)) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                // Another process took it for an abandoned directory, and has already removed it.
                Err(error) if error.kind() == ErrorKind::NotFound && tries.next().is_some() => {
                    continue;
                }
                locked => locked,
            };
            let shown = path.display();
            let locked = locked
                .context(|| format!("cannot make {shown}; set TMPDIR to another directory"))?;
            // None: another process took it for an abandoned directory before we locked it.
            if let Some(lock) = locked {
                guard_directory(&path);
                let _ = remove_left(what, &parent, &lock);
                return Ok(Self { path, _lock: lock });
            }
        }
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its name. No other process has the same one, so it can be part of other names.
    pub(crate) fn name(&self) -> String {
        name_of(&self.path)
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Locks the directory; `None` if its maker, or a process that is removing it, holds the lock.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let directory = open_itself(path, OpenOptions::new().read(true))?;
    match directory.try_lock() {
        Ok(()) => Ok(stands_at(&directory, path)?.then_some(directory)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Removes those directories in `parent` that are like `ours` and whose makers have died.
fn remove_left(what: &str, parent: &Path, ours: &File) -> io::Result<()> {
    let user = ours.metadata()?.uid();
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        if !is_name(&entry.file_name().to_string_lossy(), what) || entry.metadata()?.uid() != user {
            continue;
        }
        if let Ok(Some(_lock)) = lock(&entry.path()) {
            remove(&entry.path());
        }
    }
    Ok(())
}

/// Whether a directory of this name is one of ours, and not one whose name merely begins the same way.
fn is_name(name: &str, what: &str) -> bool {
    let numbers = name
        .strip_prefix(what)
        .and_then(|rest| rest.strip_prefix('-'));
    let numbers = numbers.and_then(|numbers| numbers.split_once('-'));
    let is_number = |text: &str, digits: usize| {
        text.len() >= digits && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    numbers.is_some_and(|(pid, number)| is_number(pid, 7) && is_number(number, 4))
}

/// Removes the directory last: as long as it exists, the objects that belong to it can be found.
fn remove(path: &Path) {
    let name = name_of(path);
    let objects = fs::read_dir("/dev/shm").into_iter().flatten().flatten();
    for object in objects {
        if object.file_name().to_string_lossy().contains(&name) {
            let _ = fs::remove_file(object.path());
        }
    }
    let _ = fs::remove_dir_all(path);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_made_while_others_clean_up_is_made() {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..150 {
                        TemporaryDirectory::make("ipc-test-left").unwrap();
                    }
                });
            }
        });
    }

    #[test]
    fn only_names_of_ours_are_taken_for_left_behind() {
        assert!(is_name("ipc-grade-0000001-0000", "ipc-grade"));
        assert!(is_name("ipc-grade-4194304-12345", "ipc-grade"));
        for name in [
            "ipc-grade",
            "ipc-grade-solutions",
            "ipc-grade-1-2",
            "ipc-tour-0000001-0000",
        ] {
            assert!(!is_name(name, "ipc-grade"), "{name}");
        }
    }
}
