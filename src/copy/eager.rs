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
    sleeps: u32,
}

impl<'s> Eager<'s> {
    pub(super) fn new(stream: &'s UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream, sleeps: 0 })
    }

    fn call<T>(&mut self, mut call: impl FnMut(&UnixStream) -> io::Result<T>) -> io::Result<T> {
        if let Some(done) = self.look(&mut call) {
            return done;
        }
        self.stream.set_nonblocking(false)?;
        let done = call(self.stream);
        self.stream.set_nonblocking(true)?;
        done
    }

    /// Makes the call without sleeping; `None` if that would take too long.
    fn look<T>(
        &mut self,
        mut call: impl FnMut(&UnixStream) -> io::Result<T>,
    ) -> Option<io::Result<T>> {
        self.sleeps = self.sleeps.saturating_sub(1);
        if self.sleeps > 0 {
            return None;
        }
        for _ in 0..LOOKS {
            match call(self.stream) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                done => return Some(done),
            }
            let before = Instant::now();
            thread::yield_now();
            if before.elapsed() > CROWDED {
                self.sleeps = SLEEPS;
                return None;
            }
        }
        None
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
        let _ = self.stream.set_nonblocking(false);
    }
}
