//! What a server does with one client: who it is, what it says, when it leaves.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use super::protocol::{ANONYMOUS, Hello};
use super::screen::Screen;
use super::voice::Voice;
use crate::interrupt::Interrupt;
use crate::notice::notice;

/// Shows what the client says until it leaves, or `interrupt` is raised. Its name is told to `named`.
/// Returns what there is to say about its leaving: once the client is out of the room, that is true.
#[must_use = "it is to be said"]
pub(super) fn listen_to(
    stream: &Arc<UnixStream>,
    number: u64,
    screen: &Screen,
    interrupt: &Interrupt,
    named: impl FnOnce(&str),
) -> String {
    // Reading alone is shut down: what is under way to the client may still reach it.
    let reading = Arc::clone(stream);
    let _waker = interrupt.on_raise(move || drop(reading.shutdown(Shutdown::Read)));
    notice(format!("#{number} connected"));
    let mut guest = Guest {
        number,
        pid: String::new(),
        voice: Voice::new(stream, format!("{ANONYMOUS}#{number}"), screen),
    };
    let ending = match guest.converse(named) {
        Ok(()) => "left".into(),
        Err(error) => format!("failed: {error}"),
    };
    screen.flush(); // who finds the connection closed has had its say
    format!("{}{} {ending}", guest.voice.label, guest.pid)
}

struct Guest<'a> {
    number: u64,
    /// How the pid is told, if the client has told it.
    pid: String,
    voice: Voice<'a>,
}

impl Guest<'_> {
    fn converse(&mut self, named: impl FnOnce(&str)) -> io::Result<()> {
        if self.voice.lines.advance()? {
            match self.voice.lines.text().and_then(Hello::parse) {
                Some(hello) => {
                    named(&hello.name);
                    self.voice.label = format!("{}#{}", hello.name, self.number);
                    self.pid = format!(" (pid {})", hello.pid);
                }
                None => self.voice.take_line(), // no HELLO, or none that can be taken: a line like any other
            }
            notice(format!("{}{} joined", self.voice.label, self.pid));
        }
        self.voice.show_all()
    }
}
