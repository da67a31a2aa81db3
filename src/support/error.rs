//! Errors that name the thing and the way out.
//!
//! This crate reports errors as [`std::io::Error`], as the system calls underneath do: its
//! [kind](std::io::Error::kind) tells a program what happened. People also need to know *which* socket
//! failed, and what to do now: [`Context`] adds that sentence and keeps the kind.

use std::{error, fmt, io};

/// Adds a sentence to an error and keeps its kind.
pub trait Context<T> {
    /// Puts the result of `sentence` before the error's own text. `sentence` is called only on an error.
    fn context(self, sentence: impl FnOnce() -> String) -> io::Result<T>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, sentence: impl FnOnce() -> String) -> io::Result<T> {
        self.map_err(|source| {
            let kind = source.kind();
            let sentence = sentence();
            io::Error::new(kind, InContext { sentence, source })
        })
    }
}

#[derive(Debug)]
struct InContext {
    sentence: String,
    source: io::Error,
}

impl fmt::Display for InContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.sentence, self.source)
    }
}

impl error::Error for InContext {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_sentence_is_put_before_an_error_whose_kind_stays() {
        let error = fs::read("/no/such/file")
            .context(|| "cannot read the list".into())
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().starts_with("cannot read the list: "));
    }
}
