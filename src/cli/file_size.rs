//! A limit on the size of files (`ulimit -f`) causes an error like a full disk, and does not kill us.
//!
//! On a write beyond the limit the kernel sends SIGXFSZ, whose default action kills: the partial file, the
//! socket and the segment would be left. A process that ignores the signal gets `EFBIG` from the call
//! instead, [`FileTooLarge`](std::io::ErrorKind::FileTooLarge). Safe Rust cannot ignore a signal, but a shell
//! can, and an ignored signal stays ignored through `execve(2)`, here and in every process that we start.

use std::os::unix::process::CommandExt;
use std::process::{self, Command};
use std::{env, fs};

use crate::signals::{Disposition, Signal, dispositions};

const IGNORE_AND_GO_ON: &str = "trap '' XFSZ && exec \"$0\" \"$@\"";

/// If file sizes are limited, restarts this process with SIGXFSZ ignored: the same PID, the same words.
/// Without `/proc` or a shell, the process continues as it is.
pub(super) fn ignore_signal() {
    if is_limited()
        && let Ok(ours) = dispositions(process::id().into())
        && ours.of(Signal::XFSZ) == Disposition::Default
        && let Ok(ipc) = env::current_exe()
        && ipc.exists()
    {
        let mut shell = Command::new("sh");
        shell.args(["-c", IGNORE_AND_GO_ON]).arg(ipc);
        let _ = shell.args(env::args_os().skip(1)).exec(); // returns only if it fails
    }
}

/// Whether `/proc/self/limits` has a number for "Max file size", as its soft limit.
fn is_limited() -> bool {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let row = limits
        .lines()
        .find_map(|row| row.strip_prefix("Max file size"));
    row.is_some_and(|row| row.split_whitespace().next() != Some("unlimited"))
}
