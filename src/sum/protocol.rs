//! What goes over the wire: integers one way, one frame of text the other.
//!
//! The format is that of the C programs of note 1, byte for byte: an `int` as it lies in memory, and
//! a `char[128]`.

use std::fmt;

/// The length of the server's answer, in bytes.
pub const FRAME_LEN: usize = 128;

/// The integer that ends the input and asks for the sum.
pub const END: i32 = 0;

/// An integer as it goes over the wire: 4 bytes, signed, native byte order. Both ends run on one
/// machine, so neither has to swap.
pub fn encode(integer: i32) -> [u8; 4] {
    integer.to_ne_bytes()
}

/// Adds integers as their bytes arrive, in pieces of any size.
///
/// A stream has no message borders: two integers may come in one read, and one in two. What is
/// left of an integer at the end of a piece is kept for the next.
///
/// ```
/// use ipc_primer::sum::protocol::{Adder, encode};
///
/// let bytes: Vec<u8> = [40, 2, 0].into_iter().flat_map(encode).collect();
/// let mut adder = Adder::default();
/// assert_eq!(adder.add(&bytes[..7]), None); // one integer and three quarters of the next
/// assert_eq!(adder.add(&bytes[7..]), Some(42));
/// ```
#[derive(Debug, Default)]
pub struct Adder {
    sum: i128,
    part: [u8; 4],
    have: usize,
}

impl Adder {
    /// Takes the next bytes of the stream. Returns the sum when the integer 0 was among them; what
    /// stands behind the 0 is ignored.
    ///
    /// The sum is exact for every stream that anyone can send. 64 bits would not be enough: 2³² times
    /// the smallest integer is 16 GiB, seconds on a socket, and one more overflows.
    pub fn add(&mut self, bytes: &[u8]) -> Option<i128> {
        let rest = self.complete_part(bytes);
        if self.have == 4 {
            self.have = 0;
            match i32::from_ne_bytes(self.part) {
                END => return Some(self.sum),
                integer => self.sum += i128::from(integer),
            }
        }
        let (whole, part) = rest.as_chunks::<4>();
        let ended = self.add_whole(whole);
        if !ended && !part.is_empty() {
            self.part[..part.len()].copy_from_slice(part);
            self.have = part.len();
        }
        ended.then_some(self.sum)
    }

    /// Fills up the integer that the last piece broke off in, and returns what is left.
    fn complete_part<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        if self.have == 0 {
            return bytes;
        }
        let (fill, rest) = bytes.split_at(bytes.len().min(4 - self.have));
        self.part[self.have..self.have + fill.len()].copy_from_slice(fill);
        self.have += fill.len();
        rest
    }

    /// Adds whole integers up to the first 0; says whether there was one.
    fn add_whole(&mut self, integers: &[[u8; 4]]) -> bool {
        let mut sum = 0i64; // cannot overflow: no slice holds 2³² integers
        let mut ended = false;
        for &bytes in integers {
            match i32::from_ne_bytes(bytes) {
                END => {
                    ended = true;
                    break;
                }
                integer => sum += i64::from(integer),
            }
        }
        self.sum += i128::from(sum);
        ended
    }
}

/// What the server answers.
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
    /// There are as many clients as the server takes.
    Busy,
    /// The server ends and knows no sum.
    Goodbye,
}

impl Reply {
    const BUSY: &str = "Busy: try again later";
    const GOODBYE: &str = "Goodbye: the server is shutting down";

    /// The reply as it goes over the wire: ASCII, filled up with NUL.
    pub fn frame(&self) -> [u8; FRAME_LEN] {
        let text = self.to_string();
        let mut frame = [0; FRAME_LEN];
        frame[..text.len()].copy_from_slice(text.as_bytes());
        frame
    }

    /// The reply in a frame; `None` if it is none that this protocol knows.
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

    fn wire(integers: &[i32]) -> Vec<u8> {
        integers.iter().copied().flat_map(encode).collect()
    }

    #[test]
    fn the_sum_is_the_same_wherever_the_stream_is_cut() {
        let bytes = wire(&[i32::MAX, i32::MIN, 256, -1, 0, 99]);
        for first in 0..bytes.len() {
            for second in first..bytes.len() {
                let mut adder = Adder::default();
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                let sum = pieces.iter().find_map(|piece| adder.add(piece));
                assert_eq!(sum, Some(254), "cut at bytes {first} and {second}");
            }
        }
    }

    #[test]
    fn a_zero_byte_is_no_zero() {
        let mut adder = Adder::default();
        assert_eq!(adder.add(&wire(&[1 << 24, 1])), None);
        assert_eq!(adder.add(&wire(&[0])), Some((1 << 24) + 1));
    }

    #[test]
    fn the_sum_passes_64_bits() {
        let mut adder = Adder {
            sum: i128::from(i64::MAX),
            ..Adder::default()
        };
        assert_eq!(adder.add(&wire(&[1, 0])), Some(i128::from(i64::MAX) + 1));
    }

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
