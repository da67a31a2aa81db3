//! Stage 2 of the copy by shared memory: one slot, two semaphores, one receiver.
//!
//! What broke: without order, the sender writes into the slot before the receiver has read it, and the copy
//! is wrong (`ipc copy race FILE`).
//!
//! What this adds: two semaphores. The sender waits for `free`, fills the slot and posts `filled`; the
//! receiver waits for `filled`, empties the slot and posts `free`. So they take turns.
//!
//! What it costs: one of the two always waits. And it is right only while there is one receiver and no
//! process is killed.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use crate::shm::PlainSegment;
use crate::shm::bytes::{copy_in, copy_out};
use crate::shm::s1_semaphore::Semaphore;

/// The words: 0 and 1 are the counters of the semaphores `free` and `filled`, 2 says how many
/// bytes the slot holds (0 is the end of the file), 3 how long the file's name is; then come
/// the name and the slot.
const NAME_AT: usize = 4;
const NAME_LEN: usize = 256;
const SLOT_AT: usize = NAME_AT + NAME_LEN / 8;
const SLOT_LEN: usize = 64 * 1024;
const WORDS: usize = SLOT_AT + SLOT_LEN / 8;

/// How long to wait before looking for the sender again.
const RETRY: Duration = Duration::from_millis(10);

/// Sends `file` to one receiver through `/dev/shm/ipc-primer-NAME`, which must not exist yet.
///
/// # Errors
/// Those of the file and of [`PlainSegment::create`].
pub fn send(name: &str, file: &Path) -> io::Result<()> {
    let mut source = File::open(file)?;
    let segment = PlainSegment::create(name, WORDS, 2)?;
    let slot = Slot::in_segment(&segment)?;
    let file_name = file.file_name().ok_or(ErrorKind::InvalidInput)?.as_bytes();
    copy_in(&segment.words()[NAME_AT..], file_name);
    segment.words()[3].store(file_name.len() as u64, Relaxed);
    slot.free.post()?; // it begins free
    eprintln!("sending as {name:?} to one receiver");
    let mut buffer = vec![0; SLOT_LEN];
    loop {
        let count = source.read(&mut buffer)?;
        slot.put(&buffer[..count])?;
        if count == 0 {
            return slot.free.wait(); // until the receiver has seen the end
        }
    }
}

/// Receives a file into `directory`, under the name that the sender gives it, which must not
/// exist yet. Waits for the sender. Returns where the file is.
///
/// # Errors
/// Those of the file and of [`PlainSegment::open`].
pub fn receive(name: &str, directory: &Path) -> io::Result<PathBuf> {
    let segment = wait_for_sender(name)?;
    let slot = Slot::in_segment(&segment)?;
    let mut buffer = vec![0; SLOT_LEN];
    let mut bytes = slot.take(&mut buffer)?;
    let mut file_name = vec![0; segment.words()[3].load(Relaxed) as usize];
    copy_out(&segment.words()[NAME_AT..], &mut file_name);
    let path = directory.join(OsStr::from_bytes(&file_name));
    let mut target = File::create_new(&path)?;
    while !bytes.is_empty() {
        target.write_all(bytes)?;
        bytes = slot.take(&mut buffer)?;
    }
    Ok(path)
}

/// Nothing tells when a name appears in `/dev/shm`, so look again and again.
fn wait_for_sender(name: &str) -> io::Result<PlainSegment> {
    loop {
        match PlainSegment::open(name, 2) {
            Err(error) if error.kind() == ErrorKind::NotFound => thread::sleep(RETRY),
            opened => return opened,
        }
    }
}

/// The slot, seen from either end.
struct Slot<'s> {
    free: Semaphore<'s>,
    filled: Semaphore<'s>,
    length: &'s AtomicU64,
    words: &'s [AtomicU64],
}

impl<'s> Slot<'s> {
    fn in_segment(segment: &'s PlainSegment) -> io::Result<Self> {
        Ok(Self {
            free: Semaphore::new(segment, 0)?,
            filled: Semaphore::new(segment, 1)?,
            length: &segment.words()[2],
            words: &segment.words()[SLOT_AT..],
        })
    }

    /// Puts a block into the slot, once it is free. The mutex in the semaphore makes our writes
    /// visible to the receiver.
    fn put(&self, block: &[u8]) -> io::Result<()> {
        self.free.wait()?;
        copy_in(self.words, block);
        self.length.store(block.len() as u64, Relaxed);
        self.filled.post()
    }

    /// Takes a block out of the slot, once it is filled.
    fn take<'b>(&self, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
        self.filled.wait()?;
        let block = &mut buffer[..self.length.load(Relaxed) as usize];
        copy_out(self.words, block);
        self.free.post()?;
        Ok(block)
    }
}
