//! A named segment of shared memory: made whole or not at all, checked before it is used, and removed
//! by whom it belongs to.
//!
//! Every segment begins with these 64 bytes, in native byte order. All but `ready` are written once,
//! by who makes the segment, before anybody else uses it.
//!
//! | word | name | its values |
//! |---|---|---|
//! | 0 | magic | `ipcprime`: a segment of this program |
//! | 1 | kind | eight letters: what it is used for |
//! | 2 | version | of the layout behind the header; it differs, so do the layouts |
//! | 3 | length | of the whole object, in bytes |
//! | 4 | seats | how many places to sleep stand at its end |
//! | 5 | owner | pid and start time of who made it: see [`owner`](super::owner) |
//! | 6 | kept | 0: it goes with its owner; 1: it stays until it is unlinked |
//! | 7 | ready | 0: being made; 1: to be used. Written last (release), read first (acquire) |

use std::fmt;
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::owner;
use super::raw::{Mapping, SEAT_LEN, Seat};
use crate::error::Context;

/// Where Linux keeps POSIX shared memory objects: files of a `tmpfs`. `shm_open(3)` only puts this
/// before their names.
const DIRECTORY: &str = "/dev/shm";
/// What all names of ours begin with.
const PREFIX: &str = "ipc-primer-";
/// The longest name, prefix included, in bytes: `NAME_MAX`.
const MAX_NAME: usize = 255;

const MAGIC: u64 = u64::from_ne_bytes(*b"ipcprime");
const WORD: usize = size_of::<u64>();
const CACHE_LINE: usize = 64;
const HEADER: usize = 8;
const HEADER_LEN: usize = HEADER * WORD;
const READY: usize = 7;

/// How long a segment may take to be made by a process that runs.
const OPEN_LIMIT: Duration = Duration::from_secs(2);
const RETRY: Duration = Duration::from_millis(1);
/// How many bytes of zeros are written at a time.
const ZEROS: usize = 256 * 1024;

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
    mapping: Mapping,
    path: PathBuf,
    /// The file to remove when this is dropped, if it is still the one of this name.
    own_file: Option<(u64, u64)>,
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
        let unfinished = Unfinished {
            path: &path,
            file: identity(&file.metadata()?),
        };
        reserve(&file, &plan).context(|| no_room(&path, plan.len()))?;
        let mut segment = Self::map(&path)?;
        segment.mapping.split_off_seats(plan.seats);
        (0..plan.seats).for_each(|seat| segment.seat(seat).init());
        if plan.lifetime == Lifetime::Owner {
            segment.own_file = Some(unfinished.file);
        }
        init(&segment);
        segment.header(READY).store(1, Ordering::Release);
        std::mem::forget(unfinished);
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
        usize::try_from(self.header(4).load(Ordering::Relaxed)).unwrap_or(0)
    }

    /// Who made it, as an [owner word](super::owner).
    pub fn owner(&self) -> u64 {
        self.header(5).load(Ordering::Relaxed)
    }

    pub(super) fn seat(&self, number: usize) -> Seat<'_> {
        self.mapping.seat(number)
    }

    fn header(&self, word: usize) -> &AtomicU64 {
        &self.mapping.words()[word]
    }

    fn map(path: &Path) -> io::Result<Self> {
        let name = path.file_name().expect("it was made of a name");
        let mapping = Mapping::open(&name.to_string_lossy())?;
        Ok(Self {
            mapping,
            path: path.to_owned(),
            own_file: None,
        })
    }

    fn try_open(path: &Path, format: Format) -> io::Result<Self> {
        check_user(path)?;
        let mut segment = match Self::map(path) {
            Err(error) if error.kind() == ErrorKind::InvalidInput => return Err(unfinished(path)),
            other => other.context(|| format!("cannot open {}", show(path)))?,
        };
        let len = segment.mapping.len();
        if len < HEADER_LEN {
            return Err(useless(path, Fault::Foreign, "is too short"));
        }
        // Acquire: what was written before it is there when it is.
        let is_ready = segment.header(READY).load(Ordering::Acquire) == 1;
        let header = Header::read(segment.mapping.words());
        header.check(path, format)?;
        if !is_ready {
            return Err(unfinished(path));
        }
        let seats = header
            .seats_within(len)
            .filter(|_| header.length == len as u64);
        let seats = seats.ok_or_else(|| useless(path, Fault::CutOff, "is cut off"))?;
        segment.mapping.split_off_seats(seats);
        Ok(segment)
    }
}

