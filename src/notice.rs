//! What a program says about its work: on stderr, a line at a time, never waiting for its reader.
//!
//! A terminal stopped with Ctrl-S, or a pipe that nobody empties, blocks whoever writes to it. A
//! server must not stand still for that, so a thread of its own does the writing and takes lines
//! from a bounded queue; when the queue is full, lines are dropped and counted.

use std::io::{self, Write};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread;
use std::time::Duration;

/// How many lines may wait for the writer.
const QUEUED: usize = 4096;
/// How long [`flush`] waits for a reader that may never read.
const FLUSH_LIMIT: Duration = Duration::from_millis(300);

enum Message {
    Text(String),
    Flush(Sender<()>),
}

static QUEUE: LazyLock<SyncSender<Message>> = LazyLock::new(|| {
    let (queue, messages) = mpsc::sync_channel(QUEUED);
    thread::spawn(move || write_all(&messages));
    queue
});
static DROPPED: AtomicUsize = AtomicUsize::new(0);

/// Says one line on stderr.
pub fn notice(line: impl AsRef<str>) {
    prompt(format!("{}\n", line.as_ref()));
}

/// Says `text` on stderr as it is, with no line end: a prompt.
pub fn prompt(text: impl Into<String>) {
    if QUEUE.try_send(Message::Text(text.into())).is_err() {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

/// Waits until all that was said stands on stderr, but no longer than a moment: the last call in
/// `main`, since a process does not wait for its detached threads.
pub fn flush() {
    let (written, done) = mpsc::channel();
    if QUEUE.try_send(Message::Flush(written)).is_ok() {
        let _ = done.recv_timeout(FLUSH_LIMIT);
    }
}

fn write_all(messages: &Receiver<Message>) {
    let mut stderr = io::stderr();
    for message in messages {
        // An error here has nowhere to be told: stderr is where errors go.
        let _ = match message {
            Message::Text(text) => stderr.write_all(text.as_bytes()),
            Message::Flush(written) => written.send(()).map_err(io::Error::other),
        };
        let dropped = DROPPED.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let _ = writeln!(stderr, "({dropped} lines were dropped: nobody read them)");
        }
    }
}
