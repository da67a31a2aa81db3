//! A connection that looks a few times before it sleeps.
//!
//! A socket's buffer holds some 200 KiB, so sender and receiver of a large file wait for each other
//! thousands of times, each time for some microseconds. To be put to sleep and woken costs more than
//! that, on a virtual machine many times more.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;

/// How often to look before sleeping: about a hundred microseconds, if nobody else wants the processor.
const LOOKS: u32 = 200;

/// Reads and writes the connection, which is its own as long as it lives.
pub(super) struct Eager<'s>(&'s UnixStream);

impl<'s> Eager<'s> {
    pub(super) fn new(stream: &'s UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self(stream))
    }

    fn look<T>(&self, mut call: impl FnMut(&UnixStream) -> io::Result<T>) -> io::Result<T> {
        for _ in 0..LOOKS {
            match call(self.0) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::yield_now(),
                done => return done,
            }
        }
        self.0.set_nonblocking(false)?;
        let done = call(self.0);
        self.0.set_nonblocking(true)?;
        done
    }
}

impl Read for Eager<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.look(|mut stream| stream.read(buffer))
    }
}

impl Write for Eager<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.look(|mut stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Eager<'_> {
    fn drop(&mut self) {
        let _ = self.0.set_nonblocking(false);
    }
}
