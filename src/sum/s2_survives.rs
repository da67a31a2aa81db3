//! Stage 2: a server that survives its clients and ends cleanly.
//!
//! What broke: a client that leaves before it sends 0 (`echo 1 | ipc sum client`) ends stage 1 for all clients;
//! after Ctrl-C the socket file is in the way of the next server, and the client is not told.
//!
//! What this adds: an error ends one client only; a killed server's file is taken over; Ctrl-C wakes the
//! blocked call, says Goodbye, and removes the file.
//!
//! What it costs: about 30 lines and one waker per client, but no time.

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

/// Adds the client's integers and answers. At a stop the answer is Goodbye, so that a client at its prompt
/// learns immediately that the server is closing. Returns the answer, or `None` if the client left first.
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

/// Receives integers until one is 0 and returns their sum; `None` if the stream ends first.
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

/// Sends the conversation's only answer and closes the connection.
fn answer(client: &UnixStream, reply: Reply) -> io::Result<Option<Reply>> {
    let sent = send(&mut &*client, &reply.frame()); // the only data sent here, so the buffer has room for it
    close(client);
    match sent {
        Ok(()) => Ok(Some(reply)),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(None),
        Err(error) => Err(error),
    }
}
