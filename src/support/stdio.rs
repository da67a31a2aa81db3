//! Stdin, stdout and stderr as the kernel has them.
//!
//! std alone is not enough, for two reasons. `O_NONBLOCK` belongs to an open file, which processes share: another
//! program may have left ours non-blocking, and then a read or a write fails with `WouldBlock` where it
//! should wait. And std's `Stdout` takes `EBADF` for success: bytes that could not be written are lost silently.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Stderr, Stdin, Write};
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

use crate::support::error::Context;

/// How often to try a stream that is non-blocking. std has no `poll(2)`.
const LOOK: Duration = Duration::from_millis(5);

/// One of the three streams. Every call waits, and every error names the stream.
#[derive(Debug)]
pub struct Stdio<F> {
    inner: F,
    sentence: &'static str,
}

/// Stdin.
pub fn stdin() -> Stdio<Stdin> {
    Stdio {
        inner: io::stdin(),
        sentence: "cannot read stdin",
    }
}

/// Stdout, through a descriptor of its own.
///
/// # Errors
/// Those of `dup(2)`.
pub fn stdout() -> io::Result<Stdio<File>> {
    let sentence = "cannot write to stdout";
    let own = io::stdout().as_fd().try_clone_to_owned();
    let inner = File::from(own.context(|| sentence.into())?);
    Ok(Stdio { inner, sentence })
}

/// Stderr, which has to work even if no descriptors are left.
pub fn stderr() -> Stdio<Stderr> {
    Stdio {
        inner: io::stderr(),
        sentence: "cannot write to stderr",
    }
}

impl<F> Stdio<F> {
    /// The stream underneath.
    pub fn get_ref(&self) -> &F {
        &self.inner
    }

    fn wait<T>(&mut self, mut call: impl FnMut(&mut F) -> io::Result<T>) -> io::Result<T> {
        loop {
            match call(&mut self.inner) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(LOOK),
                done => return done.context(|| self.sentence.into()),
            }
        }
    }
}

impl<F: Read> Read for Stdio<F> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.wait(|stream| stream.read(bytes))
    }
}

impl<F: Write> Write for Stdio<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait(|stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.wait(F::flush)
    }
}
