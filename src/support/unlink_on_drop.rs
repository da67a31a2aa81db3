//! A file that is removed by its maker, and by no other process.
//!
//! Between making a file and removing it, its name may have passed to another file: another process removed
//! ours and put its own there. A name does not identify a file; its device and inode number do.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A file of ours; dropping it removes the file, if it is still the one that stands at its path.
#[derive(Debug)]
pub struct UnlinkOnDrop {
    path: PathBuf,
    /// The identity of the file to remove; `None` if it is to stay.
    identity: Option<(u64, u64)>,
}

impl UnlinkOnDrop {
    /// The file that stands at `path` now, of whatever type.
    ///
    /// # Errors
    /// Those of `lstat(2)`.
    pub fn at(path: &Path) -> io::Result<Self> {
        let identity = Some(identity(&fs::symlink_metadata(path)?));
        let path = path.to_owned();
        Ok(Self { path, identity })
    }

    /// The open `file`, which was made at `path`.
    ///
    /// # Errors
    /// Those of `fstat(2)`.
    pub fn of(file: &File, path: &Path) -> io::Result<Self> {
        let identity = Some(identity(&file.metadata()?));
        let path = path.to_owned();
        Ok(Self { path, identity })
    }

    /// Leaves the file where it is, for others.
    pub fn keep(mut self) {
        self.identity = None;
    }

    /// The path of the file, which may no longer be there.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for UnlinkOnDrop {
    #[doc(alias = "unlink")]
    fn drop(&mut self) {
        let is_ours = |found: Metadata| Some(identity(&found)) == self.identity;
        if fs::symlink_metadata(&self.path).is_ok_and(is_ours) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether the open `file` is the one that stands at `path`.
///
/// # Errors
/// Those of `fstat(2)`.
pub fn stands_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = identity(&file.metadata()?);
    Ok(fs::symlink_metadata(path).is_ok_and(|there| identity(&there) == ours))
}

/// `O_NONBLOCK` and `O_NOFOLLOW` of `open(2)`, for which std has no names, as Linux numbers them.
const O_NONBLOCK: i32 = 0o4000;
const O_NOFOLLOW: i32 = match cfg!(any(
    target_arch = "aarch64",
    target_arch = "arm",
    target_arch = "powerpc64"
)) {
    true => 0o100_000,
    false => 0o400_000,
};

/// Opens the file at `path` itself: a link is not followed (it is an error), and a FIFO does not wait
/// for its other end. In a directory that others can write to, either may stand where we look
/// for a file.
///
/// # Errors
/// Those of `open(2)`.
#[doc(alias = "O_NOFOLLOW")]
#[doc(alias = "O_NONBLOCK")]
pub fn open_itself(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path)
}

/// Makes the directory `path` for us alone, mode 0700 whatever the umask: `mkdir(2)`, `chmod(2)`.
///
/// # Errors
/// Those of these calls: [`AlreadyExists`](io::ErrorKind::AlreadyExists) among them.
#[doc(alias = "mkdir")]
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o700))
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::libc;

    #[test]
    fn what_stands_in_the_place_of_our_file_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        fs::write(&path, "ours").unwrap();
        let own = UnlinkOnDrop::at(&path).unwrap();
        fs::rename(&path, directory.path().join("b")).unwrap();
        fs::write(&path, "somebody else's").unwrap();
        drop(own);
        assert!(path.exists());
    }

    #[test]
    fn the_flags_have_the_systems_numbers() {
        assert_eq!(O_NONBLOCK, libc::O_NONBLOCK);
        assert_eq!(O_NOFOLLOW, libc::O_NOFOLLOW);
    }
}
