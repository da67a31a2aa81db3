//! Sum: a client sends integers, the server answers with their sum (note 1, chapter 3).
//!
//! ```text
//!   client                                   server
//!     | -- 4-byte integers, back to back ---> |  adds
//!     | -- 0 -------------------------------> |
//!     | <------- 128 bytes: Result = <sum> -- |  closes
//! ```
//!
//! Read it stage by stage; each is a whole file and adds one idea to the one before (`diff` shows it):
//!
//! 1. [`s1_plain`]: a server and its client in one file, std alone (the note's `no_multiplexing`).
//! 2. [`s2_survives`]: survives its clients and ends cleanly. [`protocol`] describes what goes over the
//!    wire, and [`client`] is the client of this and all later stages.
//! 3. [`s3_threaded`]: a thread for each client (the note's `multiplexing`).
//! 4. [`s4_large_reads`]: many integers in one read.

pub mod client;
pub mod protocol;
pub mod s1_plain;
pub mod s2_survives;
pub mod s3_threaded;
pub mod s4_large_reads;

use std::io;

use protocol::Reply;

/// The name of the socket file when no `--socket` is given, in
/// [the directory of sockets](crate::socket::directory).
pub(crate) const SOCKET_NAME: &str = "sum.sock";
/// The number of the last stage.
pub(crate) const LAST_STAGE: usize = 4;

/// How a client's conversation ended, in the words of the log.
fn report(number: u64, ending: io::Result<Option<Reply>>) -> String {
    match ending {
        Ok(Some(reply)) => format!("client {number} was sent \"{reply}\""),
        Ok(None) => format!("client {number} left before its answer"),
        Err(error) => format!("client {number} failed: {error}"),
    }
}
