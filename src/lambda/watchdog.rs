//! The watchdog: kills functions that run too long, and processes that a function leaves behind.
//!
//! A function is a process group, and a group is killed by `kill(2)`, for which std has no safe call.
//! A shell has one. Starting a shell for each function would double the price of a call, so one
//! shell lives as long as the server and takes orders on its stdin.
//!
//! The shell also knows which groups are running. If the server is killed, the shell's stdin ends before the
//! order to quit. Then the shell kills these groups, and every process that the server had started but not yet
//! reported: such a process has the shell's mark in its environment.

use std::collections::BTreeMap;
use std::io;
use std::process::Command;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ending::Reason;
use crate::harness::{ResidentShell, signal};
use crate::support::error::Context;

/// How long running functions get when the server ends.
const LAST_WISH: Duration = Duration::from_millis(300);

/// The environment variable that marks functions; its value is the shell's PID and a semicolon.
const MARK: &str = "IPC_LAMBDA";

/// `+`: a group is running. `k`: kill it, and its first process in case that has left it. `-`: the first
/// process was waited for; kill the rest of the group and forget it. `q`: nothing is left, quit.
///
/// A process between `fork(2)` and `execve(2)` holds a copy of the server's end, so none exists when the input
/// ends. But a process that has just executed its program shows its environment a moment later: hence several
/// looks. In a PID namespace other than that of `/proc`, the numbers there mean other processes: hence no look.
const ORDERS: &str = r#"
groups=' '
while read -r order group; do
    case $order in
    +) groups="$groups$group " ;;
    k) kill -s KILL -- "-$group" "$group" ;;
    -) kill -s KILL -- "-$group"
       case $groups in
       *" $group "*) groups="${groups%% $group *} ${groups#* $group }" ;;
       esac ;;
    q) exit ;;
    esac
done
for group in $groups; do kill -s KILL -- "-$group" "$group"; done
[ /proc/self -ef /proc/$$ ] || exit
for look in 1 2 3 4 5; do
    for found in $(grep -lasF "IPC_LAMBDA=$$;" /proc/[0-9]*/environ); do
        process=${found#/proc/} process=${process%/environ}
        kill -s KILL -- "-$process" "$process"
    done
    sleep 0.2
done
"#;

/// Watches over all functions of a server.
pub(super) struct Watchdog {
    timeout: Duration,
    mark: String,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    shell: ResidentShell,
    /// The running functions, by their clients' numbers.
    watched: BTreeMap<u64, Watched>,
    /// When every function has to be over, once the server ends.
    ending: Option<Instant>,
    closed: bool,
}

struct Watched {
    group: u32,
    deadline: Instant,
    killed: Option<Reason>,
}

impl Watchdog {
    /// Starts the shell. Each function gets `timeout`.
    pub(super) fn start(timeout: Duration) -> io::Result<Self> {
        let shell = ResidentShell::start(ORDERS, "", MARK)
            .context(|| "cannot start sh, which kills functions".into())?;
        Ok(Self {
            timeout,
            mark: format!("{};", shell.pid()),
            state: Mutex::new(State {
                shell,
                watched: BTreeMap::new(),
                ending: None,
                closed: false,
            }),
            changed: Condvar::new(),
        })
    }

    /// Marks the process that `command` will start, so that the shell finds it even before the watch begins.
    pub(super) fn mark(&self, command: &mut Command) {
        command.env(MARK, &self.mark);
    }

    /// Watches over the process group of client `number`'s function until it is [forgotten](Self::forget).
    pub(super) fn watch(&self, number: u64, group: u32) {
        let mut state = self.state();
        let deadline = Instant::now() + self.timeout;
        let deadline = state.ending.map_or(deadline, |ending| deadline.min(ending));
        let is_first = state.next_deadline().is_none_or(|next| deadline < next);
        let watched = Watched {
            group,
            deadline,
            killed: None,
        };
        state.watched.insert(number, watched);
        state.order('+', group);
        if is_first {
            self.changed.notify_all();
        }
    }

    /// Kills client `number`'s function, if it still runs.
    pub(super) fn kill(&self, number: u64, reason: Reason) {
        self.state().kill(number, reason);
    }

    /// Ends the watch once the function's own process was waited for, and kills the rest of its group. Returns
    /// why the function was killed, if it was.
    ///
    /// That process gave its number to the group. As long as one member lives, the kernel gives the number
    /// to no other process, and after the last exits it goes through all other numbers first. So the order
    /// to kill the rest, a moment later, meets the group or no process at all.
    pub(super) fn forget(&self, number: u64) -> Option<Reason> {
        let mut state = self.state();
        let watched = state.watched.remove(&number)?;
        state.order('-', watched.group);
        watched.killed
    }

    /// Gives all functions a last moment, and functions that start now no more than that.
    pub(super) fn end(&self) {
        let ending = Instant::now() + LAST_WISH;
        let mut state = self.state();
        state.ending = Some(ending);
        for watched in state.watched.values_mut() {
            watched.deadline = watched.deadline.min(ending);
        }
        self.changed.notify_all();
    }

    /// Kills each function whose time is up, until the watchdog is closed; runs on a thread of its own.
    pub(super) fn keep_time(&self) {
        let mut state = self.state();
        while !state.closed {
            let now = Instant::now();
            state.kill_due(now, self.timeout);
            let next = state.next_deadline();
            let wait = next.map_or(Duration::MAX, |deadline| deadline - now);
            let woken = self.changed.wait_timeout(state, wait);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends [`keep_time`](Self::keep_time): no function runs any more.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// When the next running function is due.
    fn next_deadline(&self) -> Option<Instant> {
        let alive = |watched: &&Watched| watched.killed.is_none();
        let alive = self.watched.values().filter(alive);
        alive.map(|watched| watched.deadline).min()
    }

    fn kill_due(&mut self, now: Instant, timeout: Duration) {
        let reason = match self.ending {
            Some(_) => Reason::Shutdown,
            None => Reason::Time(timeout),
        };
        let is_due = |watched: &Watched| watched.killed.is_none() && watched.deadline <= now;
        let due = self.watched.iter().filter(|(_, watched)| is_due(watched));
        let due: Vec<_> = due.map(|(&number, _)| number).collect();
        due.into_iter().for_each(|number| self.kill(number, reason));
    }

    fn kill(&mut self, number: u64, reason: Reason) {
        let Some(watched) = self.watched.get_mut(&number) else {
            return; // it has ended on its own
        };
        let group = watched.group;
        watched.killed.get_or_insert(reason);
        self.order('k', group);
    }

    /// Gives the shell an order. If the shell has exited or is stopped, another shell sends this one signal.
    fn order(&mut self, order: char, group: u32) {
        if self.shell.tell(&format!("{order} {group}")).is_ok() || order == '+' {
            return;
        }
        let _ = signal("KILL", -i64::from(group));
        if order == 'k' {
            let _ = signal("KILL", group.into());
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = state.shell.tell("q");
        state.shell.end();
    }
}
