//! Sending: to another process, and to oneself.

use std::io::{self, ErrorKind};
use std::process;

use super::Signal;
use crate::harness::signal as kill;
use crate::support::error::Context;

/// Sends `signal` to the process `pid`: `kill(2)`. It returns when the signal is sent, not when the
/// other process has acted on it.
///
/// ```
/// use ipc_primer::signals::{Signal, outcome, send};
/// use std::process::{Command, Stdio};
///
/// let mut child = Command::new("cat").stdin(Stdio::piped()).spawn()?;
/// send(child.id().into(), Signal::TERM)?;
/// assert_eq!(outcome(child.wait()?).signal(), Some(Signal::TERM));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// For SIGKILL to one's own child, std has [`Child::kill`](std::process::Child::kill), which never
/// reaches a stranger: it knows whether the child was waited for.
///
/// # Errors
/// - [`ErrorKind::InvalidInput`] if `pid` is not positive: 0 and negative numbers mean process
///   groups, and -1 every process that we may signal;
/// - [`ErrorKind::NotFound`] if there is no such process (`ESRCH`);
/// - [`ErrorKind::PermissionDenied`] if it is not ours (`EPERM`).
#[doc(alias = "kill")]
pub fn send(pid: i64, signal: Signal) -> io::Result<()> {
    check_pid(pid)?;
    kill(&word(signal), pid).map_err(|error| explain(error, pid))
}

/// Sends `signal` to the calling process. If it does not end or stop the process, the call returns.
///
/// SIGABRT is sent by [`abort`](std::process::abort), which is made for it and never returns, whatever
/// the process does with the signal.
///
/// C's `raise(3)` sends to the calling *thread*; this sends to the process, and any thread that has not
/// blocked the signal may take it.
///
/// # Errors
/// Those of [`send`].
#[doc(alias = "abort")]
pub fn raise(signal: Signal) -> io::Result<()> {
    match signal {
        Signal::ABRT => process::abort(),
        other => send(process::id().into(), other),
    }
}

/// Refuses a number that is not one process: `kill(2)` takes 0 and negative numbers for groups.
///
/// # Errors
/// [`ErrorKind::InvalidInput`].
pub fn check_pid(pid: i64) -> io::Result<()> {
    if (1..=i64::from(i32::MAX)).contains(&pid) {
        return Ok(());
    }
    let most = i32::MAX;
    let fault = format!(
        "{pid} is no PID: it takes a number from 1 to {most} (0 and below mean groups of processes)"
    );
    Err(io::Error::new(ErrorKind::InvalidInput, fault))
}

/// The signal's name or number for the shell's `kill -s`. Not every shell has a name for SIGSTKFLT.
fn word(signal: Signal) -> String {
    match signal {
        Signal::STKFLT => signal.number().to_string(),
        named => named.name().to_owned(),
    }
}

fn explain(error: io::Error, pid: i64) -> io::Error {
    let sentence = match error.kind() {
        ErrorKind::NotFound => format!("there is no process {pid}"),
        ErrorKind::PermissionDenied => {
            format!("process {pid} is not ours: only its own user and root may signal it")
        }
        _ => return error,
    };
    Err::<(), _>(error).context(|| sentence).unwrap_err()
}
