//! Message queues, as in `mq_overview(7)`, built in shared memory (note 4, chapter 8).
//!
//! The kernel has them: `mq_open(3)` and its relatives, a name, a limit, a priority for each
//! message. Rust's std does not, and calling them needs `unsafe`. So this room builds them in
//! memory that processes share, in two stages:
//!
//! 1. [`s1_plain`]: one array, one mutex, two semaphores, in one file. It works until a process is killed.
//! 2. [`Queue`], the files below: survives `kill -9` at any instruction, and is fast. It has the
//!    kernel's names, limits, order and errors, and the tests compare it with the kernel's own queues.
//!
//! There are two stages and not three: the code that makes the second one fast (it looks before it sleeps, and
//! wakes only if a process sleeps) is fifty lines of `blocking.rs`, and a third stage would repeat all other files.
//!
//! Read the second stage in this order; each file uses only those before it:
//!
//! 1. [`Error`] (`error.rs`): what can go wrong, a row of a table for each.
//! 2. `layout.rs`: where everything lies in the segment, and when it is written.
//! 3. `name.rs`: what a queue may be called, [`list`] and [`unlink`].
//! 4. `order.rs`: which message goes first.
//! 5. `messages.rs`: putting in and taking out, so that a process killed at any point leaves it right.
//! 6. `blocking.rs`: the lock, and waiting.
//! 7. [`Queue`] (`handle.rs`): sending and receiving.
//! 8. [`OpenOptions`] (`options.rs`): opening and making one.

mod blocking;
mod error;
mod handle;
mod layout;
mod messages;
mod name;
mod options;
mod order;
pub mod s1_plain;
#[cfg(test)]
mod tests;

pub use error::{Error, Mode, State};
pub use handle::{Attributes, Message, Queue};
pub(crate) use layout::PRIORITIES;
pub use name::{list, unlink};
pub use options::OpenOptions;

/// The number of the last stage.
pub const LAST_STAGE: usize = 2;
