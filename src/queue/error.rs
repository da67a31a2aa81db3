//! What can go wrong: a variant for each errno that is about queues, and six errors that only our queues have.

use std::io::{self, ErrorKind};
use std::{error, fmt, iter};

use crate::shm::{Fault, fault_of};

/// Why a call on a queue failed. The first variants are the errnos of `mq_open(3)`, `mq_send(3)`,
/// `mq_receive(3)` and `mq_unlink(3)`; those from [`NotAQueue`](Self::NotAQueue) on can happen only
/// to a queue that lives in memory shared by its users.
///
/// It becomes an [`io::Error`] by `?`, with the [kind](Self::kind) that the errno has in std.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// EAGAIN: sending to a full queue, or receiving from an empty one, without blocking.
    #[doc(alias = "EAGAIN")]
    WouldBlock(State),
    /// ETIMEDOUT: the queue was full, or empty, until the time limit.
    #[doc(alias = "ETIMEDOUT")]
    TimedOut(State),
    /// EINTR: the [`StopToken`](crate::stop::StopToken) of the queue's handle was asked to stop.
    #[doc(alias = "EINTR")]
    Interrupted,
    /// EMSGSIZE: the message is longer than the queue's `message_size`, or the buffer is shorter.
    #[doc(alias = "EMSGSIZE")]
    MessageSize {
        /// The length of the message or the buffer, in bytes.
        len: usize,
        /// The queue's `message_size`.
        message_size: usize,
    },
    /// EINVAL: a name without its `/`, a priority over 32767, an attribute out of its range.
    #[doc(alias = "EINVAL")]
    Invalid(String),
    /// EBADF: sending by a handle not opened for writing, or receiving by one not opened for reading.
    #[doc(alias = "EBADF")]
    NotOpenFor(Mode),
    /// EEXIST: creating, exclusively, a queue that exists.
    #[doc(alias = "EEXIST")]
    Exists(String),
    /// ENOENT: there is no such queue.
    #[doc(alias = "ENOENT")]
    NotFound(String),
    /// EACCES: the queue belongs to another user, or its name holds a second `/`.
    #[doc(alias = "EACCES")]
    AccessDenied(String),
    /// ENAMETOOLONG: the name, without its `/`, is too long.
    #[doc(alias = "ENAMETOOLONG")]
    NameTooLong {
        /// Its length in bytes.
        len: usize,
        /// How many bytes it can have.
        limit: usize,
    },

    /// Something else has the queue's name.
    NotAQueue(io::Error),
    /// Another version of this program made the queue, with another layout.
    OtherVersion(io::Error),
    /// Processes of another PID or time namespace use the queue: a process here cannot tell which
    /// of them are alive, and so cannot repair anything of theirs.
    OtherNamespace(io::Error),
    /// The queue's memory holds values that no process of ours would have written: it was cut short
    /// or overwritten. Nothing in it can be trusted any more.
    Damaged(String),
    /// All wait slots are taken: more processes wait at the same time than the queue was laid out for.
    TooManyWaiters,
    /// A process that has not ended holds the queue's lock and makes no progress: it was stopped there.
    Stalled {
        /// Its process ID.
        pid: u32,
    },
    /// Any other error of the system, such as ENOSPC (`/dev/shm` has no room for the queue), ENOMEM (no address
    /// space to map it into), EMFILE and ENFILE (too many files are open).
    #[doc(alias = "ENOSPC")]
    System(io::Error),
}

/// The state of a queue that makes a call block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing to receive.
    Empty,
    /// No room to send.
    Full,
}

/// The direction that a handle has to be open for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// To receive.
    Reading,
    /// To send.
    Writing,
}

const ENFILE: i32 = 23;
const EMFILE: i32 = 24;

/// A row for each variant: its errno (or none), its kind, and what it says.
macro_rules! table {
    ($error:expr; $($variant:pat $(if $guard:expr)? => $errno:expr, $kind:expr, $text:literal;)*) => {
        match $error { $($variant $(if $guard)? => ($errno, $kind, format!($text)),)* }
    };
}

