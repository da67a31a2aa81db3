//! What a new segment is to be, and what every segment begins with.
//!
//! Every segment begins with these 64 bytes, in native byte order. All but `ready` are written once,
//! by the process that makes the segment, before any other uses it.
//!
//! | word | name | its values |
//! |---|---|---|
//! | 0 | magic | `ipcprime`: a segment of this program |
//! | 1 | kind | eight letters: what it is used for |
//! | 2 | version | of the layout behind the header; it differs, so do the layouts |
//! | 3 | length | of the whole object, in bytes |
//! | 4 | wait slots | how many places to sleep stand at its end |
//! | 5 | owner | pid and start time of the process that made it: see [`owner`](super::owner) |
//! | 6 | namespaces | in which that pid and that time are right: see [`namespaces`] |
//! | 7 | ready | 0: being made; 1: to be used, and goes with its owner; 2: to be used, and stays until it is unlinked. Written last (release), read first (acquire) |

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::fault::{Fault, unfit};
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
/// Which words a segment is asked for.
pub(super) const OWNER: usize = 5;
pub(super) const READY: usize = 7;

/// What a segment is used for, and how it is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Eight letters, such as `copyring`.
    pub kind: [u8; 8],
    /// Another number for every layout.
    pub version: u64,
}

/// How long a segment lives. (POSIX: *process-persistent* and *kernel-persistent*.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as the [`Segment`](super::Segment) that made it: what a killed process left is removed by the
    /// next.
    Owner = 1,
    /// Until [`unlink`](super::unlink), or until the system goes down.
    Kept = 2,
}

/// What a new segment is to be.
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
    pub fn len(&self) -> usize {
        self.words_len() + self.wait_slots * WAIT_SLOT_LEN
    }

    /// Never: a segment has a header.
    pub fn is_empty(&self) -> bool {
        false
    }
}

/// The header as it was found.
pub(super) struct Header {
    pub(super) magic: u64,
    pub(super) format: Format,
    pub(super) length: u64,
    pub(super) wait_slots: u64,
    pub(super) owner: u64,
    pub(super) kept: bool,
    pub(super) ready: bool,
    namespaces: u64,
}

impl Header {
    fn from_words(word: impl Fn(usize) -> u64) -> Self {
        Self {
            magic: word(0),
            format: Format {
                kind: word(1).to_ne_bytes(),
                version: word(2),
            },
            length: word(3),
            wait_slots: word(4),
            owner: word(5),
            namespaces: word(6),
            kept: word(READY) == Lifetime::Kept as u64,
            ready: word(READY) != 0,
        }
    }

    pub(super) fn read(words: &[AtomicU64]) -> Self {
        Self::from_words(|at| words[at].load(Ordering::Relaxed))
    }

    /// `None` if not a byte is there: its maker was killed at once.
    pub(super) fn read_from(file: &File) -> io::Result<Option<Self>> {
        let mut bytes = [0; HEADER_LEN];
        if file.metadata()?.len() == 0 {
            return Ok(None);
        }
        // What is too short stays zero, and its magic is none.
        let _ = file.read_exact_at(&mut bytes, 0);
        let words = bytes.as_chunks::<WORD>().0;
        Ok(Some(Self::from_words(|at| u64::from_ne_bytes(words[at]))))
    }

    /// Whether the file says that it is ready, but is not as long as it says.
    pub(super) fn is_of_another_length(file: &File) -> bool {
        // In this order: nothing that is ready grows any more.
        let header = Self::read_from(file);
        let len = file.metadata().map_or(0, |now| now.len());
        let len = usize::try_from(len).unwrap_or(0);
        matches!(header, Ok(Some(header)) if header.ready && header.wait_slots_within(len).is_none())
    }

    pub(super) fn of(layout: &SegmentLayout) -> io::Result<[u64; HEADER]> {
        let kind = u64::from_ne_bytes(layout.format.kind);
        let (length, wait_slots) = (layout.len() as u64, layout.wait_slots as u64);
        Ok([
            MAGIC,
            kind,
            layout.format.version,
            length,
            wait_slots,
            owner::own(),
            namespaces()?,
            0,
        ])
    }

    /// Fails if this is not the header of a segment of `format` that can be used from here.
    pub(super) fn check(&self, path: &Path, format: Format) -> io::Result<()> {
        let (fault, what) = if self.magic != MAGIC {
            let what = "is not a segment of this program".to_owned();
            (Fault::Foreign, what)
        } else if self.format.kind != format.kind {
            let kind = escape(&self.format.kind);
            let what = format!("is used for something else ({kind})");
            (Fault::Foreign, what)
        } else if self.format.version != format.version {
            let (theirs, ours) = (self.format.version, format.version);
            let what = format!("is of version {theirs}, and this program's is {ours}");
            (Fault::OtherVersion, what)
        } else if self.namespaces != namespaces()? {
            // No pid in it means to us what it means to its users.
            let what = "was made in another PID or time namespace".to_owned();
            (Fault::OtherNamespace, what)
        } else {
            return Ok(());
        };
        Err(unfit(path, fault, &what))
    }

    /// How many wait slots a segment of `len` bytes has; `None` if this is no header of so many bytes.
    pub(super) fn wait_slots_within(&self, len: usize) -> Option<usize> {
        if self.length != len as u64 {
            return None;
        }
        let wait_slots = usize::try_from(self.wait_slots).ok()?;
        let room = len.checked_sub(wait_slots.checked_mul(WAIT_SLOT_LEN)?)?;
        (room >= HEADER_LEN && room.is_multiple_of(CACHE_LINE)).then_some(wait_slots)
    }
}
