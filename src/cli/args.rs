//! The words of a command line, taken one after the other; a word that is left over is a mistake.

use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::io;

use crate::stop::StopToken;

use super::{Failure, Outcome};

/// The words that are left.
pub(super) struct Args {
    /// Up to `--`.
    options: Vec<OsString>,
    /// After `--`: never an option.
    plain: Vec<OsString>,
    /// The command so far, whose help a message points to.
    command: &'static str,
    /// Tells the command to end.
    pub(super) stop: StopToken,
}

impl Args {
    pub(super) fn new(words: impl Iterator<Item = OsString>) -> Self {
        let mut options: Vec<_> = words.collect();
        let end = options.iter().position(|word| word == "--");
        let plain = end
            .map(|at| options.split_off(at).split_off(1))
            .unwrap_or_default();
        Self {
            options,
            plain,
            command: "ipc",
            stop: StopToken::new(),
        }
    }

    /// Names the command for the messages that follow.
    pub(super) fn set_command(&mut self, command: &'static str) {
        self.command = command;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.options.is_empty() && self.plain.is_empty()
    }

    pub(super) fn first(&self) -> Option<String> {
        self.options
            .first()
            .map(|word| word.to_string_lossy().into_owned())
    }

    /// Takes the first word if it can be a command: text that is not an option.
    pub(super) fn command(&mut self) -> Option<String> {
        let word = self.options.first()?.to_str()?.to_owned();
        (!word.starts_with('-')).then(|| {
            self.options.remove(0);
            word
        })
    }

    /// Takes the next word, even one like `-1` that begins with a hyphen.
    pub(super) fn required(&mut self, what: impl Display) -> Result<String, Failure> {
        let words = match self.options.is_empty() {
            true => &mut self.plain,
            false => &mut self.options,
        };
        if words.is_empty() {
            return Err(self.fault(format!("`{}` needs {what}", self.command)));
        }
        Ok(words.remove(0).to_string_lossy().into_owned())
    }

    /// Takes the option if it is present.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        let at = self.options.iter().position(|word| word == name);
        at.map(|at| self.options.remove(at)).is_some()
    }

    pub(super) fn wants_help(&mut self) -> bool {
        self.flag("--help") || self.flag("-h")
    }

    /// Takes the value of an option: `--name VALUE` or `--name=VALUE`.
    pub(super) fn value(&mut self, name: &str) -> Result<Option<OsString>, Failure> {
        let is_it = |word: &OsString| word == name || inline_value(word, name).is_some();
        let Some(at) = self.options.iter().position(is_it) else {
            return Ok(None);
        };
        let word = self.options.remove(at);
        if let Some(value) = inline_value(&word, name) {
            return Ok(Some(value.to_owned()));
        }
        if at == self.options.len() {
            return Err(self.fault(format!("{name} needs a value")));
        }
        Ok(Some(self.options.remove(at)))
    }

    /// Takes the next word that is not an option: a plain argument. Take options that have values first, or
    /// their values count as arguments.
    pub(super) fn argument(&mut self) -> Option<OsString> {
        let is_plain = |word: &OsString| !word.as_encoded_bytes().starts_with(b"-");
        match self.options.iter().position(is_plain) {
            Some(at) => Some(self.options.remove(at)),
            None => (!self.plain.is_empty()).then(|| self.plain.remove(0)),
        }
    }

    /// The event that tells the command to end; from now on, SIGINT, SIGTERM and SIGHUP request it.
    pub(super) fn stop(&self) -> io::Result<StopToken> {
        self.stop.request_on_signals()?;
        Ok(self.stop.clone())
    }

    /// Says that the command was called the wrong way.
    pub(super) fn fault(&self, fault: impl Display) -> Failure {
        Failure::Usage(format!("{fault}"), self.command)
    }

    /// Takes all words after `--`.
    pub(super) fn behind_dashes(&mut self) -> Vec<OsString> {
        std::mem::take(&mut self.plain)
    }

    /// The last call: words that are left over are a mistake.
    pub(super) fn finish(&mut self) -> Outcome {
        match self.options.first().or(self.plain.first()) {
            None => Ok(()),
            Some(word) => Err(self.fault(format!(
                "`{}` does not know what to do with {word:?}",
                self.command
            ))),
        }
    }
}

fn inline_value<'a>(word: &'a OsStr, name: &str) -> Option<&'a OsStr> {
    use std::os::unix::ffi::OsStrExt;
    let value = word
        .as_bytes()
        .strip_prefix(name.as_bytes())?
        .strip_prefix(b"=")?;
    Some(OsStr::from_bytes(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Args {
        Args::new(line.split_whitespace().map(OsString::from))
    }

    fn fault(failure: Failure) -> String {
        match failure {
            Failure::Usage(fault, _) => fault,
            Failure::Run(error) | Failure::Ungraded(error) => {
                panic!("not a fault of usage: {error}")
            }
        }
    }

    #[test]
    fn options_are_taken_in_any_order_and_both_forms() {
        let mut words = words("server --max-clients=3 --sequential --socket a.sock");
        assert_eq!(words.command().as_deref(), Some("server"));
        assert_eq!(words.path("--socket").ok().flatten(), Some("a.sock".into()));
        assert_eq!(
            words.parsed("--max-clients", "", |_| true).ok().flatten(),
            Some(3)
        );
        assert!(words.flag("--sequential"));
        assert!(words.finish().is_ok());
    }

    #[test]
    fn a_word_that_nobody_takes_is_named() {
        let mut words = words("--socket a --socket b");
        assert!(words.value("--socket").is_ok());
        assert!(fault(words.finish().unwrap_err()).contains("--socket"));
    }

    #[test]
    fn a_value_that_is_missing_or_wrong_is_named() {
        assert!(
            fault(words("--max 1 --socket").value("--socket").unwrap_err()).contains("--socket")
        );
        let wrong = words("--max x").parsed::<u8>("--max", "a number", |_| true);
        assert_eq!(
            fault(wrong.unwrap_err()),
            "--max needs a number, which \"x\" is not"
        );
    }

    #[test]
    fn arguments_are_taken_in_order_and_options_are_none() {
        let mut words = words("a --show b -- -c");
        assert_eq!(words.argument(), Some("a".into()));
        assert_eq!(words.argument(), Some("b".into()));
        assert_eq!(words.argument(), Some("-c".into()));
        assert_eq!(words.argument(), None);
        assert!(words.flag("--show"));
    }

    #[test]
    fn nothing_after_two_dashes_is_an_option() {
        assert!(!words("-- --sequential").flag("--sequential"));
    }
}