impl Error {
    fn row(&self) -> (&'static str, ErrorKind, String) {
        use Error::*;
        use ErrorKind as Kind;
        table! { self;
            WouldBlock(state) => "EAGAIN", Kind::WouldBlock, "the queue is {state}";
            TimedOut(state) => "ETIMEDOUT", Kind::TimedOut, "the queue was {state} until the time was over";
            Interrupted => "EINTR", Kind::Interrupted, "interrupted";
            MessageSize { len, message_size } if len > message_size => "EMSGSIZE", Kind::InvalidInput,
                "the message has {len} bytes, and can have {message_size}";
            MessageSize { len, message_size } => "EMSGSIZE", Kind::InvalidInput,
                "the buffer has {len} bytes, and needs {message_size}";
            Invalid(text) => "EINVAL", Kind::InvalidInput, "{text}";
            NotOpenFor(Mode::Reading) => "EBADF", Kind::PermissionDenied, "the queue is not open for reading";
            NotOpenFor(Mode::Writing) => "EBADF", Kind::PermissionDenied, "the queue is not open for writing";
            Exists(text) => "EEXIST", Kind::AlreadyExists, "{text}";
            NotFound(text) => "ENOENT", Kind::NotFound, "{text}";
            AccessDenied(text) => "EACCES", Kind::PermissionDenied, "{text}";
            NameTooLong { len, limit } => "ENAMETOOLONG", Kind::InvalidFilename,
                "the name has {len} bytes, and can have {limit}";
            NotAQueue(error) | OtherVersion(error) | OtherNamespace(error) => "", Kind::InvalidData, "{error}";
            Damaged(text) => "", Kind::InvalidData, "the queue is damaged: {text}";
            TooManyWaiters => "", Kind::ResourceBusy,
                "as many processes wait for the queue as it has wait slots; try again later";
            Stalled { pid } => "", Kind::ResourceBusy,
                "process {pid} was stopped while it had the queue locked; continue it or kill it";
            System(error) => system_errno(error), error.kind(), "{error}";
        }
    }

    /// The name of the errno that the kernel's calls set for this; `None` where they have none.
    ///
    /// ```
    /// use ipc_primer::queue::{Error, State};
    /// assert_eq!(Error::WouldBlock(State::Empty).errno(), Some("EAGAIN"));
    /// assert_eq!(Error::TooManyWaiters.errno(), None);
    /// ```
    pub fn errno(&self) -> Option<&'static str> {
        Some(self.row().0).filter(|errno| !errno.is_empty())
    }

    /// The kind of the [`io::Error`] that this becomes: the one that std gives to the errno, where
    /// there is one.
    pub fn kind(&self) -> ErrorKind {
        self.row().1
    }

    /// The same error, with the name that the caller knows instead of the segment's.
    pub(super) fn about(self, name: &str) -> Self {
        match self {
            Self::NotFound(_) => Self::NotFound(format!("there is no queue {name}")),
            Self::Exists(_) => Self::Exists(format!("there is a queue {name} already")),
            other => other,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.row()) {
            (Self::System(_), (.., text)) | (_, ("", _, text)) => f.write_str(&text),
            (_, (errno, _, text)) => write!(f, "{text} ({errno})"),
        }
    }
}

impl error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error)
    }
}

/// Sorts the errors of the shared memory underneath.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match (fault_of(&error), error.kind()) {
            (Some(Fault::Foreign | Fault::Unfinished), _) => Self::NotAQueue(error),
            (Some(Fault::OtherVersion), _) => Self::OtherVersion(error),
            (Some(Fault::OtherNamespace), _) => Self::OtherNamespace(error),
            (Some(Fault::CutOff), _) => Self::Damaged(error.to_string()),
            (_, ErrorKind::NotFound) => Self::NotFound(error.to_string()),
            (_, ErrorKind::AddrInUse) => Self::Exists(error.to_string()),
            (_, ErrorKind::AlreadyExists) => Self::NotAQueue(error),
            (_, ErrorKind::PermissionDenied) => Self::AccessDenied(error.to_string()),
            (_, ErrorKind::Interrupted) => Self::Interrupted,
            (_, ErrorKind::ResourceBusy) => Self::TooManyWaiters,
            _ => Self::System(error),
        }
    }
}

/// The name of the errno under the sentences that were put before it.
fn system_errno(error: &io::Error) -> &'static str {
    let mut causes = iter::successors(Some(error as &(dyn error::Error + 'static)), |error| {
        error.source()
    });
    let code = causes.find_map(|error| error.downcast_ref::<io::Error>()?.raw_os_error());
    match (code, error.kind()) {
        (Some(EMFILE), _) => "EMFILE",
        (Some(ENFILE), _) => "ENFILE",
        (_, ErrorKind::StorageFull) => "ENOSPC",
        (_, ErrorKind::OutOfMemory) => "ENOMEM",
        _ => "",
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty",
            Self::Full => "full",
        })
    }
}
