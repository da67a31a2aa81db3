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
//! Note 0 uses the five socket primitives for a *lambda function loader*. Its C server loads a
//! library into itself with `dlopen`. Here a library is loaded into a process of its own, so a
//! faulty function harms only itself.
//!
//! Read it stage by stage; each stage is a complete file and adds one idea to the one before (`diff` shows it):
//!
//! 1. [`s1_plain`]: a server and its client in one file, std alone.
//! 2. [`s2_survives`]: survives its clients and ends cleanly. [`protocol`] defines the wire format;
//!    `library.rs` says which program runs a library, `output.rs` makes the files that answers name,
//!    `ending.rs` has the words of the log, and [`client`] is the client of this and the last stage.
//! 3. [`s3_limits`]: limits on time, output and numbers. `function.rs` is one run, `watchdog.rs` kills functions
//!    that do not end, and `descriptors.rs` says how many clients and functions fit at a time.

pub mod client;
mod descriptors;
mod ending;
mod function;
mod library;
mod output;
pub mod protocol;
pub mod s1_plain;
pub mod s2_survives;
pub mod s3_limits;
mod watchdog;

pub use library::Runtime;
pub use s3_limits::{MAX_OUTPUT, Settings, TIMEOUT, serve};

/// The name of the socket file when no `--socket` is given, in
/// [the directory of sockets](crate::socket::directory).
pub(crate) const SOCKET_NAME: &str = "lambda.sock";

/// The number of the last stage.
pub(crate) const LAST_STAGE: usize = 3;

/// The name of the directory of output files, in the same place, when no other is given.
pub(crate) const OUTPUT_NAME: &str = "lambda-output";
