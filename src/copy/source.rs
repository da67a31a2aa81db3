//! The file to copy, which may change during the copy.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::protocol::{Header, safe_name};
use crate::support::error::Context;
use crate::support::log::log;

/// An open file to copy from. Threads can read it at the same time, each at its own offset.
#[derive(Debug)]
pub struct Source {
    file: File,
    path: PathBuf,
}

impl Source {
    /// Opens the file: `open(2)`.
    ///
    /// # Errors
    /// - [`ErrorKind::NotFound`], [`ErrorKind::PermissionDenied`]: from `open(2)`.
    /// - [`ErrorKind::IsADirectory`]: the path is that of a directory.
    /// - [`ErrorKind::InvalidInput`]: the file is a FIFO, a device or a socket, which have no length, or a file
    ///   of `/proc` or `/sys`, whose length is made up; or its name holds a newline.
    pub fn open(path: &Path) -> io::Result<Self> {
        let shown = path.display();
        let sentence = || format!("cannot read {shown}");
        let refuse = |kind, fault| {
            let message = format!("cannot copy {shown}: it {fault}");
            Err(io::Error::new(kind, message))
        };
        let found = fs::metadata(path).context(sentence)?; // first, because opening a FIFO waits for its writer
        let name = path.file_name().unwrap_or_default();
        if found.is_dir() {
            return refuse(ErrorKind::IsADirectory, "is a directory");
        }
        if !found.is_file() {
            return refuse(ErrorKind::InvalidInput, "is not a regular file");
        }
        if name.as_bytes().contains(&b'\n') {
            return refuse(ErrorKind::InvalidInput, "has a line end in its name");
        }
        let file = File::open(path).context(sentence)?;
        if !has_its_length(&file).context(sentence)? {
            let fault = "has another length than it says; `cat` it into a file, and copy that";
            return refuse(ErrorKind::InvalidInput, fault);
        }
        let path = path.to_owned();
        Ok(Self { file, path })
    }

    /// The header to send before the bytes, with the file's current length.
    ///
    /// # Errors
    /// Those of `fstat(2)`.
    #[doc(alias = "fstat")]
    pub fn header(&self) -> io::Result<Header> {
        let length = self.file.metadata()?.len();
        let name = safe_name(self.path.as_os_str().as_bytes())?;
        Ok(Header {
            length,
            name: name.as_bytes().to_owned(),
        })
    }

    /// Reads from `offset` on until `buffer` is full or the promised `length` is reached, and returns the
    /// number of bytes: `pread(2)`.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedEof`] if the file has become shorter than `length`; those of `pread(2)`.
    #[doc(alias = "pread")]
    pub fn read_at(&self, buffer: &mut [u8], offset: u64, length: u64) -> io::Result<usize> {
        let left = usize::try_from(length - offset).unwrap_or(usize::MAX);
        let len = buffer.len().min(left);
        let read = self.file.read_exact_at(&mut buffer[..len], offset);
        read.map(|()| len).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => self.has_shrunk(length),
            _ => error,
        })
    }

    /// Logs that the file has grown beyond `length`, if it has.
    pub fn note_growth(&self, length: u64) {
        if self.file.metadata().is_ok_and(|now| now.len() > length) {
            let shown = self.path.display();
            log(format!(
                "{shown} has grown: its first {length} bytes were copied"
            ));
        }
    }

    fn has_shrunk(&self, length: u64) -> io::Error {
        let shown = self.path.display();
        let fault = format!("{shown} has shrunk: it had {length} bytes when the copy began");
        io::Error::new(ErrorKind::UnexpectedEof, fault)
    }
}

/// Whether the last byte is where `fstat(2)` says, or the length has just changed. `/proc/version` says
/// that it has 0 bytes and has more, a file of `/sys` says 4096 and has fewer.
fn has_its_length(file: &File) -> io::Result<bool> {
    let length = file.metadata()?.len();
    let count = file.read_at(&mut [0], length.saturating_sub(1))?;
    Ok(count == usize::from(length > 0) || file.metadata()?.len() != length)
}
