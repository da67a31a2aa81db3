//! Bytes into shared words and out of them.
//!
//! Each word is copied by one atomic access without any order: on common processors a plain move, so the
//! copy is as fast as `memcpy(3)` where memory is the bottleneck. If another process writes the words
//! while they are copied out, the copy holds some of the old and some of the new, and nothing worse
//! happens; with a `&[u8]` that would be undefined behaviour. Keeping order is the work of semaphores.

use std::sync::atomic::{AtomicU64, Ordering};

const WORD: usize = size_of::<u64>();

/// Copies `bytes` into the front of `words`. The rest of the last word becomes zeros.
///
/// ```
/// use ipc_primer::shm::bytes::{copy_in, copy_out};
/// use std::sync::atomic::AtomicU64;
///
/// let words = [const { AtomicU64::new(0) }; 2];
/// copy_in(&words, b"nine here");
/// let mut bytes = [0; 9];
/// copy_out(&words, &mut bytes);
/// assert_eq!(&bytes, b"nine here");
/// ```
///
/// # Panics
/// If there are not enough words.
#[doc(alias = "memcpy")]
#[inline]
pub fn copy_in(words: &[AtomicU64], bytes: &[u8]) {
    let words = &words[..bytes.len().div_ceil(WORD)];
    let (whole, part) = bytes.as_chunks::<WORD>();
    for (word, chunk) in words.iter().zip(whole) {
        word.store(u64::from_ne_bytes(*chunk), Ordering::Relaxed);
    }
    if let Some(last) = words.get(whole.len()) {
        let mut chunk = [0; WORD];
        chunk[..part.len()].copy_from_slice(part);
        last.store(u64::from_ne_bytes(chunk), Ordering::Relaxed);
    }
}

/// Copies the front of `words` into `bytes`, as [`copy_in`] put it there.
///
/// # Panics
/// If there are not enough words.
#[doc(alias = "memcpy")]
#[inline]
pub fn copy_out(words: &[AtomicU64], bytes: &mut [u8]) {
    let words = &words[..bytes.len().div_ceil(WORD)];
    let (whole, part) = bytes.as_chunks_mut::<WORD>();
    for (word, chunk) in words.iter().zip(whole.iter_mut()) {
        *chunk = word.load(Ordering::Relaxed).to_ne_bytes();
    }
    if let Some(last) = words.get(whole.len()) {
        let chunk = last.load(Ordering::Relaxed).to_ne_bytes();
        part.copy_from_slice(&chunk[..part.len()]);
    }
}
