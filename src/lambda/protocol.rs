//! The wire format: one line of up to three fields in one direction, a path in the other.
//!
//! The format is that of the course assignment whose note this module mirrors, so its C clients work
//! unchanged: they send the fields in one `send` and print the result of one `recv`.

use std::fmt;

use crate::support::escape::escape;

/// The longest message, in bytes, without the newline that may end it.
pub const MESSAGE_LEN: usize = 1024;

/// The function that is run when the client names none.
pub const DEFAULT_FUNCTION: &str = "run";

/// The exit status with which a program says that it could not run the function: a shell uses it
/// for a command that was not found.
pub(super) const NOT_EXECUTED: i32 = 127;

/// What a client asks for: `<library> [<function> [<file>]]`, separated by blanks.
///
/// It is displayed with single blanks, whatever blanks the client sent.
///
/// ```
/// use ipc_primer::lambda::protocol::Request;
///
/// let request = Request::parse(b"/lib/greet.sh  hello\n")?;
/// assert_eq!(request.function(), "hello");
/// assert_eq!(request.to_string(), "/lib/greet.sh hello");
/// # Ok::<(), ipc_primer::lambda::protocol::Malformed>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The path of the library.
    pub library: String,
    function: Option<String>,
    /// The file that the function is to work on.
    pub file: Option<String>,
}

impl Request {
    /// Parses a message, up to its first newline if it has one. NUL bytes at the very end are dropped:
    /// some C clients send their string with its NUL, or all of a buffer.
    ///
    /// # Errors
    /// [`Malformed`], which says why the message is not a request.
    pub fn parse(message: &[u8]) -> Result<Self, Malformed> {
        let line = line_of(message);
        if line.len() > MESSAGE_LEN {
            return Err(Malformed::TooLong);
        }
        if line.contains(&0) {
            return Err(Malformed::Nul);
        }
        let text = str::from_utf8(line).map_err(|_| Malformed::NotUtf8)?;
        let mut fields = text.split_ascii_whitespace().map(str::to_owned);
        let request = Self {
            library: fields.next().ok_or(Malformed::Empty)?,
            function: fields.next(),
            file: fields.next(),
        };
        match fields.next() {
            None => Ok(request),
            Some(_) => Err(Malformed::TooManyFields),
        }
    }

    /// Builds a request from its fields.
    ///
    /// # Errors
    /// [`Malformed`] if a field is empty or holds a blank, or if the fields together are too long: the
    /// server would not receive this request.
    pub fn new(
        library: &str,
        function: Option<&str>,
        file: Option<&str>,
    ) -> Result<Self, Malformed> {
        let request = Self {
            library: library.to_owned(),
            function: function.map(str::to_owned),
            file: file.map(str::to_owned),
        };
        match Self::parse(request.to_string().as_bytes())? {
            parsed if parsed == request => Ok(request),
            _ => Err(Malformed::Blank),
        }
    }

    /// The function to run: [`DEFAULT_FUNCTION`] if the client named none.
    pub fn function(&self) -> &str {
        self.function.as_deref().unwrap_or(DEFAULT_FUNCTION)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.library)?;
        let more = [&self.function, &self.file].into_iter().flatten();
        more.into_iter().try_for_each(|field| write!(f, " {field}"))
    }
}

/// The line that an output file holds when the requested function could not be run.
///
/// ```
/// use ipc_primer::lambda::protocol::error_line;
///
/// assert_eq!(error_line("/lib/no.so f"), "Error: /lib/no.so f could not be executed.\n");
/// ```
#[doc(alias = "dlerror")]
pub fn error_line(asked: &str) -> String {
    format!("Error: {asked} could not be executed.\n")
}

/// A malformed message, as text for that line: escaped, because it comes from a stranger, and cut to
/// the length of the longest message.
pub(super) fn escaped(message: &[u8]) -> String {
    let line = line_of(message);
    let line = &line[..line.len().min(MESSAGE_LEN)];
    escape(line.trim_ascii()).into_owned()
}

/// Why a message is not a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// It has no field.
    Empty,
    /// It is longer than [`MESSAGE_LEN`].
    TooLong,
    /// It holds a NUL byte, which ends a C string and cannot be part of a path.
    Nul,
    /// It is not UTF-8.
    NotUtf8,
    /// It has more than three fields.
    TooManyFields,
    /// A field is empty or holds a blank, which only the client can detect.
    Blank,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the message is empty"),
            Self::TooLong => write!(f, "the message is longer than {MESSAGE_LEN} bytes"),
            Self::Nul => f.write_str("the message holds a NUL byte"),
            Self::NotUtf8 => f.write_str("the message is not UTF-8"),
            Self::TooManyFields => f.write_str("the message has more than three fields"),
            Self::Blank => f.write_str("a field is empty or holds a blank"),
        }
    }
}

impl std::error::Error for Malformed {}

fn line_of(message: &[u8]) -> &[u8] {
    let line = message.split(|&byte| byte == b'\n').next().unwrap_or(&[]);
    let end = line.iter().rposition(|&byte| byte != 0);
    &line[..end.map_or(0, |last| last + 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn malformed(message: &[u8]) -> Malformed {
        Request::parse(message).unwrap_err()
    }

    #[test]
    fn one_two_and_three_fields_are_understood_however_they_end() {
        for end in ["", "\n", "\r\n", " \nignored", "\0", "\0\0\0"] {
            for fields in ["a.so", "a.so f", "a.so f in.txt"] {
                let request = Request::parse(format!("{fields}{end}").as_bytes()).unwrap();
                assert_eq!(request.to_string(), fields, "ended by {end:?}");
            }
        }
    }

    #[test]
    fn what_is_no_request_is_told_apart() {
        for empty in [&b""[..], b"\n", b"  \t\n", b"\0\0", b"\na.so"] {
            assert_eq!(malformed(empty), Malformed::Empty, "{empty:?}");
        }
        assert_eq!(malformed(b"a.so\0 f"), Malformed::Nul);
        assert_eq!(malformed(b"a.so \xff"), Malformed::NotUtf8);
        assert_eq!(malformed(b"a b c d"), Malformed::TooManyFields);
    }

    #[test]
    fn the_length_is_checked_to_the_byte() {
        let message = |length| vec![b'x'; length];
        assert!(Request::parse(&message(MESSAGE_LEN)).is_ok());
        let mut with_newline = message(MESSAGE_LEN);
        with_newline.push(b'\n');
        assert!(Request::parse(&with_newline).is_ok());
        assert_eq!(malformed(&message(MESSAGE_LEN + 1)), Malformed::TooLong);
        assert_eq!(escaped(&message(MESSAGE_LEN + 9)).len(), MESSAGE_LEN);
    }

    #[test]
    fn a_client_does_not_send_what_would_arrive_as_something_else() {
        assert_eq!(Request::new("a b", None, None), Err(Malformed::Blank));
        assert_eq!(
            Request::new("a", Some(""), Some("b")),
            Err(Malformed::Blank)
        );
        assert!(Request::new("a", Some("f"), Some("b")).is_ok());
    }
}
