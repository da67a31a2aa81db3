//! Stage 4: a two-way chat with an outbox for each client, and slow readers dropped.
//!
//! What broke: a client of stage 3 that stops reading (Ctrl-Z at `nc -U`) stops the room. Its socket's buffer
//! fills, the send to it blocks, and that thread holds the room: no client is sent anything, enters, or leaves.
//!
//! What this adds: `deliver` puts lines into a bounded outbox for each client, and a thread empties each
//! outbox. That thread may block; after `PATIENCE` without any progress its client is dropped.
//!
//! What it costs: 30 lines, because `outbox.rs` already serves `screen.rs`, and a second thread per client.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::outbox::Outbox;
use super::protocol::Address;
use super::room::{Room, each_typed_line, lock};
use super::screen::Screen;
use super::session::{listen_to, refuse};
use crate::socket::{Listener, WhenFull, accept_loop, send};
use crate::stop::StopToken;
use crate::support::log::log;

/// How long a client may take nothing while data waits for it.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many bytes may wait for one client. As many again may be on their way.
const FULL: usize = 128 * 1024;
/// The most bytes that one call sends: the time-out applies to each call.
const CHUNK_LEN: usize = 32 * 1024;

/// Shows on `screen` what the clients of `listener` say, at most `max_clients` at a time, and
/// sends them what is typed on stdin, until `stop` is requested. Any further client finds its connection
/// closed.
///
/// # Errors
/// Those of [`Listener::accept`]. A client's errors end that client alone.
#[doc(alias = "select")]
pub fn serve(
    listener: &Listener,
    max_clients: usize,
    screen: &Screen,
    stop: &StopToken,
) -> io::Result<()> {
    let room = Mutex::default();
    thread::scope(|scope| {
        let operate = || each_typed_line(stop, |line| deliver(&room, line));
        thread::Builder::new().spawn_scoped(scope, operate)?;
        accept_loop(
            listener,
            max_clients,
            WhenFull::Refuse,
            stop,
            |number, client| {
                let left = converse(client, number, &room, screen, stop);
                left.unwrap_or_else(|error| format!("#{number} was refused: {error}"))
            },
            refuse,
        )
    })
}

/// Keeps the client in the room while it is connected, and starts the thread that sends what is in its
/// outbox. Returns the message to log about its leaving.
fn converse(
    client: &Arc<UnixStream>,
    number: u64,
    room: &Mutex<Room<Outbox>>,
    screen: &Screen,
    stop: &StopToken,
) -> io::Result<String> {
    let outbox = Outbox::new(FULL);
    let _waker = outbox.stop_on(stop);
    client.set_write_timeout(Some(PATIENCE))?;
    thread::scope(|scope| {
        thread::Builder::new().spawn_scoped(scope, || send_all(&outbox, client))?;
        lock(room).enter(number, &outbox);
        let named = |name: &str| lock(room).name(number, name);
        let left = listen_to(client, number, screen, stop, named);
        let label = lock(room).leave(number);
        // What is in it still goes out: the client may have closed one direction only.
        let sent = outbox.finish();
        let _ = client.shutdown(Shutdown::Both); // wakes a send that the stop found blocked
        if sent.is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
            let limit = PATIENCE.as_secs();
            log(format!(
                "{label} was dropped: it made no room for {limit} s"
            ));
        }
        Ok(left)
    })
}

/// Sends what is put into the outbox, then ends the connection, which also wakes the listening thread.
fn send_all(outbox: &Outbox, client: &UnixStream) {
    outbox.empty(|lines| {
        let mut chunks = lines.chunks(CHUNK_LEN);
        chunks.try_for_each(|chunk| send(&mut &*client, chunk))
    });
    let _ = client.shutdown(Shutdown::Both);
}

/// Puts a typed line into the outbox of each client that it is addressed to.
///
/// # Errors
/// Why the line went to no client, as a message to the typist.
fn deliver(room: &Mutex<Room<Outbox>>, typed: &[u8]) -> Result<(), String> {
    let (address, text) = Address::of(typed);
    let line = [text, b"\n"].concat();
    let outboxes = lock(room).find(address)?;
    for outbox in outboxes {
        outbox.put(&line); // waits while it is full; the room is not locked here
    }
    Ok(())
}
