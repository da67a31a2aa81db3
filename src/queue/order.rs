//! Which message goes first: the state word of a slot, and a binary heap of these words in shared memory.
//!
//! The state of a slot that holds a message is packed so that the smaller number goes first; the heap has the
//! smallest on top. Only a process that holds the queue's lock uses the heap, so no access needs an order of
//! its own.

use std::sync::atomic::{AtomicU64, Ordering};

use super::layout::PRIORITIES;

/// The state of a free slot.
pub(super) const FREE: u64 = 0;
/// One more than the last sequence number.
pub(super) const SEQUENCE_END: u64 = 1 << SEQUENCE_BITS;

const SLOT_BITS: u32 = 16;
const SEQUENCE_BITS: u32 = 32;
const FULL: u64 = 1 << 63;

/// The state of `slot` with a message in it.
pub(super) fn state(priority: u32, sequence: u64, slot: usize) -> u64 {
    let rank = u64::from(PRIORITIES - 1 - priority);
    FULL | rank << (SEQUENCE_BITS + SLOT_BITS) | sequence << SLOT_BITS | slot as u64
}

pub(super) fn is_full(state: u64) -> bool {
    state & FULL != 0
}

pub(super) fn slot(state: u64) -> usize {
    (state & ((1 << SLOT_BITS) - 1)) as usize
}

pub(super) fn sequence(state: u64) -> u64 {
    state >> SLOT_BITS & (SEQUENCE_END - 1)
}

pub(super) fn priority(state: u64) -> u32 {
    let rank = (state & !FULL) >> (SEQUENCE_BITS + SLOT_BITS);
    PRIORITIES - 1 - rank as u32
}

/// Adds `new` to the heap in `words`, whose last word is free for it: it moves up from the end, past
/// all larger ones. That takes about log₂ of the heap's length steps; one if it is the largest.
pub(super) fn push(words: &[AtomicU64], new: u64) {
    let mut at = words.len() - 1;
    while at > 0 {
        let parent = (at - 1) / 2;
        let above = get(&words[parent]);
        if above < new {
            break;
        }
        set(&words[at], above);
        at = parent;
    }
    set(&words[at], new);
}

/// Takes the top off the heap in `words`, whose last word is then free: the last moves to the top
/// and down from there, past all smaller ones.
pub(super) fn pop(words: &[AtomicU64]) {
    let Some((last, words)) = words.split_last() else {
        return;
    };
    let moved = get(last);
    let mut at = 0;
    while let Some((child, value)) = smaller_child(words, at) {
        if moved < value {
            break;
        }
        set(&words[at], value);
        at = child;
    }
    if let Some(word) = words.get(at) {
        set(word, moved);
    }
}

fn smaller_child(words: &[AtomicU64], parent: usize) -> Option<(usize, u64)> {
    let left = 2 * parent + 1;
    let value = get(words.get(left)?);
    match words.get(left + 1).map(get) {
        Some(right) if right < value => Some((left + 1, right)),
        _ => Some((left, value)),
    }
}

pub(super) fn get(word: &AtomicU64) -> u64 {
    word.load(Ordering::Relaxed)
}

fn set(word: &AtomicU64, value: u64) {
    word.store(value, Ordering::Relaxed);
}
