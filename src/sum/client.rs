//! The client of stages 2 to 4: sends integers from stdin to the server, and writes the sum to stdout.
//!
//! It waits for three things at the same time: its user, its server, and Ctrl-C. A thread that is blocked
//! on one cannot see the others, so each has a thread that only waits, and all of them report to one
//! mailbox. That is why the client notices a closing server while its user sits at the prompt, as the
//! TODO of note 1 asks.

use std::io::{self, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use super::protocol::{END, FRAME_LEN, Reply, encode};
use crate::socket::{connect_unless, recv_exact, send};
use crate::stop::StopToken;
use crate::support::escape::escape;
use crate::support::lines::{Line, send_stdin_lines};
use crate::support::log::{self, log, prompt};
use crate::support::mailbox::Mailbox;

/// The longest line that can be an integer, with room for blanks around it, in bytes.
const LINE_LEN: usize = 256;
/// How many events may wait in the mailbox.
const MAILBOX: usize = 1024;
/// The most bytes of integers that one call sends.
const BATCH_LEN: usize = 64 * 1024;

enum Event {
    Server(io::Result<Reply>),
    Input(io::Result<Option<Line>>),
}

/// Sends the integers on stdin, one a line, to the server at `path` until one is 0, and writes the
/// server's answer to `output`. With `prompts`, asks for each integer on stderr. Ends quietly at the
/// end of input and when a stop is requested.
///
/// # Errors
/// - Those of [`connect_unless`].
/// - [`ErrorKind::ConnectionAborted`]: the server closed before it answered.
/// - [`ErrorKind::ResourceBusy`]: the server already has as many clients as it takes.
/// - [`ErrorKind::InvalidData`]: the server answered something else.
#[doc(alias = "strtol")]
pub fn run(
    path: &Path,
    prompts: bool,
    output: &mut impl Write,
    stop: &StopToken,
) -> io::Result<()> {
    let Some((stream, _waker)) = connect_unless(path, stop)? else {
        return Ok(());
    };
    let mailbox = Mailbox::new(MAILBOX, stop);
    let (tell, server, path) = (mailbox.sender(), Arc::clone(&stream), path.to_owned());
    let hear = move || tell(Event::Server(receive_reply(&server, &path)));
    thread::Builder::new().spawn(hear)?;
    let tell = mailbox.sender();
    send_stdin_lines(LINE_LEN, move |line| tell(Event::Input(line)))?;
    let client = Client {
        stream,
        prompts,
        batch: Vec::new(),
    };
    match client.converse(&mailbox)? {
        Some(reply) => {
            log::flush(); // stdout and stderr may share a terminal: this keeps the order
            writeln!(output, "{reply}").and_then(|()| output.flush())
        }
        None => Ok(()),
    }
}

/// Waits for the server's only answer.
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
    /// Handles events until there is an answer; returns `None` if the user ends the conversation first.
    fn converse(mut self, mailbox: &Mailbox<Event>) -> io::Result<Option<Reply>> {
        let mut asked = false;
        self.ask("one integer a line; 0 asks for the sum\n> ");
        loop {
            match self.next(mailbox) {
                Some(Event::Server(Err(error))) => {
                    if !asked {
                        self.ask("\n"); // leaves the prompt's line
                    }
                    return Err(error);
                }
                Some(Event::Server(Ok(reply))) => return Ok(Some(reply)),
                Some(Event::Input(_)) if asked => {} // input after the 0 is ignored
                Some(Event::Input(Ok(Some(line)))) => asked = self.take(&line),
                Some(Event::Input(end)) => {
                    self.ask("\n");
                    return end.map(|_| None);
                }
                None => {
                    self.ask("\n");
                    return Ok(None);
                }
            }
        }
    }

    /// The next event; `None` at a stop. Sends the batch before it has to wait.
    fn next(&mut self, mailbox: &Mailbox<Event>) -> Option<Event> {
        mailbox.next_waiting().or_else(|| {
            self.send_batch();
            mailbox.next()
        })
    }

    /// Takes one line of input; says whether it was the 0 that ends the input.
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

    /// Sends the gathered integers. A closed server is not an error here: the thread that watches the server
    /// reports it, and knows the cause.
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
