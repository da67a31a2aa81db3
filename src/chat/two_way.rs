//! Stage 2, two-way: the clients speak, the server shows it, and what is typed at the server goes to
//! the clients.
//!
//! Stage 1 is [`one_way`](super::one_way). What is new: a room that knows who is there, a thread that
//! takes what is typed, and for each client an outbox with a thread that empties it.

use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::admit::admit_all;
use super::guest::listen_to;
use super::outbox::{Outbox, PATIENCE};
use super::room::Room;
use super::screen::Screen;
use super::typed::deliver_typed;
use crate::interrupt::Interrupt;
use crate::notice::notice;
use crate::socket::Listener;

/// How long what was typed may take to go out when the server ends.
const LAST_MOMENT: Duration = Duration::from_millis(300);

/// Shows on `screen` what the clients of `listener` say, `max_clients` of them at once at most, and
/// sends them what is typed on stdin, until `interrupt` is raised. One more client finds its
/// connection closed.
///
/// # Errors
/// Those of [`Listener::accept`]; they end the clients that are there, as `interrupt` does.
#[doc(alias = "select")]
pub fn serve(
    listener: &Listener,
    max_clients: usize,
    screen: &Screen,
    interrupt: &Interrupt,
) -> io::Result<()> {
    let _waker = listener.stop_on(interrupt);
    let room = Room::default();
    let serve = |number, stream: &Arc<UnixStream>| {
        let outbox = room.enter(number, stream);
        thread::scope(|scope| {
            let speak = || speak_to(number, &room, &outbox);
            if let Err(error) = thread::Builder::new().spawn_scoped(scope, speak) {
                return notice(format!("#{number} was refused: {error}"));
            }
            let named = |name: &str| room.name(number, name);
            let left = listen_to(stream, number, screen, interrupt, named);
            outbox.close(); // what is in it still goes out: the client may have closed one direction only
            notice(left);
        });
        room.leave(number);
    };
    thread::scope(|scope| {
        let deliver = || deliver_typed(&room, interrupt);
        thread::Builder::new().spawn_scoped(scope, deliver)?;
        let ended = admit_all(scope, listener, max_clients, &serve);
        interrupt.raise(); // the scope waits for every thread, and so for every client
        room.hang_up(Instant::now() + LAST_MOMENT);
        ended
    })
}

/// Sends the client what is in its outbox. If it does not read, it is dropped.
fn speak_to(number: u64, room: &Room, outbox: &Outbox) {
    match outbox.send_all() {
        Err(error) if error.kind() == ErrorKind::TimedOut => notice(format!(
            "{} was dropped: it made no room for {} s",
            room.label(number),
            PATIENCE.as_secs()
        )),
        _ => {} // it left: the thread that listens to it says so
    }
}
