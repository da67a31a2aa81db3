//! A named segment of shared memory: made whole or not at all, checked before it is used, and removed
//! by its owner.
//!
//! `header.rs` describes the header of every segment.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::header::{Fault, HEADER, HEADER_LEN, OWNER, READY, show, unfinished, unfit};
use super::header::{Format, Header, Lifetime, SegmentLayout, fault_of};
use super::object;
use super::raw::{Mapping, WAIT_SLOT_LEN};
use super::wait_slot::WaitSlot;
use crate::stop::StopToken;
use crate::support::error::Context;
use crate::support::identity::Identity;
use crate::support::unlink_on_drop::stands_at;

/// Where Linux keeps POSIX shared memory objects, as files of a `tmpfs`. `shm_open(3)` only puts
/// this path before their names.
const DIRECTORY: &str = "/dev/shm";
/// The prefix of all our names.
const PREFIX: &str = "ipc-primer-";
/// The longest name, prefix included, in bytes: `NAME_MAX`.
const MAX_NAME: usize = 255;

/// How long a new segment's maker may take to lock it. After that, a free lock means that the maker was killed.
const LOCK_LIMIT: Duration = Duration::from_secs(2);
/// How long [`unlink`] waits for a segment to be made.
const MAKING_LIMIT: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_millis(1);

/// A segment in our address space. Processes share its [`words`](Self::words).
pub struct Segment {
    /// Shared with the wakers on other threads; the name is removed with the segment all the same.
    mapping: Arc<Mapping>,
    path: PathBuf,
    /// The file to remove when this is dropped, if the name still leads to it.
    own_file: Option<File>,
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment")
            .field("path", &self.path)
            .field("words", &self.words().len())
            .field("wait_slots", &self.wait_slots())
            .finish_non_exhaustive()
    }
}

impl Segment {
    /// Makes the segment `name`, all zero except for the words that `init` writes: `shm_open(3)`
    /// with `O_CREAT` and `O_EXCL`, mode 0600. No other process uses it before `init` has returned.
    ///
    /// A segment that a killed process left under the name is removed first; nothing else is.
    ///
    /// The memory is reserved here, by writing it: `ftruncate(2)` would promise memory that
    /// `/dev/shm` may not have, and the process that first touches a missing page dies of SIGBUS.
    ///
    /// ```
    /// use ipc_primer::shm::{Format, Lifetime, SegmentLayout, Segment};
    /// use std::sync::atomic::Ordering;
    ///
    /// let format = Format { kind: *b"examples", version: 1 };
    /// let layout = SegmentLayout { format, words: 1, wait_slots: 0, lifetime: Lifetime::Owner };
    /// let name = format!("doc-segment-{}", std::process::id());
    /// let ours = Segment::create(&name, layout, |new| new.words()[0].store(41, Ordering::Relaxed))?;
    ///
    /// let theirs = Segment::open(&name, format)?; // another process, say
    /// theirs.words()[0].fetch_add(1, Ordering::Relaxed);
    /// assert_eq!(ours.words()[0].load(Ordering::Relaxed), 42);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`ErrorKind::AddrInUse`]: a running process has the name, or the segment is kept.
    /// - [`ErrorKind::AlreadyExists`]: the object there is not ours to remove: it is of another
    ///   program, version, user or PID namespace.
    /// - Those of [`Identity::own`].
    /// - [`ErrorKind::StorageFull`]: `/dev/shm` does not have enough room.
    /// - [`ErrorKind::InvalidInput`]: the name is empty, too long, or holds a `/` or a NUL.
    #[doc(alias = "shmget")]
    #[doc(alias = "ftruncate")]
    #[doc(alias = "shm_open")]
    #[doc(alias = "mmap")]
    pub fn create(name: &str, layout: SegmentLayout, init: impl FnOnce(&Self)) -> io::Result<Self> {
        let path = path(name)?;
        Identity::own()?; // otherwise no process could tell that this one is alive
        let (mapping, file, own_file) = loop {
            let (file, own_file) = object::create_locked(&path, layout.format)?;
            let no_room = || format!("cannot reserve {} bytes for {}", layout.len(), show(&path));
            object::reserve(&file, &layout).context(no_room)?;
            if let Some(mapping) = map(&file, &path)? {
                break (mapping, file, own_file);
            }
        };
        let mut segment = Self::new(mapping, layout.wait_slots, path);
        (0..layout.wait_slots).for_each(|wait_slot| segment.wait_slot(wait_slot).init());
        init(&segment);
        let ready = layout.lifetime as u64;
        segment.header(READY).store(ready, Ordering::Release);
        own_file.keep();
        // Not just dropped: a child that another thread is starting has a copy of the descriptor.
        file.unlock()?;
        segment.own_file = (layout.lifetime == Lifetime::Owner).then_some(file);
        Ok(segment)
    }

    /// Opens the segment `name` once it is ready; waits while a living process makes it.
    ///
    /// # Errors
    /// - [`ErrorKind::NotFound`]: there is no such segment.
    /// - [`ErrorKind::InvalidData`]: the object there is not of this `format`: it is too short, or
    ///   of another program, version or PID namespace; or it was never made ready, because its
    ///   maker was killed.
    /// - Those of [`Identity::own`].
    /// - [`ErrorKind::PermissionDenied`]: it belongs to another user.
    #[doc(alias = "shm_open")]
    #[doc(alias = "mmap")]
    pub fn open(name: &str, format: Format) -> io::Result<Self> {
        Self::open_unless_stopped(name, format, &StopToken::new())
    }

