//! The copy, which gets its name when it is whole and not before.

use std::ffi::OsStr;
use std::fs::{self, DirEntry, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::support::error::Context;
use crate::support::unlink_on_drop::{UnlinkOnDrop, open_itself, stands_at};

/// How the names of partial files begin and end.
const PARTIAL: (&str, &str) = (".ipc-copy-", ".part");
/// How many hexadecimal digits are between the two. They are random, so no other file has such a name by
/// accident, and a file that has one may be removed.
const DIGITS: usize = 16;
/// How many times to make a partial file, if another copy removes it before it is locked.
const TRIES: u32 = 100;
const NO_LOCKS: &str = "files cannot be locked there; choose another --output";
/// Zeros to compare with: chunks that hold only zeros are left out of the file, as holes.
static ZEROS: [u8; HOLE] = [0; HOLE];
/// The smallest hole, in bytes.
const HOLE: usize = 64 * 1024;

/// Where to put a copy.
#[derive(Clone, Debug)]
pub struct Destination {
    /// The directory.
    pub directory: PathBuf,
    /// Whether the copy replaces a file that has its name.
    pub force: bool,
}

/// A file that is being written. If it is dropped before [`finish`](Self::finish), it is removed.
#[derive(Debug)]
pub struct Target {
    partial: UnlinkOnDrop, // first, so that it is removed while it is locked
    file: File,
    path: PathBuf,
    force: bool,
    written: u64,
}

impl Target {
    /// Begins a copy named `name`, in a partial file in the same directory. Removes the partial files that
    /// killed copies left there.
    ///
    /// # Errors
    /// - [`ErrorKind::AlreadyExists`]: a file of that name exists, and `force` is not set.
    /// - [`ErrorKind::IsADirectory`]: a directory has that name.
    /// - [`ErrorKind::NotFound`], [`ErrorKind::PermissionDenied`], …: from `open(2)`.
    pub fn create(destination: &Destination, name: &OsStr) -> io::Result<Self> {
        let directory = &destination.directory;
        let path = directory.join(name);
        check(&path, destination.force)?;
        let sentence = || format!("cannot write into {}", directory.display());
        remove_stale(directory);
        let (partial, file) = create_partial(directory).context(sentence)?;
        let force = destination.force;
        Ok(Self {
            partial,
            file,
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

    /// Gives the copy its name: `link(2)`, which fails where `rename(2)` would replace a file that has
    /// appeared meanwhile; with `force`, `rename(2)`.
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
            false => fs::hard_link(self.partial.path(), &self.path),
        };
        match linked {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(exists(&self.path));
            }
            // Forced, or a file system without hard links: EOPNOTSUPP, ENOSYS, EPERM.
            Err(error) if may_lack_links(&error) => {
                check(&self.path, self.force)?;
                fs::rename(self.partial.path(), &self.path).context(sentence)?;
            }
            linked => linked.context(sentence)?, // drop removes the other name
        }
        Ok(self.path)
    }
}

fn may_lack_links(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unsupported | ErrorKind::PermissionDenied
    )
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
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).context(|| format!("cannot write {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Makes a partial file and locks it (`flock(2)`): a free lock means that the file's writer is dead.
fn create_partial(directory: &Path) -> io::Result<(UnlinkOnDrop, File)> {
    for _ in 0..TRIES {
        let path = directory.join(partial_name());
        let file = File::create_new(&path)?;
        let Ok(partial) = UnlinkOnDrop::at(&path) else {
            continue;
        };
        match file.try_lock() {
            Err(TryLockError::Error(error)) => {
                return Err(error).context(|| NO_LOCKS.into());
            }
            Ok(()) if stands_at(&file, &path)? => return Ok((partial, file)),
            _ => {} // another copy took it for abandoned before it was locked
        }
    }
    let fault = "other copies remove each partial file at once";
    Err(io::Error::new(ErrorKind::ResourceBusy, fault))
}

/// Removes the partial files of killed copies. A file that cannot be listed, opened or locked may belong
/// to a living copy, and stays.
fn remove_stale(directory: &Path) {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let regular = |entry: &DirEntry| entry.file_type().is_ok_and(|found| found.is_file());
    for entry in entries.map_while(Result::ok).filter(regular) {
        if is_partial(&entry.file_name()) {
            let _ = remove_if_unlocked(&entry.path());
        }
    }
}

/// Opens the file for writing, because NFS gives the lock to no other descriptor.
fn remove_if_unlocked(path: &Path) -> io::Result<()> {
    let file = open_itself(path, OpenOptions::new().write(true))?;
    if file.try_lock().is_ok() && stands_at(&file, path)? {
        fs::remove_file(path)?;
    }
    Ok(())
}

fn partial_name() -> String {
    let (head, tail) = PARTIAL;
    let number = RandomState::new().hash_one(()); // new, random keys for each name
    format!("{head}{number:0width$x}{tail}", width = DIGITS)
}

fn is_partial(name: &OsStr) -> bool {
    let name = name.as_bytes().strip_prefix(PARTIAL.0.as_bytes());
    let number = name.and_then(|rest| rest.strip_suffix(PARTIAL.1.as_bytes()));
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    number.is_some_and(|number| number.len() == DIGITS && number.iter().all(is_digit))
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes
        .chunks(HOLE)
        .all(|chunk| *chunk == ZEROS[..chunk.len()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    fn destination(directory: &Path, force: bool) -> Destination {
        let directory = directory.to_owned();
        Destination { directory, force }
    }

    fn names(directory: &Path) -> Vec<std::ffi::OsString> {
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
        let left = place.path().join(".ipc-copy-0123456789abcdef.part");
        fs::write(&left, "half").unwrap();
        let to = destination(place.path(), false);
        let living = Target::create(&to, OsStr::new("x")).unwrap();
        assert!(!left.exists());
        let _other = Target::create(&to, OsStr::new("y")).unwrap();
        assert!(living.partial.path().exists());
    }

    #[test]
    fn nothing_else_is_taken_for_what_a_killed_copy_left() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        let others = [
            ".ipc-copy-.part",
            ".ipc-copy-1-0.part",
            ".ipc-copy-0123456789ABCDEF.part",
            ".ipc-copy-0123456789abcdef0.part",
            ".ipc-copy-my thesis, at last.part",
            "a.ipc-copy-0123456789abcdef.part",
        ];
        for name in others {
            fs::write(path(name), "precious").unwrap();
        }
        let directory = path(".ipc-copy-000000000000000d.part");
        fs::create_dir(&directory).unwrap();
        let link = path(".ipc-copy-000000000000000e.part");
        std::os::unix::fs::symlink(others[0], &link).unwrap();
        drop(Target::create(&destination(place.path(), false), OsStr::new("x")).unwrap());
        assert_eq!(names(place.path()).len(), others.len() + 2);
    }
}
