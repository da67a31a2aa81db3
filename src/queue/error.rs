//! What can go wrong, a variant for each errno of the manual pages, and six that only ours has.

use std::io::{self, ErrorKind};
use std::{error, fmt};

use crate::shm::{Fault, fault_of};

/// Why a call on a queue failed. The first variants are the errnos of `mq_open(3)`, `mq_send(3)`,
/// `mq_receive(3)` and `mq_unlink(3)`; those from [`NotAQueue`](Self::NotAQueue) on can befall only a
/// queue that lives in memory which its users share.
///
/// It becomes an [`io::Error`] by `?`, with the [kind](Self::kind) that the errno has in std.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// EAGAIN: to send to a full queue, or to receive from an empty one, without blocking.
    #[doc(alias = "EAGAIN")]
    WouldBlock(State),
    /// ETIMEDOUT: the queue was full, or empty, until the time was over.
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
    /// EBADF: to send by a handle not opened for writing, or to receive by one not opened for reading.
    #[doc(alias = "EBADF")]
    NotOpenFor(Mode),
    /// EEXIST: to create, exclusively, a queue that is there.
    #[doc(alias = "EEXIST")]
    Exists(String),
    /// ENOENT: there is no such queue.
    #[doc(alias = "ENOENT")]
    NotFound(String),
    /// EACCES: it is another user's, or its name holds a second `/`.
    #[doc(alias = "EACCES")]
    AccessDenied(String),
    /// ENAMETOOLONG: the name, without its `/`.
    #[doc(alias = "ENAMETOOLONG")]
    NameTooLong {
        /// Its length in bytes.
        len: usize,
        /// How many it can have.
        limit: usize,
    },
    /// ENOSPC: `/dev/shm` has no room for the queue.
    #[doc(alias = "ENOSPC")]
    NoSpace(io::Error),
    /// ENOMEM: no address space to map the queue into.
    #[doc(alias = "ENOMEM")]
    NoMemory(io::Error),
    /// EMFILE: the process has too many files open.
    #[doc(alias = "EMFILE")]
    ProcessFileLimit(io::Error),
    /// ENFILE: the system has too many files open.
    #[doc(alias = "ENFILE")]
    SystemFileLimit(io::Error),

    /// Something else has the queue's name.
    NotAQueue(io::Error),
    /// Another version of this program made the queue, with another layout.
    OtherVersion(io::Error),
    /// Processes of another PID or time namespace use the queue: which of them live cannot be told from
    /// here, so nothing of theirs can be made good.
    OtherNamespace(io::Error),
    /// The queue's memory holds what no process of ours would have written: it was cut short or
    /// overwritten. Nothing in it can be trusted any more.
    Damaged(String),
    /// All wait slots are taken: more processes wait at once than the queue was laid out for.
    TooManyWaiters,
    /// A process that has not ended has the queue locked and does not go on: it was stopped in there.
    Stalled {
        /// Its process ID.
        pid: u32,
    },
    /// Any other error of the system.
    System(io::Error),
}

/// What a queue is when a call would block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing to receive.
    Empty,
    /// No room to send.
    Full,
}

/// What a handle has to be open for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// To receive.
    Reading,
    /// To send.
    Writing,
}

const ENFILE: i32 = 23;
const EMFILE: i32 = 24;

impl Error {
    /// The name of the errno that the kernel's calls set for this; `None` where they have none.
    ///
    /// ```
    /// use ipc_primer::queue::{Error, State};
    /// assert_eq!(Error::WouldBlock(State::Empty).errno(), Some("EAGAIN"));
    /// assert_eq!(Error::TooManyWaiters.errno(), None);
    /// ```
    pub fn errno(&self) -> Option<&'static str> {
        Some(match self {
            Self::WouldBlock(_) => "EAGAIN",
            Self::TimedOut(_) => "ETIMEDOUT",
            Self::Interrupted => "EINTR",
            Self::MessageSize { .. } => "EMSGSIZE",
            Self::Invalid(_) => "EINVAL",
            Self::NotOpenFor(_) => "EBADF",
            Self::Exists(_) => "EEXIST",
            Self::NotFound(_) => "ENOENT",
            Self::AccessDenied(_) => "EACCES",
            Self::NameTooLong { .. } => "ENAMETOOLONG",
            Self::NoSpace(_) => "ENOSPC",
            Self::NoMemory(_) => "ENOMEM",
            Self::ProcessFileLimit(_) => "EMFILE",
            Self::SystemFileLimit(_) => "ENFILE",
            _ => return None,
        })
    }

    /// The kind of the [`io::Error`] that this becomes: that which std gives to the errno, where it
    /// has one.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::WouldBlock(_) => ErrorKind::WouldBlock,
            Self::TimedOut(_) => ErrorKind::TimedOut,
            Self::Interrupted => ErrorKind::Interrupted,
            Self::MessageSize { .. } | Self::Invalid(_) => ErrorKind::InvalidInput,
            Self::Exists(_) => ErrorKind::AlreadyExists,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::AccessDenied(_) | Self::NotOpenFor(_) => ErrorKind::PermissionDenied,
            Self::NameTooLong { .. } => ErrorKind::InvalidFilename,
            Self::NotAQueue(_)
            | Self::OtherVersion(_)
            | Self::OtherNamespace(_)
            | Self::Damaged(_) => ErrorKind::InvalidData,
            Self::TooManyWaiters | Self::Stalled { .. } => ErrorKind::ResourceBusy,
            _ => self.system().map_or(ErrorKind::Other, io::Error::kind),
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error)
    }
}

