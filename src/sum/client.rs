//! The client of both servers: integers from stdin to the server, the sum to stdout.
//!
//! It waits for three things at once: its user, its server, and Ctrl-C. A thread that is blocked in
//! one cannot see the others, so each has a thread that does nothing but wait, and all of them tell
//! one mailbox. That is why a server that goes is noticed while the user sits at the prompt, which is
//! what the TODO of note 1 asks for.

use std::io::{self, ErrorKind, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use super::protocol::{END, FRAME_LEN, Reply, encode};
use crate::socket::{connect, recv_exact, send};
use crate::stop::StopToken;
use crate::support::escape::escape;
use crate::support::lines::{Line, send_stdin_lines};
use crate::support::log::{self, log, prompt};

/// The longest line that can be an integer, with room for blanks around it, in bytes.
const LINE_LEN: usize = 256;
/// How many events may wait in the mailbox; who has more to tell waits.
const MAILBOX: usize = 1024;
/// How many bytes of integers are sent in one call at most.
const BATCH_LEN: usize = 64 * 1024;

enum Event {
    Connected(Arc<UnixStream>),
    Server(io::Result<Reply>),
    Input(io::Result<Option<Line>>),
    Interrupted,
}

/// Sends the integers on stdin, one a line, to the server at `path` until one is 0, and writes the
/// server's answer to `output`. With `prompts`, asks for each of them on stderr. Ends quietly at the
/// end of input and when a stop is requested.
///
/// # Errors
/// - Those of [`connect`](connect()).
/// - [`ErrorKind::ConnectionAborted`]: the server went before it answered.
/// - [`ErrorKind::ResourceBusy`]: it has as many clients as it takes.
/// - [`ErrorKind::InvalidData`]: it answered something else.
pub fn run(
    path: &Path,
    prompts: bool,
    output: &mut impl Write,
    stop: &StopToken,
) -> io::Result<()> {
    let (events, mailbox) = mpsc::sync_channel(MAILBOX);
    let stopped = events.clone();
    // A full mailbox needs no such event: whoever empties it looks at the token each time.
    let _waker = stop.on_stop(move || drop(stopped.try_send(Event::Interrupted)));
    let (server, answers) = (path.to_owned(), events.clone());
    thread::Builder::new().spawn(move || watch_server(&server, &answers))?;

    let stream = match mailbox.recv() {
        Ok(Event::Connected(stream)) => stream,
        Ok(Event::Server(Err(error))) => return Err(error),
        _ => return Ok(()),
    };
    let client = Client {
        stream,
        prompts,
        batch: Vec::new(),
    };
    let _hang_up = client.hang_up_on(stop);
    send_stdin_lines(events, LINE_LEN, Event::Input)?;
    let result = client.converse(&mailbox, stop);
    match result? {
        Some(reply) => {
            log::flush(); // stdout and stderr may be one terminal: first what was said first
            writeln!(output, "{reply}").and_then(|()| output.flush())
        }
        None => Ok(()),
    }
}

/// Connects, then waits for the server's only answer. Connecting waits too, while a backlog is full.
fn watch_server(path: &Path, events: &SyncSender<Event>) {
    let connected = connect(path).map(Arc::new);
    let answer = connected.and_then(|stream| {
        let _ = events.send(Event::Connected(Arc::clone(&stream)));
        receive_reply(&stream, path)
    });
    let _ = events.send(Event::Server(answer));
}

fn receive_reply(mut stream: &UnixStream, path: &Path) -> io::Result<Reply> {
    let fail = |kind, what: &str| {
        Err(io::Error::new(
            kind,
            format!("the server at {} {what}", path.display()),
        ))
    };
    let mut frame = [0; FRAME_LEN];
    if recv_exact(&mut stream, &mut frame)? < FRAME_LEN {
        return fail(ErrorKind::ConnectionAborted, "has gone without an answer");
    }
    match Reply::parse(&frame) {
        Some(reply @ Reply::Result(_)) => Ok(reply),
        Some(Reply::Goodbye) => fail(ErrorKind::ConnectionAborted, "is shutting down"),
        Some(Reply::Busy) => fail(ErrorKind::ResourceBusy, "is busy: try again later"),
        None => fail(ErrorKind::InvalidData, "sent what is no answer to a sum"),
    }
}

struct Client {
    stream: Arc<UnixStream>,
    prompts: bool,
    batch: Vec<u8>,
}

impl Client {
    /// Ends every call that is blocked on the connection when a stop is requested.
    fn hang_up_on(&self, stop: &StopToken) -> crate::stop::Waker {
        let stream = Arc::clone(&self.stream);
        stop.on_stop(move || drop(stream.shutdown(Shutdown::Both)))
    }

    /// Handles events until there is an answer, or `None` when the user ends it.
    fn converse(
        mut self,
        mailbox: &Receiver<Event>,
        stop: &StopToken,
    ) -> io::Result<Option<Reply>> {
        let mut asked = false;
        self.ask("one integer a line; 0 asks for the sum\n> ");
        loop {
            let event = self.next(mailbox);
            if stop.is_requested() {
                self.ask("\n");
                return Ok(None);
            }
            match event {
                Event::Server(Err(error)) => {
                    if !asked {
                        self.ask("\n"); // leaves the prompt's line
                    }
                    return Err(error);
                }
                Event::Server(Ok(reply)) => return Ok(Some(reply)),
                Event::Input(_) if asked => {} // whatever follows the 0
                Event::Input(Ok(Some(line))) => asked = self.take(&line),
                Event::Input(end) => {
                    self.ask("\n");
                    return end.map(|_| None);
                }
                Event::Connected(_) | Event::Interrupted => {}
            }
        }
    }

    /// The next event. The batch goes out before there is nothing to do but wait.
    fn next(&mut self, mailbox: &Receiver<Event>) -> Event {
        mailbox.try_recv().unwrap_or_else(|_| {
            self.send_batch();
            mailbox.recv().unwrap_or(Event::Interrupted)
        })
    }

    /// Takes one line of input; says whether it was the 0 that ends it.
    fn take(&mut self, line: &Line) -> bool {
        let integer = str::from_utf8(&line.bytes)
            .ok()
            .and_then(|text| text.trim().parse().ok());
        match integer {
            Some(integer) if !line.cut => {
                self.batch.extend(encode(integer));
                if self.batch.len() >= BATCH_LEN {
                    self.send_batch();
                }
                if integer == END {
                    return true;
                }
            }
            _ => {
                let more = if line.cut { "…" } else { "" };
                log(format!(
                    "\"{}{more}\" is not a 32-bit integer: ignored",
                    escape(&line.bytes)
                ));
            }
        }
        self.ask("> ");
        false
    }

    /// Sends what has gathered. A server that is gone makes no error here: the thread that watches it
    /// says so, and knows why.
    fn send_batch(&mut self) {
        let _ = send(&mut &*self.stream, &self.batch);
        self.batch.clear();
    }

    fn ask(&self, text: &str) {
        if self.prompts {
            prompt(text);
        }
    }
}
