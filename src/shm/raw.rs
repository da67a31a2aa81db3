//! The one file with `unsafe`: what `shared_memory` and `raw_sync` mark so, and views of the memory.
//!
//! Three things leave this file:
//!
//! - [`Mapping::words`]: the memory as 64-bit atomics. A `&[u8]` would be a promise that nobody writes
//!   to it meanwhile, which no process can give for another; an atomic promises nothing of the kind. So
//!   this is safe whatever other processes write.
//! - [`WaitSlot`]: a place where one thread can sleep until another, of any process, wakes it. The wait slots lie
//!   behind the words, where no atomic view reaches. They are safe on one condition: **every process
//!   that maps the segment runs this program, or is trusted like it.** A parker is a mutex of the C
//!   library, which believes what it finds there: overwrite its kind, and the next process that uses
//!   the parker may crash. Any code on `raw_sync` has this limit. It is why segments have mode 0600, and why
//!   another user's is not opened.
//!
//! - [`PlainSegment`]: words as above, and `raw_sync`'s own mutexes and events, for the plain stages. On the
//!   same condition.
//!
//! A process that is killed breaks no condition: it writes nothing that this program would not write.

#![allow(
    unsafe_code,
    reason = "shared_memory and raw_sync mark their own calls unsafe; what leaves this file is safe among processes that run this program"
)]

use std::io::{self, ErrorKind};
use std::mem;
use std::ptr::null_mut;
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::thread;
use std::time::Duration;

use raw_sync::Timeout;
use raw_sync::events::{Event, EventImpl, EventInit, EventState};
use raw_sync::locks::{LockGuard, LockImpl, LockInit, Mutex};
use shared_memory::{Shmem, ShmemConf, ShmemError};

use super::owner;

/// The bytes of one [`WaitSlot`]: a cache line for its two words, one for its parker.
pub(super) const WAIT_SLOT_LEN: usize = 128;
/// Where in a wait slot its parker begins, in bytes.
const PARKER_AT: usize = 64;
pub(super) const CACHE_LINE: usize = 64;

/// Values of a wait slot's state word.
const AWAKE: u64 = 0;
const ASLEEP: u64 = 1;

/// How long to pause where no mutex is that could be slept at.
const PAUSE: Duration = Duration::from_millis(1);

/// A shared memory object in our address space, until it is dropped: `mmap(2)`.
pub(super) struct Mapping {
    shmem: Shmem,
    /// How many words stand before the wait slots.
    words: usize,
}

// SAFETY: after `open`, `shmem` is only asked for its address and length, which do not change, and
// the memory behind is accessed by atomics and by the thread-safe calls of process-shared mutexes.
unsafe impl Send for Mapping {}
// SAFETY: as for `Send`.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the object `name`: `shm_open(3)` and `mmap(2)`. No wait slots are known yet.
    pub(super) fn open(name: &str) -> io::Result<Self> {
        let shmem = ShmemConf::new().os_id(name).open().map_err(into_io)?;
        let words = shmem.len() / size_of::<AtomicU64>();
        Ok(Self { shmem, words })
    }

    pub(super) fn len(&self) -> usize {
        self.shmem.len()
    }

    /// Takes the last `wait slots` × [`WAIT_SLOT_LEN`] bytes for wait slots, away from [`words`](Self::words).
    ///
    /// # Panics
    /// If there are not so many bytes, or the rest does not end on a cache line.
    pub(super) fn split_off_wait_slots(&mut self, wait_slots: usize) {
        let taken = wait_slots.checked_mul(WAIT_SLOT_LEN);
        let rest = taken.and_then(|taken| self.len().checked_sub(taken));
        let rest = rest.filter(|rest| rest % PARKER_AT == 0);
        self.words = rest.expect("the segment's length was checked") / size_of::<AtomicU64>();
    }

    /// The memory before the wait slots.
    pub(super) fn words(&self) -> &[AtomicU64] {
        let first = self.shmem.as_ptr().cast::<AtomicU64>();
        // SAFETY: mmap gave `len()` bytes at a page's start that stay as long as `self`; `words` words
        // are no more than that; any bits are a valid AtomicU64; all access to them is atomic.
        unsafe { slice::from_raw_parts(first, self.words) }
    }

    pub(super) fn wait_slots(&self) -> usize {
        (self.len() - self.words * size_of::<AtomicU64>()) / WAIT_SLOT_LEN
    }

    /// The wait slot with this number, from 0 on.
    pub(super) fn wait_slot(&self, number: usize) -> WaitSlot<'_> {
        assert!(
            number < self.wait_slots(),
            "the segment has no wait_slot {number}"
        );
        let at = self.words * size_of::<AtomicU64>() + number * WAIT_SLOT_LEN;
        let wait_slot = self.shmem.as_ptr().wrapping_add(at);
        let state = wait_slot.wrapping_add(size_of::<AtomicU64>());
        WaitSlot {
            // SAFETY: within the mapping (asserted), on a cache line, and only accessed atomically.
            occupant: unsafe { AtomicU64::from_ptr(wait_slot.cast()) },
            // SAFETY: as the word before it.
            state: unsafe { AtomicU64::from_ptr(state.cast()) },
            parker: wait_slot.wrapping_add(PARKER_AT),
        }
    }
}

