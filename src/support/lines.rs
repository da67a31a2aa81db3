//! Lines from a stream that is not to be trusted, and from a stdin whose reader cannot be woken.

use std::io::{self, BufRead, BufReader};
use std::thread;

use crate::stop::StopToken;
use crate::support::error::Context;
use crate::support::mailbox::Mailbox;
use crate::support::stdio::stdin;

/// One line of input, without its line end.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The line's bytes, at most as many as the limit: not yet known to be UTF-8.
    pub bytes: Vec<u8>,
    /// Whether the line was longer than the limit; the rest beyond it was skipped.
    pub cut: bool,
}

/// Reads one line of at most `limit` bytes; `None` at the end of input. A last line without a line
/// end counts. A longer line is skipped to its end in bounded memory: [`BufRead::read_line`] would
/// gather all of it.
///
/// # Errors
/// Those of the reader, except `Interrupted`: that read is tried again.
#[doc(alias = "fgets")]
#[doc(alias = "getline")]
pub fn read_line(input: &mut impl BufRead, limit: usize) -> io::Result<Option<Line>> {
    let mut line = Line::default();
    Ok(read_line_into(input, limit, &mut line)?.then_some(line))
}

/// Does the same as [`read_line`] into an existing line, and says whether there was one:
/// a reader of a million lines need not allocate memory a million times.
///
/// # Errors
/// Those of [`read_line`].
pub fn read_line_into(input: &mut impl BufRead, limit: usize, line: &mut Line) -> io::Result<bool> {
    line.bytes.clear();
    line.cut = false;
    let mut seen = 0;
    loop {
        let chunk = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        // std uses its `memchr` for a byte only in here: faster than looking at one byte after another.
        let used = (&mut &*chunk).skip_until(b'\n')?;
        let body = chunk[..used].strip_suffix(b"\n");
        let ended = body.is_some();
        let body = body.unwrap_or(&chunk[..used]);
        let room = limit - line.bytes.len();
        line.bytes.extend_from_slice(&body[..body.len().min(room)]);
        line.cut |= body.len() > room;
        input.consume(used);
        seen += used;
        if ended || used == 0 {
            return Ok(seen > 0);
        }
    }
}

/// Calls `take` with each line of stdin, of at most `limit` bytes, until the input ends, `take` fails, or
/// `stop` is requested. While `take` is at work, up to `waiting` more lines are read.
///
/// # Errors
/// Those of [`send_stdin_lines`], of stdin, and of `take`.
pub fn each_stdin_line(
    limit: usize,
    waiting: usize,
    stop: &StopToken,
    mut take: impl FnMut(Line) -> io::Result<()>,
) -> io::Result<()> {
    let mailbox = Mailbox::new(waiting, stop);
    send_stdin_lines(limit, mailbox.sender())?;
    while let Some(line) = mailbox.next() {
        match line? {
            Some(line) => take(line)?,
            None => break,
        }
    }
    Ok(())
}

/// Reads stdin on a thread of its own, which calls `tell` with every line of at most `limit` bytes, then with
/// the end of input or the error that ended it.
///
/// A blocked read of stdin cannot be woken, so no thread waits for this one: it is left behind when
/// the program ends. It also ends when `tell` says that its listener has stopped.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] (`EAGAIN`) if there can be no more threads.
pub fn send_stdin_lines(
    limit: usize,
    tell: impl Fn(io::Result<Option<Line>>) -> bool + Send + 'static,
) -> io::Result<()> {
    let mut stdin = BufReader::new(stdin());
    let read = move || {
        loop {
            let line = read_line(&mut stdin, limit);
            let last = !matches!(line, Ok(Some(_)));
            if !tell(line) || last {
                return;
            }
        }
    };
    let started = thread::Builder::new().spawn(read).map(drop);
    started.context(|| "cannot start the thread that reads stdin".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whole_or_cut_at_its_limit() {
        let mut input = &b"42\nfar too long\nlast"[..];
        let mut next = || read_line(&mut input, 5).unwrap();
        assert_eq!(next().unwrap().bytes, b"42");
        assert!(next().unwrap().cut);
        assert_eq!(next().unwrap().bytes, b"last");
        assert_eq!(next(), None);
    }

    fn lines(text: &[u8], limit: usize, buffer: usize) -> Vec<(Vec<u8>, bool)> {
        let mut input = BufReader::with_capacity(buffer, text);
        std::iter::from_fn(|| read_line(&mut input, limit).unwrap())
            .map(|line| (line.bytes, line.cut))
            .collect()
    }

    #[test]
    fn lines_are_the_same_whatever_the_buffer() {
        for buffer in 1..12 {
            let got = lines(b"a\n\nbcd\nbcde\nf", 3, buffer);
            let whole = |text: &[u8]| (text.to_vec(), false);
            let expected = [
                whole(b"a"),
                whole(b""),
                whole(b"bcd"),
                (b"bcd".to_vec(), true),
                whole(b"f"),
            ];
            assert_eq!(got, expected, "buffer of {buffer} bytes");
        }
    }
}
