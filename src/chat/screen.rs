//! The screen: whole lines, in large writes when there are many, and the line that is being typed below
//! them.
//!
//! Many threads have lines to show. Each puts its lines into one [outbox](Outbox), so none is torn, and one
//! thread writes them out. Only that thread blocks when the output is not read (a terminal stopped with
//! Ctrl-S, a full pipe).

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::outbox::Outbox;
use crate::stop::{StopToken, Waker};

/// How many bytes may wait to be written; beyond that, a thread that shows more waits too.
const FULL: usize = 1 << 20;
/// Returns to the start of the row and erases it: written before each redrawing of a typed line.
const ERASE: &str = "\r\x1b[K";
/// Written around a typed line: excess text stays in the last column, and so in the row that is erased.
const NO_WRAP: &str = "\x1b[?7l";
const WRAP: &str = "\x1b[?7h";

/// The output, shared by all threads that show something on it.
pub struct Screen {
    outbox: Arc<Outbox>,
    typed: Arc<Mutex<TypedLine>>,
    _waker: Waker,
}

/// The line that is being typed below all others.
#[derive(Default)]
struct TypedLine {
    text: Option<String>,
    /// Whether it is on the screen, in a row that has to be erased first.
    drawn: bool,
    /// Whether typing has ended.
    ended: bool,
}

impl Screen {
    /// Gives `output` to a writing thread; if it fails, a stop is requested, because nothing more can be shown.
    ///
    /// ```
    /// use ipc_primer::{chat::Screen, stop::StopToken};
    /// use std::{fs::File, io::ErrorKind};
    ///
    /// let stop = StopToken::new();
    /// let full = File::options().write(true).open("/dev/full")?;
    /// let screen = Screen::new(full, &stop)?;
    /// screen.show("alice#1: good morning\n");
    /// assert_eq!(screen.finish().unwrap_err().kind(), ErrorKind::StorageFull);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] (`EAGAIN`) if there can be no more threads.
    pub fn new(mut output: impl Write + Send + 'static, stop: &StopToken) -> io::Result<Self> {
        let (outbox, typed) = (Outbox::new(FULL), Arc::default());
        let waker = outbox.stop_on(stop);
        let (lines, below, failed) = (Arc::clone(&outbox), Arc::clone(&typed), stop.clone());
        let write = move || {
            let show = |lines: &[u8]| {
                output.write_all(&typed_line(&below).put_below(lines))?;
                output.flush()
            };
            if lines.empty(show) {
                failed.request_stop();
            }
        };
        thread::Builder::new().spawn(write)?;
        Ok(Self {
            outbox,
            typed,
            _waker: waker,
        })
    }

    /// Shows whole lines, each with its line end. Waits while too much is waiting already; after a stop
    /// it waits only a moment, and then the lines are lost.
    pub fn show(&self, lines: &str) {
        self.outbox.put(lines.as_bytes());
    }

    /// Draws the line that is being typed below all shown lines, and draws it again below all later
    /// ones.
    pub(super) fn draw(&self, text: String) {
        let mut typed = typed_line(&self.typed);
        if !typed.ended {
            typed.text = Some(text);
            drop(typed);
            self.outbox.put(b""); // no line, but something to draw
        }
    }

    /// Leaves the line that is being typed as it stands, and draws no other.
    pub(super) fn end_typing(&self) {
        let mut typed = typed_line(&self.typed);
        typed.ended = true;
        if let Some(text) = typed.text.take() {
            drop(typed);
            self.show(&(text + "\n"));
        }
    }

    /// Waits until all that was shown is written; after a stop, only for a moment.
    pub(super) fn flush(&self) {
        self.outbox.flush();
    }

    /// Waits in the same way, and lets go of the output.
    ///
    /// # Errors
    /// The error that the output failed with.
    pub fn finish(&self) -> io::Result<()> {
        self.outbox.finish()
    }
}

impl TypedLine {
    /// The output for these lines, with the typed line, if there is one, redrawn below them.
    fn put_below(&mut self, lines: &[u8]) -> Vec<u8> {
        let mut output = Vec::with_capacity(lines.len());
        if self.drawn || self.text.is_some() {
            output.extend_from_slice(ERASE.as_bytes());
        }
        output.extend_from_slice(lines);
        if let Some(text) = &self.text {
            output.extend_from_slice(format!("{NO_WRAP}{text}{WRAP}").as_bytes());
        }
        self.drawn = self.text.is_some();
        output
    }
}

fn typed_line(typed: &Mutex<TypedLine>) -> MutexGuard<'_, TypedLine> {
    typed.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{self, Receiver, Sender};

    /// An output that accepts each write only when the test asks for it.
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

    fn slow_screen(stop: &StopToken) -> (Screen, Receiver<String>, Sender<()>) {
        let (writes, written) = mpsc::channel();
        let (go, wait) = mpsc::channel();
        let screen = Screen::new(Slow(writes, wait), stop).unwrap();
        (screen, written, go)
    }

    #[test]
    fn what_is_shown_during_a_write_goes_out_in_the_next() {
        let (screen, written, go) = slow_screen(&StopToken::new());
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
        let (screen, written, go) = slow_screen(&StopToken::new());
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
        let stop = StopToken::new();
        let (screen, written, _go) = slow_screen(&stop);
        screen.show("stuck\n");
        written.recv().unwrap();
        screen.show(&"x".repeat(FULL));
        thread::scope(|scope| {
            scope.spawn(|| screen.show("no room\n"));
            scope.spawn(|| screen.flush());
            stop.request_stop();
        });
        screen.finish().unwrap();
    }
}