fn not_ready(name: &str) -> io::Error {
    let fault = format!("the segment {name} is not ready, or is used for something else");
    io::Error::new(ErrorKind::NotFound, fault)
}

fn into_io(error: ShmemError) -> io::Error {
    match error {
        ShmemError::MappingIdExists => ErrorKind::AlreadyExists.into(),
        ShmemError::MapOpenFailed(code) | ShmemError::MapCreateFailed(code) => {
            io::Error::from_raw_os_error(code.cast_signed())
        }
        other => io::Error::other(other.to_string()),
    }
}

/// The limit of a sleep that a timer ends much sooner. In whole seconds: `raw_sync` adds no others right.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A place in shared memory where one thread can sleep. Two words and a parker:
///
/// | word | who writes it | what its values mean |
/// |---|---|---|
/// | occupant | a waiter, when it comes and goes | 0: free; else the owner word of the waiter |
/// | state | the occupant; who wakes it | 0: awake; 1: asleep, or about to be |
///
/// The parker is a `raw_sync` mutex that is locked for good: to sleep is to lock it once more, to wake is
/// to release it. A process that is killed before, in or after either of these calls leaves a mutex
/// that is locked or free, and both are fine for the next: free, it ends one sleep at once, and one
/// only, however often it was released.
///
/// The mutex has time limits too, but they are times of day (`CLOCK_REALTIME`): set the clock back an
/// hour, and a sleeper sleeps an hour longer. So a sleep has a limit here that does not matter, and a
/// [timer](super::timer) opens the parker. (Without any limit glibc asserts that a mutex which it has just
/// locked has no owner, and dies if it has: of two wakers at once the second may free it after its owner
/// was noted.)
///
/// `raw_sync`'s event would be the nearer choice, but does not survive this: a process killed in `set`
/// has the event's mutex, for which the sleeper then waits without a limit; one killed in `wait` makes
/// a later `set` hang. A mutex that one thread locks and another releases is one that POSIX leaves
/// undefined and glibc defines for this kind of mutex: it neither keeps nor asks whose it is.
#[derive(Clone, Copy)]
pub(super) struct WaitSlot<'m> {
    occupant: &'m AtomicU64,
    state: &'m AtomicU64,
    parker: *mut u8,
}

