//! A connection that looks a few times before it sleeps.
//!
//! A socket's buffer holds some 200 KiB, so sender and receiver of a large file wait for each other
//! thousands of times, each time for some microseconds. To be put to sleep and woken costs more than
//! that, on a virtual machine many times more.
//!
//! But to look is right only where nobody else wants the processor. With more who send and receive than
//! there are processors, sleeping costs nothing: somebody else has work.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

/// How often to look before sleeping: about a hundred microseconds, if nobody else wants the processor.
const LOOKS: u32 = 200;
/// A processor that does not come back so soon is wanted by others, too.
const CROWDED: Duration = Duration::from_micros(20);
/// How many calls go straight to sleep then, before we look again.
const SLEEPS: u32 = 50;

/// Reads and writes the connection, which is its own as long as it lives.
pub(super) struct Eager<'s> {
    stream: &'s UnixStream,
    /// Whether its calls may sleep.
    blocking: bool,
    /// How many calls more go straight to sleep.
    sleeps: u32,
}

impl<'s> Eager<'s> {
    pub(super) fn new(stream: &'s UnixStream) -> Self {
        Self {
            stream,
            blocking: true,
            sleeps: 0,
        }
    }

    fn call<T>(&mut self, mut call: impl FnMut(&UnixStream) -> io::Result<T>) -> io::Result<T> {
        if self.sleeps > 0 {
            self.sleeps -= 1;
        } else if let Some(done) = self.look(&mut call)? {
            return Ok(done);
        }
        self.set_blocking(true)?;
        call(self.stream)
    }

    fn set_blocking(&mut self, blocking: bool) -> io::Result<()> {
        if self.blocking != blocking {
            self.stream.set_nonblocking(!blocking)?;
            self.blocking = blocking;
        }
        Ok(())
    }

    /// Makes the call without sleeping; `None` if that would take too long.
    fn look<T>(
        &mut self,
        mut call: impl FnMut(&UnixStream) -> io::Result<T>,
    ) -> io::Result<Option<T>> {
        self.set_blocking(false)?;
        for _ in 0..LOOKS {
            match call(self.stream) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                done => return done.map(Some),
            }
            let before = Instant::now();
            thread::yield_now();
            if before.elapsed() > CROWDED {
                self.sleeps = SLEEPS;
                break;
            }
        }
        Ok(None)
    }
}

impl Read for Eager<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.call(|mut stream| stream.read(buffer))
    }
}

impl Write for Eager<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.call(|mut stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Eager<'_> {
    fn drop(&mut self) {
        let _ = self.set_blocking(true);
    }
}
