//! The description of a new segment, the header that every segment begins with, and the faults a segment can have.
//!
//! Every segment begins with these 64 bytes, in native byte order. All but `ready` are written once,
//! by the process that makes the segment, before any other uses it.
//!
//! | word | name | its values |
//! |---|---|---|
//! | 0 | magic | `ipcprime`: a segment of this program |
//! | 1 | kind | eight letters: what it is used for |
//! | 2 | version | of the layout behind the header; a different layout has a different version |
//! | 3 | length | of the whole object, in bytes |
//! | 4 | wait slots | how many places to sleep there are at its end |
//! | 5 | owner | pid and start time of the process that made it: see [`owner`](super::owner) |
//! | 6 | namespaces | in which that pid and that time are valid: see [`namespaces`] |
//! | 7 | ready | 0: being made; 1: ready, removed with its owner; 2: ready, stays until it is unlinked. Written last (release), read first (acquire) |

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{array, error, fmt};

use super::owner;
use super::raw::{CACHE_LINE, WAIT_SLOT_LEN};
use crate::support::escape::escape;
use crate::support::identity::namespaces;

const MAGIC: u64 = u64::from_ne_bytes(*b"ipcprime");
const WORD: usize = size_of::<u64>();
/// How many words a header has.
pub(super) const HEADER: usize = 8;
/// The length of a header, in bytes.
pub(super) const HEADER_LEN: usize = HEADER * WORD;
/// The words that a segment reads out of its header.
pub(super) const OWNER: usize = 5;
pub(super) const READY: usize = 7;

/// The use of a segment, and its layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Eight letters, such as `copyring`.
    pub kind: [u8; 8],
    /// A different number for every layout.
    pub version: u64,
}

/// How long a segment lives. (POSIX: *process-persistent* and *kernel-persistent*.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as the [`Segment`](super::Segment) that made it: the next process removes a segment
    /// that a killed process left.
    Owner = 1,
    /// Until [`unlink`](super::unlink), or until the system shuts down.
    Kept = 2,
}

/// The description of a new segment.
#[derive(Clone, Copy, Debug)]
pub struct SegmentLayout {
    /// Its use and layout.
    pub format: Format,
    /// How many 64-bit words it has for its user.
    pub words: usize,
    /// How many wait slots for [waiters](super::WaitQueue).
    pub wait_slots: usize,
    /// How long it lives.
    pub lifetime: Lifetime,
}

impl SegmentLayout {
    /// The words end, and the wait slots begin, on a cache line.
    fn words_len(&self) -> usize {
        ((HEADER + self.words) * WORD).next_multiple_of(CACHE_LINE)
    }

    /// The length of the whole object, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.words_len() + self.wait_slots * WAIT_SLOT_LEN
    }
}

/// A header, as it was found or is to be written.
pub(super) struct Header(pub(super) [u64; HEADER]);

impl Header {
    pub(super) fn of(layout: &SegmentLayout) -> io::Result<Self> {
        let kind = u64::from_ne_bytes(layout.format.kind);
        let (version, length) = (layout.format.version, layout.len() as u64);
        let (wait_slots, owner) = (layout.wait_slots as u64, owner::own());
        let namespaces = namespaces()?;
        Ok(Self([
            MAGIC, kind, version, length, wait_slots, owner, namespaces, 0,
        ]))
    }

    pub(super) fn read(words: &[AtomicU64]) -> Self {
        Self(array::from_fn(|at| words[at].load(Ordering::Relaxed)))
    }

    /// `None` if the file is empty: its maker was killed before it wrote anything.
    pub(super) fn read_from(file: &File) -> io::Result<Option<Self>> {
        let mut bytes = [0; HEADER_LEN];
        if file.metadata()?.len() == 0 {
            return Ok(None);
        }
        // The missing words of a short file stay zero, and the header fails its check.
        let _ = file.read_exact_at(&mut bytes, 0);
        let words = bytes.as_chunks::<WORD>().0;
        Ok(Some(Self(array::from_fn(|at| {
            u64::from_ne_bytes(words[at])
        }))))
    }

