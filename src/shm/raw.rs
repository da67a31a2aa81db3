//! The one file with `unsafe`: the unsafe calls of `shared_memory` and `raw_sync`, and views of the memory.
//!
//! A [`Mapping`] consists of words, then *cells*:
//!
//! - The words are 64-bit atomics. A `&[u8]` would promise that the bytes do not change meanwhile,
//!   which no process can promise for another; an atomic promises nothing like that. So the words
//!   are safe whatever other processes write.
//! - A [`Cell`] is a line of words, a mutex and perhaps an event, which no atomic view of the words reaches. Cells
//!   are safe on one condition: **every process that maps the segment runs this program, or is trusted like it.**
//!   The C library believes the contents of a mutex: overwrite its kind, and the next process that
//!   uses it may crash. Any code on `raw_sync` has this limit. It is why segments have mode 0600,
//!   and why another user's segment is not opened.
//!
//! A process that is killed breaks no condition: it writes nothing that this program would not write.

#![allow(
    unsafe_code,
    reason = "shared_memory and raw_sync mark their own calls unsafe; what leaves this file is safe among processes that run this program"
)]

use std::error::Error;
use std::io::{self, ErrorKind};
use std::ptr::null_mut;
use std::slice;
use std::sync::atomic::AtomicU64;

use raw_sync::events::{Event, EventImpl, EventInit};
use raw_sync::locks::{LockImpl, LockInit, Mutex};
use shared_memory::{Shmem, ShmemConf, ShmemError};

pub(super) const CACHE_LINE: usize = 64;
const WORD: usize = size_of::<AtomicU64>();
/// Where in a cell its mutex and its event begin, in bytes: the words have a cache line, and so does the mutex.
const MUTEX_AT: usize = CACHE_LINE;
const EVENT_AT: usize = 2 * CACHE_LINE;
/// The bytes of a cell without an event, and of a cell with one.
pub(super) const WAIT_SLOT_LEN: usize = 2 * CACHE_LINE;
pub(super) const PLAIN_CELL_LEN: usize = 4 * CACHE_LINE;

/// A shared memory object in our address space, until it is dropped: `mmap(2)`.
pub(super) struct Mapping {
    shmem: Shmem,
    /// Where it begins.
    at: *mut u8,
    words: usize,
    cells: usize,
    cell_len: usize,
}

// SAFETY: `shmem` is only asked for its length, which does not change, and the memory behind `at` is
// accessed by atomics and by the thread-safe calls of process-shared mutexes and events.
unsafe impl Send for Mapping {}
// SAFETY: as for `Send`.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the object `name`: `shm_open(3)` and `mmap(2)`. All of it is words.
    pub(super) fn open(name: &str) -> io::Result<Self> {
        Self::all_words(ShmemConf::new().os_id(name).open())
    }

    /// Makes and maps the object `name`, all zero, which is unlinked when this is dropped: `ftruncate(2)`, too.
    pub(super) fn create(name: &str, len: usize) -> io::Result<Self> {
        Self::all_words(ShmemConf::new().os_id(name).size(len).create())
    }

    fn all_words(mapped: Result<Shmem, ShmemError>) -> io::Result<Self> {
        let shmem = mapped.map_err(|error| match error {
            ShmemError::MappingIdExists => ErrorKind::AlreadyExists.into(),
            ShmemError::MapOpenFailed(code) | ShmemError::MapCreateFailed(code) => {
                io::Error::from_raw_os_error(code.cast_signed())
            }
            other => io::Error::other(other.to_string()),
        })?;
        Ok(Self {
            at: shmem.as_ptr(),
            words: shmem.len() / WORD,
            cells: 0,
            cell_len: 1,
            shmem,
        })
    }

    /// Keeps the object when this is dropped.
    pub(super) fn keep(&mut self) {
        self.shmem.set_owner(false);
    }

    /// Uses the last bytes for cells; `None` if there are too few bytes, or the words do not fill cache lines.
    pub(super) fn with_cells(mut self, cells: usize, cell_len: usize) -> Option<Self> {
        let rest = self.len().checked_sub(cells.checked_mul(cell_len)?)?;
        (self.words, self.cells, self.cell_len) = (rest / WORD, cells, cell_len);
        rest.is_multiple_of(CACHE_LINE).then_some(self)
    }

    pub(super) fn len(&self) -> usize {
        self.shmem.len()
    }

    /// The memory before the cells.
    #[inline]
    pub(super) fn words(&self) -> &[AtomicU64] {
        let first = self.at.cast();
        // SAFETY: mmap gave `len()` bytes at a page's start that stay as long as `self`; `words` words
        // are no more than that; any bits are a valid AtomicU64; all access to them is atomic.
        unsafe { slice::from_raw_parts(first, self.words) }
    }

    pub(super) fn cells(&self) -> usize {
        self.cells
    }

    /// The cell with this number, from 0 on.
    ///
    /// # Panics
    /// If there is no such cell.
    #[inline]
    pub(super) fn cell(&self, number: usize) -> Cell<'_> {
        assert!(number < self.cells, "the segment has no cell {number}");
        let at = self.words * WORD + number * self.cell_len;
        let at = self.at.wrapping_add(at);
        Cell { at, mapping: self }
    }
}

