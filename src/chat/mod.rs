//! Chat: what clients type is shown at the server, and two-way what the server types is shown at the
//! clients (note 2, chapter 4).
//!
//! ```text
//!   clients                                      server
//!     | -- HELLO alice 4242 ---------------------> |  she joins as alice#1
//!     | -- good morning -------------------------> |  shows  alice#1: good morning
//!     | <------------------------- and to you --   |  two-way only
//!     |  shows  server: and to you
//! ```
//!
//! The note has two servers, and so has this room. Read it in this order:
//!
//! 1. [`protocol`]: what goes over the wire, and to whom a typed line is addressed.
//! 2. `screen.rs`: how it gets to the terminal, [escaped](mod@crate::escape), whole lines at a time.
//! 3. `lines.rs`: lines found in a stream; `voice.rs`: those of a connection, shown under its label.
//! 4. `admit.rs` and `guest.rs`: how a client comes in, and what a server hears from it.
//! 5. [`one_way`]: a thread a client. The server only reads.
//! 6. [`two_way`]: the same, and `typed.rs`, `room.rs`, `outbox.rs` for what goes the other way.
//!    Compare the two: `diff src/chat/one_way.rs src/chat/two_way.rs`.
//! 7. [`client`]: one for both. `editor.rs` and `terminal.rs` are its prompt,
//!    `login.rs` knows its user's name.

mod admit;
pub mod client;
mod editor;
mod guest;
mod lines;
mod login;
pub mod one_way;
mod outbox;
pub mod protocol;
mod room;
mod screen;
mod terminal;
pub mod two_way;
mod typed;
mod voice;

pub use login::login_name;
pub use screen::Screen;

/// The name of the socket file when no `--socket` is given, in
/// [the directory of sockets](crate::socket::directory).
pub const SOCKET_NAME: &str = "chat.sock";
