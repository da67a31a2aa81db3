//! A file that is removed by whoever made it, and by nobody else.
//!
//! Between making a file and removing it, its name may have passed to another: somebody removed ours
//! and put theirs there. A name is not the file; its device and inode number are.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file of ours; dropping it removes the file, if it is still the one that stands at its path.
///
/// ```
/// use ipc_primer::own_file::OwnFile;
/// use std::fs;
///
/// let directory = tempfile::tempdir()?;
/// let path = directory.path().join("a");
/// fs::write(&path, "ours")?;
/// let own = OwnFile::at(&path)?;
/// fs::rename(&path, directory.path().join("b"))?;
/// fs::write(&path, "somebody else's")?;
/// drop(own);
/// assert!(path.exists());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct OwnFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl OwnFile {
    /// The file that stands at `path` now, of whatever type.
    ///
    /// # Errors
    /// Those of `lstat(2)`.
    pub fn at(path: &Path) -> io::Result<Self> {
        let identity = identity(&fs::symlink_metadata(path)?);
        let path = path.to_owned();
        Ok(Self { path, identity })
    }

    /// Where it stands, or stood.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for OwnFile {
    #[doc(alias = "unlink")]
    fn drop(&mut self) {
        let is_ours = |found: Metadata| identity(&found) == self.identity;
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

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}
