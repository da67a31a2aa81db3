//! A process in one word: its pid and its start time, so that one compare-exchange can say who.
//!
//! A lock and a note beside it of who holds it are two words, and a process killed between writing
//! the two leaves a lock that nobody knows the holder of. One word has no such moment.

use std::sync::LazyLock;

use crate::process::Identity;

/// The kernel's largest pid fits 22 bits (`PID_MAX_LIMIT` is 2²²); the ticks since the system was
/// started fit the other 42 for a thousand years.
const START_BITS: u32 = 42;

/// The owner word of the calling process.
#[inline]
pub fn own() -> u64 {
    static OWN: LazyLock<u64> = LazyLock::new(|| word(Identity::own()));
    *OWN
}

/// The owner word of a process: never 0 or 1, which are left to mean "nobody" and the like.
///
/// ```
/// use ipc_primer::{process::Identity, shm::owner};
///
/// assert_eq!(owner::word(Identity::own()), owner::own());
/// assert_eq!(owner::identity(owner::own()), Identity::own());
/// assert!(owner::is_alive(owner::own()));
/// ```
pub fn word(identity: Identity) -> u64 {
    u64::from(identity.pid) << START_BITS | identity.start & ((1 << START_BITS) - 1)
}

/// The process that an owner word names.
pub fn identity(word: u64) -> Identity {
    let pid = word >> START_BITS;
    Identity {
        pid: u32::try_from(pid).expect("22 bits are left"),
        start: word & ((1 << START_BITS) - 1),
    }
}

/// Whether the process that an owner word names still runs (or is stopped): a look at `/proc`, some
/// microseconds.
pub fn is_alive(word: u64) -> bool {
    word == own() || identity(word).is_alive()
}