/// Sorts the errors of the shared memory underneath.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match (fault_of(&error), system_error(&error), error.kind()) {
            (Some(Fault::Foreign | Fault::Unfinished), ..) => Self::NotAQueue(error),
            (Some(Fault::OtherVersion), ..) => Self::OtherVersion(error),
            (Some(Fault::OtherNamespace), ..) => Self::OtherNamespace(error),
            (Some(Fault::CutOff), ..) => Self::Damaged(error.to_string()),
            (_, Some(EMFILE), _) => Self::ProcessFileLimit(error),
            (_, Some(ENFILE), _) => Self::SystemFileLimit(error),
            (.., ErrorKind::NotFound) => Self::NotFound(error.to_string()),
            (.., ErrorKind::AddrInUse) => Self::Exists(error.to_string()),
            (.., ErrorKind::AlreadyExists) => Self::NotAQueue(error),
            (.., ErrorKind::PermissionDenied) => Self::AccessDenied(error.to_string()),
            (.., ErrorKind::StorageFull) => Self::NoSpace(error),
            (.., ErrorKind::OutOfMemory) => Self::NoMemory(error),
            (.., ErrorKind::Interrupted) => Self::Interrupted,
            (.., ErrorKind::ResourceBusy) => Self::TooManyWaiters,
            _ => Self::System(error),
        }
    }
}

/// The errno under the sentences that were put before it.
fn system_error(error: &io::Error) -> Option<i32> {
    let mut cause: Option<&(dyn error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let code = error.downcast_ref().and_then(io::Error::raw_os_error);
        if code.is_some() {
            return code;
        }
        cause = error.source();
    }
    None
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = self.system() {
            return error.fmt(f);
        }
        self.sentence(f)?;
        match self.errno() {
            Some(errno) => write!(f, " ({errno})"),
            None => Ok(()),
        }
    }
}

impl Error {
    fn sentence(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WouldBlock(state) => write!(f, "the queue is {state}"),
            Self::TimedOut(state) => write!(f, "the queue was {state} until the time was over"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::MessageSize { len, message_size } if len > message_size => {
                write!(
                    f,
                    "the message has {len} bytes, and can have {message_size}"
                )
            }
            Self::MessageSize { len, message_size } => {
                write!(f, "the buffer has {len} bytes, and needs {message_size}")
            }
            Self::NotOpenFor(Mode::Reading) => f.write_str("the queue is not open for reading"),
            Self::NotOpenFor(Mode::Writing) => f.write_str("the queue is not open for writing"),
            Self::NameTooLong { len, limit } => {
                write!(f, "the name has {len} bytes, and can have {limit}")
            }
            Self::Invalid(text)
            | Self::Exists(text)
            | Self::NotFound(text)
            | Self::AccessDenied(text) => f.write_str(text),
            Self::Damaged(text) => write!(f, "the queue is damaged: {text}"),
            Self::TooManyWaiters => f.write_str(
                "as many processes wait for the queue as it has wait slots; try again later",
            ),
            Self::Stalled { pid } => write!(
                f,
                "process {pid} was stopped while it had the queue locked; continue it or kill it"
            ),
            _ => f.write_str("the system failed"),
        }
    }

    /// With the name that the caller knows in it, instead of the segment's.
    pub(super) fn about(self, name: &str) -> Self {
        match self {
            Self::NotFound(_) => Self::NotFound(format!("there is no queue {name}")),
            Self::Exists(_) => Self::Exists(format!("there is a queue {name} already")),
            other => other,
        }
    }

    /// The error of the system that this is, where it is one.
    fn system(&self) -> Option<&io::Error> {
        match self {
            Self::NoSpace(error)
            | Self::NoMemory(error)
            | Self::ProcessFileLimit(error)
            | Self::SystemFileLimit(error)
            | Self::NotAQueue(error)
            | Self::OtherVersion(error)
            | Self::OtherNamespace(error)
            | Self::System(error) => Some(error),
            _ => None,
        }
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

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.system()?.source() // its own text is ours already
    }
}
