//! The wire format: a line with the length and the name, then the bytes.
//!
//! ```text
//! FILE <length> <name>\n
//! <length bytes>
//! ```
//!
//! The line ends at the first newline, so a name cannot hold one; it can hold blanks and any other bytes.

use std::ffi::OsStr;
use std::io::{self, BufRead, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;

use crate::support::escape::escape;

/// The longest header in bytes, including its newline: a name has at most 255 bytes on Linux.
const MAX_HEADER: u64 = 512;

/// The first line of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// How many bytes follow.
    pub length: u64,
    /// The name of the file: not necessarily UTF-8, and not to be trusted.
    pub name: Vec<u8>,
}

impl Header {
    /// The line as it goes over the wire.
    ///
    /// ```
    /// use ipc_primer::copy::protocol::Header;
    ///
    /// let header = Header { length: 3, name: b"my notes.txt".to_vec() };
    /// assert_eq!(header.line(), b"FILE 3 my notes.txt\n");
    /// assert_eq!(Header::read(&mut &header.line()[..])?, header);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn line(&self) -> Vec<u8> {
        let mut line = format!("FILE {} ", self.length).into_bytes();
        line.extend_from_slice(&self.name);
        line.push(b'\n');
        line
    }

    /// Reads a header and leaves the bytes after it; reads no more than 512 bytes of a line that is too long.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedEof`] if the input is empty, [`ErrorKind::InvalidData`] if it is not a header.
    pub fn read(input: &mut impl BufRead) -> io::Result<Self> {
        let mut bytes = Vec::new();
        if input.take(MAX_HEADER).read_until(b'\n', &mut bytes)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let header = bytes.strip_suffix(b"\n").and_then(Self::parse);
        header.ok_or_else(|| {
            let line = escape(&bytes);
            let fault =
                format!("a copy begins with a line `FILE <length> <name>` and not with \"{line}\"");
            io::Error::new(ErrorKind::InvalidData, fault)
        })
    }

    fn parse(line: &[u8]) -> Option<Self> {
        let rest = line.strip_prefix(b"FILE ")?;
        let blank = rest.iter().position(|&byte| byte == b' ')?;
        let (length, name) = (&rest[..blank], &rest[blank + 1..]);
        let is_number = !length.is_empty() && length.iter().all(u8::is_ascii_digit);
        Some(Self {
            length: str::from_utf8(length)
                .ok()
                .filter(|_| is_number)?
                .parse()
                .ok()?,
            name: name.to_owned(),
        })
    }
}

/// The name to give a file that another process named: the last component, so that no name leads out
/// of the chosen directory.
///
/// ```
/// use ipc_primer::copy::protocol::safe_name;
///
/// assert_eq!(safe_name(b"../../etc/passwd")?, "passwd");
/// assert!(safe_name(b"..").is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::InvalidData`] if the last component is empty, `.` or `..`, or holds a NUL.
pub fn safe_name(name: &[u8]) -> io::Result<&OsStr> {
    let last = name.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    if matches!(last, b"" | b"." | b"..") || last.contains(&0) {
        let name = escape(name);
        let fault = format!("the sender names the file \"{name}\", which no file can be named");
        return Err(io::Error::new(ErrorKind::InvalidData, fault));
    }
    Ok(OsStr::from_bytes(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn fault(line: &[u8]) -> ErrorKind {
        Header::read(&mut &line[..]).unwrap_err().kind()
    }

    #[test]
    fn a_header_leaves_the_bytes_behind_it() {
        let mut input = &b"FILE 2 a b \xff\n\n!"[..];
        let header = Header::read(&mut input).unwrap();
        assert_eq!((header.length, &header.name[..]), (2, &b"a b \xff"[..]));
        assert_eq!(input, b"\n!");
    }

    #[test]
    fn what_is_no_header_is_refused() {
        assert_eq!(fault(b""), ErrorKind::UnexpectedEof);
        for line in [
            &b"Goodbye"[..],
            b"FILE",
            b"FILE 3",
            b"FILE +3 x",
            b"FILE -1 x",
            b"FILE  x",
            b"FILE 99999999999999999999 x",
        ] {
            for line in [line, &[line, b"\n"].concat()] {
                assert_eq!(fault(line), ErrorKind::InvalidData, "{}", escape(line));
            }
        }
        assert_eq!(fault(b"FILE 0 cut o"), ErrorKind::InvalidData);
    }

    #[test]
    fn a_header_without_an_end_is_refused_at_its_limit() {
        const LEN: u64 = 1 << 20;
        let mut long = BufReader::with_capacity(1, io::repeat(b'x').take(LEN));
        let error = Header::read(&mut long).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert_eq!(long.into_inner().limit(), LEN - MAX_HEADER);
    }

    #[test]
    fn no_name_leads_out_of_the_directory() {
        for (name, safe) in [("a", Some("a")), ("/etc/b", Some("b")), ("c/", None)] {
            assert_eq!(safe_name(name.as_bytes()).ok(), safe.map(OsStr::new));
        }
        assert!(safe_name(b"a\0b").is_err());
    }
}
