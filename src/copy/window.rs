//! The part of the file that was read last, for all clients that are there.
//!
//! Clients that are near each other need the same chunk one after another: the first reads it, the rest
//! take it as it is. That they are near each other is what [`Pace`] is for.

use std::io;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use super::pace::{Pace, Runner};
use super::source::Source;

/// How many bytes are kept. With half of it those ahead wait too often; with twice as many nothing was
/// gained.
const KEPT: usize = 4 * 1024 * 1024;
/// Smaller chunks are asked for to see what calls cost: then there should be nothing but the calls.
const SMALLEST: usize = 4096;
/// With fewer slots clients would wait for each other at every chunk.
const FEWEST: usize = 4;

/// What clients share. Chunk `n` has its place in slot `n` modulo their number.
pub(super) struct Window<'s> {
    source: &'s Source,
    chunk: usize,
    /// Empty if every client reads for itself.
    slots: Vec<Mutex<Slot>>,
    pace: Pace,
}

impl<'s> Window<'s> {
    /// For chunks of so many bytes, which are shared where as many clients as are a `crowd` are served.
    pub(super) fn new(source: &'s Source, chunk: usize, crowd: usize) -> Self {
        let slots = match KEPT / chunk {
            slots if slots >= FEWEST && chunk >= SMALLEST => slots,
            _ => 0,
        };
        Self {
            source,
            chunk,
            slots: (0..slots).map(|_| Mutex::default()).collect(),
            pace: Pace::new(slots as u64 / 2, crowd),
        }
    }

    fn slot(&self, number: u64) -> Option<&Mutex<Slot>> {
        let slot = number.checked_rem(self.slots.len() as u64)?;
        self.slots.get(usize::try_from(slot).ok()?)
    }

    /// For one client, all chunks of the file's first `length` bytes.
    pub(super) fn chunks(&self, length: u64) -> Chunks<'_> {
        Chunks {
            window: self,
            runner: self.pace.join(),
            own: Slot::default(),
            offset: 0,
            length,
        }
    }
}

/// One client's way through the file.
pub(super) struct Chunks<'w> {
    window: &'w Window<'w>,
    runner: Runner<'w>,
    /// What it reads while it is far from the others.
    own: Slot,
    offset: u64,
    length: u64,
}

impl Chunks<'_> {
    /// The next chunk; `None` after the last.
    pub(super) fn next(&mut self) -> io::Result<Option<Arc<Vec<u8>>>> {
        if self.offset >= self.length {
            return Ok(None);
        }
        let window = self.window;
        let number = self.offset / window.chunk as u64;
        let mut shared;
        let slot = match window.slot(number) {
            Some(slot) if self.runner.reach(number) => {
                shared = slot.lock().unwrap_or_else(PoisonError::into_inner);
                &mut *shared
            }
            _ => &mut self.own,
        };
        let bytes = slot.get(window.source, window.chunk, self.offset, self.length)?;
        self.offset += bytes.len() as u64;
        Ok(Some(bytes))
    }
}

/// A chunk that was read, and where.
#[derive(Default)]
struct Slot {
    offset: u64,
    /// Empty if nothing was read.
    bytes: Arc<Vec<u8>>,
}

impl Slot {
    /// The chunk at `offset`, which is read unless it is there.
    fn get(
        &mut self,
        source: &Source,
        chunk: usize,
        offset: u64,
        length: u64,
    ) -> io::Result<Arc<Vec<u8>>> {
        let left = usize::try_from(length - offset).unwrap_or(usize::MAX);
        let len = chunk.min(left);
        if (self.offset, self.bytes.len()) != (offset, len) {
            let mut bytes = Arc::into_inner(mem::take(&mut self.bytes)).unwrap_or_default();
            bytes.resize(len, 0);
            source.read_at(&mut bytes, offset, length)?;
            (self.offset, self.bytes) = (offset, Arc::new(bytes));
        }
        Ok(Arc::clone(&self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::{ErrorKind, Write};
    use std::thread;
    use tempfile::NamedTempFile;

    /// A file in which no chunk is like another.
    fn file(len: usize) -> (NamedTempFile, Source) {
        let words = (0u64..).flat_map(u64::to_ne_bytes);
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(&words.take(len).collect::<Vec<_>>())
            .unwrap();
        let source = Source::open(file.path()).unwrap();
        (file, source)
    }

    fn all(mut chunks: Chunks<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().unwrap() {
            bytes.extend_from_slice(&chunk);
        }
        bytes
    }

    #[test]
    fn who_comes_second_takes_what_the_first_has_read() {
        let (_file, source) = file(2 * SMALLEST);
        for (crowd, shared) in [(2, true), (3, false)] {
            let window = Window::new(&source, SMALLEST, crowd);
            let mut clients = [(); 2].map(|()| window.chunks(2 * SMALLEST as u64));
            let chunks = clients.each_mut().map(|chunks| chunks.next().unwrap());
            let [first, second] = chunks.map(Option::unwrap);
            assert_eq!(first, second);
            assert_eq!(Arc::ptr_eq(&first, &second), shared, "a crowd is {crowd}");
        }
    }

    #[test]
    fn everybody_gets_the_whole_file_with_chunks_of_any_size() {
        let len = KEPT + KEPT / 2 + 1; // every slot is used again
        let (file, source) = file(len);
        let file = fs::read(file.path()).unwrap();
        for chunk in [SMALLEST, 100_000, KEPT / FEWEST, KEPT] {
            let window = Window::new(&source, chunk, 2);
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| assert!(all(window.chunks(len as u64)) == file));
                }
            });
        }
    }

    #[test]
    fn chunks_too_small_or_too_large_are_not_shared() {
        let (_file, source) = file(2);
        for (chunk, slots) in [(1, 0), (SMALLEST, KEPT / SMALLEST), (KEPT, 0)] {
            assert_eq!(Window::new(&source, chunk, 2).slots.len(), slots);
        }
    }

    #[test]
    fn one_length_does_not_stand_for_another() {
        let (file, source) = file(SMALLEST);
        let file = fs::read(file.path()).unwrap();
        let window = Window::new(&source, SMALLEST, 1);
        for length in [20, 10, 30, 0] {
            assert_eq!(all(window.chunks(length as u64)), file[..length]);
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_kept() {
        let (file, source) = file(SMALLEST);
        let window = Window::new(&source, SMALLEST, 1);
        let length = 2 * SMALLEST as u64; // more than there is
        for _ in 0..2 {
            let mut chunks = window.chunks(length);
            assert!(chunks.next().is_ok());
            assert_eq!(chunks.next().unwrap_err().kind(), ErrorKind::UnexpectedEof);
        }
        file.as_file().set_len(length).unwrap();
        assert_eq!(all(window.chunks(length)).len(), 2 * SMALLEST);
    }
}
