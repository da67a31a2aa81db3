//! What of a stranger's text may reach a terminal.
//!
//! A terminal obeys what is printed on it: `ESC ] 0 ; text BEL` sets its title, `ESC [ 2 J` clears it,
//! some sequences make it *type* an answer. So nobody's control characters get there: they are shown
//! escaped, as `\u{1b}`. Nor do characters that reorder or hide the text around them, nor bytes that
//! are no UTF-8.

/// Puts `text` at the end of `shown`, escaped where it has to be: control characters, characters that
/// play tricks with the text around them, and bytes that are no UTF-8.
///
/// ```
/// use ipc_primer::chat::shown::push_shown;
///
/// let mut shown = String::new();
/// push_shown(&mut shown, b"it's \x1b[2J\xff fine");
/// assert_eq!(shown, "it's \\u{1b}[2J\\xff fine");
/// ```
pub fn push_shown(shown: &mut String, text: &[u8]) {
    if let Ok(text) = str::from_utf8(text) {
        return push_text(shown, text);
    }
    for chunk in text.utf8_chunks() {
        push_text(shown, chunk.valid());
        for byte in chunk.invalid() {
            *shown += &format!("\\x{byte:02x}");
        }
    }
}

fn push_text(shown: &mut String, text: &str) {
    // Nearly all text is plain; a loop without an early exit is one that the compiler makes wide.
    let plain = |byte: &u8| (0x20..0x7f).contains(byte);
    if text
        .as_bytes()
        .iter()
        .fold(true, |all, byte| all & plain(byte))
    {
        return shown.push_str(text);
    }
    for letter in text.chars() {
        if is_shown_as_it_is(letter) {
            shown.push(letter);
        } else {
            shown.extend(letter.escape_debug());
        }
    }
}

/// Whether a character takes its place on the screen and does nothing else.
pub(super) fn is_shown_as_it_is(letter: char) -> bool {
    !letter.is_control() && !is_trick(letter)
}

/// Characters without a shape of their own that reorder, break, or hide in the text around them. The
/// joiners U+200C and U+200D are not among them: Persian, Hindi and many emoji need them.
fn is_trick(letter: char) -> bool {
    matches!(letter,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' // marks and overrides of direction
        | '\u{2066}'..='\u{2069}'
        | '\u{2028}' | '\u{2029}' // ends of lines and paragraphs
        | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{feff}' // invisible
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &[u8]) -> String {
        let mut shown = String::new();
        push_shown(&mut shown, text);
        shown
    }

    #[test]
    fn text_is_shown_as_it_is() {
        for text in [
            "",
            "it's \"plain\" \\ text",
            "Grüße, мир, 世界",
            "e\u{301}",
            "👩\u{200d}🚀",
        ] {
            assert_eq!(shown(text.as_bytes()), text);
        }
    }

    #[test]
    fn no_control_character_gets_through() {
        assert_eq!(shown(b"\x1b]0;owned\x07"), "\\u{1b}]0;owned\\u{7}");
        assert_eq!(shown(b"a\0b\tc\rd\x7f"), "a\\0b\\tc\\rd\\u{7f}");
        for letter in (0..=0xffff).filter_map(char::from_u32) {
            let got = shown(letter.to_string().as_bytes());
            assert!(
                !got.contains(char::is_control),
                "U+{:04X} is shown as {got:?}",
                u32::from(letter)
            );
        }
    }

    #[test]
    fn neither_tricks_nor_broken_characters_get_through() {
        assert_eq!(shown("a\u{202e}b".as_bytes()), "a\\u{202e}b");
        assert_eq!(shown(b"a\xffb\xc3"), "a\\xffb\\xc3");
        // C1 controls are control characters too, as UTF-8 and as bare bytes.
        assert_eq!(shown("\u{9b}31m".as_bytes()), "\\u{9b}31m");
        assert_eq!(shown(b"\x9b31m"), "\\x9b31m");
    }
}
