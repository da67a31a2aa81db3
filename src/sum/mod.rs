//! Sum: a client sends integers, the server answers with their sum (note 1, chapter 3).
//!
//! ```text
//!   client                                   server
//!     | -- 4-byte integers, back to back ---> |  adds
//!     | -- 0 -------------------------------> |
//!     | <------- 128 bytes: Result = <sum> -- |  closes
//! ```
//!
//! The note has one client and two servers, and so has this room. Read it in this order:
//!
//! 1. [`protocol`]: what goes over the wire, and how integers are found in a stream without borders.
//! 2. `conversation.rs`: what a server does with one client, whichever server it is.
//! 3. [`sequential`]: one client at a time (the note's `no_multiplexing`).
//! 4. [`threaded`]: a thread a client (the note's `multiplexing`). Compare the
//!    two: `diff src/sum/sequential.rs src/sum/threaded.rs`.
//! 5. [`client`]: one for both.

pub mod client;
mod conversation;
pub mod protocol;
pub mod sequential;
pub mod threaded;

/// The name of the socket file when no `--socket` is given, in
/// [the directory of sockets](crate::socket::directory).
pub const SOCKET_NAME: &str = "sum.sock";
