//! Serves one client: learns its name, shows what it says, and reports when it leaves.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use super::lines::LinePrinter;
use super::protocol::{ANONYMOUS, Hello};
use super::screen::Screen;
use crate::stop::StopToken;
use crate::support::log::log;

/// Shows what the client says until it leaves or `stop` is requested. Passes its name to `named`.
/// Returns the message about its leaving, which is true once the client is out of the room.
pub(super) fn listen_to(
    stream: &Arc<UnixStream>,
    number: u64,
    screen: &Screen,
    stop: &StopToken,
    named: impl FnOnce(&str),
) -> String {
    // Reading alone is shut down: what is under way to the client may still reach it.
    let reading = Arc::clone(stream);
    let _waker = stop.on_stop(move || drop(reading.shutdown(Shutdown::Read)));
    log(format!("#{number} connected"));
    let mut session = Session {
        number,
        pid: String::new(),
        printer: LinePrinter::new(stream, format!("{ANONYMOUS}#{number}"), screen),
    };
    let ending = match session.converse(named) {
        Ok(()) => "left".into(),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => "left".into(),
        Err(error) => format!("failed: {error}"),
    };
    screen.flush(); // before a client can find the connection closed
    format!("{}{} {ending}", session.printer.label, session.pid)
}

struct Session<'a> {
    number: u64,
    /// The pid as the log shows it; empty if the client has not given it.
    pid: String,
    printer: LinePrinter<'a>,
}

impl Session<'_> {
    fn converse(&mut self, named: impl FnOnce(&str)) -> io::Result<()> {
        if self.printer.lines.advance()? {
            match self.printer.lines.text().and_then(Hello::parse) {
                Some(hello) => {
                    named(&hello.name);
                    self.printer.label = format!("{}#{}", hello.name, self.number);
                    self.pid = format!(" (pid {})", hello.pid);
                }
                None => self.printer.take_line(), // not a valid HELLO: a line like any other
            }
            log(format!("{}{} joined", self.printer.label, self.pid));
        }
        self.printer.show_all()
    }
}

/// The message about a client that is refused. It is dropped, not closed with care: if it has sent words
/// that were not read, the drop is a reset, which tells the client.
pub(super) fn refuse(number: u64, _client: &UnixStream) -> String {
    format!("#{number} was refused: there is no room for more")
}
