//! What the kernel says about a program without asking the program: `/proc`.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::str::FromStr;
use std::time::{Duration, Instant};
use std::{fs, iter, process, thread};

use crate::harness::signal;
use crate::support::identity::{Identity, Stat};

/// The pause between two looks at something that no call can wait for.
pub(super) const LOOK: Duration = Duration::from_millis(1);
/// The longest such pause in a long wait. Below it, a pause is a tenth of the wait so far, which is soon enough.
const LONGEST_LOOK: Duration = Duration::from_millis(20);
/// A pause lasts at least this many times as long as the look before it, because looking at a hundred threads
/// takes processor time that the program needs.
const LOOKS_SHARE: u32 = 3;

/// Waits until `holds` is true, but no longer than `limit`; returns whether it was. For events that std cannot wait
/// for: the end of a process with a limit, a socket that begins to listen, a program that comes to rest.
pub(super) fn wait_until(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        let begin = start.elapsed();
        if holds() {
            return true;
        }
        let waited = start.elapsed();
        if waited >= limit {
            return false;
        }
        let pause = (waited / 10).max((waited - begin) * LOOKS_SHARE);
        let pause = pause.clamp(LOOK, LONGEST_LOOK);
        thread::sleep(pause.min(limit - waited));
    }
}

/// The process and all that descend from it.
pub(super) fn family(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(&member) = family.get(next) {
        for task in tasks(member) {
            let children = fs::read_to_string(format!("{task}/children")).unwrap_or_default();
            family.extend(
                children
                    .split_whitespace()
                    .filter_map(|child| child.parse::<u32>().ok()),
            );
        }
        next += 1;
    }
    family
}

/// The directories of a process's threads.
fn tasks(pid: u32) -> Vec<String> {
    let entries = fs::read_dir(format!("/proc/{pid}/task"));
    let entries = entries.into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path().display().to_string())
        .collect()
}

