//! The client of stages 2 to 4: what its user types goes to the server, what the server says is shown.
//!
//! It waits for its user, its server and Ctrl-C at once. The note's client asks `select` which of them
//! it is. Here each has a thread that waits for it alone and does what there is to do; what ends the
//! client is told to one mailbox. So a server that goes is noticed while the user sits at the prompt,
//! and a server that does not read (a send to it is blocked) is heard all the same.

use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::printer::LinePrinter;
use super::protocol::Hello;
use super::screen::Screen;
use super::typing::{Typing, start_typing};
use crate::socket::{connect_unless, end_sending, send};
use crate::stop::StopToken;
use crate::support::log::log;
use crate::support::mailbox::Mailbox;

/// How long the server may take with our last words, and we with its.
const LAST_WORDS: Duration = Duration::from_secs(1);

enum Event {
    ServerLeft(io::Error),
    TypingEnded(io::Result<()>),
}

/// Joins the chat of the server at `path` as `name`, sends it the lines of stdin, and shows on `screen`
/// what it says. Ends quietly at the end of input and when a stop is requested.
///
/// # Errors
/// - Those of [`connect_unless`].
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
    let Some((stream, _waker)) = connect_unless(path, stop)? else {
        return Ok(());
    };
    let mailbox = Mailbox::new(2, stop); // of each event there is one
    let (tell, server, shown) = (mailbox.sender(), Arc::clone(&stream), Arc::clone(screen));
    let shown_path = path.display().to_string();
    let hear = move || tell(Event::ServerLeft(hear_server(&server, &shown_path, &shown)));
    thread::Builder::new().spawn(hear)?;
    let (name, pid) = (name.to_owned(), process::id());
    let hello = format!("{}\n", Hello { name, pid });
    let greeted = send(&mut &*stream, hello.as_bytes()).is_ok();
    let tell = mailbox.sender();
    let ended = move |ended| _ = tell(Event::TypingEnded(ended));
    // Kept to the end: dropping it gives the terminal back as it was.
    let _terminal = start_typing(typing, &stream, screen, ended)?;
    match mailbox.next() {
        None => Ok(()),
        Some(Event::ServerLeft(error)) => Err(error),
        Some(Event::TypingEnded(ended)) => {
            end_sending(&stream)?;
            let farewell = mailbox.next_within(LAST_WORDS);
            ended.and_then(|()| judge(farewell, greeted, stop))
        }
    }
}

/// Whether all was said that was typed. The server closes when it has shown it, and sent what it has for
/// us; one that goes before, or has no room, resets the connection.
fn judge(farewell: Option<Event>, greeted: bool, stop: &StopToken) -> io::Result<()> {
    match farewell {
        Some(Event::ServerLeft(error))
            if !greeted || error.kind() == ErrorKind::ConnectionReset =>
        {
            Err(error)
        }
        None if !stop.is_requested() => {
            log("the server has not yet shown all that was typed");
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Shows what the server says until it leaves, and returns what to say about that.
fn hear_server(stream: &UnixStream, path: &str, screen: &Screen) -> io::Error {
    let gone = |kind| {
        let message = format!("the server at {path} has gone, or has no room for another client");
        io::Error::new(kind, message)
    };
    match LinePrinter::new(stream, "server".into(), screen).show_all() {
        Ok(()) => gone(ErrorKind::ConnectionAborted),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => gone(error.kind()),
        Err(error) => error,
    }
}
