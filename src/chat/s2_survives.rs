//! Stage 2: a one-way chat that survives its clients, and ends cleanly.
//!
//! What broke: the terminal of stage 1 obeys its clients (`printf '\033[2J\n' | ipc chat client` clears its
//! screen); an endless line takes all memory; after Ctrl-C the socket file is in the way of the next server.
//!
//! What this adds: shown text is [escaped](super::escape()), lines have at most 4096 bytes, `screen.rs`
//! shows them whole and many at a time, clients are limited in number, and a stop ends every wait.
//!
//! What it costs: about 450 lines in four files beside this one, and a thread that writes. Each client has its
//! one thread, as before.

use std::io;

use super::screen::Screen;
use super::session::{listen_to, refuse};
use crate::socket::{Listener, WhenFull, accept_loop};
use crate::stop::StopToken;

/// Shows on `screen` what the clients of `listener` say, at most `max_clients` at a time, until
/// `stop` is requested. Any further client finds its connection closed.
///
/// # Errors
/// Those of [`Listener::accept`]. A client's errors end that client alone.
pub fn serve(
    listener: &Listener,
    max_clients: usize,
    screen: &Screen,
    stop: &StopToken,
) -> io::Result<()> {
    accept_loop(
        listener,
        max_clients,
        WhenFull::Refuse,
        stop,
        |number, client| listen_to(client, number, screen, stop, |_| ()),
        refuse,
    )
}
