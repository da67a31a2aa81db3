//! Options whose values are not just any text: paths, numbers, times.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::Failure;
use super::args::Args;
use crate::socket::in_directory;

impl Args {
    pub(super) fn path(&mut self, name: &str) -> Result<Option<PathBuf>, Failure> {
        Ok(self.value(name)?.map(PathBuf::from))
    }

    /// Takes and parses the value of an option; `what` says what it has to be.
    pub(super) fn parsed<T: FromStr>(
        &mut self,
        name: &str,
        what: impl Display,
        fits: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, Failure> {
        let Some(value) = self.value(name)? else {
            return Ok(None);
        };
        let parsed = value
            .to_str()
            .and_then(|text| text.parse().ok())
            .filter(fits);
        let fault = || self.fault(format!("{name} needs {what}, which {value:?} is not"));
        parsed.map(Some).ok_or_else(fault)
    }

    /// Takes the number of a stage, from 1 to `last`, which is the default.
    pub(super) fn stage(&mut self, last: usize) -> Result<usize, Failure> {
        let what = format!("a stage from 1 to {last}");
        let fits = |stage: &usize| (1..=last).contains(stage);
        Ok(self.parsed("--stage", what, fits)?.unwrap_or(last))
    }

    /// Takes the value of an option that is a whole number above 0.
    pub(super) fn positive<T: FromStr + PartialOrd + From<u8>>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, Failure> {
        self.parsed(name, "a whole number from 1 on", |number| {
            *number >= T::from(1_u8)
        })
    }

    /// Takes the value of an option that is a time.
    pub(super) fn seconds(&mut self, name: &str) -> Result<Option<Duration>, Failure> {
        let duration = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
        let fits = |&seconds: &f64| duration(seconds).is_some();
        let seconds = self.parsed(name, "a number of seconds", fits)?;
        Ok(seconds.and_then(duration))
    }

    /// Takes the last option, `--socket`: the path of the socket, by default the one with this name.
    pub(super) fn socket(&mut self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.path("--socket")?;
        self.finish()?;
        Ok(or_default(path, name)?)
    }
}

/// The path, by default the one with this name in the directory of sockets.
pub(super) fn or_default(path: Option<PathBuf>, name: &str) -> io::Result<PathBuf> {
    path.map_or_else(|| in_directory(name), Ok)
}
