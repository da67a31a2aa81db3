//! What is shown: whole lines, in large writes when there is much, and never in the way of the end.
//!
//! Many threads have lines to show. Each puts its lines under one lock into one buffer, so none is
//! torn, and one thread writes the buffer out. It alone is blocked when nobody reads the output (a
//! terminal stopped with Ctrl-S, a full pipe). The others wait only while the buffer is full, with an
//! end to the wait: the interrupt. While one write is under way the next buffer fills, so the
//! busier it gets the larger the writes.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::interrupt::{Interrupt, Waker};

/// How many bytes may wait to be written before whoever shows more has to wait, too.
const FULL: usize = 1 << 20;
/// How long after the interrupt the output may still take lines.
const LAST_MOMENT: Duration = Duration::from_millis(300);
/// Back to the start of the row, and erase it: what stands before each redrawing of a typed line.
const ERASE: &str = "\r\x1b[K";
/// Around a typed line: what does not fit stays in the last column, and so in the row that is erased.
const NO_WRAP: &str = "\x1b[?7l";
const WRAP: &str = "\x1b[?7h";

/// The output, shared by all who show something on it.
pub struct Screen {
    shared: Arc<Shared>,
    _waker: Waker,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Whole lines that wait for the writer.
    pending: String,
    /// The line that is being typed below them.
    typed: Option<String>,
    /// Nothing is typed any more.
    typing_ended: bool,
    /// The row of the typed line has to be drawn anew, even if there is nothing else to write.
    redraw: bool,
    /// How often something was shown or drawn, how much of that the writer has taken, and written.
    shown: u64,
    taken: u64,
    written: u64,
    /// The interrupt was raised: until when the output may still take lines.
    deadline: Option<Instant>,
    /// The output took no more.
    failed: Option<io::Error>,
    /// No more will be shown.
    finished: bool,
}

impl Screen {
    /// Takes the output that `open` gives, on a thread that does nothing but write to it. When the
    /// output fails, `interrupt` is raised: who cannot show anything has nothing left to do.
    ///
    /// ```
    /// use ipc_primer::{chat::Screen, interrupt::Interrupt};
    /// use std::{fs::File, io::ErrorKind};
    ///
    /// let interrupt = Interrupt::new();
    /// let full = File::options().write(true).open("/dev/full")?;
    /// let screen = Screen::new(|| full, &interrupt)?;
    /// screen.show("alice#1: good morning\n");
    /// assert_eq!(screen.finish().unwrap_err().kind(), ErrorKind::StorageFull);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] (`EAGAIN`) if there can be no more threads.
    pub fn new<W: Write>(
        open: impl FnOnce() -> W + Send + 'static,
        interrupt: &Interrupt,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (writer, failed) = (Arc::clone(&shared), interrupt.clone());
        let write = move || {
            if writer.write_all(&mut open()).is_err() {
                failed.raise();
            }
        };
        thread::Builder::new().spawn(write)?;
        let ending = Arc::clone(&shared);
        let waker = interrupt.on_raise(move || {
            ending.state().deadline = Some(Instant::now() + LAST_MOMENT);
            ending.changed.notify_all();
        });
        Ok(Self {
            shared,
            _waker: waker,
        })
    }

    /// Shows whole lines, each with its line end. Waits while too much is waiting already; after the
    /// interrupt for a moment only, and then the lines are lost.
    pub fn show(&self, lines: &str) {
        let full = |state: &State| state.pending.len() >= FULL;
        let mut state = self
            .shared
            .wait_while(|state| full(state) && state.failed.is_none());
        if !full(&state) && state.failed.is_none() {
            state.pending.push_str(lines);
            self.shared.tell(&mut state);
        }
    }

    /// Draws the line that is being typed, below all that is shown, and draws it again below all that
    /// will be.
    pub(super) fn draw(&self, typed: String) {
        let mut state = self.shared.state();
        if !state.typing_ended {
            state.typed = Some(typed);
            state.redraw = true;
            self.shared.tell(&mut state);
        }
    }

    /// Leaves the line that is being typed as it stands, and draws no other.
    pub(super) fn end_typing(&self) {
        let mut state = self.shared.state();
        state.typing_ended = true;
        if let Some(typed) = state.typed.take() {
            state.pending += &format!("{typed}\n");
            state.redraw = true;
            self.shared.tell(&mut state);
        }
    }

