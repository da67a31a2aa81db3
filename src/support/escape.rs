//! Escaping of text from strangers before it reaches a terminal or a report.
//!
//! A terminal obeys what is printed on it: `ESC ] 0 ; text BEL` sets its title, `ESC [ 2 J` clears it,
//! some sequences make it *type* an answer. Other characters reorder the text around them, or are
//! invisible, so that two names look the same. [`escape`](escape()) shows all of these in a form that does
//! nothing, and leaves all other text as it is.
//!
//! Stderr is escaped in one place, [`log`](mod@crate::support::log); stdout and reports, as they are written.

use std::borrow::Cow;
use std::fmt::Write;

/// Shows `text` with its unprintable parts escaped: a character as `\u{1b}` (the usual ones as `\n`,
/// `\r`, `\t` and `\0`), a byte that is not UTF-8 as `\xff`.
///
/// A backslash stays as it is, and so do quotes. So a reader cannot tell an escaped character from the same
/// letters in plain text: this makes text safe to show, but not to read back. It also means that
/// text can be escaped twice without harm.
///
/// ```
/// use ipc_primer::chat::escape;
///
/// assert_eq!(escape(b"it's \x1b[2J\xff fine"), r"it's \u{1b}[2J\xff fine");
/// assert_eq!(escape(r#"C:\dir is "plain""#), r#"C:\dir is "plain""#);
/// ```
pub fn escape<T: AsRef<[u8]> + ?Sized>(text: &T) -> Cow<'_, str> {
    let text = text.as_ref();
    // Nearly all text is plain ASCII; the compiler can vectorise a loop without an early exit.
    let is_ascii = |all, byte: &u8| all & (0x20..0x7f).contains(byte);
    match str::from_utf8(text) {
        Ok(plain) if text.iter().fold(true, is_ascii) => Cow::Borrowed(plain),
        _ => Cow::Owned(escape_all(text)),
    }
}

fn escape_all(text: &[u8]) -> String {
    let mut escaped = String::new();
    for chunk in text.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\0' => escaped += "\\0",
                _ if is_printable(letter) => escaped.push(letter),
                _ => escaped.extend(letter.escape_default()),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(escaped, "\\x{byte:02x}");
        }
    }
    escaped
}

/// Whether a character takes up its place on the screen, is visible there, and does nothing else. A blank
/// (U+0020) is printable; other white space is not.
///
/// The joiners and selectors that some emoji and some scripts use (U+200C, U+200D, U+FE0F) are
/// invisible, so they are not printable: such an emoji is shown as its parts.
pub fn is_printable(letter: char) -> bool {
    !matches!(letter,
        // Controls: the general category Cc.
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        // Blanks and ends of lines: the property White_Space, except the blank itself.
        | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}'
        | '\u{202f}' | '\u{205f}' | '\u{3000}'
        // Invisible: the property Default_Ignorable_Code_Point, which includes all of Bidi_Control.
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        // Marks around annotations and hieroglyphs: the rest of the general category Cf, except the number
        // signs of some scripts, which are visible (Prepended_Concatenation_Mark).
        | '\u{fff9}'..='\u{fffb}' | '\u{13430}'..='\u{1343f}'
        // Blank in shape, whatever their properties: a Braille pattern without a dot, a note without a head,
        // a filler of Khitan letters.
        | '\u{2800}' | '\u{1d159}' | '\u{16fe4}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex_syntax::hir::{Class, HirKind};

    /// The characters that Unicode's own tables put into `class`, written as in a regular expression.
    fn ranges(class: &str) -> Vec<(char, char)> {
        match regex_syntax::parse(class).unwrap().into_kind() {
            HirKind::Class(Class::Unicode(class)) => class
                .iter()
                .map(|range| (range.start(), range.end()))
                .collect(),
            other => panic!("{class} is not a class: {other:?}"),
        }
    }

    #[test]
    fn the_table_is_that_of_unicode() {
        let unprintable = ranges(
            r"[\p{Cc}\p{Cf}\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\x{2800}\x{1d159}\x{16fe4}--[\ \p{Prepended_Concatenation_Mark}]]",
        );
        for letter in '\0'..=char::MAX {
            let listed = unprintable
                .iter()
                .any(|&(first, last)| (first..=last).contains(&letter));
            assert_eq!(is_printable(letter), !listed, "U+{:04X}", u32::from(letter));
        }
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        for text in [
            "",
            r#"it's "quoted" C:\dir \u{1b}"#,
            "Grüße, мир, 世界, e\u{301}, 👩🚀",
        ] {
            assert_eq!(escape(text), text);
        }
    }

    #[test]
    fn everything_else_is_shown_in_letters_that_can_be_printed() {
        for (text, shown) in [
            (&b"\x1b]0;owned\x07"[..], r"\u{1b}]0;owned\u{7}"),
            (b"a\0b\tc\rd\ne\x7f", r"a\0b\tc\rd\ne\u{7f}"),
            (b"a\xffb\xc3", r"a\xffb\xc3"),
            // C1 controls, as UTF-8 and as bare bytes.
            ("\u{9b}31m".as_bytes(), r"\u{9b}31m"),
            (b"\x9b31m", r"\x9b31m"),
            (
                "👩\u{200d}🚀 ❤\u{fe0f}".as_bytes(),
                r"👩\u{200d}🚀 ❤\u{fe0f}",
            ),
        ] {
            assert_eq!(escape(text), shown);
            assert_eq!(
                escape(&*escape(text)),
                shown,
                "a second time changes nothing"
            );
        }
        for letter in ('\0'..=char::MAX).filter(|letter| !is_printable(*letter)) {
            let text = letter.to_string();
            let shown = escape(&text);
            assert!(
                shown.chars().all(is_printable),
                "U+{:04X}: {shown:?}",
                u32::from(letter)
            );
        }
    }
}
