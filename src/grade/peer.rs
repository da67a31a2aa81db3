//! The other end of a program's socket: it remembers what it sends, and compares what it receives.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::{Fault, Lab, Running, Verdict};
use crate::socket::end_sending;
use crate::stop::Waker;

/// How much of what was sent is remembered for the report, in bytes.
const REMEMBERED: usize = 4096;

/// One connection with a program.
pub struct Peer<'a> {
    program: &'a Running<'a>,
    stream: Arc<UnixStream>,
    sent: Vec<u8>,
    limit: Duration,
    _waker: Waker,
}

/// How a wait for bytes ended.
#[derive(PartialEq)]
enum Came {
    Bytes,
    End,
    Nothing,
}

/// Connects on a thread of its own, because a connect blocks while the backlog is full; it ends with the program.
pub(super) fn connect<'a>(lab: &'a Lab<'a>, program: &'a Running<'a>) -> Result<Peer<'a>, Fault> {
    let (tell, told) = mpsc::channel();
    let (path, woken) = (lab.socket().to_owned(), tell.clone());
    let _waker = lab
        .stop()
        .on_stop(move || drop(woken.send(Err(ErrorKind::Interrupted.into()))));
    thread::spawn(move || tell.send(UnixStream::connect(path)));
    let expected = "a connection";
    let fault = || program.fault("it takes no connection").expected(expected);
    match told.recv_timeout(lab.timeout()) {
        Ok(Ok(stream)) => Peer::new(lab, program, stream),
        Ok(Err(error)) if is_our_limit(&error) => Err(error.into()),
        Ok(Err(_)) => Err(fault()
            .came("a refusal")
            .because("the program has ended, or has closed its listening socket")),
        Err(_) => Err(fault()
            .came("nothing: its backlog is full")
            .because("it does not call accept again while it serves somebody")),
    }
}

/// Whether we have no descriptor left (EMFILE, ENFILE): that says nothing about the program.
fn is_our_limit(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24))
}

impl<'a> Peer<'a> {
    pub(super) fn new(
        lab: &'a Lab<'a>,
        program: &'a Running<'a>,
        stream: UnixStream,
    ) -> Result<Self, Fault> {
        stream.set_read_timeout(Some(lab.timeout()))?;
        stream.set_write_timeout(Some(lab.timeout()))?;
        let stream = Arc::new(stream);
        let woken = Arc::clone(&stream);
        let waker = lab
            .stop()
            .on_stop(move || drop(woken.shutdown(Shutdown::Both)));
        Ok(Self {
            program,
            stream,
            sent: Vec::new(),
            limit: lab.timeout(),
            _waker: waker,
        })
    }

    /// Waits this much longer for an answer, from a server that is allowed to wait for another client.
    pub fn allow(&mut self, more: Duration) -> Verdict {
        self.limit += more;
        Ok(self.stream.set_read_timeout(Some(self.limit))?)
    }

    /// Sends all of `bytes` in one call.
    ///
    /// # Errors
    /// A fault if the program has closed the connection, or takes nothing for too long.
    pub fn send(&mut self, bytes: &[u8]) -> Verdict {
        let room = REMEMBERED.saturating_sub(self.sent.len());
        self.sent.extend_from_slice(&bytes[..bytes.len().min(room)]);
        (&*self.stream).write_all(bytes).map_err(|error| {
            let what = match error.kind() {
                ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => {
                    "it closed the connection while it was sent something"
                }
                ErrorKind::WouldBlock => "it does not take what it is sent",
                _ => "it cannot be sent anything",
            };
            self.fault(what)
        })
    }

