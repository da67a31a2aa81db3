//! What can be expected of a program besides the bytes on its socket: what it prints, and how it ends.

use std::process::ExitStatus;
use std::time::Duration;

use super::Running;
use super::ending::show_end;
use crate::grade::report::why_killed;
use crate::grade::{Fault, Verdict, listening, watch};
use crate::harness::Stream;
use crate::signals::outcome;

/// How long to wait for a program's last output after it is told to end. Only the likely cause depends on it.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Likely causes of a server that does not listen where it should.
const UNFLUSHED: &str = "it was printed into a buffer, and came only when the program was told to end: stdout is a \
    pipe here, so flush it after each line (fflush)";
const NO_PATH: &str = "its own words, below, may say why: it needs the socket's path from {socket}, \
    from $IPC_SOCKET, or by --socket";
const WRITTEN_IN: &str = "the path is written into the program: take it from its arguments ({socket}), \
    or pass --socket";
const NO_LISTEN: &str = "bind was called, and listen was not: only then can clients connect";
const NO_STREAM: &str = "the second argument of socket is not SOCK_STREAM: the other kinds send packets, and no \
    client of a stream can connect to them";
const NO_SOCKET: &str = "socket, bind and listen were not all called, or it waits for something \
    before it calls them";

impl Running<'_> {
    /// Waits until its output contains `text`.
    ///
    /// # Errors
    /// A fault if its output does not contain it in time.
    pub fn expect_printed(&self, stream: Stream, text: &str) -> Verdict {
        let holds = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(text);
        if self.output.wait_until(stream, self.lab.timeout(), holds) {
            return Ok(());
        }
        let name = format!("{stream:?}").to_lowercase();
        let fault = self
            .fault(format!("it does not print what it should on {name}"))
            .expected(format!("{text:?}"))
            .came(shorten(&self.printed(stream)));
        // When it ends, a program prints what it has kept in a buffer.
        self.end_input();
        self.signal("TERM");
        match self.output.wait_until(stream, LAST_WORDS, holds) {
            true => Err(fault.because(UNFLUSHED)),
            false => Err(fault),
        }
    }

    /// Waits for its end, and expects this exit code.
    ///
    /// # Errors
    /// A fault if it does not end in time, or ends in another way.
    pub fn expect_end(&self, code: i32) -> Verdict {
        let status = self.wait()?;
        self.expect_code(status, code)
    }

    /// Sends the signal and expects that it ends with exit code 0.
    ///
    /// # Errors
    /// A fault if it does not end in time, or ends in another way.
    pub fn expect_clean_end_by(&self, name: &str) -> Verdict {
        let status = self.end_by(name)?;
        self.expect_code(status, 0).map_err(|fault| {
            fault.because(match outcome(status).signal() {
                Some(signal) if signal.name() != name => why_killed(signal)
                    .unwrap_or_else(|| format!("{signal} ended it on its way out")),
                Some(_) => format!("SIG{name} has no handler, so its default action ended the program in the middle"),
                None => format!("SIG{name} asks the program to end, which is no failure: return 0 from main"),
            })
        })
    }

    /// Expects that a program that has ended has left no process.
    ///
    /// # Errors
    /// A fault that names those that are left.
    pub fn expect_no_children(&self) -> Verdict {
        if watch::wait_until(self.lab.timeout(), || self.strays().is_empty()) {
            return Ok(());
        }
        let names: Vec<_> = self.strays().into_iter().map(|(_, name)| name).collect();
        Err(self
            .fault(format!(
                "it left {} of its processes running: {}",
                names.len(),
                names.join(", ")
            ))
            .expected("no process once the program has ended"))
    }

    /// Expects that it waits, instead of looking again and again.
    ///
    /// # Errors
    /// A fault if it uses processor time and never rests.
    pub fn expect_rest(&self) -> Verdict {
        self.settle();
        match self.has_ended() || watch::is_at_rest(self.pid()) {
            true => Ok(()),
            false => Err(self
                .fault("it takes processor time though it has nothing to do")
                .expected("a program that sleeps until something comes")
                .came("a loop that never waits")
                .because("it looks again and again at what does not change: wait for it (pause, sigsuspend, poll), and leave out what is at its end")),
        }
    }

    /// Expects that it has no more descriptors open than before.
    ///
    /// # Errors
    /// A fault with their numbers.
    pub fn expect_descriptors(&self, before: usize) -> Verdict {
        let count = || watch::descriptors(self.pid());
        self.lab
            .wait_until(|| count() <= before || self.has_ended());
        match count() {
            now if now <= before => Ok(()),
            now => Err(self
                .fault("descriptors stay open of clients that have gone")
                .expected(format!("{before} open, as before they came"))
                .came(format!("{now} open"))
                .because("close is not called on every way out of a conversation: at its end, and when the client goes before")),
        }
    }

    /// Expects that it has waited for every child that has ended.
    ///
    /// # Errors
    /// A fault that counts the zombies.
    pub fn expect_no_zombies(&self) -> Verdict {
        if watch::wait_until(self.lab.timeout(), || watch::zombies(self.pid()) == 0) {
            return Ok(());
        }
        let count = watch::zombies(self.pid());
        Err(self
            .fault(format!(
                "{count} of its children have ended and nobody waited for them: zombies"
            ))
            .expected("no zombie once the clients are served"))
    }

    fn expect_code(&self, status: ExitStatus, code: i32) -> Verdict {
        if status.code() == Some(code) {
            return Ok(());
        }
        Err(self
            .fault("it does not end as it should")
            .expected(format!("exit code {code}"))
            .came(show_end(status)))
    }

    pub(in crate::grade) fn why_it_does_not_listen(&self) -> Fault {
        let expected = format!("a socket that listens at {}", self.lab.socket().display());
        if self.has_ended() {
            return self
                .fault("it ended before it listened")
                .expected(expected)
                .because(NO_PATH);
        }
        if let Some((kind, listens)) = listening::bound_at(self.lab.socket()) {
            let fault = self.fault("its socket cannot be connected to");
            let (came, cause) = match (kind, listens) {
                (listening::STREAM, _) => {
                    ("a socket that is bound, and does not listen", NO_LISTEN)
                }
                _ => (kind, NO_STREAM),
            };
            let expected = format!("a {} that listens", listening::STREAM);
            return fault.expected(expected).came(came).because(cause);
        }
        let elsewhere = listening::listens_where(self.pid());
        match elsewhere.first() {
            Some(place) => self
                .fault("it listens, but elsewhere")
                .expected(expected)
                .came(format!("one at {}", elsewhere.join(", ")))
                .because(format!("{WRITTEN_IN} {place}")),
            None => self
                .fault("it runs, but it does not listen")
                .expected(expected)
                .came("no listening socket")
                .because(NO_SOCKET),
        }
    }
}

/// The last part of the output, for a line of a report.
fn shorten(printed: &str) -> String {
    const SHOWN: usize = 200;
    let count = printed.chars().count();
    let last: String = printed.chars().skip(count.saturating_sub(SHOWN)).collect();
    format!("{}{last:?}", if count > SHOWN { "… " } else { "" })
}
