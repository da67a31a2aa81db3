//! A connection that polls a few times before it sleeps.
//!
//! A socket's buffer holds some 200 KiB, so the sender and the receiver of a large file wait for each other
//! thousands of times, each time for a few microseconds. Going to sleep and waking up costs more than that,
//! and many times more on a virtual machine.
//!
//! Polling pays only where no other thread wants the processor. With more senders and receivers than
//! processors, sleeping costs nothing, because another thread has work.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

/// How often to poll before sleeping: about a hundred microseconds, if no other thread wants the processor.
const POLLS: u32 = 200;
/// If a yield takes longer than this, other threads want the processor too.
const CROWDED: Duration = Duration::from_micros(20);
/// How many calls then sleep without polling, before the next one polls.
const SLEEPS: u32 = 50;

/// Reads and writes the connection. No other code may use it meanwhile, because its blocking mode changes.
pub(super) struct BusyPoll<'s> {
    stream: &'s UnixStream,
    /// Whether calls on the stream may sleep.
    blocking: bool,
    /// How many more calls sleep without polling.
    sleeps: u32,
}

impl<'s> BusyPoll<'s> {
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
        } else if let Some(done) = self.poll(&mut call)? {
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
    fn poll<T>(
        &mut self,
        mut call: impl FnMut(&UnixStream) -> io::Result<T>,
    ) -> io::Result<Option<T>> {
        self.set_blocking(false)?;
        for _ in 0..POLLS {
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

impl Read for BusyPoll<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.call(|mut stream| stream.read(buffer))
    }
}

impl Write for BusyPoll<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.call(|mut stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for BusyPoll<'_> {
    fn drop(&mut self) {
        let _ = self.set_blocking(true);
    }
}
