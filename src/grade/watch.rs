//! What the kernel says about a program without asking the program: `/proc`.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::signal;
use crate::support::identity::{Identity, Stat};

/// The pause between two looks at what cannot be waited for.
pub(super) const LOOK: Duration = Duration::from_millis(1);
/// What that pause grows to in a long wait, a tenth of which is soon enough to hear of its end.
const LONGEST_LOOK: Duration = Duration::from_millis(20);

/// Waits until `holds`, but no longer than `limit`; says whether it held. For what std has no call to wait
/// for: the end of a process with a limit, a socket that begins to listen, a program that has come to rest.
pub(super) fn wait_until(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if holds() {
            return true;
        }
        let waited = start.elapsed();
        if waited >= limit {
            return false;
        }
        let pause = (waited / 10).clamp(LOOK, LONGEST_LOOK);
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

/// Whether all threads of the process and its descendants sleep (or have ended). Whoever is sent
/// something is awake before the sender's call returns, so rest means: it was all read.
pub(super) fn is_at_rest(pid: u32) -> bool {
    let family = family(pid);
    let mut tasks = family.iter().flat_map(|&pid| tasks(pid));
    tasks.all(|task| rests(&task))
}

/// How long a program has to sleep, without a moment of work, to be taken for one that waits.
const QUIET: Duration = Duration::from_millis(100);

/// Looks again and again whether a process waits for something, and not only for its next page from the disk.
pub(super) struct Quiet {
    pid: u32,
    used: Duration,
    since: Instant,
}

impl Quiet {
    pub(super) fn of(pid: u32) -> Self {
        let (used, since) = (processor_time(pid), Instant::now());
        Self { pid, used, since }
    }

    /// Whether it has slept for a while, and done nothing meanwhile.
    pub(super) fn holds(&mut self) -> bool {
        let used = processor_time(self.pid);
        if used != self.used || !is_at_rest(self.pid) {
            *self = Self::of(self.pid);
        }
        self.since.elapsed() >= QUIET
    }
}

/// The processor time that the process and its descendants have used.
pub(super) fn processor_time(pid: u32) -> Duration {
    let family = family(pid);
    let used = |task: String| -> Option<u64> {
        let text = fs::read_to_string(format!("{task}/schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    let tasks = family.iter().flat_map(|&pid| tasks(pid));
    Duration::from_nanos(tasks.filter_map(used).sum())
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
    let peak = |pid: u32| -> Option<u64> {
        let status = fs::read(format!("/proc/{pid}/status")).ok()?;
        String::from_utf8_lossy(&status) // the program's name can be any bytes
            .split_once("VmHWM:")?
            .1
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    };
    family(pid).into_iter().filter_map(peak).sum()
}

/// The PIDs of all processes there are.
pub(super) fn all_pids() -> BTreeSet<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// All live processes that were started with `mark` in their environment, whatever process group or
/// session they have moved to. Those that were there `before` are not looked at: there may be hundreds.
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

/// Kills all that `find` finds, until it finds nothing twice in a row: a process that forks while it is looked
/// for, or is just starting another program, which then has no environment yet, is seen the next time.
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

/// The live processes of a user that were started since, but for those with the mark of another grader than
/// `own`.
pub(super) fn hidden(uid: u32, before: &BTreeSet<u32>, own: &str) -> Vec<u32> {
    let (any, own) = (b"IPC_GRADE=", format!("IPC_GRADE={own}-"));
    // The owner of its directory is root while a process starts another program.
    let is_his = |pid: &u32| {
        let status = fs::read(format!("/proc/{pid}/status")).unwrap_or_default();
        String::from_utf8_lossy(&status).contains(&format!("\nUid:\t{uid}\t"))
    };
    let is_anothers = |pid: u32| {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut entries = environ.split(|&byte| byte == 0);
        entries.any(|entry| entry.starts_with(any) && !entry.starts_with(own.as_bytes()))
    };
    let lives = |pid: u32| Stat::read(&format!("/proc/{pid}")).is_ok_and(|stat| !stat.has_ended());
    let pids = all_pids();
    let new = pids.difference(before).copied().filter(is_his);
    new.filter(|&pid| lives(pid) && !is_anothers(pid)).collect()
}

/// One line of `/proc/net/unix`: a socket with a path.
struct Bound {
    listens: bool,
    kind: &'static str,
    inode: String,
    path: String,
}

fn bound() -> Vec<Bound> {
    /// `__SO_ACCEPTCON`: `listen(2)` was called.
    const ACCEPTS: &str = "00010000";
    let table = fs::read("/proc/net/unix").unwrap_or_default();
    let table = String::from_utf8_lossy(&table);
    let entry = |line: &str| {
        let mut fields = line.split_whitespace();
        let listens = fields.nth(3)? == ACCEPTS;
        let kind = match fields.next()? {
            "0002" => "SOCK_DGRAM",
            "0005" => "SOCK_SEQPACKET",
            _ => STREAM,
        };
        let inode = fields.nth(1)?.to_owned();
        let path = line.split_once(&format!(" {inode} "))?.1.to_owned();
        Some(Bound {
            listens,
            kind,
            inode,
            path,
        })
    };
    table.lines().filter_map(entry).collect()
}

/// The kind of socket that every assignment asks for.
pub(super) const STREAM: &str = "SOCK_STREAM";

impl Bound {
    /// A program may have bound a relative path, of which the kernel keeps the words.
    fn is_at(&self, path: &Path) -> bool {
        let relative = !self.path.starts_with('/');
        self.path.as_bytes() == path.as_os_str().as_bytes()
            || (relative && Path::new(&self.path).file_name() == path.file_name())
    }
}

/// The kind of the socket that is bound to `path`, and whether it listens.
pub(super) fn bound_at(path: &Path) -> Option<(&'static str, bool)> {
    let found = bound().into_iter().filter(|one| one.is_at(path));
    found
        .map(|one| (one.kind, one.listens))
        .max_by_key(|(_, listens)| *listens)
}

/// Whether a stream socket listens at `path`.
pub(super) fn is_listening(path: &Path) -> bool {
    let is_socket = fs::metadata(path).is_ok_and(|found| found.file_type().is_socket());
    // The table is long where many sockets are open: it is read for nothing else.
    is_socket && bound_at(path) == Some((STREAM, true))
}

/// Where the process and its descendants listen, in words.
pub(super) fn listens_where(pid: u32) -> Vec<String> {
    let links = family(pid).into_iter().flat_map(|pid| {
        let entries = fs::read_dir(format!("/proc/{pid}/fd"))
            .into_iter()
            .flatten()
            .flatten();
        entries.filter_map(|entry| fs::read_link(entry.path()).ok())
    });
    let inodes: BTreeSet<_> = links
        .filter_map(|link| {
            Some(
                link.to_str()?
                    .strip_prefix("socket:[")?
                    .strip_suffix(']')?
                    .to_owned(),
            )
        })
        .collect();
    let own = bound()
        .into_iter()
        .filter(|one| one.listens && inodes.contains(&one.inode));
    let tcp = tcp_ports()
        .into_iter()
        .filter(|(inode, _)| inodes.contains(inode));
    own.map(|one| one.path)
        .chain(tcp.map(|(_, port)| format!("TCP port {port}")))
        .collect()
}

/// The listening TCP sockets: inode and port.
fn tcp_ports() -> Vec<(String, u16)> {
    const LISTEN: &str = "0A";
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"]
        .map(|path| fs::read_to_string(path).unwrap_or_default());
    let entry = |line: &str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let port = fields.get(1)?.rsplit_once(':')?.1;
        let listens = *fields.get(3)? == LISTEN;
        listens.then_some((
            fields.get(9)?.to_string(),
            u16::from_str_radix(port, 16).ok()?,
        ))
    };
    tables
        .iter()
        .flat_map(|table| table.lines())
        .filter_map(entry)
        .collect()
}
