//! Bytes in a form that a person can read, and the place where two sequences of them differ.

use std::fmt::Write;

use crate::support::escape::escape;

/// How many bytes are shown at most, as text and in hexadecimal.
const TEXT_LEN: usize = 48;
const HEX_LEN: usize = 16;

fn window_len(text: bool) -> usize {
    if text { TEXT_LEN } else { HEX_LEN }
}

/// Two sequences of bytes, and a mark below the first byte that differs.
pub(super) struct Shown {
    pub(super) expected: String,
    pub(super) came: String,
    pub(super) mark: String,
}

impl Shown {
    pub(super) fn compare(expected: &[u8], came: &[u8]) -> Self {
        let same = expected.iter().zip(came).take_while(|(a, b)| a == b);
        let at = same.count();
        let text = is_text(expected) && is_text(came);
        let start = at.saturating_sub(window_len(text) / 2);
        let column = width(&came[..at], start, text);
        let what = match came.get(at) {
            Some(_) => format!("byte {at} is the first that differs, counted from 0"),
            None => format!("nothing came after byte {at} of {}", expected.len()),
        };
        Self {
            expected: window(expected, start, text),
            came: window(came, start, text),
            mark: format!("{:column$}^ {what}", ""),
        }
    }
}

/// The first bytes, as text if they are text and in hexadecimal if not.
pub(super) fn show(bytes: &[u8]) -> String {
    window(bytes, 0, is_text(bytes))
}

fn is_text(bytes: &[u8]) -> bool {
    let text = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t');
    // Text with zero padding is text too, but an integer is not, even if one of its bytes is a letter.
    let padding = bytes.iter().rev().take_while(|byte| **byte == 0).count();
    let body = &bytes[..bytes.len() - padding];
    body.iter().all(text) && (padding == 0 || body.len() > 4)
}

/// How many columns the bytes before the first difference take.
fn width(same: &[u8], start: usize, text: bool) -> usize {
    match same {
        [] => 0,
        _ => window(same, start, text).chars().count() + usize::from(!text && same.len() > start),
    }
}

fn window(bytes: &[u8], start: usize, text: bool) -> String {
    let end = bytes.len().min(start + window_len(text));
    let mut shown = if start > 0 { "… " } else { "" }.to_owned();
    for &byte in &bytes[start.min(end)..end] {
        let _ = match byte {
            _ if !text => write!(shown, "{byte:02x} "),
            _ => write!(shown, "{}", escape(&[byte])),
        };
    }
    if end < bytes.len() {
        let _ = write!(shown, "… ({} bytes)", bytes.len());
    }
    match bytes {
        [] => "nothing".to_owned(),
        _ if text => shown,
        _ => shown.trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_below_the_first_byte_that_differs() {
        for (expected, came) in [
            (&b"Result = 42\0\0"[..], &b"Result = 40\0\0"[..]),
            (&[1, 2, 3, 4], &[1, 2, 9, 4]),
            (&[b'a'; 100], &[&[b'a'; 90][..], &[b'b'; 10]].concat()),
        ] {
            let shown = Shown::compare(expected, came);
            let column = shown.mark.chars().position(|c| c == '^').unwrap();
            let differs = |text: &str| text.chars().skip(column).take(2).collect::<String>();
            let before = |text: &str| text.chars().take(column).collect::<String>();
            assert_eq!(before(&shown.expected), before(&shown.came));
            assert_ne!(differs(&shown.expected), differs(&shown.came));
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        let shown = Shown::compare(b"Result = 42\0", b"Result = 42");
        assert!(shown.mark.ends_with("nothing came after byte 11 of 12"));
    }

    #[test]
    fn text_is_shown_as_text_and_integers_in_hexadecimal() {
        assert_eq!(show(b"a\n\\\x1b"), "61 0a 5c 1b");
        assert_eq!(show(b"HELLO eve 7\n"), "HELLO eve 7\\n");
        assert_eq!(show(&40i32.to_le_bytes()), "28 00 00 00");
    }
}
