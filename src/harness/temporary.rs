//! A directory for the programs that we start. It goes with us, and with it what they have left elsewhere
//! under its name.
//!
//! After a kill the [guard](super::orphan_reaper) removes it; and should that be killed, too, the next process that
//! makes one. The kernel lets go of the lock on a dead process's directory, however it died.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, process};

use super::orphan_reaper::{guard_directory, start_guard};
use crate::support::error::Context;
use crate::support::unlink_on_drop::{create_private_dir, open_itself, stands_at};

/// A private directory, removed with all that is in it, and with the shared memory objects whose names hold
/// its own.
#[derive(Debug)]
pub(crate) struct TemporaryDirectory {
    path: PathBuf,
    _lock: File,
}

impl TemporaryDirectory {
    /// Makes a directory whose name begins with `what`, where temporary files are kept (`TMPDIR`), and
    /// removes those of its kind that killed processes left there.
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
                // Another process took it for left behind, and has removed it already.
                Err(error) if error.kind() == ErrorKind::NotFound && tries.next().is_some() => {
                    continue;
                }
                locked => locked,
            };
            let shown = path.display();
            let locked = locked
                .context(|| format!("cannot make {shown}; set TMPDIR to another directory"))?;
            // None: another process took it for left behind before we had locked it.
            if let Some(lock) = locked {
                guard_directory(&path);
                let _ = remove_left(what, &parent, &lock);
                return Ok(Self { path, _lock: lock });
            }
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its name: no other process has the same, so it can be part of other names.
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

/// Locks the directory; `None` if its maker has it, or somebody who removes it.
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

/// Whether a directory of this name is one of ours, and not one that only begins like it.
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

/// The directory last: as long as it is there, what belongs to it is found.
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