impl Drop for Segment {
    #[doc(alias = "shm_unlink")]
    fn drop(&mut self) {
        if let Some(file) = self.own_file {
            remove_own(&self.path, file);
        }
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

/// The header as it was found.
struct Header {
    magic: u64,
    format: Format,
    length: u64,
    seats: u64,
    owner: u64,
    kept: bool,
    ready: bool,
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
            seats: word(4),
            owner: word(5),
            kept: word(6) == 1,
            ready: word(READY) == 1,
        }
    }

    fn read(words: &[AtomicU64]) -> Self {
        Self::from_words(|at| words[at].load(Ordering::Relaxed))
    }

    /// `None` if not a byte is there: whoever made it was killed at once.
    fn read_from(file: &File) -> io::Result<Option<Self>> {
        let mut bytes = [0; HEADER_LEN];
        if file.metadata()?.len() == 0 {
            return Ok(None);
        }
        // What is too short stays zero, and its magic is none.
        let _ = file.read_exact_at(&mut bytes, 0);
        let words = bytes.as_chunks::<WORD>().0;
        Ok(Some(Self::from_words(|at| u64::from_ne_bytes(words[at]))))
    }

    fn of(plan: &Plan) -> [u64; HEADER] {
        let kept = u64::from(plan.lifetime == Lifetime::Kept);
        let kind = u64::from_ne_bytes(plan.format.kind);
        let (length, seats) = (plan.len() as u64, plan.seats as u64);
        [
            MAGIC,
            kind,
            plan.format.version,
            length,
            seats,
            owner::own(),
            kept,
            0,
        ]
    }

    /// Fails if this is not the header of a segment of `format`.
    fn check(&self, path: &Path, format: Format) -> io::Result<()> {
        let (fault, what) = if self.magic != MAGIC {
            let what = "is not a segment of this program".to_owned();
            (Fault::Foreign, what)
        } else if self.format.kind != format.kind {
            let kind = self.format.kind.escape_ascii();
            let what = format!("is used for something else ({kind})");
            (Fault::Foreign, what)
        } else if self.format.version != format.version {
            let (theirs, ours) = (self.format.version, format.version);
            let what = format!("is of version {theirs}, and this program's is {ours}");
            (Fault::OtherVersion, what)
        } else {
            return Ok(());
        };
        Err(useless(path, fault, &what))
    }

    fn seats_within(&self, len: usize) -> Option<usize> {
        let seats = usize::try_from(self.seats).ok()?;
        let room = len.checked_sub(seats.checked_mul(SEAT_LEN)?)?;
        (room >= HEADER_LEN && room.is_multiple_of(CACHE_LINE)).then_some(seats)
    }
}

/// Makes the object and locks it while it is being made: `flock(2)` ends with its holder, so a lock
/// that is free says that nobody is at work on it. `None` if it was taken away before it was locked.
fn create_locked(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let locked = match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(error)) => return Err(error),
    };
    Ok((locked && stands_at(&file, path)).then_some(file))
}

/// Writes the header, so that whoever looks knows whose it is, and zeros to the end.
fn reserve(mut file: &File, plan: &Plan) -> io::Result<()> {
    let header = Header::of(plan).map(u64::to_ne_bytes);
    file.write_all(header.as_flattened())?;
    let zeros = vec![0; ZEROS];
    let mut left = plan.len() - HEADER_LEN;
    while left > 0 {
        let part = left.min(ZEROS);
        file.write_all(&zeros[..part])?;
        left -= part;
    }
    Ok(())
}

