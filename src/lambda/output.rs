//! Output files: each answer gets a new one, which only its owner can open.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Seek, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::error::Context;
use crate::support::unlink_on_drop::{UnlinkOnDrop, create_private_dir};

/// Where output files are made.
pub(super) struct Outputs {
    directory: PathBuf,
    made: AtomicU64,
}

/// An output file, open for writing. It is removed when dropped, because no client knows its name.
pub(super) struct Output {
    own: UnlinkOnDrop,
    pub(super) file: File,
}

impl Outputs {
    /// Uses the directory, and makes it (mode 0700) if it is not there. Clients may have a different
    /// working directory from the server's, so the paths in answers are absolute.
    pub(super) fn in_directory(directory: &Path) -> io::Result<Self> {
        let sentence = || format!("cannot put output files into {}", directory.display());
        match create_private_dir(directory) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            made => made,
        }
        .context(sentence)?;
        let directory = fs::canonicalize(directory).context(sentence)?;
        if !directory.is_dir() {
            return Err(ErrorKind::NotADirectory.into()).context(sentence);
        }
        Ok(Self {
            directory,
            made: AtomicU64::new(0),
        })
    }

    /// Makes a file that was not there before, mode 0600: `open(2)` with `O_CREAT | O_EXCL`, which
    /// neither opens an existing file nor follows a link that another user put in its place.
    #[doc(alias = "mkstemp")]
    pub(super) fn create(&self) -> io::Result<Output> {
        loop {
            let number = self.made.fetch_add(1, Ordering::Relaxed) + 1;
            let name = format!("output-{}-{number}", process::id());
            let path = self.directory.join(name);
            let options = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path);
            match options {
                Ok(file) => {
                    let own = UnlinkOnDrop::at(&path)?;
                    file.set_permissions(Permissions::from_mode(0o600))?; // whatever the umask
                    return Ok(Output { own, file });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {} // an old server's
                Err(error) => {
                    return Err(error).context(|| format!("cannot make {}", path.display()));
                }
            }
        }
    }
}

impl Output {
    pub(super) fn path(&self) -> &Path {
        self.own.path()
    }

    /// Replaces the file's contents with `text`.
    pub(super) fn replace(&self, text: &str) -> io::Result<()> {
        let mut file = &self.file;
        let replaced = file.set_len(0).and_then(|()| file.rewind());
        replaced.and_then(|()| self.append(text))
    }

    pub(super) fn append(&self, text: &str) -> io::Result<()> {
        let written = (&self.file).write_all(text.as_bytes());
        written.context(|| format!("cannot write {}", self.path().display()))
    }

    /// Leaves the file to the client.
    pub(super) fn keep(self) {
        self.own.keep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, symlink};

    #[test]
    fn a_file_is_new_and_its_owners_alone_and_takes_no_other_files_place() {
        let place = tempfile::tempdir().unwrap();
        let taken = |number| {
            place
                .path()
                .join(format!("output-{}-{number}", process::id()))
        };
        fs::write(taken(1), "kept").unwrap();
        symlink("/dev/null", taken(2)).unwrap();
        let output = Outputs::in_directory(place.path())
            .unwrap()
            .create()
            .unwrap();
        assert!(
            output.path().ends_with(taken(3).file_name().unwrap()) && output.path().is_absolute()
        );
        assert_eq!(output.file.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(taken(1)).unwrap(), "kept");
        drop(output);
        assert!(!taken(3).exists());
    }

    #[test]
    fn a_file_is_no_directory_for_outputs() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Outputs::in_directory(file.path()).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotADirectory);
    }
}