    /// Like [`open`](Self::open), but also ends when a stop is requested while another process makes it.
    pub(crate) fn open_unless_stopped(
        name: &str,
        format: Format,
        stop: &StopToken,
    ) -> io::Result<Self> {
        let deadline = Instant::now() + LOCK_LIMIT;
        loop {
            let unfinished = match Self::try_open(name, format) {
                Err(error) if fault_of(&error) == Some(Fault::Unfinished) => error,
                opened => return opened,
            };
            if Instant::now() > deadline && !object::is_being_made(&path(name)?)? {
                return Err(unfinished);
            }
            if stop.wait_timeout(RETRY) {
                return Err(ErrorKind::Interrupted.into());
            }
        }
    }

    /// Like [`open`](Self::open), but does not wait for a segment that is being made.
    pub(crate) fn try_open(name: &str, format: Format) -> io::Result<Self> {
        let path = path(name)?;
        Identity::own()?;
        let file = object::open(&path, object::check_user)?;
        match usize::try_from(file.metadata()?.len()) {
            Ok(0) => return Err(unfinished(&path)),
            Ok(..HEADER_LEN) => return Err(unfit(&path, Fault::Foreign, "is too short")),
            _ => {}
        }
        let Some(mapping) = map(&file, &path)? else {
            return Err(unfinished(&path)); // it was removed, and another is being made
        };
        // Acquire: if `ready` is seen, everything written before it is seen too.
        let is_ready = mapping.words()[READY].load(Ordering::Acquire) != 0;
        let header = Header::read(mapping.words());
        header.check(&path, format)?;
        if !is_ready {
            return Err(unfinished(&path));
        }
        let Some(wait_slots) = header.wait_slots_within(mapping.len()) else {
            // The file may have grown since it was mapped.
            return Err(match Header::is_of_another_length(&file) {
                true => unfit(&path, Fault::CutOff, "is cut off"),
                false => unfinished(&path),
            });
        };
        Ok(Self::new(mapping, wait_slots, path))
    }

    fn new(mapping: Mapping, wait_slots: usize, path: PathBuf) -> Self {
        let mapping = mapping.with_cells(wait_slots, WAIT_SLOT_LEN);
        Self {
            mapping: Arc::new(mapping.expect("the segment's length was checked")),
            path,
            own_file: None,
        }
    }

    /// The shared words that belong to the segment's user.
    #[inline]
    pub fn words(&self) -> &[AtomicU64] {
        &self.mapping.words()[HEADER..]
    }

    /// How many wait slots the segment has.
    pub fn wait_slots(&self) -> usize {
        self.mapping.cells()
    }

    /// The process that made the segment, as an [owner word](super::owner).
    pub(super) fn owner(&self) -> u64 {
        self.header(OWNER).load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn wait_slot(&self, number: usize) -> WaitSlot<'_> {
        WaitSlot(self.mapping.cell(number))
    }

    /// The memory alone, which stays mapped as long as any thread has it.
    pub(super) fn memory(&self) -> Arc<Mapping> {
        Arc::clone(&self.mapping)
    }

    fn header(&self, word: usize) -> &AtomicU64 {
        &self.mapping.words()[word]
    }
}

/// Maps the open `file` by its name; `None` if the name leads elsewhere by now: to nothing, or to a
/// file that another process has made since.
fn map(file: &File, path: &Path) -> io::Result<Option<Mapping>> {
    let name = path.file_name().expect("it was made of a name");
    let mapped = Mapping::open(&name.to_string_lossy());
    if !stands_at(file, path)? {
        return Ok(None); // whatever `mapped` is: an empty file, for example, cannot be mapped
    }
    mapped
        .context(|| format!("cannot map {}", show(path)))
        .map(Some)
}

impl Drop for Segment {
    fn drop(&mut self) {
        if let Some(file) = &self.own_file {
            let _ = object::remove_own(file, &self.path); // else the next one does, as after a kill
        }
    }
}

/// Removes the segment `name`: `shm_unlink(3)`. Processes that have it open keep it; no other can find it.
///
/// # Errors
/// [`ErrorKind::TimedOut`] if another process is still making it after ten seconds;
/// [`ErrorKind::NotFound`], [`ErrorKind::InvalidInput`], as for [`Segment::open`]; and
/// [`ErrorKind::AlreadyExists`] if the object there is not of this `format`.
#[doc(alias = "shm_unlink")]
pub fn unlink(name: &str, format: Format) -> io::Result<()> {
    let path = path(name)?;
    let is_ours = |header: &Header| {
        let checked = header.check(&path, format);
        checked.map_err(object::not_to_be_removed)
    };
    match object::remove(&path, MAKING_LIMIT, object::check_type, is_ours) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            Err(io::Error::new(ErrorKind::TimedOut, error))
        }
        removed => removed,
    }
}

/// Removes the segment `name` if a killed process left it; says whether one did.
pub(crate) fn remove_if_stale(name: &str, format: Format) -> io::Result<bool> {
    match object::remove_stale(&path(name)?, format) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => Ok(false),
        removed => removed,
    }
}

/// The names of all segments that begin with `prefix`.
///
/// # Errors
/// Those of reading the directory of shared memory objects.
pub fn names(prefix: &str) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(DIRECTORY)? {
        let file = entry?.file_name();
        let name = file.to_str().and_then(|file| file.strip_prefix(PREFIX));
        let name = name.filter(|name| name.starts_with(prefix));
        names.extend(name.map(str::to_owned));
    }
    Ok(names)
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
