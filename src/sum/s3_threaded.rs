//! Stage 3: a thread for each client, so that no client waits for another.
//!
//! What broke: a client that connects to stage 2 and sends nothing keeps all others waiting for ever
//! (run `ipc sum client` twice, side by side).
//!
//! What this adds: the conversation of stage 2, line for line, on a separate thread for each client; and,
//! because threads and descriptors run out, a limit: any further client is told Busy.
//!
//! What it costs: one call instead of a loop, and about 25 KiB of memory per client.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use super::protocol::{END, Reply};
use super::report;
use crate::socket::{Listener, WhenFull, accept_loop, close, recv_exact, send};
use crate::stop::StopToken;

/// Serves the clients of `listener` concurrently, at most `max_clients`, until `stop` is requested. Any
/// further client is told [`Reply::Busy`].
///
/// # Errors
/// Those of [`Listener::accept`](crate::socket::Listener::accept). A client's errors end that client alone.
pub fn serve(listener: &Listener, max_clients: usize, stop: &StopToken) -> io::Result<()> {
    accept_loop(
        listener,
        max_clients,
        WhenFull::Refuse,
        stop,
        |number, client| report(number, converse(client, stop)),
        |number, client| report(number, answer(client, Reply::Busy)),
    )
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
