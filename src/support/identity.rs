//! Which process it is: the pid alone does not tell, because the kernel gives it to another process one day.
//! And whether that process is dead, which must be certain before anything is taken from it.

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;
use std::{fs, process};

use crate::support::error::Context;

/// `errno` of a read from the `/proc/<pid>` of a process that ended after it was opened.
const ESRCH: i32 = 3;

/// A process, told apart by its start time from every other process that ever has its pid.
///
/// Pids and start times are valid in one PID namespace and one time namespace.
///
/// `exec` keeps the identity: the new program is the same process. So a lock that was held
/// across `exec` is held until that program ends. A child made by `fork` alone, which safe Rust
/// cannot do, keeps the identity that its parent has looked up, and passes for its parent.
///
/// ```
/// use ipc_primer::harness::Identity;
///
/// let own = Identity::own()?;
/// assert!(!own.is_dead());
/// assert!(Identity { start: own.start + 1, ..own }.is_dead()); // the pid, but not the process
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The process ID.
    pub pid: u32,
    /// When the process started, in clock ticks since the system started: field 22 of `/proc/<pid>/stat`.
    pub start: u64,
}

impl Identity {
    /// The calling process. It is looked up once; later calls cannot fail.
    ///
    /// # Errors
    /// - [`ErrorKind::Unsupported`]: there is no `/proc`, or it belongs to another PID namespace.
    /// - Those of reading `/proc`, such as no descriptor left.
    #[doc(alias = "getpid")]
    pub fn own() -> io::Result<Self> {
        static OWN: OnceLock<Identity> = OnceLock::new();
        match OWN.get() {
            Some(own) => Ok(*own),
            None => look_up_own().map(|own| *OWN.get_or_init(|| own)),
        }
    }

    /// The process that has this pid now.
    ///
    /// # Errors
    /// - [`ErrorKind::NotFound`]: there is none, or only the remains of one that its parent has not
    ///   waited for (a zombie).
    /// - Any other error says nothing about the process.
    pub fn of(pid: u32) -> io::Result<Self> {
        let stat = match Stat::read(&format!("/proc/{pid}")) {
            // Where `/proc` is missing, or belongs to another namespace, it shows no process.
            Err(error) if error.kind() == ErrorKind::NotFound => look_up_own().and(Err(error)),
            other => other,
        };
        let stat = stat.map_err(|error| match error.kind() {
            ErrorKind::NotFound => not_found(format!("there is no process {pid}")),
            kind => io::Error::new(kind, format!("cannot look at process {pid}: {error}")),
        })?;
        match stat.has_ended() {
            false => Ok(stat.identity),
            true => Err(not_found(format!(
                "process {pid} has ended: its parent has yet to wait for it (a zombie)"
            ))),
        }
    }

    /// Whether the process is known to have ended. An error, such as no descriptor left to look at
    /// `/proc`, says nothing about the process, which then counts as alive.
    ///
    /// So this asks for death and not for life: a lock may be taken only from a process that is certainly dead,
    /// and waiting for one that turns out to be dead costs only another look.
    pub fn is_dead(&self) -> bool {
        match Self::of(self.pid) {
            Ok(found) => found != *self,
            Err(error) => error.kind() == ErrorKind::NotFound,
        }
    }
}

/// The PID namespace and the time namespace of the calling process, in one word: their inodes, of 32
/// bits each. Only processes that share both can ask about each other: in another PID namespace a pid
/// means another process, and in another time namespace the same start value means another time.
///
/// # Errors
/// Those of [`Identity::own`].
pub fn namespaces() -> io::Result<u64> {
    Identity::own()?;
    let inode = |name| match fs::metadata(format!("/proc/self/ns/{name}")) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0), // not in this kernel
        found => named(found).map(|found| found.ino()),
    };
    Ok(inode("pid")? << 32 | inode("time")? & u64::from(u32::MAX))
}

/// The user who owns this process: `getuid(2)`.
///
/// # Errors
/// [`ErrorKind::Unsupported`]: there is no `/proc` that shows this process.
#[doc(alias = "getuid")]
pub fn own_user() -> io::Result<u32> {
    Ok(named(fs::metadata("/proc/self"))?.uid())
}

