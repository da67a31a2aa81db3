//! What ends the programs that we have started, should we be killed ourselves: a [shell](ResidentShell),
//! started with the first thing to guard. It hears what begins and what has ended, and waits for our end.

use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::resident_shell::ResidentShell;
use crate::support::identity::{Identity, namespaces};

/// The environment variable by which the shell knows what we have started, and what that has.
const MARK: &str = "IPC_GUARD";

/// What is left at our end gets a second to clean up after SIGTERM (and SIGCONT, should it be stopped) and is
/// killed then. Nothing is left when nothing was found twice: a process that is just being started shows
/// its mark a moment later.
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

/// Something that will be ended should we be killed. Drop it when that has ended by itself.
pub(crate) struct Guarded(());

/// Should we be killed, what `command` starts will be ended, and what that has started in turn. (Where there
/// is no shell nobody does that; and a process that clears its environment is not found.)
///
/// # Errors
/// Those of [`Identity::own`]: without a `/proc` of ours nothing could be found.
pub(crate) fn guard(command: &mut Command) -> io::Result<Guarded> {
    command.env(MARK, mark()?);
    tell("begins", "");
    Ok(Guarded(()))
}

/// Starts the shell, if it does not run yet. While it is being started, it has a copy of each of our
/// descriptors: of locks, too.
pub(super) fn start_guard() {
    tell("", "");
}

/// After us, this directory will be removed if it is still there, and the shared memory objects whose names
/// hold its own.
pub(super) fn guard_directory(directory: &Path) {
    // A name that is no UTF-8, or has a line end, cannot be told in a line.
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

/// Ours alone, and no beginning of another's: not even of a process in a PID namespace below ours, which
/// may have the same pid.
fn mark() -> io::Result<String> {
    let (Identity { pid, start }, namespaces) = (Identity::own()?, namespaces()?);
    Ok(format!("{pid}-{start}-{namespaces};"))
}

fn tell(what: &str, which: &str) {
    static SHELL: LazyLock<Mutex<Option<ResidentShell>>> = LazyLock::new(|| Mutex::new(start()));
    let mut shell = SHELL.lock().unwrap_or_else(PoisonError::into_inner);
    let order = format!("{what} {which}");
    // If it was killed, or is stopped, we go on without it.
    shell.take_if(|shell| shell.tell(&order).is_err());
}

fn start() -> Option<ResidentShell> {
    let mark = format!("{MARK}={}", mark().ok()?);
    ResidentShell::start(SHELL, &mark, MARK).ok()
}
