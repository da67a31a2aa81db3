//! The copy, which stands under its name when it is whole and not before.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::Context;

/// What the names of partial files begin and end with.
const PARTIAL: (&str, &str) = (".ipc-copy-", ".part");
/// Zeros to compare with: chunks of nothing else are left out of the file, as holes.
static ZEROS: [u8; HOLE] = [0; HOLE];
/// The smallest hole, in bytes.
const HOLE: usize = 64 * 1024;

/// Where a copy is to be put.
#[derive(Clone, Debug)]
pub struct Destination {
    /// The directory.
    pub directory: PathBuf,
    /// Whether a file of that name is replaced.
    pub force: bool,
}

/// A file that is being written. Dropped before [`finish`](Self::finish), it goes.
#[derive(Debug)]
pub struct Target {
    file: File,
    partial: PathBuf,
    path: PathBuf,
    force: bool,
    written: u64,
}

impl Target {
    /// Begins a copy named `name`, in a partial file beside where it is to be. What killed copies left
    /// in the directory is removed.
    ///
    /// # Errors
    /// - [`ErrorKind::AlreadyExists`]: there is a file of that name, and no `force`.
    /// - [`ErrorKind::IsADirectory`]: what has that name is a directory.
    /// - [`ErrorKind::NotFound`], [`ErrorKind::PermissionDenied`], …: of `open(2)`.
    pub fn create(destination: &Destination, name: &OsStr) -> io::Result<Self> {
        let directory = &destination.directory;
        let path = directory.join(name);
        check(&path, destination.force)?;
        let sentence = || format!("cannot write into {}", directory.display());
        remove_stale(directory).context(sentence)?;
        let (file, partial) = create_partial(directory).context(sentence)?;
        let force = destination.force;
        Ok(Self {
            file,
            partial,
            path,
            force,
            written: 0,
        })
    }

    /// Writes the next bytes: `pwrite(2)`. Long runs of zeros become holes.
    ///
    /// # Errors
    /// [`ErrorKind::StorageFull`], [`ErrorKind::QuotaExceeded`], [`ErrorKind::FileTooLarge`] and others
    /// of `pwrite(2)`.
    #[doc(alias = "pwrite")]
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() < HOLE || !is_zero(bytes) {
            let written = self.file.write_all_at(bytes, self.written);
            written.context(|| format!("cannot write {}", self.path.display()))?;
        }
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Where the copy will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the copy its name: `link(2)`, which fails where `rename(2)` would replace a file that has
    /// come there meanwhile; with `force`, `rename(2)`.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`], as for [`create`](Self::create); those of the calls.
    #[doc(alias = "rename")]
    #[doc(alias = "link")]
    pub fn finish(self) -> io::Result<PathBuf> {
        let sentence = || format!("cannot finish {}", self.path.display());
        self.file.set_len(self.written).context(sentence)?; // a hole at the end
        let linked = match self.force {
            true => Err(ErrorKind::Unsupported.into()),
            false => fs::hard_link(&self.partial, &self.path),
        };
        match linked {
            Ok(()) => {} // drop removes the other name
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(exists(&self.path));
            }
            // Forced, or a file system without hard links.
            Err(_) => {
                check(&self.path, self.force)?;
                fs::rename(&self.partial, &self.path).context(sentence)?;
            }
        }
        Ok(self.path.clone())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.partial);
    }
}

fn exists(path: &Path) -> io::Error {
    let fault = format!("{} exists; pass --force to replace it", path.display());
    io::Error::new(ErrorKind::AlreadyExists, fault)
}

fn check(path: &Path, force: bool) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => {
            let fault = format!("{} is a directory: choose another --output", path.display());
            Err(io::Error::new(ErrorKind::IsADirectory, fault))
        }
        Ok(_) if !force => Err(exists(path)),
        _ => Ok(()),
    }
}

