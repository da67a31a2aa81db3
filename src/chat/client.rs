//! The client of both servers: what its user types goes to the server, what the server says is shown.
//!
//! It waits for its user, its server and Ctrl-C at once. The note's client asks `select` which of them
//! it is. Here each has a thread that waits for it alone and does what there is to do; what ends the
//! client is told to one mailbox. So a server that goes is noticed while the user sits at the prompt,
//! and a server that does not read (a send to it is blocked) is heard all the same.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process;
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::Duration;

use super::editor::send_edited;
use super::lines::{BATCH_LEN, Lines};
use super::protocol::{Hello, MAX_LINE};
use super::screen::Screen;
use super::terminal::Terminal;
use super::voice::Voice;
use crate::interrupt::Interrupt;
use crate::notice::{notice, prompt};
use crate::socket::{connect, end_sending, send};

/// How long the server may take with our last words, and we with its.
const LAST_WORDS: Duration = Duration::from_secs(1);
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
    TypingEnded(io::Result<()>),
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
    let (events, mailbox) = mpsc::sync_channel(4); // of each event there is one
    let interrupted = events.clone();
    let _waker = interrupt.on_raise(move || drop(interrupted.try_send(Event::Interrupted)));
    let (server, answers, shown) = (path.to_owned(), events.clone(), Arc::clone(screen));
    thread::Builder::new().spawn(move || hear_server(&server, &shown, &answers))?;

    let stream = match mailbox.recv() {
        Ok(Event::Connected(stream)) => stream,
        Ok(Event::ServerLeft(error)) => return Err(error),
        _ => return Ok(()),
    };
    let hung_up = Arc::clone(&stream);
    let _hang_up = interrupt.on_raise(move || drop(hung_up.shutdown(Shutdown::Both)));
    let (name, pid) = (name.to_owned(), process::id());
    let _ = send(
        &mut &*stream,
        format!("{}\n", Hello { name, pid }).as_bytes(),
    );
    // Kept to the end: dropping it gives the terminal back as it was.
    let _terminal = start_typing(typing, &stream, screen, events)?;
    match mailbox.recv() {
        _ if interrupt.is_raised() => Ok(()),
        Ok(Event::ServerLeft(error)) => Err(error),
        Ok(Event::TypingEnded(ended)) => {
            // The server closes when it has shown all, and sent what it has for us.
            end_sending(&stream)?;
            let _ = mailbox.recv_timeout(LAST_WORDS);
            ended
        }
        _ => Ok(()),
    }
}

/// Connects, then shows what the server says until it leaves. Connecting waits, too, while a backlog
/// is full.
fn hear_server(path: &Path, screen: &Screen, events: &SyncSender<Event>) {
    let heard = connect(path).map(Arc::new).and_then(|stream| {
        let _ = events.send(Event::Connected(Arc::clone(&stream)));
        Voice::new(&stream, "server".into(), screen).show_all()
    });
    let gone = || {
        let path = path.display();
        let message = format!("the server at {path} has gone, or has no room for another client");
        io::Error::new(ErrorKind::ConnectionAborted, message)
    };
    let _ = events.send(Event::ServerLeft(heard.err().unwrap_or_else(gone)));
}

/// Starts the thread that sends what is typed. It cannot be woken from reading stdin, so nobody waits
/// for it.
fn start_typing(
    typing: Typing,
    stream: &Arc<UnixStream>,
    screen: &Arc<Screen>,
    events: SyncSender<Event>,
) -> io::Result<Option<Terminal>> {
    let terminal = match typing {
        Typing::Edited => Terminal::take(screen).ok(),
        Typing::Prompted | Typing::Piped => None,
    };
    let columns = terminal.as_ref().map(Terminal::columns);
    // A terminal that cannot be taken still has a line editing of its own.
    let asks = typing != Typing::Piped && terminal.is_none();
    let (stream, screen) = (Arc::clone(stream), Arc::clone(screen));
    let send = move || {
        let ended = match columns {
            Some(columns) => send_edited(columns, &stream, &screen),
            None => send_typed(&stream, asks),
        };
        match ended {
            // The server has gone: the thread that hears it says so.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            ended => drop(events.send(Event::TypingEnded(ended))),
        }
    };
    thread::Builder::new().spawn(send)?;
    Ok(terminal)
}

/// Sends what is typed, line by line, or many at once if they come at once, until the end of input.
fn send_typed(mut stream: &UnixStream, asks: bool) -> io::Result<()> {
    let ask = |text| {
        if asks {
            prompt(text)
        }
    };
    // A descriptor of its own: that of `io::stdin()` does not tell what it has in its buffer.
    let mut lines = Lines::new(File::from(io::stdin().as_fd().try_clone_to_owned()?));
    let mut batch = Vec::new();
    loop {
        if batch.len() >= BATCH_LEN || lines.would_wait() {
            send(&mut stream, &batch)?;
            batch.clear();
            ask(PROMPT);
        }
        if !lines.advance()? {
            ask("\n"); // leaves the prompt's line
            return Ok(());
        }
        match lines.text() {
            Some(text) => {
                batch.extend_from_slice(text);
                batch.push(b'\n');
            }
            None => notice(format!("a line of more than {MAX_LINE} bytes was not sent")),
        }
    }
}
