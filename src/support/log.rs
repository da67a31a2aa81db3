//! What a program says about its work: on stderr, a line at a time, almost never waiting for its reader.
//!
//! A terminal stopped with Ctrl-S, or a pipe that is not being read, blocks every writer. A server must
//! not stand still for that, so a separate thread does the writing and takes lines from a bounded
//! queue. While the reader is slow, threads with something to say wait; once the reader has read
//! nothing for a moment, lines are dropped and counted.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::support::escape::escape;
use crate::support::stdio::stderr;

/// How many lines may wait for the writer.
const QUEUED: usize = 4096;
/// How long a reader may read nothing before we stop waiting for it.
const PATIENCE: Duration = Duration::from_millis(300);

/// The lines to be said, shared with the thread that writes them.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: VecDeque<String>,
    /// The thread is in its write, or about to be: if that lasts, the reader is to blame.
    writing: bool,
    /// Lines written so far: the number grows as long as the reader reads.
    written: u64,
    /// Lines said so far, except the dropped ones.
    said: u64,
    dropped: u64,
    /// The reader has stalled longer than `PATIENCE`; it gets nothing more until it reads again.
    stuck: bool,
}

/// The queue, if a thread could be started to write; otherwise every thread writes for itself.
static QUEUE: LazyLock<Option<&Queue>> = LazyLock::new(|| {
    let queue: &Queue = Box::leak(Box::default());
    let writer = thread::Builder::new()
        .name("log".into())
        .spawn(|| queue.write_all());
    writer.is_ok().then_some(queue)
});

/// Says one line on stderr, [escaped](escape()): it may contain names and words of strangers.
pub fn log(line: impl AsRef<str>) {
    prompt(format!("{}\n", escape(line.as_ref())));
}

/// Says `text` on stderr as it is, with no line end: a prompt.
pub fn prompt(text: impl Into<String>) {
    match *QUEUE {
        Some(queue) => queue.say(text.into()),
        None => drop(stderr().write_all(text.into().as_bytes())),
    }
}

/// Waits until all that was said is on stderr, as long as its reader reads: before a result is written
/// to stdout, because both may be one terminal, and before the end of `main`, because a process does not
/// wait for its detached threads.
pub fn flush() {
    if let Some(queue) = *QUEUE {
        let state = queue.state();
        let target = state.said;
        drop(queue.wait(state, |state| state.written < target));
    }
}

impl Queue {
    fn say(&self, text: String) {
        let mut state = self.state();
        if !state.stuck {
            state = self.wait(state, |state| state.lines.len() >= QUEUED);
        }
        if state.lines.len() >= QUEUED {
            state.dropped += 1;
        } else {
            state.lines.push_back(text);
            state.said += 1;
            self.changed.notify_all();
        }
    }

    /// Waits while `busy`, as long as the writer makes progress. A writer that has not even begun is late, as
    /// a thread can be on a busy machine: it is given more time.
    fn wait<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        busy: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        while busy(&state) && !state.stuck {
            let (before, stood) = (state.written, state.writing);
            let here = |state: &mut State| busy(state) && state.written == before;
            let waited = self.changed.wait_timeout_while(state, PATIENCE, here);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.stuck = stood && state.written == before && busy(&state);
        }
        state
    }

    fn write_all(&self) {
        loop {
            let text = self.next();
            // An error here cannot be reported: stderr is where errors are written.
            let _ = stderr().write_all(text.as_bytes());
            let mut state = self.state();
            state.writing = false;
            state.written += 1;
            state.stuck = false;
            self.changed.notify_all();
        }
    }

    /// The next text to write, preceded by the number of lines that were dropped before it.
    fn next(&self) -> String {
        let empty = |state: &mut State| state.lines.is_empty();
        let waited = self.changed.wait_while(self.state(), empty);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let text = state.lines.pop_front().unwrap_or_default();
        state.writing = true;
        match std::mem::take(&mut state.dropped) {
            0 => text,
            dropped => format!("({dropped} lines were dropped: nobody read them in time)\n{text}"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