/// One of the cells behind the words of a mapping: see the top of this file.
#[derive(Clone, Copy)]
pub(super) struct Cell<'m> {
    at: *mut u8,
    mapping: &'m Mapping,
}

impl<'m> Cell<'m> {
    /// One of its eight words.
    #[inline]
    pub(super) fn word(self, number: usize) -> &'m AtomicU64 {
        assert!(number < CACHE_LINE / WORD);
        // SAFETY: in the cell's first line, so mapped as long as `'m`, aligned, and only accessed atomically.
        unsafe { AtomicU64::from_ptr(self.at.cast::<u64>().wrapping_add(number)) }
    }

    /// Makes the cell's mutex, free, in a segment that no other process uses yet.
    pub(super) fn make_mutex(self) -> io::Result<Box<dyn LockImpl + 'm>> {
        // SAFETY: `mutex_at` points to mapped bytes, more than a mutex needs, aligned, and used by no one yet.
        let made = unsafe { Mutex::new(self.mutex_at(), null_mut()) };
        Ok(made.map_err(text)?.0)
    }

    pub(super) fn mutex(self) -> io::Result<Box<dyn LockImpl + 'm>> {
        // SAFETY: as above, and a mutex was made here before any other process could find the segment.
        let made = unsafe { Mutex::from_existing(self.mutex_at(), null_mut()) };
        Ok(made.map_err(text)?.0)
    }

    /// Makes the cell's event, not set, in a segment that no other process uses yet.
    pub(super) fn make_event(self) -> io::Result<Box<dyn EventImpl + 'm>> {
        // SAFETY: `event_at` points to mapped bytes, more than an event needs, aligned, and used by no one yet.
        let made = unsafe { Event::new(self.event_at(), false) };
        Ok(made.map_err(text)?.0)
    }

    pub(super) fn event(self) -> io::Result<Box<dyn EventImpl + 'm>> {
        // SAFETY: as above, and an event was made here before any other process could find the segment.
        let made = unsafe { Event::from_existing(self.event_at()) };
        Ok(made.map_err(text)?.0)
    }

    fn mutex_at(self) -> *mut u8 {
        self.at.wrapping_add(MUTEX_AT)
    }

    fn event_at(self) -> *mut u8 {
        assert!(self.mapping.cell_len >= PLAIN_CELL_LEN, "no room for it");
        self.at.wrapping_add(EVENT_AT)
    }
}

/// Only the text of a `raw_sync` error says which error it is.
pub(super) fn text(error: Box<dyn Error>) -> io::Error {
    io::Error::other(error.to_string())
}

const _: () = assert!(WORD == size_of::<usize>(), "numbers of 64 bits are indices");
