//! A process with a handler: it waits for a signal and ends on its own.

use std::sync::mpsc;
use std::{io, thread};

use crate::stop::StopToken;
use crate::support::stdio::stdin;

/// What ended the wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitEnd {
    /// SIGINT, SIGTERM or SIGHUP came, and the handler ran.
    Signal,
    /// Stdin ended.
    Input,
}

/// Blocks until a stop is requested; with `until_eof` also until stdin ends, so that a program whose
/// starter has exited does not wait for ever.
///
/// The caller cannot learn which of the three signals it was: the kernel gives the number to the handler
/// of the `ctrlc` crate, and the handler does not pass it on.
#[doc(alias = "sigwait")]
#[doc(alias = "pause")]
pub fn wait(stop: &StopToken, until_eof: bool) -> WaitEnd {
    let (tell, end) = mpsc::channel();
    if until_eof {
        let tell = tell.clone();
        // Left behind when a signal ends the wait: a blocked read of stdin cannot be woken.
        thread::spawn(move || {
            let _ = io::copy(&mut stdin(), &mut io::sink());
            let _ = tell.send(WaitEnd::Input);
        });
    }
    let _waker = stop.on_stop(move || {
        let _ = tell.send(WaitEnd::Signal);
    });
    end.recv().unwrap_or(WaitEnd::Signal)
}