/// Makes a partial file and locks it (`flock(2)`): a lock that is free says that its writer is dead.
fn create_partial(directory: &Path) -> io::Result<(File, PathBuf)> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let (head, tail) = PARTIAL;
        let partial = directory.join(format!("{head}{}-{number}{tail}", process::id()));
        let created = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&partial);
        match created {
            Ok(file) if file.try_lock().is_ok() && stands_at(&file, &partial) => {
                return Ok((file, partial));
            }
            Ok(_) => {} // somebody took it for left behind before we had locked it
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

fn remove_stale(directory: &Path) -> io::Result<()> {
    let is_partial = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with(PARTIAL.0) && name.ends_with(PARTIAL.1)
    };
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let regular = entry.file_type().is_ok_and(|found| found.is_file());
        if !regular || !is_partial(&entry.file_name()) {
            continue;
        }
        let Ok(file) = File::open(entry.path()) else {
            continue;
        };
        if !matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

fn stands_at(file: &File, path: &Path) -> bool {
    let identity = |found: fs::Metadata| (found.dev(), found.ino());
    let (ours, there) = (file.metadata(), fs::symlink_metadata(path));
    ours.is_ok_and(|ours| there.is_ok_and(|there| identity(ours) == identity(there)))
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes
        .chunks(HOLE)
        .all(|chunk| *chunk == ZEROS[..chunk.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination(directory: &Path, force: bool) -> Destination {
        let directory = directory.to_owned();
        Destination { directory, force }
    }

    fn names(directory: &Path) -> Vec<OsString> {
        let entries = fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_copy_has_its_name_when_it_is_whole_and_not_before() {
        let place = tempfile::tempdir().unwrap();
        let to = destination(place.path(), false);
        let mut target = Target::create(&to, OsStr::new("x")).unwrap();
        target.write(b"half").unwrap();
        assert!(!place.path().join("x").exists());
        assert_eq!(names(place.path()).len(), 1, "the partial file");
        drop(target);
        assert!(names(place.path()).is_empty(), "it goes with the copy");

        let mut target = Target::create(&to, OsStr::new("x")).unwrap();
        target.write(b"whole").unwrap();
        target.finish().unwrap();
        assert_eq!(names(place.path()), ["x"]);
        assert_eq!(fs::read(place.path().join("x")).unwrap(), b"whole");
    }

    #[test]
    fn a_file_that_came_meanwhile_is_not_replaced() {
        let place = tempfile::tempdir().unwrap();
        let target = Target::create(&destination(place.path(), false), OsStr::new("x")).unwrap();
        fs::write(place.path().join("x"), "somebody else's").unwrap();
        assert_eq!(
            target.finish().unwrap_err().kind(),
            ErrorKind::AlreadyExists
        );
        assert_eq!(names(place.path()), ["x"]);
        let target = Target::create(&destination(place.path(), true), OsStr::new("x")).unwrap();
        target.finish().unwrap();
        assert_eq!(fs::read(place.path().join("x")).unwrap(), b"");
    }

    #[test]
    fn zeros_become_holes_and_stay_zeros() {
        let place = tempfile::tempdir().unwrap();
        let to = destination(place.path(), false);
        let mut target = Target::create(&to, OsStr::new("x")).unwrap();
        let zeros = vec![0; 16 * HOLE];
        target.write(&zeros).unwrap();
        target.write(b"x").unwrap();
        target.write(&zeros).unwrap();
        let path = target.finish().unwrap();
        let expected = [&zeros[..], b"x", &zeros].concat();
        assert!(fs::read(&path).unwrap() == expected);
        let blocks = fs::metadata(&path).unwrap().blocks() * 512;
        assert!(blocks < 2 * HOLE as u64, "{blocks} bytes are on the disk");
    }

    #[test]
    fn what_a_killed_copy_left_goes_and_what_a_living_one_writes_stays() {
        let place = tempfile::tempdir().unwrap();
        let left = place.path().join(".ipc-copy-1-0.part");
        fs::write(&left, "half").unwrap();
        let to = destination(place.path(), false);
        let living = Target::create(&to, OsStr::new("x")).unwrap();
        assert!(!left.exists());
        let _other = Target::create(&to, OsStr::new("y")).unwrap();
        assert!(living.partial.exists());
    }
}
