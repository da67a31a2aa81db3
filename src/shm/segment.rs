//! A named segment of shared memory: made whole or not at all, checked before it is used, and removed
//! by whom it belongs to.
//!
//! `header.rs` says what every segment begins with.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::fault::{Fault, is_unfinished, unfinished, unfit};
use super::header::{CACHE_LINE, HEADER, HEADER_LEN, Header, OWNER, READY, SEATS};
use super::object::{
    check_user, create_locked, no_room, not_to_be_removed, remove_stale, reserve, show,
};
use super::raw::{Mapping, SEAT_LEN, Seat};
use crate::error::Context;
use crate::own_file::OwnFile;

/// Where Linux keeps POSIX shared memory objects: files of a `tmpfs`. `shm_open(3)` only puts this
/// before their names.
const DIRECTORY: &str = "/dev/shm";
/// What all names of ours begin with.
const PREFIX: &str = "ipc-primer-";
/// The longest name, prefix included, in bytes: `NAME_MAX`.
const MAX_NAME: usize = 255;

const WORD: usize = size_of::<u64>();

/// How long a segment may take to be made by a process that runs.
const OPEN_LIMIT: Duration = Duration::from_secs(2);
const RETRY: Duration = Duration::from_millis(1);

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
    /// As long as the [`Segment`] of who made it: what a killed one left is removed by the next.
    Owner,
    /// Until [`unlink`], or until the system goes down.
    Kept,
}

/// What a new segment is to be.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Its use and layout.
    pub format: Format,
    /// How many 64-bit words it has for its user.
    pub words: usize,
    /// How many seats for [waiters](super::Waiters).
    pub seats: usize,
    /// How long it lives.
    pub lifetime: Lifetime,
}

/// A segment in our address space. What processes share are its [`words`](Self::words).
pub struct Segment {
    /// Shared with whoever wakes from another thread: the name goes with the segment all the same.
    mapping: Arc<Mapping>,
    path: PathBuf,
    /// The file to remove when this is dropped, if it is still the one of this name.
    own_file: Option<OwnFile>,
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment")
            .field("path", &self.path)
            .field("words", &self.words().len())
            .field("seats", &self.seats())
            .finish_non_exhaustive()
    }
}

impl Segment {
    /// Makes the segment `name`, all zero but for what `init` writes: `shm_open(3)` with `O_CREAT` and
    /// `O_EXCL`, mode 0600. Nobody else uses it before `init` has returned.
    ///
    /// What a killed process left under the name is removed first; nothing else is.
    ///
    /// The memory is reserved here, by writing it: `ftruncate(2)` would promise what `/dev/shm` may not
    /// have, and the process that first touches a missing page dies of SIGBUS.
    ///
    /// ```
    /// use ipc_primer::shm::{Format, Lifetime, Plan, Segment};
    /// use std::sync::atomic::Ordering;
    ///
    /// let format = Format { kind: *b"examples", version: 1 };
    /// let plan = Plan { format, words: 1, seats: 0, lifetime: Lifetime::Owner };
    /// let name = format!("doc-segment-{}", std::process::id());
    /// let ours = Segment::create(&name, plan, |new| new.words()[0].store(41, Ordering::Relaxed))?;
    ///
    /// let theirs = Segment::open(&name, format)?; // another process, say
    /// theirs.words()[0].fetch_add(1, Ordering::Relaxed);
    /// assert_eq!(ours.words()[0].load(Ordering::Relaxed), 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`ErrorKind::AddrInUse`]: a process that runs has the name, or the segment is kept.
    /// - [`ErrorKind::AlreadyExists`]: what is there is not ours to remove: another program's, another
    ///   version's, another user's.
    /// - [`ErrorKind::StorageFull`]: `/dev/shm` has not so much room.
    /// - [`ErrorKind::InvalidInput`]: the name is empty, too long, or holds a `/` or a NUL.
    #[doc(alias = "shm_open")]
    #[doc(alias = "mmap")]
    pub fn create(name: &str, plan: Plan, init: impl FnOnce(&Self)) -> io::Result<Self> {
        let path = path(name)?;
        let file = loop {
            match create_locked(&path) {
                Ok(Some(file)) => break file,
                Ok(None) => {} // somebody took it for left behind before we had locked it
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    remove_stale(&path, plan.format)?;
                }
                Err(error) => return Err(error).context(|| format!("cannot make {}", show(&path))),
            }
        };
        let own_file = OwnFile::at(&path)?; // gone again if anything fails
        reserve(&file, &plan).context(|| no_room(&path, plan.len()))?;
        let mut segment = Self::map(&path)?;
        segment.split_off_seats(plan.seats);
        (0..plan.seats).for_each(|seat| segment.seat(seat).init());
        init(&segment);
        segment.header(READY).store(1, Ordering::Release);
        match plan.lifetime {
            Lifetime::Owner => segment.own_file = Some(own_file),
            Lifetime::Kept => own_file.keep(),
        }
        // Not only dropped: a child that another thread is just starting has a copy of the descriptor.
        file.unlock()?;
        Ok(segment)
    }

    /// Opens the segment `name`, once it is ready.
    ///
    /// # Errors
    /// - [`ErrorKind::NotFound`]: there is none.
    /// - [`ErrorKind::InvalidData`]: what is there is not of this `format`: too short, another
    ///   program's, another version's; or it was never made ready, for its maker was killed.
    /// - [`ErrorKind::PermissionDenied`]: it is another user's.
    #[doc(alias = "shm_open")]
    #[doc(alias = "mmap")]
    pub fn open(name: &str, format: Format) -> io::Result<Self> {
        let path = path(name)?;
        let deadline = Instant::now() + OPEN_LIMIT;
        loop {
            match Self::try_open(&path, format) {
                // Between its creation and its first byte, or before it is ready: look again.
                Err(error) if is_unfinished(&error) && Instant::now() < deadline => {
                    thread::sleep(RETRY);
                }
                opened => return opened,
            }
        }
    }

    /// The words that are shared, those of its user.
    #[inline]
    pub fn words(&self) -> &[AtomicU64] {
        &self.mapping.words()[HEADER..]
    }

    /// How many seats it has.
    pub fn seats(&self) -> usize {
        usize::try_from(self.header(SEATS).load(Ordering::Relaxed)).unwrap_or(0)
    }

    /// Who made it, as an [owner word](super::owner).
    pub fn owner(&self) -> u64 {
        self.header(OWNER).load(Ordering::Relaxed)
    }

    pub(super) fn seat(&self, number: usize) -> Seat<'_> {
        self.mapping.seat(number)
    }

    /// The memory alone, which stays as long as somebody has it.
    pub(super) fn memory(&self) -> Arc<Mapping> {
        Arc::clone(&self.mapping)
    }

    fn split_off_seats(&mut self, seats: usize) {
        let mapping = Arc::get_mut(&mut self.mapping);
        mapping
            .expect("nobody else has it yet")
            .split_off_seats(seats);
    }

    fn header(&self, word: usize) -> &AtomicU64 {
        &self.mapping.words()[word]
    }

    fn map(path: &Path) -> io::Result<Self> {
        let name = path.file_name().expect("it was made of a name");
        let mapping = Arc::new(Mapping::open(&name.to_string_lossy())?);
        Ok(Self {
            mapping,
            path: path.to_owned(),
            own_file: None,
        })
    }

    fn try_open(path: &Path, format: Format) -> io::Result<Self> {
        check_user(path)?;
        let mut segment = match Self::map(path) {
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                return Err(unfinished(path));
            }
            other => other.context(|| format!("cannot open {}", show(path)))?,
        };
        if segment.mapping.len() < HEADER_LEN {
            return Err(unfit(path, Fault::Foreign, "is too short"));
        }
        // Acquire: what was written before it is there when it is.
        let is_ready = segment.header(READY).load(Ordering::Acquire) == 1;
        let header = Header::read(segment.mapping.words());
        header.check(path, format)?;
        if !is_ready {
            return Err(unfinished(path));
        }
        let Some(seats) = header.seats_within(segment.mapping.len()) else {
            // What was mapped may have grown since, or be of a file that has gone.
            return Err(match Header::is_of_another_length(path) {
                true => unfit(path, Fault::CutOff, "is cut off"),
                false => unfinished(path),
            });
        };
        segment.split_off_seats(seats);
        Ok(segment)
    }
}