    /// Sends `bytes`, and waits until the program has read them and rests.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub fn send_and_settle(&mut self, bytes: &[u8]) -> Verdict {
        self.send(bytes)?;
        self.program.settle();
        Ok(())
    }

    /// Says that nothing more will be sent: a half-close.
    pub fn end_sending(&self) {
        let _ = end_sending(&self.stream);
    }

    /// Receives nothing more: the program's sends fail from now on, but it may still receive.
    pub fn refuse(&self) {
        let _ = self.stream.shutdown(Shutdown::Read);
    }

    /// Whether the program has closed the connection, even if its last bytes are still unread: when the other
    /// end does not receive, even an empty write fails.
    pub fn was_dropped(&self) -> bool {
        let error = (&*self.stream).write(&[]).err();
        error.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    }

    /// Expects these bytes next. Bytes after them are left.
    ///
    /// # Errors
    /// A fault that marks the first byte that differs.
    pub fn expect(&mut self, expected: &[u8]) -> Verdict {
        self.expect_unless(expected, &[], "")
    }

    /// Expects these bytes next, and knows the cause of a certain wrong answer.
    ///
    /// # Errors
    /// Those of [`expect`](Self::expect).
    pub fn expect_unless(&mut self, expected: &[u8], wrong: &[u8], cause: &str) -> Verdict {
        let (came, end) = self.receive(expected);
        if came == expected {
            return Ok(());
        }
        let what = match end {
            Came::Bytes => "it sends something else",
            Came::End => "it closes the connection too early",
            Came::Nothing => "it does not answer",
        };
        let fault = self.fault(what).compared(expected, &came);
        match wrong.starts_with(&came) && !expected.starts_with(&came) {
            true => Err(fault.because(cause)),
            false => Err(fault),
        }
    }

    /// Expects that the program closes the connection and sends nothing more.
    ///
    /// # Errors
    /// A fault with what it sends, or if it does not close in time.
    pub fn expect_end(&mut self) -> Verdict {
        let mut more = [0; 64];
        let (count, end) = self.read_some(&mut more);
        let fault = |what: &str| self.fault(what).expected("the end of the stream");
        match end {
            Came::End => Ok(()),
            Came::Bytes => {
                Err(fault("it sends more than it should").came(super::bytes::show(&more[..count])))
            }
            Came::Nothing => Err(fault("it does not close the connection").came("nothing")),
        }
    }

    /// Expects that the program, having read all it was sent, is silent and keeps the connection open.
    ///
    /// # Errors
    /// A fault with what it says.
    pub fn expect_silence(&mut self) -> Verdict {
        self.expect_no_answer()?;
        match self.read_at_once(&mut [0]) {
            (_, Came::End) => Err(self
                .fault("it closes the connection too early")
                .expected("nothing yet")
                .came("the end of the stream")),
            _ => Ok(()),
        }
    }

    /// Expects that the program, having read all it was sent, is silent; it may close the connection.
    ///
    /// # Errors
    /// A fault with what it says.
    pub fn expect_no_answer(&mut self) -> Verdict {
        self.program.settle();
        let mut early = [0; 64];
        match self.read_at_once(&mut early) {
            (count, Came::Bytes) => Err(self
                .fault("it answers too early")
                .expected("nothing yet")
                .came(super::bytes::show(&early[..count]))),
            _ => Ok(()),
        }
    }

    /// Reads what is there already.
    fn read_at_once(&self, buffer: &mut [u8]) -> (usize, Came) {
        let _ = self.stream.set_nonblocking(true);
        let read = self.read_some(buffer);
        let _ = self.stream.set_nonblocking(false);
        read
    }

    /// Receives one line, its end included.
    ///
    /// # Errors
    /// A fault if the stream ends before the line does, or nothing comes.
    pub fn receive_line(&mut self) -> Result<String, Fault> {
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            match self.receive_up_to(1)[..] {
                [byte] => line.push(byte),
                _ => {
                    let fault = self.fault("it does not send a whole line");
                    return Err(fault.expected("a line").came(super::bytes::show(&line)));
                }
            }
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    /// Receives up to `count` bytes: fewer if the stream ends or too much time passes.
    pub fn receive_up_to(&mut self, count: usize) -> Vec<u8> {
        let mut came = vec![0; count];
        let mut filled = 0;
        let deadline = Instant::now() + self.limit;
        while filled < count && Instant::now() < deadline {
            match self.read_some(&mut came[filled..]) {
                (more, Came::Bytes) => filled += more,
                _ => break,
            }
        }
        came.truncate(filled);
        came
    }

    /// Receives until all expected bytes have come, or until one differs.
    fn receive(&mut self, expected: &[u8]) -> (Vec<u8>, Came) {
        let mut came = vec![0; expected.len()];
        let mut filled = 0;
        let mut end = Came::Bytes;
        let deadline = Instant::now() + self.limit;
        while filled < expected.len() && end == Came::Bytes && Instant::now() < deadline {
            let before = filled;
            let count;
            (count, end) = self.read_some(&mut came[before..]);
            filled += count;
            if came[before..filled] != expected[before..filled] {
                break;
            }
        }
        came.truncate(filled);
        (came, end)
    }

    fn fault(&self, what: &str) -> Fault {
        self.program.fault(what).sent(&self.sent)
    }

    fn read_some(&self, buffer: &mut [u8]) -> (usize, Came) {
        loop {
            return match (&*self.stream).read(buffer) {
                Ok(0) => (0, Came::End),
                Ok(count) => (count, Came::Bytes),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => (0, Came::Nothing),
                Err(_) => (0, Came::End), // a reset is an end, too
            };
        }
    }
}
