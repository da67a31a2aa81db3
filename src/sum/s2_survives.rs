//! Stage 2: a server that survives its clients and ends cleanly.
//!
//! What broke: one client that leaves before its 0 (`echo 1 | ipc sum client`) ends stage 1 for all; after
//! Ctrl-C its socket file is in the way of the next server, and its client hears nothing.
//!
//! What this adds: an error ends one client; the file of a killed server is taken over; Ctrl-C wakes the
//! blocked call, says Goodbye, and removes the file.
//!
//! What it costs: some 30 lines and one waker a client; no time.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use super::protocol::{END, Reply};
use super::report;
use crate::socket::{Listener, close, recv_exact, send};
use crate::stop::StopToken;
use crate::support::log::log;

/// Serves the clients of `listener` one after the other until `stop` is requested.
///
/// # Errors
/// Those of [`Listener::accept`]. A client's errors end that client alone.
pub fn serve(listener: &Listener, stop: &StopToken) -> io::Result<()> {
    let _waker = listener.stop_on(stop);
    let mut number = 0;
    while let Some(client) = listener.accept()? {
        number += 1;
        log(report(number, converse(&Arc::new(client), stop)));
    }
    Ok(())
}

/// Adds what the client sends, and answers. At a stop the answer is Goodbye, so that a client at its
/// prompt learns at once that the server goes. Returns the answer; `None` if the client left before it.
fn converse(client: &Arc<UnixStream>, stop: &StopToken) -> io::Result<Option<Reply>> {
    // Shut down for reading alone: the answer has yet to go out.
    let reading = Arc::clone(client);
    let _waker = stop.on_stop(move || drop(reading.shutdown(Shutdown::Read)));
    match add_up(client)? {
        Some(sum) => answer(client, Reply::Result(sum)),
        None if stop.is_requested() => answer(client, Reply::Goodbye),
        None => Ok(None),
    }
}

/// Receives integers until one is 0 and returns their sum; `None` if the stream ends before.
fn add_up(mut client: &UnixStream) -> io::Result<Option<i128>> {
    let mut sum = 0;
    let mut bytes = [0; 4];
    while recv_exact(&mut client, &mut bytes)? == bytes.len() {
        match i32::from_ne_bytes(bytes) {
            END => return Ok(Some(sum)),
            integer => sum += i128::from(integer),
        }
    }
    Ok(None)
}

/// Sends the one answer of a conversation, and closes.
fn answer(client: &UnixStream, reply: Reply) -> io::Result<Option<Reply>> {
    let sent = send(&mut &*client, &reply.frame()); // the only one here, so there is room for it
    close(client);
    match sent {
        Ok(()) => Ok(Some(reply)),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(None),
        Err(error) => Err(error),
    }
}
