//! What a check is given: a place of its own, and the student's program to be started in it.

use std::cell::{Cell, RefCell};
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, process};

use super::host::Host;
use super::running::{Record, Running};
use super::{Fault, Random, watch};
use crate::error::Context;
use crate::interrupt::Interrupt;
use crate::socket::MAX_PATH;

/// What a student hands in, and how it is to be treated.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The program and its arguments, with their placeholders.
    pub words: Vec<OsString>,
    /// The path that is written into the program, for one that cannot be told another.
    pub socket: Option<PathBuf>,
    /// How long the program may take for each thing that is expected of it.
    pub timeout: Duration,
    /// Where random inputs come from.
    pub seed: u64,
}

impl Submission {
    /// The program and its arguments as they were given.
    pub(super) fn shown(&self) -> String {
        show_words(self.words.iter().map(OsString::as_os_str))
    }
}

/// Words as a shell would take them.
pub(super) fn show_words<'a>(words: impl Iterator<Item = &'a OsStr>) -> String {
    let plain = |text: &str| {
        !text.is_empty()
            && !text.contains(|c: char| c.is_whitespace() || "'\"\\$&;<>|*?".contains(c))
    };
    let shown = words.map(|word| match word.to_string_lossy() {
        text if plain(&text) => text.into_owned(),
        text => format!("'{}'", text.replace('\'', "'\\''")),
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// A new private directory, removed with all that is in it.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn make() -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = env::temp_dir().join(format!("ipc-grade-{:07}-{number:04}", process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {} // of a grader that was killed
                made => {
                    made.context(|| {
                        format!(
                            "cannot make {}; set TMPDIR to another place",
                            path.display()
                        )
                    })?;
                    return Ok(Self(path));
                }
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A place for one check. Programs that are started in it are ended at the latest with the check, each
/// with its whole process group.
pub struct Lab<'a> {
    submission: &'a Submission,
    interrupt: &'a Interrupt,
    directory: &'a Path,
    socket: PathBuf,
    name: String,
    starts: Cell<u32>,
    records: RefCell<Vec<Record>>,
}

impl<'a> Lab<'a> {
    pub(super) fn new(
        submission: &'a Submission,
        directory: &'a Path,
        interrupt: &'a Interrupt,
    ) -> io::Result<Self> {
        let socket = submission
            .socket
            .clone()
            .unwrap_or_else(|| directory.join("socket"));
        make_way(&socket)?;
        fs::create_dir(directory.join("dir"))?;
        fs::write(directory.join("file"), "hello, world\n")?;
        let name = directory
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok(Self {
            submission,
            interrupt,
            directory,
            socket,
            name,
            starts: Cell::new(0),
            records: RefCell::default(),
        })
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

    /// Another file in the check's own directory, for what the grader itself needs.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// A name that nobody else uses, of letters, digits and hyphens: `{name}`.
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

    /// Starts the program with more words behind its own.
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
        self.starts.set(self.starts.get() + 1);
        let mark = format!("{}-{}", self.name, self.starts.get());
        let shown = show_words(words.iter().map(OsString::as_os_str));
        Running::start(self, command, &mark, shown)
    }

    /// Starts the program and waits until it listens at `{socket}`.
    ///
    /// # Errors
    /// A fault that says what it does instead: end, listen elsewhere, nothing.
    pub fn serve(&self) -> Result<Running<'_>, Fault> {
        let program = self.start()?;
        let ready =
            || watch::is_listening(&self.socket) || program.has_ended() || self.is_interrupted();
        watch::wait_until(self.timeout(), ready);
        if watch::is_listening(&self.socket) {
            return Ok(program);
        }
        Err(program.why_it_does_not_listen())
    }

    /// Listens at `{socket}` in the program's stead, for a program that is a client.
    ///
    /// # Errors
    /// A fault if there can be no socket.
    pub fn listen(&self) -> Result<Host<'_>, Fault> {
        Host::new(self)
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupt.is_raised()
    }

    pub(super) fn interrupt(&self) -> &Interrupt {
        self.interrupt
    }

    pub(super) fn keep(&self, record: Record) {
        self.records.borrow_mut().push(record);
    }

    pub(super) fn into_records(self) -> Vec<Record> {
        self.records.take()
    }

    /// `word` with its placeholders filled in, whatever bytes it is made of.
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
    /// A program that was killed leaves its socket file, and one written into it stands elsewhere.
    fn drop(&mut self) {
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

/// Removes the socket file that an earlier program left; anything else in its place is an error.
fn make_way(socket: &Path) -> io::Result<()> {
    let shown = socket.display();
    let length = socket.as_os_str().len();
    if length > MAX_PATH {
        let message = format!(
            "the socket's path is {length} bytes long and {MAX_PATH} is the limit: {shown}; set TMPDIR to a shorter one"
        );
        return Err(io::Error::new(ErrorKind::InvalidInput, message));
    }
    match fs::symlink_metadata(socket) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).context(|| format!("cannot look at {shown}")),
        Ok(found) if !found.file_type().is_socket() => {
            let message = format!("{shown} is not a socket; move it away or pass another --socket");
            Err(io::Error::new(ErrorKind::AlreadyExists, message))
        }
        Ok(_) if watch::is_listening(socket) => {
            let message = format!("a program is listening at {shown} already; end it first");
            Err(io::Error::new(ErrorKind::AddrInUse, message))
        }
        Ok(_) => fs::remove_file(socket).context(|| format!("cannot remove {shown}")),
    }
}
