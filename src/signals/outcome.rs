//! How a process ended: on its own, or by a signal.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::Signal;

/// How a process ended, as its parent learns from `wait`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It returned from `main` or called `exit`, with this code.
    Exited(i32),
    /// A signal killed it.
    Killed {
        /// The signal's number: 1 to 31 for a [`Signal`], more for a realtime signal.
        number: i32,
        /// Whether it left an image of its memory.
        core_dumped: bool,
    },
}

/// Turns the status of a process that has ended into an [`Outcome`].
///
/// ```
/// use ipc_primer::signals::{Signal, outcome};
/// use std::process::Command;
///
/// let by_itself = Command::new("sh").args(["-c", "exit 3"]).status()?;
/// assert_eq!(outcome(by_itself).to_string(), "exit code 3");
///
/// let killed = Command::new("sh").args(["-c", "kill -s TERM $$"]).status()?;
/// assert_eq!(killed.code(), None); // no code: it did not come to exit
/// assert_eq!(outcome(killed).signal(), Some(Signal::TERM));
/// # Ok::<(), std::io::Error>(())
/// ```
#[doc(alias = "WIFSIGNALED")]
#[doc(alias = "WTERMSIG")]
#[doc(alias = "WEXITSTATUS")]
#[doc(alias = "WCOREDUMP")]
pub fn outcome(status: ExitStatus) -> Outcome {
    match status.signal() {
        Some(number) => Outcome::Killed {
            number,
            core_dumped: status.core_dumped(),
        },
        // std waits only for the end, never for a stop, so there is a code.
        None => Outcome::Exited(status.code().unwrap_or_default()),
    }
}

impl Outcome {
    /// The standard signal that killed it; `None` if no standard signal did.
    pub fn signal(&self) -> Option<Signal> {
        match *self {
            Self::Exited(_) => None,
            Self::Killed { number, .. } => Signal::from_number(number),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Exited(code) => write!(f, "exit code {code}"),
            Self::Killed {
                number,
                core_dumped,
            } => {
                match self.signal() {
                    Some(signal) => write!(f, "killed by {signal}")?,
                    None => write!(f, "killed by signal {number}")?,
                }
                f.write_str(if core_dumped { " (core dumped)" } else { "" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// wait(2): the low seven bits are the signal, the eighth says "core dumped", the code is above.
    #[test]
    fn each_status_that_wait_can_give_is_read() {
        let read = |raw| outcome(ExitStatus::from_raw(raw)).to_string();
        assert_eq!(read(0), "exit code 0");
        assert_eq!(read(255 << 8), "exit code 255");
        assert_eq!(read(6), "killed by SIGABRT");
        assert_eq!(read(6 | 0x80), "killed by SIGABRT (core dumped)");
        assert_eq!(read(34), "killed by signal 34");
    }
}
