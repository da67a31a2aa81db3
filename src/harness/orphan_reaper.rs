//! A [shell](ResidentShell) that ends the programs we have started if we are killed. It starts with the first
//! thing to guard, is told what begins and what has ended, and waits for our end.

use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::resident_shell::ResidentShell;
use crate::support::identity::{Identity, namespaces};

/// The environment variable that marks the programs we have started, and the programs that those start.
const MARK: &str = "IPC_GUARD";

/// Programs left at our end get a second to clean up after SIGTERM (and SIGCONT, if they are stopped); then they
/// are killed. None is left once two searches in a row find none: a process that is just being started shows its
/// mark a moment later.
const SHELL: &str = r#"
mark=$1 left=0
shift
while read -r what which; do
    case $what in
    begins) left=$((left + 1)) ;;
    ended) left=$((left - 1)) ;;
    directory) set -- "$@" "$which" ;;
    esac
done
look=0 absent=0 signals='TERM CONT'
while [ $left != 0 ] && [ $absent -lt 2 ] && [ $look -lt 100 ]; do
    look=$((look + 1)) absent=$((absent + 1))
    [ $look -lt 10 ] || signals=KILL
    for environ in $(grep -lasF "$mark" /proc/[0-9]*/environ); do
        pid=${environ#/proc/} pid=${pid%/environ} absent=0
        for signal in $signals; do kill -s "$signal" "$pid"; done
    done
    sleep 0.1
done
for directory do
    for left in /dev/shm/*"${directory##*/}"* "$directory"; do
        [ ! -e "$left" ] || rm -rf -- "$left"
    done
done
"#;

/// A program that is ended if we are killed. Drop this when the program has ended on its own.
pub(crate) struct Guarded(());

/// If we are killed, ends what `command` starts, and what that has started in turn. (Where there is no shell,
/// nothing ends them; and a process that clears its environment is not found.)
///
/// # Errors
/// Those of [`Identity::own`]: without a `/proc` of ours no process could be found.
pub(crate) fn guard(command: &mut Command) -> io::Result<Guarded> {
    command.env(MARK, mark()?);
    tell("begins", "");
    Ok(Guarded(()))
}

/// Starts the shell if it is not running yet. While it starts, it holds a copy of each of our descriptors,
/// including those of locks.
pub(super) fn start_guard() {
    tell("", "");
}

/// After our end, removes this directory if it is still there, and the shared memory objects whose names contain
/// the directory's name.
pub(super) fn guard_directory(directory: &Path) {
    // A name that is not UTF-8, or contains a line end, cannot be sent as one line.
    match directory.to_str() {
        Some(name) if directory.is_absolute() && !name.contains('\n') => tell("directory", name),
        _ => {}
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        tell("ended", "");
    }
}

/// A mark that is ours alone, and not the beginning of another process's mark, even of one in a PID namespace
/// below ours, which may have the same pid.
fn mark() -> io::Result<String> {
    let (Identity { pid, start }, namespaces) = (Identity::own()?, namespaces()?);
    Ok(format!("{pid}-{start}-{namespaces};"))
}

fn tell(what: &str, which: &str) {
    static SHELL: LazyLock<Mutex<Option<ResidentShell>>> = LazyLock::new(|| Mutex::new(start()));
    let mut shell = SHELL.lock().unwrap_or_else(PoisonError::into_inner);
    let order = format!("{what} {which}");
    // If the shell was killed, or is stopped, we continue without it.
    shell.take_if(|shell| shell.tell(&order).is_err());
}

fn start() -> Option<ResidentShell> {
    let mark = format!("{MARK}={}", mark().ok()?);
    ResidentShell::start(SHELL, &mark, MARK).ok()
}
