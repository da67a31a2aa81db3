//! The client of both servers: what its user types goes to the server, what the server says is shown.
//!
//! It waits for its user, its server and Ctrl-C at once. The note's client asks `select` which of them
//! it is. Here each has a thread that waits for it alone, and tells one mailbox: so a server that goes
//! is noticed while the user sits at the prompt, and a server that does not read (a send to it is
//! blocked) is heard all the same.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use super::editor::edit_stdin_lines;
use super::protocol::{Hello, MAX_LINE, text};
use super::screen::Screen;
use super::terminal::Terminal;
use super::voice::Voice;
use crate::input::{Line, send_stdin_lines};
use crate::interrupt::{Interrupt, Waker};
use crate::notice::{notice, prompt};
use crate::socket::{close, connect, send};

/// How many events may wait in the mailbox; who has more to tell waits.
const MAILBOX: usize = 1024;
/// About how many bytes of typed lines are sent in one call.
const BATCH_LEN: usize = 64 * 1024;
/// What a user at a terminal is asked with.
pub(super) const PROMPT: &str = "> ";

/// How the user types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typing {
    /// Nobody is asked: stdin is a file or a pipe.
    Piped,
    /// At a terminal, whose own line editing serves; what the server says goes elsewhere.
    Prompted,
    /// At the terminal on which the server's lines appear, too: above the words that are being typed.
    Edited,
}

enum Event {
    Connected(Arc<UnixStream>),
    ServerLeft(io::Error),
    Typed(io::Result<Option<Line>>),
    Interrupted,
}

/// Joins the chat of the server at `path` as `name`, sends it the lines of stdin, and shows on `screen`
/// what it says. Ends quietly at the end of input and when `interrupt` is raised.
///
/// # Errors
/// - Those of [`connect`](connect()).
/// - [`ErrorKind::ConnectionAborted`]: the server has gone, or had no room.
/// - Those of reading stdin.
pub fn run(
    path: &Path,
    name: &str,
    typing: Typing,
    screen: &Arc<Screen>,
    interrupt: &Interrupt,
) -> io::Result<()> {
    let (events, mailbox) = mpsc::sync_channel(MAILBOX);
    let interrupted = events.clone();
    // A full mailbox needs no such event: whoever empties it looks at the interrupt each time.
    let _waker = interrupt.on_raise(move || drop(interrupted.try_send(Event::Interrupted)));
    let (server, answers, shown) = (path.to_owned(), events.clone(), Arc::clone(screen));
    thread::spawn(move || hear_server(&server, &shown, &answers));

    let stream = match mailbox.recv() {
        Ok(Event::Connected(stream)) => stream,
        Ok(Event::ServerLeft(error)) => return Err(error),
        _ => return Ok(()),
    };
    let pid = process::id();
    let name = name.to_owned();
    let mut client = Client {
        stream,
        asks: typing == Typing::Prompted,
        batch: format!("{}\n", Hello { name, pid }).into_bytes(),
    };
    let _hang_up = client.hang_up_on(interrupt);
    // Kept to the end: dropping it gives the terminal back as it was.
    let _terminal = client.start_typing(typing, screen, events);
    client.converse(&mailbox, interrupt)
}

/// Connects, then shows what the server says until it leaves. Connecting waits, too, while a backlog
/// is full.
fn hear_server(path: &Path, screen: &Screen, events: &SyncSender<Event>) {
    let heard = connect(path).map(Arc::new).and_then(|stream| {
        let _ = events.send(Event::Connected(Arc::clone(&stream)));
        Voice::new(&stream, "server".into(), screen).show_all(String::new())
    });
    let gone = || {
        let path = path.display();
        let message = format!("the server at {path} has gone, or has no room for another client");
        io::Error::new(ErrorKind::ConnectionAborted, message)
    };
    let _ = events.send(Event::ServerLeft(heard.err().unwrap_or_else(gone)));
}

struct Client {
    stream: Arc<UnixStream>,
    asks: bool,
    batch: Vec<u8>,
}

impl Client {
    /// Ends every call that is blocked on the connection when `interrupt` is raised.
    fn hang_up_on(&self, interrupt: &Interrupt) -> Waker {
        let stream = Arc::clone(&self.stream);
        interrupt.on_raise(move || drop(stream.shutdown(Shutdown::Both)))
    }

    fn start_typing(
        &mut self,
        typing: Typing,
        screen: &Arc<Screen>,
        events: SyncSender<Event>,
    ) -> Option<Terminal> {
        let terminal = match typing {
            Typing::Edited => Terminal::take(screen).ok(),
            Typing::Prompted | Typing::Piped => None,
        };
        match &terminal {
            Some(terminal) => edit_stdin_lines(terminal.columns(), screen, events, Event::Typed),
            None => send_stdin_lines(events, MAX_LINE + 1, Event::Typed),
        }
        // A terminal that cannot be taken still has a line editing of its own.
        self.asks |= typing == Typing::Edited && terminal.is_none();
        terminal
    }

    /// Handles events until the user, the server or the interrupt ends it.
    fn converse(mut self, mailbox: &Receiver<Event>, interrupt: &Interrupt) -> io::Result<()> {
        self.ask(PROMPT);
        let ended = loop {
            let event = self.next(mailbox);
            if interrupt.is_raised() {
                break Ok(());
            }
            match event {
                Event::Typed(Ok(Some(line))) => self.take(&line),
                Event::Typed(end) => {
                    self.send_batch();
                    close(&self.stream);
                    break end.map(drop);
                }
                Event::ServerLeft(error) => break Err(error),
                Event::Connected(_) | Event::Interrupted => {}
            }
        };
        self.ask("\n"); // leaves the prompt's line
        ended
    }

    /// The next event. The batch goes out before there is nothing to do but wait.
    fn next(&mut self, mailbox: &Receiver<Event>) -> Event {
        mailbox.try_recv().unwrap_or_else(|_| {
            self.send_batch();
            mailbox.recv().unwrap_or(Event::Interrupted)
        })
    }

    fn take(&mut self, line: &Line) {
        match text(&line.bytes) {
            Some(text) if !line.cut => {
                self.batch.extend_from_slice(text);
                self.batch.push(b'\n');
            }
            _ => notice(format!("a line of more than {MAX_LINE} bytes was not sent")),
        }
        if self.batch.len() >= BATCH_LEN {
            self.send_batch();
        }
        self.ask(PROMPT);
    }

    /// Sends what has gathered. A server that is gone makes no error here: the thread that hears it
    /// says so.
    fn send_batch(&mut self) {
        let _ = send(&mut &*self.stream, &self.batch);
        self.batch.clear();
    }

    fn ask(&self, text: &str) {
        if self.asks {
            prompt(text);
        }
    }
}
