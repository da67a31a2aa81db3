//! What a server does with one client: who it is, what it says, when it leaves.

use std::fmt::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use super::protocol::{ANONYMOUS, Hello};
use super::screen::Screen;
use super::voice::Voice;
use crate::interrupt::Interrupt;
use crate::notice::notice;

/// Shows what the client says until it leaves, or `interrupt` is raised. Its name is told to `named`.
pub(super) fn listen_to(
    stream: &Arc<UnixStream>,
    number: u64,
    screen: &Screen,
    interrupt: &Interrupt,
    named: impl FnOnce(&str),
) {
    // Reading alone is shut down: what is under way to the client may still reach it.
    let reading = Arc::clone(stream);
    let _waker = interrupt.on_raise(move || drop(reading.shutdown(Shutdown::Read)));
    let mut voice = Voice::new(stream, format!("{ANONYMOUS}#{number}"), screen);
    let mut who = voice.label.clone();
    notice(format!("#{number} connected"));
    let converse = || {
        let mut shown = String::new();
        if let Some(first) = voice.next()? {
            match Hello::parse(first) {
                Some(hello) => {
                    named(&hello.name);
                    voice.label = format!("{}#{number}", hello.name);
                    who = format!("{} (pid {})", voice.label, hello.pid);
                }
                None => voice.push_line(&mut shown),
            }
            notice(format!("{who} joined"));
        }
        voice.show_all(shown)
    };
    let ending = converse();
    if let Err(error) = ending {
        let _ = write!(who, " failed ({error}) and");
    }
    notice(format!("{who} left"));
}
