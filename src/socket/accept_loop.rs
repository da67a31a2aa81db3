//! A thread for each client: accept one, give it a thread, accept the next, up to a limit.
//!
//! A server in C would ask `select(2)` which of its clients has something to say. Here each client has a
//! thread that waits for it alone, so a conversation is written as if there were no other.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::{self, Scope};

use super::Listener;
use crate::stop::StopToken;
use crate::support::log::log;
use crate::support::permits::{Permit, Permits};

/// What happens to a client when every permit is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// The client is accepted and refused, so that it learns of this immediately.
    Refuse,
    /// The client waits in the backlog: it has connected and may send, and takes no descriptor of ours.
    Wait,
}

/// Accepts clients until the listener is stopped, at most `max_clients` at a time, and runs `serve` for
/// each on its own thread, with its number (from 1) and its connection. A client for which there is no
/// room, or no thread, is given to `refuse`. What both return is logged once the client is gone. Returns when
/// all threads have ended.
///
/// # Errors
/// Those of [`Listener::accept`]; they request `stop`, so that every client's thread ends too.
#[doc(alias = "poll")]
#[doc(alias = "epoll")]
#[doc(alias = "fork")]
#[doc(alias = "select")]
#[doc(alias = "pthread_create")]
pub fn accept_loop(
    listener: &Listener,
    max_clients: usize,
    when_full: WhenFull,
    stop: &StopToken,
    serve: impl Fn(u64, &Arc<UnixStream>) -> String + Sync,
    refuse: impl Fn(u64, &UnixStream) -> String,
) -> io::Result<()> {
    let permits = Permits::new(max_clients);
    let closing = Arc::clone(&permits);
    // At a stop, a client that has to wait is refused; one with a permit is served, and its thread sees the stop.
    let close = || stop.on_stop(move || closing.close());
    let _close = (when_full == WhenFull::Wait).then(close);
    let serve = |number, client, permit| {
        let ending = serve(number, &client);
        drop((client, permit)); // before the log, which may wait for its reader
        log(ending);
    };
    let refuse = |number, client: &UnixStream| log(refuse(number, client));
    accept_with(listener, &permits, when_full, stop, serve, refuse)
}

/// The same, with the caller's permits, one for each client.
pub(crate) fn accept_with(
    listener: &Listener,
    permits: &Arc<Permits>,
    when_full: WhenFull,
    stop: &StopToken,
    serve: impl Fn(u64, Arc<UnixStream>, Permit) + Sync,
    refuse: impl Fn(u64, &UnixStream),
) -> io::Result<()> {
    let _waker = listener.stop_on(stop);
    thread::scope(|scope| {
        let accepted = accept_each(listener, permits, when_full, |number, client, permit| {
            let given = permit.map(|permit| spawn(scope, number, &client, permit, &serve));
            if !matches!(given, Some(Ok(()))) {
                refuse(number, &client);
            }
        });
        if accepted.is_err() {
            stop.request_stop(); // the scope waits for every thread, and so for every client
        }
        accepted
    })
}

fn accept_each(
    listener: &Listener,
    permits: &Arc<Permits>,
    when_full: WhenFull,
    mut admit: impl FnMut(u64, Arc<UnixStream>, Option<Permit>),
) -> io::Result<()> {
    for number in 1.. {
        let waited = (when_full == WhenFull::Wait).then(|| permits.take(number));
        let Some(client) = listener.accept()? else {
            break;
        };
        let permit = waited.unwrap_or_else(|| permits.try_take());
        admit(number, Arc::new(client), permit);
    }
    Ok(())
}

/// Gives the client a thread; fails if there can be no more threads.
fn spawn<'scope, S: Fn(u64, Arc<UnixStream>, Permit) + Sync>(
    scope: &'scope Scope<'scope, '_>,
    number: u64,
    client: &Arc<UnixStream>,
    permit: Permit,
    serve: &'scope S,
) -> io::Result<()> {
    let client = Arc::clone(client);
    let run = move || serve(number, client, permit);
    thread::Builder::new().spawn_scoped(scope, run).map(drop)
}
