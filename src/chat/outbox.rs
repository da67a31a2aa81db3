//! Lines on their way to a reader that may be slow: a bounded buffer that many threads fill and one empties.
//!
//! The reader is a terminal stopped with Ctrl-S, a full pipe, or a client that does not read. Only the thread
//! that writes to it blocks then. Threads that put lines in wait only while the buffer is full, and after
//! a stop only for a moment. While one write is under way the next buffer fills, so a busier outbox makes
//! larger writes.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::stop::{StopToken, Waker};

/// How long after a stop lines may still go out.
const LAST_MOMENT: Duration = Duration::from_millis(300);

/// The buffer between the threads that have lines and the thread that writes them.
pub(super) struct Outbox {
    /// How many bytes may wait; beyond that, a thread that puts more in waits too.
    full: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Whole lines that wait for the writer.
    pending: Vec<u8>,
    /// How many times lines were put in, and how many of these puts the writer has taken, and has written.
    put: u64,
    taken: u64,
    written: u64,
    /// After a stop: the time until which lines may still go out.
    deadline: Option<Instant>,
    /// Whether the outbox takes no more lines.
    closed: bool,
    /// The error that ended the writing.
    failed: Option<io::Error>,
}

impl Outbox {
    /// An outbox in which about `full` bytes may wait.
    pub(super) fn new(full: usize) -> Arc<Self> {
        Arc::new(Self {
            full,
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// Limits every wait once `stop` is requested.
    pub(super) fn stop_on(self: &Arc<Self>, stop: &StopToken) -> Waker {
        let outbox = Arc::clone(self);
        stop.on_stop(move || {
            outbox.state().deadline = Some(Instant::now() + LAST_MOMENT);
            outbox.changed.notify_all();
        })
    }

    /// Puts whole lines in. Waits while the outbox is full. Lines are lost if there is no room when the wait
    /// has to end, or if the reader has closed.
    pub(super) fn put(&self, lines: &[u8]) {
        let full = |state: &State| state.pending.len() >= self.full;
        let mut state = self.wait_while(|state| full(state) && !state.closed);
        if !full(&state) && !state.closed {
            state.pending.extend_from_slice(lines);
            state.put += 1;
            self.changed.notify_all();
        }
    }

    /// Waits until all that was put in is written; after a stop, only for a moment.
    pub(super) fn flush(&self) {
        drop(self.wait_until_written());
    }

    /// Waits in the same way, and takes no more lines.
    ///
    /// # Errors
    /// Those of writing.
    pub(super) fn finish(&self) -> io::Result<()> {
        let mut state = self.wait_until_written();
        state.closed = true;
        self.changed.notify_all();
        state.failed.take().map_or(Ok(()), Err)
    }

    /// Calls `write` with all waiting lines, as they come, until the outbox is finished or writing
    /// fails. Says whether writing failed; [`finish`](Self::finish) says how.
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

    /// Waits for what has been put in so far. Other threads may keep putting lines in.
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
        (0..4).for_each(|_| outbox.put(&line)); // no wait, or this test would hang here
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
