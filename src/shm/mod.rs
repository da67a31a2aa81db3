//! Shared memory between processes, and the tools that keep order in it (note 3, chapter 6).
//!
//! Two processes that map one object see each other's writes immediately, and nothing tells either process when.
//! This room builds up from that, a file for each step; read them in this order:
//!
//! 1. [`s1_semaphore`], stage 1, plain: a semaphore from a counter, a mutex and an event. It works,
//!    but hangs when a process is killed. Everything that follows is there so that nothing hangs.
//! 2. [`Segment`] (`segment.rs`): a named piece of shared memory, as 64-bit atomic words; `header.rs`
//!    describes its header, `object.rs` the file behind it, [`Fault`] the faults it can have.
//! 3. [`bytes`]: copying bytes in and out.
//! 4. [`WaitQueue`] (`wait_queue.rs`), stage 2: blocking until something has changed there, and waking the threads
//!    that block; `wait_slot.rs` is where one thread sleeps, and `timer.rs` ends a sleep that lasts too long.
//! 5. [`Semaphore`] (`semaphore.rs`): stage 1's counter, with these.
//! 6. [`Lock`] (`lock.rs`), stage 3: a lock that knows when its holder was killed; [`owner`] shows how.
//! 7. [`ring`]: a sender and many receivers, each at its own pace.
//!
//! `raw.rs`, underneath, holds all `unsafe` of the crate, and says on which condition it is safe:
//! that all processes that map a segment run this program, or are trusted like it. The plain stages
//! use it through `plain.rs`.

pub mod bytes;
mod header;
mod lock;
mod object;
pub mod owner;
mod plain;
mod raw;
pub mod ring;
pub mod s1_semaphore;
mod segment;
mod semaphore;
mod timer;
mod wait_queue;
mod wait_slot;

pub use header::{Fault, Format, Lifetime, SegmentLayout, fault_of};
pub use lock::{Lock, LockGuard};
pub use plain::{PlainMutex, PlainSegment};
pub(crate) use segment::remove_if_stale;
pub use segment::{Segment, names, path, unlink};
pub use semaphore::Semaphore;
pub use wait_queue::WaitQueue;

#[cfg(test)]
mod tests;
