//! Processes: which ones are alive, signals by `kill`, and programs that we start, watch and end,
//! even if we are killed.

mod orphan_reaper;
mod program;
mod resident_shell;
mod temporary;

pub use crate::support::identity::{Identity, state};
pub(crate) use orphan_reaper::{Guarded, guard};
pub use program::{LIMIT, Program, Stream};
pub(crate) use resident_shell::ResidentShell;
pub(crate) use temporary::TemporaryDirectory;

use std::io::{self, ErrorKind};
use std::process::{Command, Stdio};

/// `$1` is the signal's name and `$2` the PID. In some shells `kill -s` needs `--` before a negative number;
/// other shells do not know `--`.
const KILL: &str = "\
case $2 in
    -*) kill \"-$1\" \"$2\" ;;
    *) kill -s \"$1\" \"$2\" ;;
esac";

/// Sends the signal `name` (`INT`, `TERM`, `KILL`, …) to the process `pid`, or to the whole process
/// group `-pid`: `kill(2)`, called through the `kill` of a POSIX shell, because std has no safe call.
///
/// # Errors
/// [`ErrorKind::NotFound`] if there is no such process, [`ErrorKind::PermissionDenied`] if it is not
/// ours, [`ErrorKind::InvalidInput`] if the shell's `kill` refuses for another reason, as it does with
/// an unknown signal; the message is the shell's own.
#[doc(alias = "kill")]
pub fn signal(name: &str, pid: i64) -> io::Result<()> {
    let kill = Command::new("sh")
        .args(["-c", KILL, "kill", name, &pid.to_string()])
        .env("LC_ALL", "C") // the message is read below
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            io::Error::other(format!("cannot start sh, which sends signals: {error}"))
        })?;
    if kill.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&kill.stderr).trim().to_owned();
    let kind = match &said {
        text if text.ends_with("No such process") => ErrorKind::NotFound,
        text if text.ends_with("Operation not permitted") => ErrorKind::PermissionDenied,
        _ => ErrorKind::InvalidInput,
    };
    let fault = format!("cannot send {name} to {pid}: {said}");
    Err(io::Error::new(kind, fault))
}
