//! How a call ended, and how a conversation ended, in the words of the log.

use std::process::ExitStatus;
use std::time::Duration;
use std::{fmt, io};

use super::protocol::Malformed;

/// How a function's run ended.
pub(super) enum Ended {
    /// The function ended, one way or another; all that it printed is in the file.
    OnItsOwn(ExitStatus),
    /// The function was killed; the last line of the file says so, after its output. If the output could not be
    /// written, that line is the only one.
    Killed(Reason),
    /// The function did not run; the only line of the file says so.
    NotExecuted(String),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnItsOwn(status) if status.success() => f.write_str("has run"),
            Self::OnItsOwn(status) => write!(f, "has run and ended with {status}"),
            Self::Killed(reason) => write!(f, "was killed: {reason}"),
            Self::NotExecuted(why) => write!(f, "could not be executed: {why}"),
        }
    }
}

/// Why a function was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Time(Duration),
    Output(u64),
    Unwritable(io::ErrorKind),
    Shutdown,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(limit) => write!(f, "it ran longer than {} s", limit.as_secs_f64()),
            Self::Output(limit) => write!(f, "it wrote more than {limit} bytes"),
            Self::Unwritable(kind) => write!(f, "its output cannot be written: {kind}"),
            Self::Shutdown => f.write_str("the server is shutting down"),
        }
    }
}

/// How a conversation ended.
pub(super) enum Ending {
    Answered(String, Ended),
    Refused(Malformed),
    Left,
    SentAway,
    Failed(io::Error),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(asked, ended) => write!(f, ": {asked} {ended}"),
            Self::Refused(fault) => write!(f, ": {fault}"),
            Self::Left => f.write_str(" left before its answer"),
            Self::SentAway => f.write_str(" was sent away: the server is shutting down"),
            Self::Failed(error) if error.kind() == io::ErrorKind::WouldBlock => {
                f.write_str(" said nothing for too long")
            }
            Self::Failed(error) => write!(f, " failed: {error}"),
        }
    }
}
