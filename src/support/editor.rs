//! The line that is being typed, held by us and not by the terminal, so that it can be drawn again
//! below the lines that arrive meanwhile.
//!
//! A program that needs more (history, the arrow keys) uses a readline; this does what a line discipline does.

use crate::support::escape::escape;

/// The prompt that a user at a terminal sees.
pub const PROMPT: &str = "> ";

/// The words typed so far, built from a stream of keys.
pub struct Editor {
    words: Vec<u8>,
    /// The most bytes that `words` may hold.
    limit: usize,
    escape: Escape,
}

/// Position inside a key that sends more than one byte, such as an arrow: `ESC [ … letter`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    None,
    Begun,
    Sequence,
}

/// The effect of a key beyond the line itself.
#[derive(Debug, PartialEq, Eq)]
pub enum Pressed {
    Enter(Vec<u8>),
    End,
}

impl Editor {
    /// An empty line that holds at most so many bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            words: Vec::new(),
            limit,
            escape: Escape::None,
        }
    }

    /// Takes a key, and returns its effect beyond the line.
    pub fn press(&mut self, key: u8) -> Option<Pressed> {
        if self.is_in_escape(key) {
            return None;
        }
        match key {
            b'\r' | b'\n' => return Some(Pressed::Enter(std::mem::take(&mut self.words))),
            4 if self.words.is_empty() => return Some(Pressed::End), // Ctrl-D
            8 | 0x7f => self.erase_letter(),
            21 => self.words.clear(), // Ctrl-U
            23 => self.erase_word(),  // Ctrl-W
            b'\t' => self.push(b' '),
            0..0x20 => {} // no control character is sent by accident
            _ => self.push(key),
        }
        None
    }

    fn push(&mut self, key: u8) {
        if self.words.len() < self.limit {
            self.words.push(key);
        }
    }

    fn erase_letter(&mut self) {
        // Down to the first byte of the character: the other bytes of a UTF-8 character are 10xxxxxx.
        while self.words.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
    }

    fn erase_word(&mut self) {
        while self.words.pop_if(|byte| *byte == b' ').is_some() {}
        while self.words.pop_if(|byte| *byte != b' ').is_some() {}
    }

    fn is_in_escape(&mut self, key: u8) -> bool {
        let before = self.escape;
        self.escape = match (before, key) {
            (_, 0x1b) => Escape::Begun,
            (Escape::Begun, b'[' | b'O') => Escape::Sequence,
            (Escape::Sequence, 0x20..0x40) => Escape::Sequence,
            _ => Escape::None,
        };
        before != Escape::None || self.escape != Escape::None
    }

    /// The prompt and the words, or as much of their end as fits into a row.
    pub fn drawn(&self, columns: usize) -> String {
        // Half a character, of which the rest is still to come, is not drawn as broken.
        let words = escape(whole_letters(&self.words));
        let room = columns.saturating_sub(PROMPT.len() + 1).max(1);
        let length = words.chars().count();
        if length <= room {
            return format!("{PROMPT}{words}");
        }
        let end: String = words.chars().skip(length - room + 1).collect();
        format!("{PROMPT}…{end}")
    }
}

fn whole_letters(words: &[u8]) -> &[u8] {
    match str::from_utf8(words) {
        Err(error) if error.error_len().is_none() => &words[..error.valid_up_to()],
        _ => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 4096;

    /// The lines that these keys produce, and the final drawing.
    fn typed(keys: &str) -> (Vec<String>, String) {
        let mut editor = Editor::new(LIMIT);
        let pressed = keys.bytes().filter_map(|key| editor.press(key));
        let lines = pressed.map(|pressed| match pressed {
            Pressed::Enter(words) => String::from_utf8(words).unwrap(),
            Pressed::End => "(end)".into(),
        });
        (lines.collect(), editor.drawn(12))
    }

    #[test]
    fn keys_make_lines() {
        assert_eq!(
            typed("one\rtwo\nthr"),
            (vec!["one".into(), "two".into()], "> thr".into())
        );
        assert_eq!(typed("\r").0, [""]);
    }

    #[test]
    fn keys_that_erase_erase_letters_and_words() {
        assert_eq!(typed("zoë\x7f\x08").1, "> z");
        assert_eq!(typed("\x7fa").1, "> a");
        assert_eq!(typed("a bc  \x17").1, "> a ");
        assert_eq!(typed("abc\x15").1, "> ");
    }

    #[test]
    fn the_end_is_ctrl_d_on_an_empty_line() {
        assert_eq!(typed("\x04").0, ["(end)"]);
        assert_eq!(typed("ab\x04").0, [""; 0]);
    }

    #[test]
    fn arrows_and_other_control_keys_leave_no_trace() {
        assert_eq!(typed("a\x1b[A\x1b[1;5C\x1bOPb\x01\x1bxc").1, "> abc");
    }

    #[test]
    fn a_long_line_is_drawn_from_its_end_and_goes_out_whole() {
        assert_eq!(typed("123456789").1, "> 123456789");
        assert_eq!(typed("1234567890").1, "> …34567890");
        let long = "x".repeat(LIMIT);
        assert_eq!(typed(&format!("{long}yy\r")).0, [long]);
    }

    #[test]
    fn half_a_letter_is_not_drawn() {
        let mut editor = Editor::new(LIMIT);
        for &byte in &"aß".as_bytes()[..2] {
            editor.press(byte);
        }
        assert_eq!(editor.drawn(20), "> a");
    }
}