/// Removes what a killed process left at `path`; false if nothing is there (any more).
///
/// To look and to remove are two steps: in between somebody else may have removed it and made its own.
/// So it is locked first, and looked at, and removed only if it is still what stands there.
fn remove_stale(path: &Path, format: Format) -> io::Result<bool> {
    let sentence = || format!("cannot look at {}", show(path));
    let file = match check_user(path).and_then(|()| File::open(path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        other => other.context(sentence)?,
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use(path, "another process is making")),
        Err(TryLockError::Error(error)) => return Err(error).context(sentence),
    }
    if !stands_at(&file, path) {
        return Ok(false);
    }
    if let Some(header) = Header::read_from(&file).context(sentence)? {
        header.check(path, format).map_err(not_to_be_removed)?;
        let owner = owner::identity(header.owner);
        if header.ready && header.kept {
            return Err(in_use(
                path,
                "some process has made, and it was not unlinked:",
            ));
        } else if header.ready && owner.is_alive() {
            return Err(in_use(path, &format!("the process {} uses", owner.pid)));
        }
    }
    fs::remove_file(path).context(|| format!("cannot remove the stale {}", show(path)))?;
    Ok(true)
}

/// Refuses what another user made: it could be cut short while we use it.
fn check_user(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(error).context(|| format!("there is no {}", show(path)));
        }
        other => other?,
    };
    let fault = if !found.is_file() {
        "is not a shared memory object"
    } else if found.uid() != fs::metadata("/proc/self")?.uid() {
        "belongs to another user"
    } else {
        return Ok(());
    };
    let message = format!("{} {fault}; choose another name", show(path));
    Err(io::Error::new(ErrorKind::PermissionDenied, message))
}

struct Unfinished<'a> {
    path: &'a Path,
    file: (u64, u64),
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        remove_own(self.path, self.file);
    }
}

fn remove_own(path: &Path, file: (u64, u64)) {
    if fs::symlink_metadata(path).is_ok_and(|found| identity(&found) == file) {
        let _ = fs::remove_file(path);
    }
}

fn stands_at(file: &File, path: &Path) -> bool {
    let there = fs::symlink_metadata(path);
    let ours = file.metadata();
    there.is_ok_and(|there| ours.is_ok_and(|ours| identity(&ours) == identity(&there)))
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

fn show(path: &Path) -> String {
    format!("the shared memory segment {}", path.display())
}

fn in_use(path: &Path, who: &str) -> io::Error {
    let message = format!(
        "{who} {}; wait for its end or choose another name",
        show(path)
    );
    io::Error::new(ErrorKind::AddrInUse, message)
}

fn useless(path: &Path, fault: Fault, what: &str) -> io::Error {
    let way_out = "remove it, if nobody needs it, or choose another name";
    unfit(fault, format!("{} {what}; {way_out}", show(path)))
}

fn not_to_be_removed(error: io::Error) -> io::Error {
    io::Error::new(ErrorKind::AlreadyExists, error)
}

fn no_room(path: &Path, len: usize) -> String {
    format!("cannot reserve {len} bytes for {}", show(path))
}

/// What makes a segment unfit to be used, where the kind of the error, `InvalidData`, does not say
/// enough: see [`fault_of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Another program made it, or it is used for something else.
    Foreign,
    /// Another version of this program made it.
    OtherVersion,
    /// It is shorter than its header says.
    CutOff,
    /// It is being made, or was by a process that was killed.
    Unfinished,
}

/// What makes the segment unfit, if that is what the error of [`Segment::open`] or [`unlink`] is about.
pub fn fault_of(error: &io::Error) -> Option<Fault> {
    let inner = error.get_ref()?;
    let deeper = || inner.downcast_ref().and_then(fault_of);
    inner
        .downcast_ref()
        .map(|unfit: &Unfit| unfit.fault)
        .or_else(deeper)
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

impl std::error::Error for Unfit {}

fn unfit(fault: Fault, message: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, Unfit { fault, message })
}

fn unfinished(path: &Path) -> io::Error {
    let message = format!("{} was never made ready; start its maker again", show(path));
    unfit(Fault::Unfinished, message)
}

fn is_unfinished(error: &io::Error) -> bool {
    fault_of(error) == Some(Fault::Unfinished)
}