/// Whether the thread with this directory sleeps, or has ended.
pub(super) fn rests(directory: &str) -> bool {
    match Stat::read(directory) {
        Ok(stat) => !matches!(stat.state, 'R' | 'D'),
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

/// The directories of all threads of the process and its descendants.
fn threads(pid: u32) -> Vec<String> {
    family(pid).into_iter().flat_map(tasks).collect()
}

/// Whether all threads of the process and its descendants sleep (or have ended). A send wakes the receiver
/// before it returns, so a program at rest has read everything.
pub(super) fn is_at_rest(pid: u32) -> bool {
    threads(pid).iter().all(|thread| rests(thread))
}

/// The findings of one look at a process and its descendants.
pub(super) struct Look {
    /// The processor time that they have used.
    pub(super) used: Duration,
    /// Whether all their threads slept, and none worked meanwhile: each of several threads that take turns
    /// can be seen asleep, though one of them always works.
    pub(super) rested: bool,
}

/// Looks at the process and its descendants.
pub(super) fn look(pid: u32) -> Look {
    let used = processor_time(&threads(pid));
    let threads = threads(pid); // a thread that was started meanwhile counts
    let rested = threads.iter().all(|thread| rests(thread)) && processor_time(&threads) == used;
    Look { used, rested }
}

/// How long a program has to sleep, without a moment of work, before it counts as waiting.
const QUIET: Duration = Duration::from_millis(100);

/// Looks repeatedly whether a process waits for something other than its next page from the disk.
pub(super) struct Quiet {
    pid: u32,
    used: Duration,
    since: Instant,
}

impl Quiet {
    pub(super) fn of(pid: u32) -> Self {
        let (used, since) = (look(pid).used, Instant::now());
        Self { pid, used, since }
    }

    /// Whether it has slept for a while, and done nothing meanwhile.
    pub(super) fn holds(&mut self) -> bool {
        let Look { used, rested } = look(self.pid);
        if used != self.used || !rested {
            (self.used, self.since) = (used, Instant::now());
        }
        self.since.elapsed() >= QUIET
    }
}

/// The processor time that these threads have used.
fn processor_time(threads: &[String]) -> Duration {
    let used = |thread: &String| -> Option<u64> {
        let text = fs::read_to_string(format!("{thread}/schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    Duration::from_nanos(threads.iter().filter_map(used).sum())
}

/// The children of the process that have ended and that it has not waited for.
pub(super) fn zombies(pid: u32) -> usize {
    let children = family(pid).into_iter().skip(1);
    let stats = children.filter_map(|child| Stat::read(&format!("/proc/{child}")).ok());
    stats.filter(Stat::has_ended).count()
}

/// How many descriptors the process has open.
pub(super) fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// The most memory that the process and its descendants had resident until now, in KiB.
pub(super) fn peak_memory(pid: u32) -> u64 {
    let peak = |pid| status::<u64>(pid, "VmHWM:");
    family(pid).into_iter().filter_map(peak).sum()
}

/// The PIDs of all processes.
pub(super) fn all_pids() -> BTreeSet<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// All live processes that were started with `mark` in their environment, whatever process group or session
/// they have moved to. Processes that existed `before` are skipped: there may be hundreds.
pub(super) fn marked(mark: &str, before: &BTreeSet<u32>) -> Vec<(Identity, String)> {
    let pids = all_pids();
    let has_mark = |pid: u32| {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ
            .split(|&byte| byte == 0)
            .any(|entry| entry == mark.as_bytes())
    };
    let named = |pid| {
        let name = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
        let name = String::from_utf8_lossy(&name).trim().to_owned();
        Some((Identity::of(pid).ok()?, name))
    };
    let new = pids.difference(before).copied();
    new.filter(|&pid| has_mark(pid)).filter_map(named).collect()
}

/// Kills all that `find` finds, until it finds nothing twice in a row: the next look sees a process that forks
/// during this one, or that is just starting another program and has no environment yet.
pub(super) fn end_all(limit: Duration, mut find: impl FnMut() -> Vec<u32>) {
    let mut clear = 0;
    wait_until(limit, || {
        let found = find();
        clear = if found.is_empty() { clear + 1 } else { 0 };
        let kill = |pid: u32| drop(signal("KILL", pid.into()));
        found.into_iter().for_each(kill);
        clear == 2
    });
}

/// A user's live processes started since `before`, except those of another grader than `own`, which have its
/// mark or descend from it (a process that is just starting another program shows no mark).
pub(super) fn hidden(uid: u32, before: &BTreeSet<u32>, own: &str) -> Vec<u32> {
    let (any, own) = (b"IPC_GRADE=", format!("IPC_GRADE={own}-"));
    let is_marked = |pid: u32| {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut entries = environ.split(|&byte| byte == 0);
        entries.any(|entry| entry.starts_with(any) && !entry.starts_with(own.as_bytes()))
    };
    let grader = exe("self");
    let is_grader = |pid: &u32| *pid != process::id() && exe(&pid.to_string()) == grader;
    let is_anothers = |pid: u32| is_marked(pid) || ancestors(pid, uid).iter().any(is_grader);
    let lives = |pid: u32| Stat::read(&format!("/proc/{pid}")).is_ok_and(|stat| !stat.has_ended());
    let is_his = |pid: &u32| status(*pid, "Uid:") == Some(uid);
    let pids = all_pids();
    let new = pids.difference(before).copied().filter(is_his);
    new.filter(|&pid| lives(pid) && !is_anothers(pid)).collect()
}

/// The first number after this word in the process's `status`. (The owner of its directory does not identify
/// its user: it is root while a process starts another program.)
fn status<T: FromStr>(pid: u32, word: &str) -> Option<T> {
    let status = fs::read(format!("/proc/{pid}/status")).ok()?;
    let status = String::from_utf8_lossy(&status); // the program's name can be any bytes
    let mut rest = status
        .split_once(&format!("\n{word}"))?
        .1
        .split_whitespace();
    rest.next()?.parse().ok()
}

/// The parent of the process, its parent, and so on, except those of this user, whose processes may run any
/// program.
fn ancestors(pid: u32, but_of: u32) -> Vec<u32> {
    let parent = |pid: &u32| status(*pid, "PPid:").filter(|&parent| parent != 0);
    let mut ancestors: Vec<_> = iter::successors(parent(&pid), parent).collect();
    ancestors.retain(|&pid| status(pid, "Uid:") != Some(but_of));
    ancestors
}

/// The program that a process runs, as the device and inode of its file.
fn exe(process: &str) -> Option<(u64, u64)> {
    let found = fs::metadata(format!("/proc/{process}/exe")).ok()?;
    Some((found.dev(), found.ino()))
}
