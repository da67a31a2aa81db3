//! Unix inter-process communication, taught by programs that work.
//!
//! **The book:**
//! [1.&nbsp;Socket primitives](guide::ch01_socket_primitives) ·
//! [2.&nbsp;A server, step by step](guide::ch02_server_step_by_step) ·
//! [3.&nbsp;Sum](guide::ch03_sum) ·
//! [4.&nbsp;Chat](guide::ch04_chat) ·
//! [5.&nbsp;Copy by sockets](guide::ch05_copy_by_sockets) ·
//! [6.&nbsp;Copy by shared memory](guide::ch06_copy_by_shared_memory) ·
//! [7.&nbsp;Signals](guide::ch07_signals) ·
//! [8.&nbsp;Message queues](guide::ch08_message_queues) ·
//! [9.&nbsp;The lambda function loader](guide::ch09_lambda) ·
//! [10.&nbsp;For teachers](guide::ch10_for_teachers) ·
//! [11.&nbsp;Which one, and how fast](guide::ch11_which_one_and_how_fast)
//!
//! Each chapter is about one note that students or course authors wrote on their C programs.
//! [The guide](guide) says how to read it.
//!
//! Three ways in:
//!
//! 1. **Run it.** `ipc tour` plays every scenario with real processes. Each scenario is also a command
//!    for two terminals: `ipc --help` lists them.
//! 2. **Test it.** `cargo test` walks through the book: a test file a chapter, a test a step.
//! 3. **Hand in against it.** `ipc grade` runs a program of yours, in any language, against an assignment.
//!
//! # The plain files
//!
//! Each scenario begins with one plain file that holds both ends and uses nothing else from the
//! crate. Each later stage is a whole file that adds one idea; its first lines say what broke before, what it
//! adds, and what that costs. `--stage N` runs it.
//!
//! | scenario | stage 1 | the stages after it |
//! |---|---|---|
//! | sum (note 1) | [`sum::s1_plain`] | [survives its clients](sum::s2_survives), [a thread for each client](sum::s3_threaded), [large reads](sum::s4_large_reads) |
//! | chat (note 2) | [`chat::s1_plain`] | [survives its clients](chat::s2_survives), [two-way](chat::s3_two_way), [outboxes](chat::s4_outboxes) |
//! | copy by sockets (note 3) | [`copy::s1_plain`] | [whole or not at all](copy::s2_whole), [fast](copy::s3_fast) |
//! | copy by shared memory (note 3) | [`copy::s1_race`] | [one slot](copy::s2_one_slot), [the ring](copy::s3_ring) |
//! | semaphore (note 3) | [`shm::s1_semaphore`] | [the wait queue](shm::WaitQueue), [the robust lock](shm::Lock) |
//! | message queue (note 4) | [`queue::s1_plain`] | [safe from crashes](queue::Queue) |
//! | lambda (note 0) | [`lambda::s1_plain`] | [survives its clients](lambda::s2_survives), [limits](lambda::s3_limits) |
//!
//! [`socket`] (notes 0 and 4) and [`signals`] (note 4) have no stages: each function is one idea.
//!
//! # The code
//!
//! ```
//! use ipc_primer::sum::{protocol::{Reply, encode}, s2_survives};
//! use ipc_primer::{socket, stop::StopToken};
//! use std::thread;
//!
//! let directory = tempfile::tempdir()?;
//! let path = directory.path().join("sum.sock");
//! let listener = socket::listen(&path)?; // socket, bind, listen
//! let stop = StopToken::new(); // requested by Ctrl-C in the `ipc` command
//! let ending = stop.clone();
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
//! stop.request_stop();
//! server.join().unwrap()?;
//! assert!(!path.exists()); // whatever ends leaves nothing behind
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! The rooms of the house, from the top; a room uses what is below it, and no scenario knows another:
//!
//! - [`tour`] shows the scenarios, [`grade`] judges programs, [`mod@bench`] measures; [`harness`] starts processes
//! - the scenarios: [`sum`], [`chat`], [`mod@copy`], [`signals`], [`queue`], [`lambda`]
//! - the foundations: [`socket`], [`shm`], [`stop`]
//!
//! Coming from C? Search this documentation for the C name: `accept`, `create_socket`, `sigaction`.

#![deny(unsafe_code, missing_docs)]

// /proc, /dev/shm and futexes are specific to Linux.
#[cfg(not(target_os = "linux"))]
compile_error!(
    "ipc-primer needs Linux: on Windows use WSL 2, on macOS a virtual machine or a container (see README.md, Platforms)"
);

pub mod bench;
pub mod chat;
#[doc(hidden)] // called only by `main.rs`
pub mod cli;
pub mod copy;
pub mod grade;
#[cfg(doc)]
pub mod guide;
pub mod harness;
pub mod lambda;
pub mod queue;
pub mod shm;
pub mod signals;
pub mod socket;
pub mod stop;
pub mod sum;
mod support;
pub mod tour;
