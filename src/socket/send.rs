//! `send_socket` of note 0: all of the bytes, however few the kernel takes at a time.

use std::io::{self, ErrorKind, Write};

/// Sends all of `bytes`: `send(2)` or `write(2)` in a loop, as in note 0.
///
/// One call may send only a part, because a socket's buffer is limited. The loop keeps
/// the rest and continues there. It is [`Write::write_all`], written out.
///
/// ```
/// use ipc_primer::socket::send;
/// use std::{io::Read, os::unix::net::UnixStream};
///
/// let (mut here, mut there) = UnixStream::pair()?;
/// send(&mut here, b"hello")?;
/// let mut five = [0; 5];
/// there.read_exact(&mut five)?;
/// assert_eq!(&five, b"hello");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// - [`ErrorKind::BrokenPipe`]: the peer reads no more. C programs die of SIGPIPE here unless they
///   ignore it; Rust programs start with it ignored.
/// - [`ErrorKind::ConnectionReset`]: the peer closed and left bytes of ours unread.
/// - [`ErrorKind::WouldBlock`]: a write time-out set on the stream ran out.
/// - [`ErrorKind::WriteZero`]: the writer takes nothing and never will.
#[doc(alias = "setsockopt")]
#[doc(alias = "SO_SNDTIMEO")]
#[doc(alias = "send_socket")]
#[doc(alias = "write")]
pub fn send(stream: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let mut left = bytes;
    while !left.is_empty() {
        match stream.write(left) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(sent) => left = &left[sent..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {} // a signal came: again
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes one, two, three bytes in turn, and is interrupted before each.
    #[derive(Default)]
    struct Sparing {
        taken: Vec<u8>,
        calls: usize,
    }

    impl Write for Sparing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.calls += 1;
            if self.calls % 2 == 1 {
                return Err(ErrorKind::Interrupted.into());
            }
            let some = bytes.len().min(1 + self.calls % 3);
            self.taken.extend_from_slice(&bytes[..some]);
            Ok(some)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_byte_arrives_in_order_a_few_at_a_time() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut writer = Sparing::default();
        send(&mut writer, &bytes).unwrap();
        assert_eq!(writer.taken, bytes);
        assert!(
            writer.calls > 100,
            "the writer was meant to take a few bytes at a time"
        );
    }

    #[test]
    fn a_writer_that_takes_nothing_is_an_error_and_no_endless_loop() {
        let mut full = &mut [0u8; 3][..];
        assert_eq!(
            send(&mut full, b"four").unwrap_err().kind(),
            ErrorKind::WriteZero
        );
    }

    #[test]
    fn nothing_to_send_is_no_call() {
        let mut writer = Sparing::default();
        send(&mut writer, b"").unwrap();
        assert_eq!(writer.calls, 0);
    }
}