    /// Waits until all that was shown is written; after the interrupt for a moment only.
    pub fn flush(&self) {
        drop(self.shared.wait_until_written());
    }

    /// Does the same, and lets go of the output.
    ///
    /// # Errors
    /// What the output failed with.
    pub fn finish(&self) -> io::Result<()> {
        let mut state = self.shared.wait_until_written();
        state.finished = true;
        self.shared.changed.notify_all();
        state.failed.take().map_or(Ok(()), Err)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the writer that there is something to write.
    fn tell(&self, state: &mut State) {
        state.shown += 1;
        self.changed.notify_all();
    }

    /// Waits for what is shown until now. Others may go on and on.
    fn wait_until_written(&self) -> MutexGuard<'_, State> {
        let until = self.state().shown;
        self.wait_while(|state| state.written < until && state.failed.is_none())
    }

    /// Waits while `busy` holds, until the deadline if there is one.
    fn wait_while(&self, busy: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let mut state = self.state();
        while busy(&state) {
            state = match state.deadline {
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return state;
                    }
                    let waited = self.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        state
    }

    /// Writes what is shown until there is no more, or the output fails.
    fn write_all(&self, output: &mut impl Write) -> Result<(), ()> {
        let mut batch = String::new();
        while self.take(&mut batch) {
            let written = output.write_all(batch.as_bytes());
            if let Err(error) = written.and_then(|()| output.flush()) {
                self.state().failed = Some(error);
                self.changed.notify_all();
                return Err(());
            }
        }
        Ok(())
    }

    /// Waits for something to write and takes all of it; false when no more will come.
    fn take(&self, batch: &mut String) -> bool {
        let mut state = self.state();
        state.written = state.taken;
        self.changed.notify_all();
        while state.shown == state.taken {
            if state.finished {
                return false;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        batch.clear();
        std::mem::swap(batch, &mut state.pending);
        if state.redraw || state.typed.is_some() {
            batch.insert_str(0, ERASE);
        }
        if let Some(typed) = &state.typed {
            *batch += &format!("{NO_WRAP}{typed}{WRAP}");
        }
        state.redraw = false;
        state.taken = state.shown;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{self, Receiver, Sender};

    /// An output that takes each write when the test asks for it.
    struct Slow(Sender<String>, Receiver<()>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.send(String::from_utf8_lossy(bytes).into_owned());
            let _ = self.1.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow_screen(interrupt: &Interrupt) -> (Screen, Receiver<String>, Sender<()>) {
        let (writes, written) = mpsc::channel();
        let (go, wait) = mpsc::channel();
        let screen = Screen::new(|| Slow(writes, wait), interrupt).unwrap();
        (screen, written, go)
    }

    #[test]
    fn what_is_shown_during_a_write_goes_out_in_the_next() {
        let (screen, written, go) = slow_screen(&Interrupt::new());
        screen.show("one\n");
        assert_eq!(written.recv().unwrap(), "one\n");
        screen.show("two\n");
        screen.show("three\n");
        go.send(()).unwrap();
        assert_eq!(written.recv().unwrap(), "two\nthree\n");
        drop(go);
        screen.finish().unwrap();
    }

    #[test]
    fn the_typed_line_is_drawn_below_what_is_shown() {
        let (screen, written, go) = slow_screen(&Interrupt::new());
        screen.draw("> hel".into());
        assert_eq!(written.recv().unwrap(), "\r\x1b[K\x1b[?7l> hel\x1b[?7h");
        screen.show("server: hello\n");
        drop(go);
        let drawn = "\r\x1b[Kserver: hello\n\x1b[?7l> hel\x1b[?7h";
        assert_eq!(written.recv().unwrap(), drawn);
        screen.end_typing();
        assert_eq!(written.recv().unwrap(), "\r\x1b[K> hel\n");
        screen.draw("> too late".into());
        screen.finish().unwrap();
        assert_eq!(written.recv(), Err(mpsc::RecvError));
    }

    #[test]
    fn an_output_that_is_stuck_holds_nobody_after_the_interrupt() {
        let interrupt = Interrupt::new();
        let (screen, written, _go) = slow_screen(&interrupt);
        screen.show("stuck\n");
        written.recv().unwrap();
        screen.show(&"x".repeat(FULL));
        thread::scope(|scope| {
            scope.spawn(|| screen.show("no room\n"));
            scope.spawn(|| screen.flush());
            interrupt.raise();
        });
        screen.finish().unwrap();
    }
}
