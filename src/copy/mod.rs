//! File copy from one peer to many: by sockets, and by shared memory with semaphores (note 3,
//! chapters 5 and 6).
//!
//! ```text
//!   by sockets                              by shared memory
//!
//!   server ---- a socket ----> client       sender --> slot --> receiver
//!          ---- a socket ----> client                   |  \--> receiver
//!          ---- a socket ----> client                   \-----> receiver
//!   every byte goes N times through         every byte is put there once,
//!   the kernel                              and N read it there
//! ```
//!
//! Copy by sockets, stage by stage; each stage is a complete file and adds one idea to the one before
//! (`diff` shows it):
//!
//! 1. [`s1_plain`]: a server and its client in one file, std alone.
//! 2. [`s2_whole`]: a copy is whole, or is not there at all. It builds on [`protocol`] (the wire format),
//!    [`source`] and [`target`] (the file at either end, and all that can happen to it during the copy),
//!    [`server`] and `client.rs` (the code that stages 2 and 3 share).
//! 3. [`s3_fast`]: both ends poll before they sleep.
//!
//! Copy by shared memory, likewise:
//!
//! 1. [`s1_race`]: what shared memory does without semaphores, and with them.
//! 2. [`s2_one_slot`]: one slot, two semaphores, one receiver.
//! 3. [`s3_ring`]: any number of receivers, and no process hangs. It builds on [`ring`](crate::shm::ring).

mod busy_poll;
mod client;
pub mod protocol;
pub mod s1_plain;
pub mod s1_race;
pub mod s2_one_slot;
pub mod s2_whole;
pub mod s3_fast;
pub mod s3_ring;
pub mod server;
pub mod source;
pub mod target;

/// The name of the socket file when no `--socket` is given, in
/// [the directory of sockets](crate::socket::directory).
pub const SOCKET_NAME: &str = "copy.sock";

/// The number of the last stage of the copy by sockets.
pub const LAST_STAGE: usize = 3;

/// The number of the last stage of the copy by shared memory.
pub const LAST_RING_STAGE: usize = 3;

/// The name of the ring when no `--name` is given.
pub const RING_NAME: &str = "copy";
