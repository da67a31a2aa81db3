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
//! Read it in this order:
//!
//! 1. [`source`] and [`target`]: the file at either end, and all that can become of it meanwhile.
//! 2. [`protocol`]: what goes over a socket.
//! 3. [`server`] and [`client`]: copy by sockets. `window` and `pace` let a crowd of clients share what
//!    was read.
//! 4. [`race`]: what shared memory does without semaphores, and with them.
//! 5. [`sender`] and [`receiver`]: copy by shared memory, which stand on [`ring`](crate::shm::ring).

pub mod client;
mod eager;
mod pace;
pub mod protocol;
pub mod race;
pub mod receiver;
pub mod sender;
pub mod server;
pub mod source;
pub mod target;
mod window;

/// The name of the socket file when no `--socket` is given, in
/// [the directory of sockets](crate::socket::directory).
pub const SOCKET_NAME: &str = "copy.sock";

/// The name of the ring when no `--name` is given.
pub const RING_NAME: &str = "copy";
