//! Memory for the plain stages: words, and cells that each hold a mutex and an event of `raw_sync`.

use std::fs::{OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU64, Ordering};

use raw_sync::Timeout;
use raw_sync::events::{EventImpl, EventState};
use raw_sync::locks::{LockGuard, LockImpl};

use super::raw::{CACHE_LINE, Mapping, PLAIN_CELL_LEN, text};

/// The value of the last word, once everything is made.
const READY: u64 = u64::from_ne_bytes(*b"is ready");

/// A piece of shared memory without the strength of a [`Segment`](super::Segment): when a process
/// is killed, its memory stays there, and its mutexes stay locked.
pub struct PlainSegment {
    mapping: Mapping,
}

impl PlainSegment {
    /// Makes `/dev/shm/ipc-primer-NAME` with this many words or a few more, all 0, its mutexes free
    /// and its events not set. It is unlinked when this is dropped.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`]; [`ErrorKind::StorageFull`]: there is not enough memory; those
    /// of `shm_open(3)`, `ftruncate(2)` and `mmap(2)`.
    pub fn create(name: &str, words: usize, cells: usize) -> io::Result<Self> {
        let words_len = ((words + 1) * size_of::<AtomicU64>()).next_multiple_of(CACHE_LINE);
        let mapping = Mapping::create(&object(name), words_len + cells * PLAIN_CELL_LEN)?;
        let path = format!("/dev/shm{}", object(name));
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.set_permissions(Permissions::from_mode(0o600))?; // whatever the umask
        let mut zeros = io::repeat(0).take(mapping.len() as u64);
        io::copy(&mut zeros, &mut file)?; // a missing page is an error now, and SIGBUS later
        let segment = Self::with_cells(mapping, cells)?;
        for number in 0..cells {
            segment.mapping.cell(number).make_mutex()?;
            segment.mapping.cell(number).make_event()?;
        }
        segment.split().0.store(READY, Ordering::Release);
        Ok(segment)
    }

    /// Opens the memory that another process has made with the same number of cells.
    ///
    /// # Errors
    /// - [`ErrorKind::NotFound`]: it does not exist, or is not ready yet.
    /// - [`ErrorKind::InvalidData`]: it is something else.
    pub fn open(name: &str, cells: usize) -> io::Result<Self> {
        let mapping = match Mapping::open(&object(name)) {
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                return Err(not_ready(name)); // it has no length yet
            }
            opened => opened?,
        };
        let segment = Self::with_cells(mapping, cells)?;
        match segment.split().0.load(Ordering::Acquire) {
            READY => Ok(segment),
            0 => Err(not_ready(name)),
            _ => Err(ErrorKind::InvalidData.into()),
        }
    }

    /// Keeps the memory when this is dropped, until its file is removed.
    #[must_use]
    pub fn keep(mut self) -> Self {
        self.mapping.keep();
        self
    }

    /// The words.
    pub fn words(&self) -> &[AtomicU64] {
        self.split().1
    }

    /// The mutex of a cell.
    ///
    /// # Errors
    /// Those of `raw_sync`.
    pub fn mutex(&self, cell: usize) -> io::Result<PlainMutex<'_>> {
        Ok(PlainMutex(self.mapping.cell(cell).mutex()?))
    }

    /// The event of a cell.
    pub(super) fn event(&self, cell: usize) -> io::Result<PlainEvent<'_>> {
        Ok(PlainEvent(self.mapping.cell(cell).event()?))
    }

    fn with_cells(mapping: Mapping, cells: usize) -> io::Result<Self> {
        let mapping = mapping.with_cells(cells, PLAIN_CELL_LEN);
        let mapping = mapping.filter(|mapping| !mapping.words().is_empty());
        let mapping = mapping.ok_or(ErrorKind::InvalidData)?;
        Ok(Self { mapping })
    }

    /// The last word, which says that everything is made, and the words before it.
    fn split(&self) -> (&AtomicU64, &[AtomicU64]) {
        let split = self.mapping.words().split_last();
        split.expect("there is one, by `with_cells`")
    }
}

/// A mutex that processes share: `pthread_mutex_lock(3)`. A killed holder leaves it locked.
pub struct PlainMutex<'s>(Box<dyn LockImpl + 's>);

impl PlainMutex<'_> {
    /// Blocks until the mutex is ours; it stays ours until the guard is dropped.
    ///
    /// # Errors
    /// Those of `raw_sync`.
    pub fn lock(&self) -> io::Result<LockGuard<'_>> {
        self.0.lock().map_err(text)
    }
}

/// An event that processes share, set or not set. It stays set until it is cleared.
pub(super) struct PlainEvent<'s>(Box<dyn EventImpl + 's>);

impl PlainEvent<'_> {
    /// Blocks while the event is not set: `pthread_cond_wait(3)`.
    pub(super) fn wait(&self) -> io::Result<()> {
        self.0.wait(Timeout::Infinite).map_err(text)
    }

    /// Sets the event, and wakes all threads that wait: `pthread_cond_broadcast(3)`.
    pub(super) fn set(&self) -> io::Result<()> {
        self.0.set(EventState::Signaled).map_err(text)
    }

    /// Takes it back.
    pub(super) fn clear(&self) -> io::Result<()> {
        self.0.set(EventState::Clear).map_err(text)
    }
}

fn object(name: &str) -> String {
    format!("/ipc-primer-{name}")
}

fn not_ready(name: &str) -> io::Error {
    let fault = format!("the segment {name} is not ready, or is used for something else");
    io::Error::new(ErrorKind::NotFound, fault)
}