/// Removes the segment `name`: `shm_unlink(3)`. Who has it open keeps it; nobody else finds it.
///
/// # Errors
/// [`ErrorKind::NotFound`], [`ErrorKind::InvalidInput`], as for [`Segment::open`]; and
/// [`ErrorKind::AlreadyExists`] if what is there is not of this `format`.
#[doc(alias = "shm_unlink")]
pub fn unlink(name: &str, format: Format) -> io::Result<()> {
    let path = path(name)?;
    let shown = || format!("cannot remove {}", show(&path));
    let file = File::open(&path).context(shown)?;
    if let Some(header) = Header::read_from(&file)? {
        header.check(&path, format).map_err(not_to_be_removed)?;
    }
    fs::remove_file(&path).context(shown)
}

/// Removes the segment `name` if it is what a killed process left; says whether it was.
///
/// # Errors
/// Those of [`Segment::create`] that are about what is there.
pub fn remove_if_stale(name: &str, format: Format) -> io::Result<bool> {
    match remove_stale(&path(name)?, format) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => Ok(false),
        removed => removed,
    }
}

/// The file of the shared memory object `name`.
///
/// # Errors
/// [`ErrorKind::InvalidInput`], as for [`Segment::create`].
pub fn path(name: &str) -> io::Result<PathBuf> {
    let file = format!("{PREFIX}{name}");
    let fault = if name.is_empty() {
        "cannot be empty".to_owned()
    } else if name.contains(['/', '\0']) {
        "cannot hold a `/` or a NUL".to_owned()
    } else if file.len() > MAX_NAME {
        format!("can be {} bytes long at most", MAX_NAME - PREFIX.len())
    } else {
        return Ok(Path::new(DIRECTORY).join(file));
    };
    let message = format!("the name of a shared memory segment {fault}: {name:?}");
    Err(io::Error::new(ErrorKind::InvalidInput, message))
}

impl Plan {
    fn words_len(&self) -> usize {
        ((HEADER + self.words) * WORD).next_multiple_of(CACHE_LINE)
    }

    /// The length of the whole object, in bytes.
    pub fn len(&self) -> usize {
        self.words_len() + self.seats * SEAT_LEN
    }

    /// Never: a segment has a header.
    pub fn is_empty(&self) -> bool {
        false
    }
}
