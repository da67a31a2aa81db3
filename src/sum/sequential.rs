//! Stage 1: one client at a time, note 1's server without multiplexing.
//!
//! Who connects while another is served waits in the backlog, where the kernel has already
//! connected it: it can send, and hears nothing until its turn. Stage 2 is [`threaded`](super::threaded).

use std::io;
use std::sync::Arc;

use super::conversation::converse;
use crate::interrupt::Interrupt;
use crate::notice::notice;
use crate::socket::Listener;

/// Serves the clients of `listener` one after the other until `interrupt` is raised.
///
/// # Errors
/// Those of [`Listener::accept`]. A client's errors end that client alone.
pub fn serve(listener: &Listener, interrupt: &Interrupt) -> io::Result<()> {
    let _waker = listener.stop_on(interrupt);
    let mut number = 0;
    while let Some(stream) = listener.accept()? {
        number += 1;
        let ending = converse(&Arc::new(stream), interrupt);
        notice(format!("client {number} {ending}"));
    }
    Ok(())
}
