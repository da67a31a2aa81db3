//! The wire format: integers one way, one frame of text the other.
//!
//! The format is that of the C programs of note 1, byte for byte: an `int` as it lies in memory, and
//! a `char[128]`.

use std::fmt;

/// The length of the server's answer, in bytes.
pub const FRAME_LEN: usize = 128;

/// The integer that ends the input and asks for the sum.
pub const END: i32 = 0;

/// An integer as it goes over the wire: 4 bytes, signed, native byte order. Both ends run on one
/// machine, so neither end swaps bytes.
pub fn encode(integer: i32) -> [u8; 4] {
    integer.to_ne_bytes()
}

/// The server's answer.
///
/// ```
/// use ipc_primer::sum::protocol::Reply;
///
/// let frame = Reply::Result(-7).frame();
/// assert_eq!(&frame[..12], b"Result = -7\0");
/// assert_eq!(Reply::parse(&frame), Some(Reply::Result(-7)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The sum that was asked for.
    Result(i128),
    /// The server already has as many clients as it takes.
    Busy,
    /// The server is closing and has no sum.
    Goodbye,
}

impl Reply {
    const BUSY: &str = "Busy: try again later";
    const GOODBYE: &str = "Goodbye: the server is shutting down";

    /// The reply as it goes over the wire: ASCII, padded with NUL bytes.
    pub fn frame(&self) -> [u8; FRAME_LEN] {
        let text = self.to_string();
        let mut frame = [0; FRAME_LEN];
        frame[..text.len()].copy_from_slice(text.as_bytes());
        frame
    }

    /// The reply in a frame; `None` if this protocol does not know it.
    pub fn parse(frame: &[u8; FRAME_LEN]) -> Option<Self> {
        let text = frame.split(|&byte| byte == 0).next()?;
        match str::from_utf8(text).ok()? {
            Self::BUSY => Some(Self::Busy),
            Self::GOODBYE => Some(Self::Goodbye),
            other => other
                .strip_prefix("Result = ")?
                .parse()
                .ok()
                .map(Self::Result),
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Result(sum) => write!(f, "Result = {sum}"),
            Self::Busy => f.write_str(Self::BUSY),
            Self::Goodbye => f.write_str(Self::GOODBYE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reply_fits_its_frame_and_comes_back() {
        for reply in [
            Reply::Result(i128::MIN),
            Reply::Result(0),
            Reply::Busy,
            Reply::Goodbye,
        ] {
            assert_eq!(Reply::parse(&reply.frame()), Some(reply));
        }
        assert_eq!(Reply::parse(&[b'x'; FRAME_LEN]), None);
    }
}
