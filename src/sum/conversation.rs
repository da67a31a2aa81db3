//! What a server does with one client: steps 7 to 9 of note 4's server.

use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::{fmt, io};

use super::protocol::{Adder, Reply};
use crate::interrupt::Interrupt;
use crate::socket::{Received, close, recv, send};

/// How many bytes one read takes at most. A client that sends integers in large writes is read in
/// large reads: a call for each integer takes three hundred times as long (chapter 3 has measured it).
const READ_LEN: usize = 64 * 1024;

/// How a conversation ended.
pub(super) enum Ending {
    Answered(Reply),
    Left,
    Failed(io::Error),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(reply) => write!(f, "was sent \"{reply}\""),
            Self::Left => f.write_str("left before its answer"),
            Self::Failed(error) => write!(f, "failed: {error}"),
        }
    }
}

/// Adds what the client sends, answers, and closes. When `interrupt` is raised the answer is Goodbye,
/// so that a client at its prompt learns at once that the server goes.
pub(super) fn converse(stream: &Arc<UnixStream>, interrupt: &Interrupt) -> Ending {
    // Reading alone is shut down: the answer has yet to go out.
    let reading = Arc::clone(stream);
    let _waker = interrupt.on_raise(move || drop(reading.shutdown(Shutdown::Read)));
    match add_up(stream) {
        Ok(Some(sum)) => answer(stream, Reply::Result(sum)),
        Ok(None) if interrupt.is_raised() => answer(stream, Reply::Goodbye),
        Ok(None) => Ending::Left,
        Err(error) => Ending::Failed(error),
    }
}

/// Sends the one answer of a conversation and closes.
pub(super) fn answer(stream: &UnixStream, reply: Reply) -> Ending {
    let sent = send(&mut &*stream, &reply.frame()); // the only one here, so there is room for it
    close(stream);
    match sent {
        Ok(()) => Ending::Answered(reply),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ending::Left,
        Err(error) => Ending::Failed(error),
    }
}

/// Receives until the integer 0 and returns the sum; `None` if the stream ends before.
fn add_up(mut stream: &UnixStream) -> io::Result<Option<i128>> {
    let mut adder = Adder::default();
    let mut buffer = vec![0; READ_LEN];
    loop {
        let Received::Bytes(count) = recv(&mut stream, &mut buffer)? else {
            return Ok(None);
        };
        if let Some(sum) = adder.add(&buffer[..count]) {
            return Ok(Some(sum));
        }
    }
}
