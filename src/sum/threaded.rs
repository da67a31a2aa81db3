//! Stage 2: a thread a client, note 1's server with multiplexing.
//!
//! A C server asks `select` which of its clients has something to say. Here each client has a
//! thread that waits for it alone, so the conversation is the one of stage 1, line for line.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::{self, Scope};

use super::conversation::{answer, converse};
use super::protocol::Reply;
use crate::interrupt::Interrupt;
use crate::notice::notice;
use crate::socket::Listener;

/// Serves the clients of `listener` all at once, `max_clients` at most, until `interrupt` is raised.
/// One more is told [`Reply::Busy`].
///
/// # Errors
/// Those of [`Listener::accept`]; they end the clients that are there, as `interrupt` does.
pub fn serve(listener: &Listener, max_clients: usize, interrupt: &Interrupt) -> io::Result<()> {
    let _waker = listener.stop_on(interrupt);
    thread::scope(|scope| {
        let ended = accept_all(scope, listener, max_clients, interrupt);
        if ended.is_err() {
            interrupt.raise(); // the scope waits for every thread, and so for every client
        }
        ended
    })
}

fn accept_all<'scope>(
    scope: &'scope Scope<'scope, '_>,
    listener: &Listener,
    max_clients: usize,
    interrupt: &'scope Interrupt,
) -> io::Result<()> {
    let seat = Arc::new(()); // a clone of it for every client: the count is the clients
    let mut number = 0u64;
    while let Some(stream) = listener.accept()? {
        number += 1;
        let stream = Arc::new(stream);
        let served = Arc::strong_count(&seat) <= max_clients
            && spawn(scope, number, &stream, interrupt, Arc::clone(&seat)).is_ok();
        if !served {
            notice(format!("client {number} {}", answer(&stream, Reply::Busy)));
        }
    }
    Ok(())
}

/// Gives the client a thread, which keeps its seat until it is done; fails if there can be no more threads.
fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    number: u64,
    stream: &Arc<UnixStream>,
    interrupt: &'scope Interrupt,
    seat: Arc<()>,
) -> io::Result<()> {
    let stream = Arc::clone(stream);
    let serve = move || {
        let ending = converse(&stream, interrupt);
        drop(seat);
        notice(format!("client {number} {ending}"));
    };
    thread::Builder::new().spawn_scoped(scope, serve).map(drop)
}
