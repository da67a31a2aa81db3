//! What a student reads when a check does not hold: first what happened, then what it means.

use std::io;

use super::bytes::{Shown, show};
use crate::support::escape::escape;

/// What a check returns.
pub type Verdict = Result<(), Fault>;

/// Why a check does not hold.
///
/// ```
/// use ipc_primer::grade::Fault;
///
/// let fault = Fault::new("the answer is wrong").compared(b"Result = 42", b"Result = 40");
/// assert_eq!(fault.to_string(), "\
/// what      the answer is wrong
/// expected  Result = 42
/// came      Result = 40
///                     ^ byte 10 is the first that differs, counted from 0
/// ");
/// ```
#[derive(Debug)]
pub struct Fault {
    lines: Vec<(&'static str, String)>,
    cause: Option<String>,
    error: Option<io::Error>,
}

/// An error that keeps the grader from working is not the program's fault: it ends the grader.
impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        let error = Some(error);
        Self {
            error,
            ..Self::new("the grader cannot go on")
        }
    }
}

impl Fault {
    /// A fault that says in one sentence what happened.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            lines: Vec::new(),
            cause: None,
            error: None,
        }
        .line("what", what.into())
    }

    /// Adds what the program was sent.
    pub fn sent(self, bytes: &[u8]) -> Self {
        match bytes {
            [] => self,
            _ => self.line("sent", show(bytes)),
        }
    }

    /// Adds what the program was given, typed or asked, in words.
    pub fn given(self, given: impl Into<String>) -> Self {
        self.line("given", given.into())
    }

    /// Adds what was expected, in words.
    pub fn expected(self, expected: impl Into<String>) -> Self {
        self.line("expected", expected.into())
    }

    /// Adds what came instead, in words.
    pub fn came(self, came: impl Into<String>) -> Self {
        self.line("came", came.into())
    }

    /// Adds the bytes that were expected and those that came, and marks the first that differs.
    pub fn compared(self, expected: &[u8], came: &[u8]) -> Self {
        let shown = Shown::compare(expected, came);
        let both = self.expected(shown.expected).came(shown.came);
        match came {
            [] => both, // nothing came: there is nothing to mark
            _ => both.line("", shown.mark),
        }
    }

    /// Replaces the check's likely cause with a likelier one, in one sentence.
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(escape(&cause.into()).into_owned());
        self
    }

    /// The likelier cause, if there is one.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The error that ends the grader, if it is one.
    pub(super) fn error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    /// The sentence that says what happened.
    pub fn what(&self) -> &str {
        &self.lines[0].1
    }

    fn line(mut self, label: &'static str, text: String) -> Self {
        self.lines.push((label, escape(&text).into_owned()));
        self
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut lines = self.lines.iter();
        lines.try_for_each(|(label, text)| writeln!(f, "{label:<9} {text}"))
    }
}
