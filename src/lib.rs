//! Unix inter-process communication, taught by programs that work.
//!
//! ```
//! use ipc_primer::sum::{protocol::{Reply, encode}, s2_survives};
//! use ipc_primer::{interrupt::Interrupt, socket};
//! use std::thread;
//!
//! let directory = tempfile::tempdir()?;
//! let path = directory.path().join("sum.sock");
//! let listener = socket::listen(&path)?; // socket, bind, listen
//! let interrupt = Interrupt::new(); // raised by Ctrl-C in the `ipc` command
//! let ending = interrupt.clone();
//! let server = thread::spawn(move || s2_survives::serve(&listener, &ending));
//!
//! let mut client = socket::connect(&path)?; // socket, connect
//! for integer in [40, 2, 0] {
//!     socket::send(&mut client, &encode(integer))?; // send, until all is sent
//! }
//! let mut frame = [0; 128];
//! socket::recv_exact(&mut client, &mut frame)?; // recv, until all is there
//! assert_eq!(Reply::parse(&frame), Some(Reply::Result(42)));
//!
//! interrupt.raise();
//! server.join().unwrap()?;
//! assert!(!path.exists()); // whatever ends leaves nothing behind
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! There are three ways in:
//!
//! 1. **Read it.** [The guide](guide) is a book in chapters, each about one note that students or course authors
//!    wrote on their C programs.
//! 2. **Run it.** `ipc tour` plays every scenario with real processes; each is also a command for two
//!    terminals, and `ipc --help` lists them.
//! 3. **Test it.** `cargo test` walks through the book: a test file a chapter, a test a step.
//!
//! # The map
//!
//! | note | chapter | room |
//! |---|---|---|
//! | 0, primitives | [1. Socket primitives](guide::ch01_socket_primitives) | [`socket`] |
//! | 4, sockets | [2. A server, step by step](guide::ch02_server_step_by_step) | [`socket`] |
//! | 1 | [3. Sum](guide::ch03_sum) | [`sum`] |
//! | 2 | [4. Chat](guide::ch04_chat) | [`chat`] |
//! | 3, sockets | [5. Copy by sockets](guide::ch05_copy_by_sockets) | [`mod@copy`] |
//! | 3, shared memory | [6. Copy by shared memory](guide::ch06_copy_by_shared_memory) | [`mod@copy`], [`shm`] |
//! | 4, signals | [7. Signals](guide::ch07_signals) | [`signals`] |
//! | 4, message queues | [8. Message queues](guide::ch08_message_queues) | [`queue`] |
//! | 0, as a whole | [9. The lambda function loader](guide::ch09_lambda) | [`lambda`] |
//! | | [10. For teachers](guide::ch10_for_teachers) | [`grade`] |
//!
//! # The house
//!
//! A room uses what is below it, and no scenario knows another:
//!
//! - top floor: [`tour`], [`grade`]
//! - first floor, a room a scenario: [`sum`], [`chat`], [`mod@copy`], [`signals`], [`queue`], [`lambda`]
//! - ground floor: [`socket`], [`shm`], [`process`], [`interrupt`], [`input`], [`notice`], [`progress`], [`own_file`], [`error`],
//!   [`mod@escape`], [`stdio`]
//!
//! Coming from C? Search this documentation for the C name: `accept`, `create_socket`, `sigaction`.

#![deny(unsafe_code, missing_docs)]

pub mod chat;
pub mod copy;
pub mod error;
pub mod escape;
pub mod grade;
#[cfg(doc)]
pub mod guide;
pub mod input;
pub mod interrupt;
pub mod lambda;
pub mod notice;
pub mod own_file;
pub mod permits;
pub mod process;
pub mod progress;
pub mod queue;
pub mod shm;
pub mod signals;
pub mod socket;
pub mod stdio;
pub mod sum;
pub mod tour;
