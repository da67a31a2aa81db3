//! Message queues, as in `mq_overview(7)`, built in shared memory (note 4, chapter 8).
//!
//! The kernel has them: `mq_open(3)` and its kin, a name, a limit, a priority for each message. Rust's
//! std has not, and to call them needs `unsafe`. So this room builds them, from the pieces of
//! [`shm`](crate::shm), with the same names, limits, order and errors, and the tests hold them against
//! the kernel's own. Read the files in this order:
//!
//! 1. `name.rs`: what a queue may be called, [`list`] and [`unlink`].
//! 2. [`OpenOptions`] (`options.rs`): opening and making one.
//! 3. `layout.rs`: where everything lies in the segment, and who writes it.
//! 4. `order.rs`: which message goes first.
//! 5. `messages.rs`: putting in and taking out, so that a process killed at any point leaves it right.
//! 6. [`Queue`] (`handle.rs`): sending and receiving; `blocking.rs`: the lock, and waiting.
//! 7. [`Error`] (`error.rs`): what can go wrong.

mod blocking;
mod error;
mod handle;
mod layout;
mod messages;
mod name;
mod options;
mod order;

pub use error::{Error, Mode, State};
pub use handle::{Attributes, Message, Queue};
pub use layout::{MAX_LEN, MAX_MESSAGE_SIZE, MAX_MESSAGES, PRIORITIES};
pub use name::{list, unlink};
pub use options::OpenOptions;
