//! Stage 1, one-way: the clients speak, the server shows it and never writes.
//!
//! Stage 2 is [`two_way`](super::two_way).

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;

use super::admit::admit_all;
use super::guest::listen_to;
use super::screen::Screen;
use crate::interrupt::Interrupt;
use crate::notice::notice;
use crate::socket::Listener;

/// Shows on `screen` what the clients of `listener` say, `max_clients` of them at once at most, until
/// `interrupt` is raised. One more finds its connection closed.
///
/// # Errors
/// Those of [`Listener::accept`]; they end the clients that are there, as `interrupt` does.
pub fn serve(
    listener: &Listener,
    max_clients: usize,
    screen: &Screen,
    interrupt: &Interrupt,
) -> io::Result<()> {
    let _waker = listener.stop_on(interrupt);
    let serve = |number, stream: &Arc<UnixStream>| {
        notice(listen_to(stream, number, screen, interrupt, |_| ()));
    };
    thread::scope(|scope| {
        let ended = admit_all(scope, listener, max_clients, &serve);
        interrupt.raise(); // the scope waits for every thread, and so for every client
        ended
    })
}
