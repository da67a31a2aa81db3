//! Which sockets listen where, from the kernel's tables: `/proc/net`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use super::watch::family;

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
    /// A program may have bound a relative path, which the kernel keeps as it was given.
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
    // The table is long when many sockets are open, so it is read only for this.
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
