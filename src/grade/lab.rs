//! What a check is given: a place of its own, and the student's program to start in it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::directory::make_way;
use super::host::Host;
use super::running::{Record, Running, STRAYS_LIMIT};
use super::submission::{Submission, show_words};
use super::{Fault, Random, listening, watch};
use crate::stop::StopToken;
use crate::support::unlink_on_drop::create_private_dir;

/// A place for one check. Every program that is started in it ends with the check at the latest, together
/// with its whole process group.
pub struct Lab<'a> {
    submission: &'a Submission,
    stop: &'a StopToken,
    directory: &'a Path,
    socket: PathBuf,
    name: String,
    starts: Cell<u32>,
    records: RefCell<Vec<Record>>,
    before: BTreeSet<u32>,
}

impl<'a> Lab<'a> {
    pub(super) fn new(
        submission: &'a Submission,
        directory: &'a Path,
        stop: &'a StopToken,
    ) -> io::Result<Self> {
        let socket = submission
            .socket
            .clone()
            .unwrap_or_else(|| directory.join("socket"));
        make_way(&socket)?;
        create_private_dir(&directory.join("dir"))?;
        let file = directory.join("file");
        fs::write(&file, "hello, world\n")?;
        fs::set_permissions(&file, Permissions::from_mode(0o600))?; // whatever the umask
        let name = directory
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let lab = Self {
            submission,
            stop,
            directory,
            socket,
            name,
            starts: Cell::new(0),
            records: RefCell::default(),
            before: watch::all_pids(),
        };
        for path in [directory, &lab.dir(), &lab.file()] {
            lab.give(path)?;
        }
        Ok(lab)
    }

    /// Lets the program use a file that the grader has made, if another user runs it.
    pub(super) fn give(&self, path: &Path) -> io::Result<()> {
        self.submission.user.map_or(Ok(()), |user| user.owns(path))
    }

    /// Where the program is to listen, or where it will find its server: `{socket}`.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// A file for the program to read; a check may write another before it starts the program:
    /// `{file}`.
    pub fn file(&self) -> PathBuf {
        self.directory.join("file")
    }

    /// An empty directory for the program to write in: `{dir}`.
    pub fn dir(&self) -> PathBuf {
        self.directory.join("dir")
    }

    /// Another file in the check's own directory, for the grader's own use.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// A unique name, of letters, digits and hyphens: `{name}`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How long the program may take for each thing that is expected of it.
    pub fn timeout(&self) -> Duration {
        self.submission.timeout
    }

    /// Random inputs, the same for the same `--seed`.
    pub fn random(&self) -> Random {
        Random::new(self.submission.seed)
    }

    /// Starts the program.
    ///
    /// # Errors
    /// A fault that says why it cannot be started.
    pub fn start(&self) -> Result<Running<'_>, Fault> {
        self.start_with(&[])
    }

    /// Starts the program with more words after its own.
    ///
    /// # Errors
    /// Those of [`start`](Self::start).
    pub fn start_with(&self, words: &[&str]) -> Result<Running<'_>, Fault> {
        let own = self.submission.words.iter().map(|word| self.fill_in(word));
        let more = words.iter().map(OsString::from);
        let words: Vec<_> = own.chain(more).collect();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        for (name, value) in env::vars_os() {
            command.env(name, self.fill_in(&value));
        }
        for (name, placeholder) in PLACEHOLDERS {
            command.env(name, self.fill_in(OsStr::new(placeholder)));
        }
        if let Some(user) = self.submission.user {
            user.runs(&mut command);
        }
        self.starts.set(self.starts.get() + 1);
        let mark = format!("{}-{}", self.name, self.starts.get());
        let shown = show_words(words.iter().map(OsString::as_os_str));
        Running::start(self, command, &mark, shown)
    }

    /// Starts the program and waits until it listens at `{socket}`.
    ///
    /// # Errors
    /// A fault that says what the program does instead: it ends, listens elsewhere, or does nothing.
    pub fn serve(&self) -> Result<Running<'_>, Fault> {
        let program = self.start()?;
        self.wait_until(|| listening::is_listening(&self.socket) || program.has_ended());
        if listening::is_listening(&self.socket) {
            return Ok(program);
        }
        Err(program.why_it_does_not_listen())
    }

    /// Listens at `{socket}` as the server, for a program that is a client.
    ///
    /// # Errors
    /// A fault if the socket cannot be made.
    pub fn listen(&self) -> Result<Host<'_>, Fault> {
        Host::new(self)
    }

    /// Waits until `holds` is true, the program's time for one thing is over, or the grader is told to end.
    pub(super) fn wait_until(&self, mut holds: impl FnMut() -> bool) {
        watch::wait_until(self.timeout(), || self.is_interrupted() || holds());
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.stop.is_requested()
    }

    pub(super) fn stop(&self) -> &StopToken {
        self.stop
    }

    pub(super) fn keep(&self, record: Record) {
        self.records.borrow_mut().push(record);
    }

    pub(super) fn into_records(self) -> Vec<Record> {
        self.records.take()
    }

    /// `word` with its placeholders filled in; it may consist of any bytes.
    fn fill_in(&self, word: &OsStr) -> OsString {
        let values = [
            self.socket.clone().into_os_string(),
            self.file().into_os_string(),
            self.dir().into_os_string(),
            self.name.clone().into(),
        ];
        let mut bytes = word.as_bytes().to_vec();
        for ((_, placeholder), value) in PLACEHOLDERS.iter().zip(values) {
            bytes = replace(&bytes, placeholder.as_bytes(), value.as_bytes());
        }
        OsString::from_vec(bytes)
    }
}

impl Drop for Lab<'_> {
    /// Removes the socket file that a killed program leaves, since a path written into the program is outside
    /// the check's directory; finds processes that have hidden their mark, if they have a user of their own.
    fn drop(&mut self) {
        if let Some(user) = self.submission.user {
            watch::end_all(STRAYS_LIMIT, || {
                watch::hidden(user.uid(), &self.before, &self.name)
            });
        }
        let _ = make_way(&self.socket);
    }
}

/// The environment variables that tell a program the same as the placeholders.
const PLACEHOLDERS: [(&str, &str); 4] = [
    ("IPC_SOCKET", "{socket}"),
    ("IPC_FILE", "{file}"),
    ("IPC_DIR", "{dir}"),
    ("IPC_NAME", "{name}"),
];

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::new();
    let mut rest = bytes;
    while let Some((&first, others)) = rest.split_first() {
        match rest.strip_prefix(from) {
            Some(behind) => {
                replaced.extend_from_slice(to);
                rest = behind;
            }
            None => {
                replaced.push(first);
                rest = others;
            }
        }
    }
    replaced
}
