//! The order of the messages: a binary heap in shared words, its smallest on top.
//!
//! Whoever uses it has the queue's lock; so no access needs an order of its own.

use std::sync::atomic::{AtomicU64, Ordering};

/// Adds `new` to the heap in `words`, whose last word is free for it: up from the end, past all that are
/// larger. About log₂ of the heap's length steps; one if it is the largest.
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

/// Takes the top off the heap in `words`, whose last word is free then: the last moves to the top and
/// down from there, past all that are smaller.
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

fn get(word: &AtomicU64) -> u64 {
    word.load(Ordering::Relaxed)
}

fn set(word: &AtomicU64, value: u64) {
    word.store(value, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_in_any_order_comes_out_sorted() {
        let mut random = 1_u64;
        for len in [1, 2, 3, 10, 255, 256, 257] {
            let words: Vec<_> = (0..len).map(|_| AtomicU64::new(0)).collect();
            let mut values = Vec::new();
            for end in 1..=len {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                values.push(random >> 33);
                push(&words[..end], random >> 33);
            }
            values.sort_unstable();
            for (end, value) in (1..=len).rev().zip(values) {
                assert_eq!(get(&words[0]), value, "of {len}");
                pop(&words[..end]);
            }
        }
    }
}
