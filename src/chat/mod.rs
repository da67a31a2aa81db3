//! Chat: the server shows what clients type and, when two-way, the clients show what is typed at the
//! server (note 2, chapter 4).
//!
//! ```text
//!   clients                                      server
//!     | -- HELLO alice 4242 ---------------------> |  she joins as alice#1
//!     | -- good morning -------------------------> |  shows  alice#1: good morning
//!     | <------------------------- and to you --   |  two-way only
//!     |  shows  server: and to you
//! ```
//!
//! Read it stage by stage; each is a whole file and adds one idea to the one before (`diff` shows it):
//!
//! 1. [`s1_plain`]: a one-way server and its client in one file, std alone.
//! 2. [`s2_survives`]: survives its clients and ends cleanly. [`protocol`] describes what goes over the
//!    wire; `session.rs` serves one client, and `lines.rs` reads its lines; `screen.rs` shows them,
//!    by way of `outbox.rs`. [`client`] is the client of this and all later stages,
//!    and `typing.rs` handles what its user types.
//! 3. [`s3_two_way`]: a line typed at the server is sent to the clients in the room (`room.rs`).
//! 4. [`s4_outboxes`]: an outbox for each client, and slow readers dropped.

pub mod client;
mod lines;
mod outbox;
pub mod protocol;
mod room;
pub mod s1_plain;
pub mod s2_survives;
pub mod s3_two_way;
pub mod s4_outboxes;
mod screen;
mod session;
mod typing;

pub use crate::support::escape::escape;
pub(crate) use client::login_name;
pub use screen::Screen;
pub use typing::Typing;

/// The name of the socket file when no `--socket` is given, in
/// [the directory of sockets](crate::socket::directory).
pub(crate) const SOCKET_NAME: &str = "chat.sock";
/// The number of the last stage.
pub(crate) const LAST_STAGE: usize = 4;