impl WaitSlot<'_> {
    /// Makes the wait slot ready, in a segment that nobody else uses yet.
    pub(super) fn init(self) {
        // SAFETY: `parker` points to WAIT_SLOT_LEN - PARKER_AT mapped bytes, 8-byte aligned, more than a mutex
        // needs, and nobody has found the segment yet.
        let made = unsafe { Mutex::new(self.parker, null_mut()) };
        if let Ok((parker, _)) = made {
            let _ = parker.lock().map(mem::forget); // it is free: at once
        }
    }

    /// Sits down if the wait slot is free or its occupant was killed; says whether it is ours now.
    pub(super) fn take(self) -> bool {
        let found = self.occupant.load(Ordering::Relaxed);
        if found != 0 && !owner::is_dead(found) {
            return false;
        }
        let taken = self.occupant.compare_exchange(
            found,
            owner::own(),
            Ordering::SeqCst,
            Ordering::Relaxed,
        );
        taken.is_ok()
    }

    /// Says that we are about to sleep: from now on a waker wakes us. What we wait for must be looked
    /// at once more after this.
    pub(super) fn announce(self) {
        self.state.store(ASLEEP, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// Sleeps until the parker is opened, or was since the last sleep; perhaps shorter.
    pub(super) fn sleep(self) {
        let lock =
            |parker: Box<dyn LockImpl>| parker.try_lock(Timeout::Val(A_DAY)).map(mem::forget);
        // It stays locked. An error is the limit, or that of no mutex at all.
        if self.parker().is_none_or(|parker| lock(parker).is_err()) {
            thread::sleep(PAUSE);
        }
    }

    /// Gets up; says whether we were woken since the last [`announce`](Self::announce). Then this
    /// wake-up is ours to pass on: it may have been meant for something that we do not take any more.
    pub(super) fn leave(self) -> bool {
        let woken = self.state.swap(AWAKE, Ordering::SeqCst) == AWAKE;
        self.occupant.store(0, Ordering::SeqCst);
        woken
    }

    /// Whether its occupant sleeps. The fence goes with that of [`announce`](Self::announce): either
    /// the sleeper sees what was done before this call, or this call sees the sleeper.
    pub(super) fn is_asleep(self) -> bool {
        fence(Ordering::SeqCst);
        self.state.load(Ordering::Relaxed) == ASLEEP
    }

    /// Wakes who sleeps here; says whether somebody did. Never blocks.
    pub(super) fn wake(self) -> bool {
        if !self.is_asleep() || self.state.swap(AWAKE, Ordering::SeqCst) != ASLEEP {
            return false;
        }
        self.open();
        true
    }

    /// Ends the sleep on this wait slot, or the next one, without a wake-up. Never blocks.
    pub(super) fn open(self) {
        // An error would be that of no mutex at all, at which nobody sleeps.
        let _ = self.parker().map(|parker| parker.release());
    }

    /// Whether a waiter has it that is not known to be dead.
    pub(super) fn is_occupied(self) -> bool {
        let occupant = self.occupant.load(Ordering::Relaxed);
        occupant != 0 && !owner::is_dead(occupant)
    }

    /// Leaves it as somebody does who is killed asleep.
    #[cfg(test)]
    pub(super) fn leave_killed(self) {
        let own = crate::support::identity::Identity::own().unwrap();
        let start = own.start + 1; // nobody with our pid was started then
        let killed = crate::support::identity::Identity { start, ..own };
        self.occupant.store(owner::word(killed), Ordering::SeqCst);
        self.state.store(ASLEEP, Ordering::SeqCst);
    }

    fn parker(self) -> Option<Box<dyn LockImpl>> {
        // SAFETY: `parker` points to WAIT_SLOT_LEN - PARKER_AT mapped bytes, in which `init` made a mutex
        // before anybody could find the segment.
        let parker = unsafe { Mutex::from_existing(self.parker, null_mut()) };
        parker.ok().map(|(parker, _)| parker)
    }
}

/// Memory for the plain stages: words, and cells that hold a mutex and an event of `raw_sync` each.
///
/// It has none of the strength of a [`Segment`](super::Segment): what a killed process leaves stays there,
/// and so does what it had locked.
pub struct PlainSegment {
    mapping: Mapping,
}

/// The bytes of a cell: a cache line for its mutex, two for its event.
const CELL_LEN: usize = 192;
/// Where in a cell its event begins, in bytes.
const EVENT_AT: usize = 64;
/// Says that the words and cells of a plain segment are made.
const READY: u64 = u64::from_ne_bytes(*b"is ready");

impl PlainSegment {
    /// Makes `/dev/shm/ipc-primer-NAME` with so many words or a few more, all 0, its mutexes free and its
    /// events not set. It is unlinked when this is dropped.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`], and those of `shm_open(3)`, `ftruncate(2)` and `mmap(2)`.
    pub fn create(name: &str, words: usize, cells: usize) -> io::Result<Self> {
        let words_len = ((words + 1) * size_of::<AtomicU64>()).next_multiple_of(CACHE_LINE);
        let conf = conf(name).size(words_len + cells * CELL_LEN);
        let segment = Self::with_cells(conf.create().map_err(into_io)?, cells)?;
        for number in 0..cells {
            let cell = segment.cell(number);
            // SAFETY: EVENT_AT mapped bytes, more than a mutex needs, aligned, and used by nobody yet.
            unsafe { Mutex::new(cell, null_mut()) }.map_err(text)?;
            let event = cell.wrapping_add(EVENT_AT);
            // SAFETY: CELL_LEN - EVENT_AT mapped bytes, more than an event needs, as above.
            unsafe { Event::new(event, false) }.map_err(text)?;
        }
        segment.ready().store(READY, Ordering::Release);
        Ok(segment)
    }

    /// Opens what another process has made with as many cells.
    ///
    /// # Errors
    /// - [`ErrorKind::NotFound`]: there is none, or it is not ready yet.
    /// - [`ErrorKind::InvalidData`]: it is something else.
    pub fn open(name: &str, cells: usize) -> io::Result<Self> {
        let shmem = match conf(name).open().map_err(into_io) {
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                return Err(not_ready(name)); // it has no length yet
            }
            opened => opened?,
        };
        let segment = Self::with_cells(shmem, cells)?;
        match segment.ready().load(Ordering::Acquire) {
            READY => Ok(segment),
            0 => Err(not_ready(name)),
            _ => Err(ErrorKind::InvalidData.into()),
        }
    }

    /// Stays when this is dropped, until its file is removed.
    #[must_use]
    pub fn keep(mut self) -> Self {
        self.mapping.shmem.set_owner(false);
        self
    }

    /// The words, one more to say that all is made, then the cells.
    fn with_cells(shmem: Shmem, cells: usize) -> io::Result<Self> {
        let words_len = shmem.len().checked_sub(cells * CELL_LEN);
        let words_len = words_len.filter(|len| *len > 0 && len % CACHE_LINE == 0);
        let words = words_len.ok_or(ErrorKind::InvalidData)? / size_of::<AtomicU64>() - 1;
        let mapping = Mapping { shmem, words };
        Ok(Self { mapping })
    }

    /// The words.
    pub fn words(&self) -> &[AtomicU64] {
        self.mapping.words()
    }

    /// The mutex of a cell.
    ///
    /// # Errors
    /// Those of `raw_sync`.
    pub fn mutex(&self, cell: usize) -> io::Result<PlainMutex<'_>> {
        // SAFETY: `create` made a mutex here before anybody could open the segment.
        let made = unsafe { Mutex::from_existing(self.cell(cell), null_mut()) };
        Ok(PlainMutex(made.map_err(text)?.0))
    }

    /// The event of a cell.
    ///
    /// # Errors
    /// Those of `raw_sync`.
    pub fn event(&self, cell: usize) -> io::Result<PlainEvent<'_>> {
        let event = self.cell(cell).wrapping_add(EVENT_AT);
        // SAFETY: `create` made an event here before anybody could open the segment.
        let made = unsafe { Event::from_existing(event) };
        Ok(PlainEvent(made.map_err(text)?.0))
    }

    /// The word after the last: [`READY`] once all is made.
    fn ready(&self) -> &AtomicU64 {
        let words = self.mapping.shmem.as_ptr().cast::<AtomicU64>();
        let ready = words.wrapping_add(self.mapping.words).cast();
        // SAFETY: `with_cells` leaves room for it, aligned, and it is only accessed atomically.
        unsafe { AtomicU64::from_ptr(ready) }
    }

    fn cell(&self, number: usize) -> *mut u8 {
        let at = (self.mapping.words + 1) * size_of::<AtomicU64>() + number * CELL_LEN;
        assert!(at < self.mapping.len(), "the segment has no cell {number}");
        self.mapping.shmem.as_ptr().wrapping_add(at)
    }
}

