//! The client of stages 2 to 4: sends its user's lines to the server, and shows the server's lines.
//!
//! It waits for its user, its server and Ctrl-C at the same time. The note's client asks `select` which of
//! them is ready. Here a separate thread waits for each and does the work; an event that ends the client
//! is reported to one mailbox. So the client notices a closing server while its user sits at the prompt,
//! and still hears a server that does not read (a send to it is blocked).

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use std::{env, fs, process};

use super::lines::LinePrinter;
use super::protocol::{Hello, is_name};
use super::screen::Screen;
use super::typing::{Typing, start_typing};
use crate::socket::{connect_unless, end_sending, send};
use crate::stop::StopToken;
use crate::support::log::log;
use crate::support::mailbox::Mailbox;

/// How long the server may take with the client's last words, and the client with the server's.
const LAST_WORDS: Duration = Duration::from_secs(1);

enum Event {
    ServerLeft(io::Error),
    TypingEnded(io::Result<()>),
}

/// Joins the chat of the server at `path` as `name`, sends it the lines of stdin, and shows on `screen`
/// what the server says. Ends quietly at the end of input and when a stop is requested.
///
/// # Errors
/// - Those of [`connect_unless`].
/// - [`ErrorKind::ConnectionAborted`]: the server closed, or had no room;
///   [`ErrorKind::ConnectionReset`]: the same, with words of ours unread.
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
    let mailbox = Mailbox::new(2, stop); // each event comes once
    let (tell, server, shown) = (mailbox.sender(), Arc::clone(&stream), Arc::clone(screen));
    let shown_path = path.display().to_string();
    let hear = move || tell(Event::ServerLeft(hear_server(&server, &shown_path, &shown)));
    thread::Builder::new().spawn(hear)?;
    let (name, pid) = (name.to_owned(), process::id());
    let hello = format!("{}\n", Hello { name, pid });
    let greeted = send(&mut &*stream, hello.as_bytes()).is_ok();
    let tell = mailbox.sender();
    let ended = move |ended| _ = tell(Event::TypingEnded(ended));
    let terminal = start_typing(typing, &stream, screen, ended)?;
    let ended = end_of(&mailbox, &stream, greeted, stop);
    screen.end_typing();
    drop(terminal); // gives it back as it was
    ended
}

/// Waits for the end, whatever its cause.
fn end_of(
    mailbox: &Mailbox<Event>,
    stream: &UnixStream,
    greeted: bool,
    stop: &StopToken,
) -> io::Result<()> {
    match mailbox.next() {
        None => Ok(()),
        Some(Event::ServerLeft(error)) => Err(error),
        Some(Event::TypingEnded(ended)) => {
            end_sending(stream)?;
            let farewell = mailbox.next_within(LAST_WORDS);
            ended.and_then(|()| judge(farewell, greeted, stop))
        }
    }
}

/// Whether the server took all that was typed. It closes once it has shown that, and sent what it has for
/// us; a server that exits before, or has no room, resets the connection.
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

/// Shows what the server says until it leaves, and returns the error that tells how.
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

/// The login name: `$LOGNAME`, as environ(7) has it and getlogin(3) recommends, else `$USER`, else the
/// name that `/etc/passwd` has for the owner of this process, as `getpwuid(getuid())` would find it.
/// `None` if none of them is a [name](is_name).
///
/// Users set these variables as they like. That is good enough for a chat and for nothing else.
#[doc(alias = "getlogin")]
#[doc(alias = "getpwuid")]
pub(crate) fn login_name() -> Option<String> {
    let set = |name| env::var(name).ok().filter(|name| is_name(name));
    let owner = || {
        let uid = fs::metadata("/proc/self").ok()?.uid();
        name_of(uid, &fs::read_to_string("/etc/passwd").ok()?).filter(|name| is_name(name))
    };
    set("LOGNAME").or_else(|| set("USER")).or_else(owner)
}

/// The name with this user ID among the lines `name:password:uid:…`.
fn name_of(uid: u32, passwd: &str) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let found = fields.nth(1)?.parse() == Ok(uid);
        found.then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_number() {
        let passwd = "root:x:0:0::/root:/bin/sh\nbroken\nzoe:x:1000:1000::/home/zoe:/bin/sh\n";
        assert_eq!(name_of(1000, passwd).as_deref(), Some("zoe"));
        assert_eq!(name_of(1, passwd), None);
    }
}
