//! Lambda: a server that runs functions from libraries on request (note 0, chapter 9).
//!
//! ```text
//!   client                                  server                       function
//!     | -- <library> [<function> [<file>]] --> |                             .
//!     |                                        | -- starts a process ------> |
//!     |                                        | <----- what it prints ----- |
//!     |                                        |         output file         x
//!     | <------- path of the output file ----- |  closes
//! ```
//!
//! Note 0 takes the five socket primitives for a *lambda function loader*. Its C server loads a
//! library into itself with `dlopen`. Here a library is loaded into a process of its own: whatever a
//! function does there, it does to itself. Read the files in this order:
//!
//! 1. [`protocol`]: what goes over the wire.
//! 2. `server.rs`: what is done for one client, from the first byte to the answer.
//! 3. `library.rs`: what may be run, and which program runs it.
//! 4. `output.rs`: the files that answers name.
//! 5. `function.rs`: one run: a process, its output, its end.
//! 6. `warden.rs`: who kills what does not end.
//! 7. `slots.rs`, `descriptors.rs`, `crew.rs`: how many at once, in what order, by which threads.
//! 8. [`client`]: the other side.

pub mod client;
mod crew;
mod descriptors;
mod function;
mod library;
mod output;
pub mod protocol;
mod server;
mod slots;
mod warden;

pub use library::Runtime;
pub use server::{MAX_OUTPUT, Settings, TIMEOUT, serve};

/// The name of the socket file when no `--socket` is given, in
/// [the directory of sockets](crate::socket::directory).
pub const SOCKET_NAME: &str = "lambda.sock";

/// The name of the directory of output files, in the same place, when no other is given.
pub const OUTPUT_NAME: &str = "lambda-output";
