//! How clients come in, at either server: each gets a number, a seat, and a thread.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::{self, Scope};

use crate::notice::notice;
use crate::socket::{Listener, close};

/// Accepts clients until the listener is stopped, and has `serve` called with each, on a thread of its
/// own: its number, from 1, and its connection. Who comes when `max_clients` are there finds the
/// connection closed.
///
/// # Errors
/// Those of [`Listener::accept`].
pub(super) fn admit_all<'scope>(
    scope: &'scope Scope<'scope, '_>,
    listener: &Listener,
    max_clients: usize,
    serve: &'scope (impl Fn(u64, &Arc<UnixStream>) + Sync),
) -> io::Result<()> {
    let seat = Arc::new(()); // a clone of it for every client: the count is the clients
    let mut number = 0;
    while let Some(stream) = listener.accept()? {
        number += 1;
        let stream = Arc::new(stream);
        let (guest, taken) = (Arc::clone(&stream), Arc::clone(&seat));
        let visit = move || {
            serve(number, &guest);
            drop((guest, taken)); // in this order: a seat that is free has a descriptor that is free
        };
        let admitted = Arc::strong_count(&seat) <= max_clients + 1
            && thread::Builder::new().spawn_scoped(scope, visit).is_ok();
        if !admitted {
            notice(format!("#{number} was refused: there is no room for more"));
            close(&stream);
        }
    }
    Ok(())
}