    pub(super) fn owner(&self) -> u64 {
        self.0[OWNER]
    }

    pub(super) fn is_ready(&self) -> bool {
        self.0[READY] != 0
    }

    pub(super) fn is_kept(&self) -> bool {
        self.0[READY] == Lifetime::Kept as u64
    }

    /// Fails if this is not the header of a segment of `format` that this process can use.
    pub(super) fn check(&self, path: &Path, format: Format) -> io::Result<()> {
        let [magic, kind, version, .., namespaces_of_owner, _] = self.0;
        let kind = kind.to_ne_bytes();
        let (fault, what) = if magic != MAGIC {
            (Fault::Foreign, "is not a segment of this program".into())
        } else if kind != format.kind {
            let what = format!("is used for something else ({})", escape(&kind));
            (Fault::Foreign, what)
        } else if version != format.version {
            let ours = format.version;
            let what = format!("is of version {version}, and this program's is {ours}");
            (Fault::OtherVersion, what)
        } else if namespaces_of_owner != namespaces()? {
            // A pid in it does not mean to us what it means to its users.
            let what = "was made in another PID or time namespace".into();
            (Fault::OtherNamespace, what)
        } else {
            return Ok(());
        };
        Err(unfit(path, fault, &what))
    }

    /// How many wait slots a segment of `len` bytes has; `None` if the header is wrong for that length.
    pub(super) fn wait_slots_within(&self, len: usize) -> Option<usize> {
        let [_, _, _, length, wait_slots, ..] = self.0;
        let wait_slots = usize::try_from(wait_slots).ok()?;
        let room = len.checked_sub(wait_slots.checked_mul(WAIT_SLOT_LEN)?)?;
        let fits = length == len as u64 && room >= HEADER_LEN && room.is_multiple_of(CACHE_LINE);
        fits.then_some(wait_slots)
    }

    /// Whether the file says that it is ready, but does not have the length that it says.
    pub(super) fn is_of_another_length(file: &File) -> bool {
        // In this order, because a file that is ready does not grow any more.
        let header = Self::read_from(file);
        let len = file.metadata().map_or(0, |now| now.len());
        let len = usize::try_from(len).unwrap_or(0);
        matches!(header, Ok(Some(header)) if header.is_ready() && header.wait_slots_within(len).is_none())
    }
}

/// What is wrong with a segment that cannot be opened, though it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Another program made it, or it is used for something else.
    Foreign,
    /// Another version of this program made it.
    OtherVersion,
    /// Processes of another PID or time namespace use it: a process here cannot tell which of them are alive.
    OtherNamespace,
    /// It is shorter than its header says.
    CutOff,
    /// It is being made, or its maker was killed while making it.
    Unfinished,
}

/// The fault that makes the segment unfit, if `error` is about one.
pub fn fault_of(error: &io::Error) -> Option<Fault> {
    let inner = error.get_ref()?;
    match inner.downcast_ref::<Unfit>() {
        Some(unfit) => Some(unfit.fault),
        None => inner.downcast_ref().and_then(fault_of),
    }
}

#[derive(Debug)]
struct Unfit {
    fault: Fault,
    message: String,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for Unfit {}

pub(super) fn unfit(path: &Path, fault: Fault, what: &str) -> io::Error {
    let way_out = match fault {
        Fault::Unfinished => "wait, or start its maker again",
        Fault::OtherNamespace => {
            "use it from there, remove it if no process there needs it, or choose another name"
        }
        _ => "remove it, if no process needs it, or choose another name",
    };
    let message = format!("{} {what}; {way_out}", show(path));
    io::Error::new(ErrorKind::InvalidData, Unfit { fault, message })
}

/// The error of a segment that is being made, or whose maker was killed.
pub(super) fn unfinished(path: &Path) -> io::Error {
    let what = "is not ready: it is being made, or its maker was killed";
    unfit(path, Fault::Unfinished, what)
}

pub(super) fn show(path: &Path) -> String {
    format!("the shared memory segment {}", path.display())
}
