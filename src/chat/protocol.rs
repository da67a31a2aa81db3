//! The wire format: lines of text, the first of which may give a name.
//!
//! A line is UTF-8 and ends in `\n` (or `\r\n`), so that `nc -U` and `socat` are full clients. A byte
//! stream has no message boundaries; here the line end is the boundary.

use std::fmt;

use crate::support::escape::is_printable;

/// The longest line, in bytes without its line end.
pub const MAX_LINE: usize = 4096;

/// The longest name, in characters.
pub const MAX_NAME: usize = 32;

/// The name of a client that gives none.
pub(crate) const ANONYMOUS: &str = "anonymous";

/// Whether a client can have this name: 1 to [`MAX_NAME`] characters, none of them a blank and all
/// of them printable ([`escape`](super::escape()) changes nothing in them).
///
/// ```
/// use ipc_primer::chat::protocol::is_name;
///
/// assert!(is_name("zoë"));
/// assert!(!is_name("") && !is_name("two words") && !is_name("\x1b[31mred"));
/// ```
pub fn is_name(name: &str) -> bool {
    let fits = |letter: char| letter != ' ' && is_printable(letter);
    (1..=MAX_NAME).contains(&name.chars().count()) && name.chars().all(fits)
}

/// The first line of a client that says who it is: `HELLO <name> <pid>`.
///
/// The pid is the one that the client gives. A server that must know it for certain asks the kernel
/// (`SO_PEERCRED`), which the stable standard library cannot do yet.
///
/// ```
/// use ipc_primer::chat::protocol::Hello;
///
/// let hello = Hello { name: "alice".into(), pid: 4242 };
/// assert_eq!(hello.to_string(), "HELLO alice 4242");
/// assert_eq!(Hello::parse(b"HELLO alice 4242"), Some(hello));
/// assert_eq!(Hello::parse(b"HELLO everybody out there"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "getnameinfo")]
pub struct Hello {
    /// The client's name; [`is_name`] holds for it.
    pub name: String,
    /// The client's process ID.
    pub pid: u32,
}

impl Hello {
    /// The HELLO in a line without its line end; `None` if the line is anything else.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let rest = str::from_utf8(line).ok()?.strip_prefix("HELLO ")?;
        let (name, pid) = rest.split_once(' ')?;
        let pid = pid.parse().ok().filter(|&pid| pid > 0)?;
        is_name(name).then(|| Self {
            name: name.to_owned(),
            pid,
        })
    }
}

impl fmt::Display for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HELLO {} {}", self.name, self.pid)
    }
}

/// The text of a line, or `None` if it is too long. `line` may still end in the `\r` of a `\r\n`, as the
/// `Enter` key of a network terminal sends it.
pub(super) fn text(line: &[u8]) -> Option<&[u8]> {
    let text = line.strip_suffix(b"\r").unwrap_or(line);
    (text.len() <= MAX_LINE).then_some(text)
}

/// The clients to which a line typed at the server goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address<'a> {
    /// To every client.
    All,
    /// `@name`: to the client of that name.
    Name(&'a str),
    /// `@#number`: to the client of that number.
    Number(u64),
}

impl<'a> Address<'a> {
    /// Splits a typed line into its address and the text that is left.
    ///
    /// ```
    /// use ipc_primer::chat::protocol::Address;
    ///
    /// assert_eq!(Address::of(b"good morning"), (Address::All, &b"good morning"[..]));
    /// assert_eq!(Address::of(b"@alice hello"), (Address::Name("alice"), &b"hello"[..]));
    /// assert_eq!(Address::of(b"@#2 hello"), (Address::Number(2), &b"hello"[..]));
    /// ```
    pub fn of(line: &'a [u8]) -> (Self, &'a [u8]) {
        let Some(rest) = line.strip_prefix(b"@") else {
            return (Self::All, line);
        };
        let end = rest.iter().position(|&byte| byte == b' ');
        let (who, text) = rest.split_at(end.unwrap_or(rest.len()));
        let who = str::from_utf8(who).unwrap_or_default(); // no client has the name ""
        let number = who.strip_prefix('#').and_then(|number| number.parse().ok());
        let address = number.map_or(Self::Name(who), Self::Number);
        (address, text.strip_prefix(b" ").unwrap_or(text))
    }
}

impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("everybody"),
            Self::Name(name) => write!(f, "@{name}"),
            Self::Number(number) => write!(f, "@#{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_1_to_32_characters_and_has_no_tricks_in_it() {
        assert!(is_name(&"é".repeat(32)), "characters count, not bytes");
        assert!(!is_name(&"e".repeat(33)));
        for bad in [
            "",
            "a b",
            "a\tb",
            "a\u{a0}b",
            "a\0",
            "a\u{202e}b",
            "a\u{9b}m",
            "\u{200d}",
            "\u{3164}",
            "\u{2800}",
            "a\u{fe0f}",
            "a\u{ad}b",
        ] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn only_a_whole_hello_is_one() {
        for bad in [
            "HELLO",
            "HELLO ",
            "HELLO alice",
            "HELLO alice ",
            "HELLO alice 0",
            "HELLO alice -1",
            "HELLO alice 1 2",
            "HELLO alice 1x",
            "HELLO  1",
            "hello alice 1",
            " HELLO alice 1",
            "HELLO a\u{1b}b 1",
        ] {
            assert_eq!(Hello::parse(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(Hello::parse(b"HELLO \xff 1"), None);
    }

    #[test]
    fn a_line_is_4096_bytes_whatever_its_line_end() {
        let long = |length| "x".repeat(length).into_bytes();
        assert_eq!(text(&long(MAX_LINE)).map(<[u8]>::len), Some(MAX_LINE));
        assert_eq!(text(&long(MAX_LINE + 1)), None);
        let mut windows = long(MAX_LINE);
        windows.push(b'\r');
        assert_eq!(text(&windows).map(<[u8]>::len), Some(MAX_LINE));
        assert_eq!(text(b"a\r\r"), Some(&b"a\r"[..]), "one line end, not two");
    }

    #[test]
    fn addresses_that_are_none_name_nobody() {
        assert_eq!(Address::of(b"@"), (Address::Name(""), &b""[..]));
        assert_eq!(Address::of(b"@\xff hi"), (Address::Name(""), &b"hi"[..]));
        assert_eq!(Address::of(b"@#x hi"), (Address::Name("#x"), &b"hi"[..]));
        assert_eq!(Address::of(b"@#3"), (Address::Number(3), &b""[..]));
        assert_eq!(Address::of(b" @a b"), (Address::All, &b" @a b"[..]));
    }
}
