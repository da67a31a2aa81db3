//! Stage 3: a two-way chat. A line typed at the server goes to all clients, or to one of them.
//!
//! What broke: nothing, but stage 2 never answers. `ipc chat server --stage 2` does not read its stdin.
//!
//! What this adds: a room, which is a map of the connections behind a mutex, and a thread that sends each
//! typed line to all clients in the room, or to one.
//!
//! What it costs: 45 lines here, about 100 in `room.rs`, and one thread. Now one client
//! that stops reading stops the room.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread;

use super::protocol::Address;
use super::room::{Room, each_typed_line, lock};
use super::screen::Screen;
use super::session::{listen_to, refuse};
use crate::socket::{Listener, WhenFull, accept_loop, send};
use crate::stop::StopToken;

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
            |number, client| converse(client, number, &room, screen, stop),
            refuse,
        )
    })
}

/// Keeps the client in the room while it is connected. Returns the message to log about its leaving.
fn converse(
    client: &Arc<UnixStream>,
    number: u64,
    room: &Mutex<Room<UnixStream>>,
    screen: &Screen,
    stop: &StopToken,
) -> String {
    // Ends a send that is blocked; what was sent before can still be read.
    let sending = Arc::clone(client);
    let _waker = stop.on_stop(move || drop(sending.shutdown(Shutdown::Both)));
    lock(room).enter(number, client);
    let named = |name: &str| lock(room).name(number, name);
    let left = listen_to(client, number, screen, stop, named);
    lock(room).leave(number);
    left
}

/// Sends a typed line to each client that it is addressed to.
///
/// # Errors
/// Why the line went to no client, as a message to the typist.
fn deliver(room: &Mutex<Room<UnixStream>>, typed: &[u8]) -> Result<(), String> {
    let (address, text) = Address::of(typed);
    let line = [text, b"\n"].concat();
    let room = lock(room); // held while this sends: no client enters or leaves meanwhile
    for client in room.find(address)? {
        let _ = send(&mut &*client, &line); // the thread that listens to it tells if it left
    }
    Ok(())
}
