//! The state word of a slot that holds a message: what it says, packed so that order is `<`.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_state_goes_first() {
        let last = SEQUENCE_END - 1;
        let in_order = [
            state(32767, last, 9),
            state(1, 0, 65535),
            state(1, 1, 0),
            state(0, 0, 0),
            state(0, last, 0),
        ];
        assert!(in_order.is_sorted());
        for (state, expected) in in_order.into_iter().zip([32767, 1, 1, 0, 0]) {
            assert_eq!(priority(state), expected);
            assert!(is_full(state));
        }
        assert_eq!((sequence(in_order[0]), slot(in_order[0])), (last, 9));
    }
}
