//! A process in one word: its pid and its start time, so that one compare-exchange names it.
//!
//! A lock and a note of its holder beside it are two words, and a process killed between writing
//! the two leaves a lock whose holder is unknown. One word has no such moment.
//!
//! The word leaves out the namespaces that pid and time belong to: only processes of the same
//! namespaces open a [segment](super::Segment), so all owner words in it belong to these. `exec`
//! and `fork` keep the word: see [`Identity`].

use crate::support::identity::Identity;

/// The kernel's largest pid fits in 22 bits (`PID_MAX_LIMIT` is 2²²); the ticks since the system
/// started fit in the other 42 for a thousand years.
const START_BITS: u32 = 42;

/// The owner word of the calling process, which looked itself up when it opened the segment.
#[inline]
pub(super) fn own() -> u64 {
    word(Identity::own().expect("it was looked up before"))
}

/// The owner word of a process: never 0 or 1, which are reserved for meanings such as "no process".
pub fn word(identity: Identity) -> u64 {
    u64::from(identity.pid) << START_BITS | identity.start & ((1 << START_BITS) - 1)
}

/// The process that an owner word names.
pub(crate) fn identity(word: u64) -> Identity {
    let pid = word >> START_BITS;
    Identity {
        pid: u32::try_from(pid).expect("22 bits are left"),
        start: word & ((1 << START_BITS) - 1),
    }
}

/// Whether the process that an owner word names is [known to have ended](Identity::is_dead): this
/// looks at `/proc` and takes some microseconds.
pub(super) fn is_dead(word: u64) -> bool {
    let holder = identity(word);
    let is_own = Identity::own().is_ok_and(|own| own == holder);
    !is_own && holder.is_dead()
}
