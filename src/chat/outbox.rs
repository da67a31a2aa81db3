//! Lines on their way to a reader that may be slow: a bounded buffer that many threads fill and one empties.
//!
//! The reader is a terminal, which Ctrl-S stops, a full pipe, or a client that does not read. The one thread
//! that writes to it is blocked then. Those that put lines in wait only while the buffer is full, and after a
//! stop for a moment only. While one write is under way the next buffer fills, so the busier it gets, the
//! larger the writes.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::stop::{StopToken, Waker};

/// How long after a stop lines may still go out.
const LAST_MOMENT: Duration = Duration::from_millis(300);

/// The buffer between the threads that have lines and the thread that writes them.
pub(super) struct Outbox {
    /// How many bytes may wait; then a thread that puts more in waits, too.
    full: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Whole lines that wait for the writer.
    pending: Vec<u8>,
    /// How often something was put in, how much of that the writer has taken, and written.
    put: u64,
    taken: u64,
    written: u64,
    /// A stop was requested: until when lines may still go out.
    deadline: Option<Instant>,
    /// Nothing more comes in.
    closed: bool,
    /// Why nothing more goes out.
    failed: Option<io::Error>,
}

impl Outbox {
    /// An outbox in which some `full` bytes may wait.
    pub(super) fn new(full: usize) -> Arc<Self> {
        Arc::new(Self {
            full,
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// Gives every wait an end when `stop` is requested.
    pub(super) fn stop_on(self: &Arc<Self>, stop: &StopToken) -> Waker {
        let outbox = Arc::clone(self);
        stop.on_stop(move || {
            outbox.state().deadline = Some(Instant::now() + LAST_MOMENT);
            outbox.changed.notify_all();
        })
    }

    /// Puts whole lines in. Waits while it is full. Lines for which there is no room when the wait has
    /// to end, or for a reader that has gone, are lost.
    pub(super) fn put(&self, lines: &[u8]) {
        let full = |state: &State| state.pending.len() >= self.full;
        let mut state = self.wait_while(|state| full(state) && !state.closed);
        if !full(&state) && !state.closed {
            state.pending.extend_from_slice(lines);
            state.put += 1;
            self.changed.notify_all();
        }
    }

    /// Waits until all that was put in is written; after a stop for a moment only.
    pub(super) fn flush(&self) {
        drop(self.wait_until_written());
    }

    /// Does the same, and takes no more lines.
    ///
    /// # Errors
    /// Those of writing.
    pub(super) fn finish(&self) -> io::Result<()> {
        let mut state = self.wait_until_written();
        state.closed = true;
        self.changed.notify_all();
        state.failed.take().map_or(Ok(()), Err)
    }

    /// Has `write` called with all that is there, as it comes, until the outbox is finished or writing
    /// fails. Says whether it failed; [`finish`](Self::finish) says how.
    pub(super) fn empty(&self, mut write: impl FnMut(&[u8]) -> io::Result<()>) -> bool {
        while let Some(lines) = self.take() {
            if let Err(error) = write(&lines) {
                let mut state = self.state();
                state.closed = true;
                state.failed = Some(error);
                self.changed.notify_all();
                return true;
            }
        }
        false
    }

    /// Waits for lines and takes all that are there; `None` when no more will come.
    fn take(&self) -> Option<Vec<u8>> {
        let mut state = self.state();
        state.written = state.taken;
        self.changed.notify_all();
        let idle = |state: &mut State| state.put == state.taken && !state.closed;
        let waited = self.changed.wait_while(state, idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let more = state.put > state.taken;
        state.taken = state.put;
        more.then(|| std::mem::take(&mut state.pending))
    }

    /// Waits for what was put in until now. Others may go on and on.
    fn wait_until_written(&self) -> MutexGuard<'_, State> {
        let until = self.state().put;
        self.wait_while(|state| state.written < until && !state.closed)
    }

    /// Waits while `busy` holds, until the deadline if there is one.
    fn wait_while(&self, busy: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let mut state = self.state();
        while busy(&state) {
            let left = match state.deadline {
                None => Duration::MAX,
                Some(deadline) => deadline.saturating_duration_since(Instant::now()),
            };
            if left.is_zero() {
                break;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use std::sync::mpsc;
    use std::thread;

    #[test]
    fn a_full_outbox_means_wait_until_there_is_room_or_its_reader_has_gone() {
        let outbox = Outbox::new(4096);
        let line = [b'x'; 1024];
        (0..4).for_each(|_| outbox.put(&line)); // no wait: else this test would hang here
        thread::scope(|scope| {
            let one_more = scope.spawn(|| outbox.put(&line));
            assert_eq!(outbox.take().map(|lines| lines.len()), Some(4096));
            one_more.join().unwrap();
            let too_many = scope.spawn(|| (0..8).for_each(|_| outbox.put(&line)));
            assert!(outbox.empty(|_| Err(ErrorKind::BrokenPipe.into())));
            too_many.join().unwrap();
        });
        assert!(outbox.state().pending.len() <= 4096);
        let error = outbox.finish().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    }

    #[test]
    fn empty_lines_fill_it_too() {
        let outbox = Outbox::new(1000);
        (0..1000).for_each(|_| outbox.put(b"\n"));
        assert!(outbox.state().pending.len() >= outbox.full);
    }

    #[test]
    fn a_reader_that_does_not_read_holds_up_nothing_after_a_stop() {
        let (outbox, stop) = (Outbox::new(1), StopToken::new());
        let _waker = outbox.stop_on(&stop);
        let (release, released) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let writer = {
                let outbox = &outbox;
                let blocked = move |_: &[u8]| released.recv().or(Ok(()));
                scope.spawn(move || outbox.empty(blocked))
            };
            outbox.put(b"stuck\n");
            while outbox.state().taken == 0 {
                thread::yield_now();
            }
            outbox.put(b"waits\n");
            let late = scope.spawn(|| outbox.put(b"no room\n"));
            stop.request_stop();
            late.join().unwrap();
            outbox.finish().unwrap();
            drop(release);
            assert!(!writer.join().unwrap(), "it did not fail");
        });
    }
}
