//! What a student hands in: a program and its arguments.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use super::User;
use crate::support::escape::escape;

/// What a student hands in, and how the grader treats it.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The program and its arguments, with their placeholders.
    pub words: Vec<OsString>,
    /// The socket's path that is written into the program, if the program cannot be told another.
    pub socket: Option<PathBuf>,
    /// The user who runs the program, if that is not the one who runs the grader.
    pub user: Option<User>,
    /// How long the program may take for each thing that is expected of it.
    pub timeout: Duration,
    /// The seed of the random inputs.
    pub seed: u64,
}

impl Submission {
    /// The program and its arguments as they were given.
    pub(super) fn shown(&self) -> String {
        show_words(self.words.iter().map(OsString::as_os_str))
    }
}

/// The words as a shell would take them, escaped.
pub(super) fn show_words<'a>(words: impl Iterator<Item = &'a OsStr>) -> String {
    let plain = |text: &str| {
        !text.is_empty()
            && !text.contains(|c: char| c.is_whitespace() || "'\"\\$&;<>|*?".contains(c))
    };
    let shown = words.map(|word| match word.to_string_lossy() {
        text if plain(&text) => text.into_owned(),
        text => format!("'{}'", text.replace('\'', "'\\''")),
    });
    escape(&shown.collect::<Vec<_>>().join(" ")).into_owned()
}
