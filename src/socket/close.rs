//! `close_socket` of note 0: what `shutdown` does, what drop does, and what a close can lose.
//!
//! - *Drop* gives the descriptor back (`close(2)`). The connection ends when its last descriptor is
//!   closed; a [`try_clone`](UnixStream::try_clone) held elsewhere keeps it open.
//! - *Shutdown* ends the connection itself, in one direction or both, whatever descriptors remain. It wakes a
//!   read or write that is blocked on it in another thread; drop cannot, because a borrowed stream cannot
//!   be dropped.
//! - A close *with unread input* tells the peer so: its next call fails with `ECONNRESET`.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

/// Tells the peer that nothing more will be sent; receiving goes on: `shutdown(2)` with `SHUT_WR`. The peer
/// reads to the end of the stream and may still answer: a *half-close*.
///
/// ```
/// use ipc_primer::socket::{Received, end_sending, recv, send};
/// use std::os::unix::net::UnixStream;
///
/// let (mut here, mut there) = UnixStream::pair()?;
/// end_sending(&here)?;
/// assert_eq!(recv(&mut there, &mut [0; 8])?, Received::End);
/// send(&mut there, b"an answer")?; // the other direction is open
/// assert_eq!(recv(&mut here, &mut [0; 64])?, Received::Bytes(9));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// None if the peer has closed already; otherwise those of `shutdown(2)`.
#[doc(alias = "shutdown")]
pub fn end_sending(stream: &UnixStream) -> io::Result<()> {
    match stream.shutdown(Shutdown::Write) {
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(()),
        other => other,
    }
}

/// Ends the connection so that the peer can read all that it was sent, and then the end of the stream:
/// `shutdown(2)` with `SHUT_RDWR`. Bytes that the peer sent in vain are read and discarded, because a close
/// would turn them into a reset. After the shutdown the peer can send no more, so this never waits.
///
/// ```
/// use ipc_primer::socket::{Received, close, recv, send};
/// use std::os::unix::net::UnixStream;
///
/// let (mut here, mut there) = UnixStream::pair()?;
/// send(&mut here, b"nobody asked for this")?;
/// close(&there);
/// drop(there);
/// assert_eq!(recv(&mut here, &mut [0; 8])?, Received::End); // and not Reset
/// # Ok::<(), std::io::Error>(())
/// ```
#[doc(alias = "close_socket")]
pub fn close(mut stream: &UnixStream) {
    // A failure here does not matter: the end that closes is done with the peer.
    let _ = stream.shutdown(Shutdown::Both);
    let _ = io::copy(&mut stream, &mut io::sink());
}