/// A mutex that processes share: `pthread_mutex_lock(3)`. A killed holder leaves it locked.
pub struct PlainMutex<'s>(Box<dyn LockImpl + 's>);

impl PlainMutex<'_> {
    /// Blocks until it is ours, until the guard is dropped.
    ///
    /// # Errors
    /// Those of `raw_sync`.
    pub fn lock(&self) -> io::Result<LockGuard<'_>> {
        self.0.lock().map_err(text)
    }
}

/// An event that processes share, set or not set. It stays set until it is cleared.
pub struct PlainEvent<'s>(Box<dyn EventImpl + 's>);

impl PlainEvent<'_> {
    /// Blocks while it is not set: `pthread_cond_wait(3)`.
    ///
    /// # Errors
    /// Those of `raw_sync`.
    pub fn wait(&self) -> io::Result<()> {
        self.0.wait(Timeout::Infinite).map_err(text)
    }

    /// Sets it, and wakes all who wait: `pthread_cond_broadcast(3)`.
    ///
    /// # Errors
    /// Those of `raw_sync`.
    pub fn set(&self) -> io::Result<()> {
        self.0.set(EventState::Signaled).map_err(text)
    }

    /// Takes it back.
    ///
    /// # Errors
    /// Those of `raw_sync`.
    pub fn clear(&self) -> io::Result<()> {
        self.0.set(EventState::Clear).map_err(text)
    }
}

fn conf(name: &str) -> ShmemConf {
    ShmemConf::new().os_id(format!("/ipc-primer-{name}"))
}

fn text(error: Box<dyn std::error::Error>) -> io::Error {
    io::Error::other(error.to_string())
}

const _: () = assert!(
    size_of::<usize>() == 8,
    "a pid and a start time share a word"
);

#[cfg(test)]
mod tests {
    use super::super::tests::segment;
    use raw_sync::Timeout;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::Duration;

    #[test]
    fn a_gate_opened_twice_ends_one_sleep_and_not_two() {
        let segment = segment("parker", 1, 1);
        let wait_slot = segment.wait_slot(0);
        for _ in 0..3 {
            wait_slot.open();
            wait_slot.open();
            wait_slot.sleep();
            let again = wait_slot.parker().unwrap();
            assert!(again.try_lock(Timeout::Val(Duration::ZERO)).is_err());
        }
    }

    #[test]
    fn a_parker_that_two_open_at_once_stays_a_parker() {
        let segment = segment("twice", 1, 1);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        segment.wait_slot(0).open();
                    }
                });
            }
            (0..20_000).for_each(|_| segment.wait_slot(0).sleep());
            done.store(true, Ordering::Relaxed);
        });
    }
}
