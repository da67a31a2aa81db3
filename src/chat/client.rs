//! The client of stages 2 to 4: what its user types goes to the server, what the server says is shown.
//!
//! It waits for its user, its server and Ctrl-C at once. The note's client asks `select` which of them
//! it is. Here each has a thread that waits for it alone and does what there is to do; what ends the
//! client is told to one mailbox. So a server that goes is noticed while the user sits at the prompt,
//! and a server that does not read (a send to it is blocked) is heard all the same.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

use super::printer::LinePrinter;
use super::protocol::Hello;
use super::screen::Screen;
use super::typing::{Typing, start_typing};
use crate::socket::{connect, end_sending, send};
use crate::stop::StopToken;
use crate::support::log::log;

/// How long the server may take with our last words, and we with its.
const LAST_WORDS: Duration = Duration::from_secs(1);

enum Event {
    Connected(Arc<UnixStream>),
    ServerLeft(io::Error),
    TypingEnded(io::Result<()>),
    Interrupted,
}

/// Joins the chat of the server at `path` as `name`, sends it the lines of stdin, and shows on `screen`
/// what it says. Ends quietly at the end of input and when a stop is requested.
///
/// # Errors
/// - Those of [`connect`](connect()).
/// - [`ErrorKind::ConnectionAborted`]: the server has gone, or had no room;
///   [`ErrorKind::ConnectionReset`]: so it has, with words of ours unread.
/// - Those of reading stdin.
pub fn run(
    path: &Path,
    name: &str,
    typing: Typing,
    screen: &Arc<Screen>,
    stop: &StopToken,
) -> io::Result<()> {
    let (events, mailbox) = mpsc::sync_channel(4); // of each event there is one
    let stopped = events.clone();
    let _waker = stop.on_stop(move || drop(stopped.try_send(Event::Interrupted)));
    let (server, answers, shown) = (path.to_owned(), events.clone(), Arc::clone(screen));
    thread::Builder::new().spawn(move || hear_server(&server, &shown, &answers))?;

    let stream = match mailbox.recv() {
        Ok(Event::Connected(stream)) => stream,
        Ok(Event::ServerLeft(error)) => return Err(error),
        _ => return Ok(()),
    };
    let hung_up = Arc::clone(&stream);
    let _hang_up = stop.on_stop(move || drop(hung_up.shutdown(Shutdown::Both)));
    let (name, pid) = (name.to_owned(), process::id());
    let hello = format!("{}\n", Hello { name, pid });
    let greeted = send(&mut &*stream, hello.as_bytes());
    // Kept to the end: dropping it gives the terminal back as it was.
    let ended = move |ended| drop(events.send(Event::TypingEnded(ended)));
    let _terminal = start_typing(typing, &stream, screen, ended)?;
    match mailbox.recv() {
        _ if stop.is_requested() => Ok(()),
        Ok(Event::ServerLeft(error)) => Err(error),
        Ok(Event::TypingEnded(ended)) => {
            end_sending(&stream)?;
            let farewell = mailbox.recv_timeout(LAST_WORDS);
            ended.and_then(|()| judge(farewell, greeted.is_ok()))
        }
        _ => Ok(()),
    }
}

/// Whether all was said that was typed. The server closes when it has shown it, and sent what it has for
/// us; one that goes before, or has no room, resets the connection.
fn judge(farewell: Result<Event, RecvTimeoutError>, greeted: bool) -> io::Result<()> {
    match farewell {
        Ok(Event::ServerLeft(error)) if !greeted || error.kind() == ErrorKind::ConnectionReset => {
            Err(error)
        }
        Err(RecvTimeoutError::Timeout) => {
            log("the server has not yet shown all that was typed");
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Connects, then shows what the server says until it leaves. Connecting waits, too, while a backlog
/// is full.
fn hear_server(path: &Path, screen: &Screen, events: &SyncSender<Event>) {
    let heard = connect(path).map(Arc::new).and_then(|stream| {
        let _ = events.send(Event::Connected(Arc::clone(&stream)));
        LinePrinter::new(&stream, "server".into(), screen).show_all()
    });
    let gone = |kind| {
        let path = path.display();
        let message = format!("the server at {path} has gone, or has no room for another client");
        io::Error::new(kind, message)
    };
    let left = match heard {
        Ok(()) => gone(ErrorKind::ConnectionAborted),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => gone(error.kind()),
        Err(error) => error,
    };
    let _ = events.send(Event::ServerLeft(left));
}
