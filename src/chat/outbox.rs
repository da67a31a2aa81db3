//! What waits to be sent to one client: bounded, and emptied by a thread that may be blocked, so that
//! whoever puts something in is not.
//!
//! Two things must not happen: that a client that stopped reading holds up the others for ever, and
//! that one that reads, only slower than the server types, is taken for it. So a full outbox means
//! *wait*, and only the thread that empties it can say *gone*: when the client has taken nothing at all
//! for the time of [`PATIENCE`], though there was something for it.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::socket::send;

/// How long a client may take nothing, though there is something for it.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// How many bytes may wait for one client. All clients wait for the same lines, which are there once.
const FULL: usize = 1 << 20;
/// What a line counts beyond its bytes: its place in the queue, its counters and its allocation.
const LINE_COST: usize = 64;
/// About how many bytes are sent in one call.
const CHUNK_LEN: usize = 32 * 1024;

/// The way to one client.
pub(super) struct Outbox {
    stream: Arc<UnixStream>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: VecDeque<Arc<[u8]>>,
    /// Of all lines, [`LINE_COST`] included.
    bytes: usize,
    /// Lines were taken out and are being sent.
    sending: bool,
    /// Nothing more comes in.
    closed: bool,
}

impl Outbox {
    pub(super) fn new(stream: &Arc<UnixStream>) -> Self {
        Self {
            stream: Arc::clone(stream),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Puts a line in; waits while the outbox is full. A line for a client that is gone is dropped.
    pub(super) fn put(&self, line: &Arc<[u8]>) {
        let full = |state: &mut State| state.bytes >= FULL && !state.closed;
        let waited = self.changed.wait_while(self.state(), full);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if !state.closed {
            state.bytes += line.len() + LINE_COST;
            state.lines.push_back(Arc::clone(line));
            self.changed.notify_all();
        }
    }

    /// Takes no more lines. Those that are in it still go out.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// Whether a line that is put in has a chance.
    pub(super) fn is_open(&self) -> bool {
        !self.state().closed
    }

    /// Closes, lets what is in it go out until `deadline`, then ends the connection.
    pub(super) fn hang_up(&self, deadline: Instant) {
        self.close();
        let left = deadline.saturating_duration_since(Instant::now());
        let busy = |state: &mut State| state.sending || !state.lines.is_empty();
        drop(self.changed.wait_timeout_while(self.state(), left, busy));
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Sends what is put in, as it comes, until the outbox is closed and empty.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`] for a client that has stopped reading; those of [`send`].
    pub(super) fn send_all(&self) -> io::Result<()> {
        self.stream.set_write_timeout(Some(PATIENCE))?;
        let mut chunk = Vec::new();
        let mut sent = Ok(());
        while sent.is_ok() && self.take(&mut chunk) {
            sent = send(&mut &*self.stream, &chunk);
        }
        self.abandon();
        sent.map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => ErrorKind::TimedOut.into(),
            _ => error,
        })
    }

    /// Waits for lines and takes as many as one call should send; false when no more will come.
    fn take(&self, chunk: &mut Vec<u8>) -> bool {
        chunk.clear();
        let mut state = self.state();
        state.sending = false;
        self.changed.notify_all();
        let idle = |state: &mut State| state.lines.is_empty() && !state.closed;
        let waited = self.changed.wait_while(state, idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        while chunk.len() < CHUNK_LEN
            && let Some(line) = state.lines.pop_front()
        {
            state.bytes -= line.len() + LINE_COST;
            chunk.extend_from_slice(&line);
        }
        state.sending = !chunk.is_empty();
        self.changed.notify_all();
        state.sending
    }

    /// Throws away what nobody will read, and ends the connection.
    fn abandon(&self) {
        let mut state = self.state();
        state.closed = true;
        state.lines.clear();
        state.bytes = 0;
        state.sending = false;
        self.changed.notify_all();
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_full_outbox_means_wait_until_there_is_room_or_it_is_closed() {
        let (here, _there) = UnixStream::pair().unwrap();
        let outbox = Outbox::new(&Arc::new(here));
        let line: Arc<[u8]> = vec![b'x'; 4096].into();
        let fits = FULL.div_ceil(line.len() + LINE_COST);
        for _ in 0..fits {
            outbox.put(&line); // no wait: else this test would hang here
        }
        let mut chunk = Vec::new();
        thread::scope(|scope| {
            let one_more = scope.spawn(|| outbox.put(&line));
            assert!(outbox.take(&mut chunk));
            one_more.join().unwrap();
            let too_many = scope.spawn(|| (0..fits).for_each(|_| outbox.put(&line)));
            outbox.close();
            too_many.join().unwrap();
        });
        assert!(outbox.state().bytes <= FULL + line.len() + LINE_COST);
        assert_eq!(chunk.len(), CHUNK_LEN, "eight lines of 4 KiB in one call");
    }

    #[test]
    fn empty_lines_fill_it_too() {
        let (here, _there) = UnixStream::pair().unwrap();
        let outbox = Outbox::new(&Arc::new(here));
        let line: Arc<[u8]> = b"\n"[..].into();
        (0..1000).for_each(|_| outbox.put(&line));
        assert!(outbox.state().bytes > 1000 * LINE_COST);
    }

    #[test]
    fn hanging_up_on_a_client_that_does_not_read_ends_in_time() {
        let (here, _there) = UnixStream::pair().unwrap();
        let outbox = Outbox::new(&Arc::new(here));
        thread::scope(|scope| {
            scope.spawn(|| outbox.send_all());
            let line: Arc<[u8]> = vec![b'x'; 512 * 1024].into();
            outbox.put(&line); // more than a socket's buffer holds: the sender is stuck
            let began = Instant::now();
            outbox.hang_up(began + Duration::from_millis(20));
        }); // waits for the sender
        assert!(!outbox.is_open());
    }
}
