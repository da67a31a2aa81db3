//! Sockets: the five primitives of note 0 on which every socket scenario stands.
//!
//! | note 0 | C calls | here | file |
//! |---|---|---|---|
//! | `create_socket` (server) | `socket`, `bind`, `listen` | [`listen()`] | `listen.rs` |
//! | `create_socket`, `connect_socket` (client) | `socket`, `connect` | [`connect()`] | `connect.rs` |
//! | `send_socket` | `send` in a loop | [`send()`] | `send.rs` |
//! | `recv_socket` | `recv` | [`recv()`], [`recv_exact()`] | `recv.rs` |
//! | `close_socket` | `shutdown`, `close` | [`end_sending()`], [`close()`] | `close.rs` |
//!
//! [`accept_loop()`] gives every client a thread; [`connect_unless()`] connects unless a stop is requested first.
//! `address.rs` says where the socket files live and what a path may be. Read the files in the table's order;
//! chapter 1 of the book walks through them.

mod accept_loop;
mod address;
mod close;
mod connect;
mod listen;
mod lock;
mod recv;
mod send;

pub(crate) use accept_loop::accept_with;
pub use accept_loop::{WhenFull, accept_loop};
pub use address::{MAX_PATH, directory, in_directory};
pub use close::{close, end_sending};
pub use connect::{connect, connect_unless};
pub use listen::{Listener, Stopper, listen};
pub use recv::{Received, recv, recv_exact};
pub use send::send;
