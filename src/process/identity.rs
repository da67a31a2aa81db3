//! Who a process is: its pid alone does not say, for the kernel gives it to another one day.

use std::{fs, process};

/// A process, told apart from every other that ever has its pid by the time it was started.
///
/// ```
/// use ipc_primer::process::Identity;
///
/// let own = Identity::own();
/// assert!(own.is_alive());
/// assert!(!Identity { start: own.start + 1, ..own }.is_alive()); // the pid, but not the process
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The process ID.
    pub pid: u32,
    /// When it was started, in clock ticks since the system was: field 22 of `/proc/<pid>/stat`.
    pub start: u64,
}

impl Identity {
    /// The calling process.
    #[doc(alias = "getpid")]
    pub fn own() -> Self {
        Self::of(process::id()).expect("a running process stands in /proc")
    }

    /// The process that has this pid now; `None` if there is none, or only the remains of one that
    /// its parent has not waited for (a zombie).
    pub fn of(pid: u32) -> Option<Self> {
        let stat = stat(pid)?;
        let mut fields = stat.split_whitespace();
        let state = fields.next()?; // field 3
        let start = fields.nth(18)?.parse().ok()?; // field 22
        (!matches!(state, "Z" | "X")).then_some(Self { pid, start })
    }

    /// Whether the process still runs (or is stopped): a zombie does not.
    pub fn is_alive(&self) -> bool {
        Self::of(self.pid) == Some(*self)
    }
}

/// What the process does at present, as a letter: `R` runs, `S` and `D` sleep, `T` is stopped, `Z` is
/// a zombie: ended, but not yet waited for. `None` if there is no such process.
///
/// ```
/// use ipc_primer::process::state;
///
/// assert!(matches!(state(std::process::id()), Some('R' | 'S')));
/// assert_eq!(state(u32::MAX), None);
/// ```
pub fn state(pid: u32) -> Option<char> {
    stat(pid)?.trim_start().chars().next()
}

/// The fields of `/proc/<pid>/stat` from the third on. The second, the name in parentheses, is the
/// program's choice and may hold blanks and parentheses.
fn stat(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat.rsplit_once(')')?.1.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_child_lives_until_it_is_killed_and_a_zombie_does_not_live() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let identity = Identity::of(child.id()).unwrap();
        assert!(identity.is_alive());
        drop(child.stdin.take());
        while state(child.id()) != Some('Z') {
            std::thread::yield_now();
        }
        assert!(!identity.is_alive());
        child.wait().unwrap();
        assert!(!identity.is_alive());
    }
}