/// The current state of the process, as a letter: `R` runs, `S` and `D` sleep, `T` is stopped, `Z` is a
/// zombie: ended, but not yet waited for. `None` if there is no such process, or its state cannot be read.
///
/// ```
/// use ipc_primer::harness::state;
///
/// assert!(matches!(state(std::process::id()), Some('R' | 'S')));
/// assert_eq!(state(u32::MAX), None);
/// ```
pub fn state(pid: u32) -> Option<char> {
    Some(Stat::read(&format!("/proc/{pid}")).ok()?.state)
}

/// The calling process, with the pid that `/proc` has for it: other processes look for it there.
fn look_up_own() -> io::Result<Identity> {
    let own = named(Stat::read("/proc/self"))?.identity;
    if own.pid == process::id() {
        return Ok(own);
    }
    let fault = format!("it is process {}, there {}", process::id(), own.pid);
    named(Err(not_found(fault)))
}

/// Names `/proc` in an error about ourselves. A `/proc` that does not show us is not ours.
fn named<T>(found: io::Result<T>) -> io::Result<T> {
    match found {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let fault = format!(
                "/proc does not show this process ({error}); mount that of this PID namespace"
            );
            Err(io::Error::new(ErrorKind::Unsupported, fault))
        }
        other => other.context(|| "cannot look this process up in /proc".into()),
    }
}

fn not_found(fault: String) -> io::Error {
    io::Error::new(ErrorKind::NotFound, fault)
}

/// Some fields of `stat` in a directory of `/proc`.
pub(crate) struct Stat {
    pub(crate) state: char,
    identity: Identity,
    threads: u32,
}

impl Stat {
    /// The fields of the process, or the thread, with this directory. The error is of the kind
    /// [`ErrorKind::NotFound`] if the process or thread no longer exists, and only then.
    pub(crate) fn read(directory: &str) -> io::Result<Self> {
        match fs::read(format!("{directory}/stat")) {
            Ok(stat) => Self::parse(&stat).ok_or_else(|| ErrorKind::InvalidData.into()),
            Err(error) if error.raw_os_error() == Some(ESRCH) => Err(not_found(error.to_string())),
            Err(error) => Err(error),
        }
    }

    /// The second field, the name in parentheses, is the program's choice: it may hold blanks and
    /// parentheses, and may be cut in the middle of a character.
    fn parse(stat: &[u8]) -> Option<Self> {
        let stat = String::from_utf8_lossy(stat);
        let (front, rest) = stat.rsplit_once(')')?;
        let pid = front.split_once(' ')?.0.parse().ok()?;
        let mut fields = rest.split_whitespace();
        let state = fields.next()?.chars().next()?; // field 3
        let threads = fields.nth(16)?.parse().ok()?; // field 20
        let start = fields.nth(1)?.parse().ok()?; // field 22
        Some(Self {
            state,
            identity: Identity { pid, start },
            threads,
        })
    }

    /// Whether all threads have ended: if only the first has ended, it is a zombie, and the others run on.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X') && self.threads <= 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_child_lives_until_it_is_killed_and_a_zombie_does_not_live() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let identity = Identity::of(child.id()).unwrap();
        assert!(!identity.is_dead());
        drop(child.stdin.take());
        while state(child.id()) != Some('Z') {
            std::thread::yield_now();
        }
        assert!(identity.is_dead());
        child.wait().unwrap();
        assert!(identity.is_dead());
    }

    #[test]
    fn a_name_can_be_any_bytes_and_a_zombie_can_have_threads() {
        let parse = |name: &[u8], state: &str, threads: u32| {
            let rest = format!(") {state} 1 1 1 0 -1 4 0 0 0 0 0 0 0 0 20 0 {threads} 0 77 0 0\n");
            let stat = [b"12 (", name, rest.as_bytes()].concat();
            Stat::parse(&stat).unwrap()
        };
        for name in [&b"sh"[..], b"a) Z 1 (b", b") ", b"cut \xc3", b"line\nline"] {
            let stat = parse(name, "S", 1);
            assert_eq!(stat.identity, Identity { pid: 12, start: 77 });
            assert!(!stat.has_ended(), "{name:?}");
        }
        let ended = |state, threads| parse(b"sh", state, threads).has_ended();
        assert!(ended("Z", 1) && ended("X", 0));
        assert!(!ended("Z", 2), "one thread runs on");
    }
}
