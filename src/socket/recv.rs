//! `recv_socket` of note 0: receives the bytes that have come, and tells an end from a reset.

use std::io::{self, ErrorKind, Read};

/// The result of one [`recv`].
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// This many bytes, at least one, at the front of the buffer: perhaps fewer than the peer sent
    /// in one call, perhaps more.
    Bytes(usize),
    /// The end of the stream: the peer will send no more, and all that it sent was read.
    End,
    /// The peer closed with bytes of ours unread (`ECONNRESET`).
    Reset,
}

/// Receives the bytes that are there, waiting for the first: `recv(2)` or `read(2)`.
///
/// A stream has no message boundaries, so the number of bytes means nothing to the protocol above;
/// only 0, the end, does.
///
/// ```
/// use ipc_primer::socket::{Received, recv, send};
/// use std::os::unix::net::UnixStream;
///
/// let (mut here, mut there) = UnixStream::pair()?;
/// send(&mut there, b"two")?;
/// send(&mut there, b" sends")?;
/// drop(there);
/// let mut buffer = [0; 64];
/// assert_eq!(recv(&mut here, &mut buffer)?, Received::Bytes(9)); // one receive
/// assert_eq!(recv(&mut here, &mut buffer)?, Received::End);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::WouldBlock`] if a read time-out set on the stream ran out; others are rare. A peer
/// that closed is not an error here but [`Received::End`] or [`Received::Reset`].
///
/// # Panics
/// If `buffer` is empty: 0 bytes would look like the end.
#[doc(alias = "recv_socket")]
#[doc(alias = "read")]
pub fn recv(stream: &mut impl Read, buffer: &mut [u8]) -> io::Result<Received> {
    assert!(
        !buffer.is_empty(),
        "receiving into no room looks like the end of the stream"
    );
    loop {
        return match stream.read(buffer) {
            Ok(0) => Ok(Received::End),
            Ok(count) => Ok(Received::Bytes(count)),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(Received::Reset),
            Err(error) => Err(error),
        };
    }
}

/// Receives until `buffer` is full or the peer has closed; returns how many bytes came. Fewer than
/// the buffer holds means that the stream ended (or was reset) after that many bytes.
///
/// [`Read::read_exact`] does the same but forgets that number.
///
/// # Errors
/// Those of [`recv`].
pub fn recv_exact(stream: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match recv(stream, &mut buffer[filled..])? {
            Received::Bytes(count) => filled += count,
            Received::End | Received::Reset => break,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_reset_is_told_apart_from_an_end() {
        let (mut here, there) = UnixStream::pair().unwrap();
        io::Write::write_all(&mut here, b"never read").unwrap();
        drop(there);
        assert_eq!(recv(&mut here, &mut [0; 8]).unwrap(), Received::Reset);
        assert_eq!(recv(&mut here, &mut [0; 8]).unwrap(), Received::End);
    }

    #[test]
    fn a_frame_in_pieces_is_put_together_and_half_a_frame_is_told() {
        let (mut here, mut there) = UnixStream::pair().unwrap();
        let sender = std::thread::spawn(move || {
            for piece in [&b"ab"[..], b"c", b"def"] {
                io::Write::write_all(&mut there, piece).unwrap();
            }
        });
        let mut frame = [0; 4];
        assert_eq!(recv_exact(&mut here, &mut frame).unwrap(), 4);
        assert_eq!(&frame, b"abcd");
        assert_eq!(recv_exact(&mut here, &mut frame).unwrap(), 2);
        sender.join().unwrap();
    }
}
