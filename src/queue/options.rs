//! Opening a queue: what the flags and attributes of `mq_open(3)` say, by name.

use std::io::ErrorKind;

use super::blocking::Shared;
use super::error::Error;
use super::handle::{Access, Queue};
use super::layout::{FORMAT, Layout};
use super::name;
use crate::shm::{Fault, Segment, fault_of};
use crate::stop::StopToken;

/// How often to start over when other processes make and unlink the queue at the same time.
const TRIES: u32 = 100;

/// How to open a queue, like [`std::fs::OpenOptions`] for files.
///
/// | here | `mq_open(3)` |
/// |---|---|
/// | `read(true)`, `write(true)`, or both | `O_RDONLY`, `O_WRONLY`, `O_RDWR` |
/// | `create(true)` | `O_CREAT` |
/// | `exclusive(true)` | `O_EXCL` |
/// | `non_blocking(true)` | `O_NONBLOCK` |
/// | `max_messages(n)`, `message_size(n)` | `mq_maxmsg`, `mq_msgsize` |
/// | nothing: it is always 0600 | the mode |
#[derive(Clone, Debug)]
#[must_use]
pub struct OpenOptions {
    access: Access,
    stop: StopToken,
    create: bool,
    exclusive: bool,
    max_messages: usize,
    message_size: usize,
}

impl Queue {
    /// A builder with nothing chosen yet. If it makes the queue, the queue holds 10 messages of
    /// 8192 bytes.
    pub fn options() -> OpenOptions {
        OpenOptions {
            access: Access::default(),
            stop: StopToken::new(),
            create: false,
            exclusive: false,
            max_messages: 10,
            message_size: 8192,
        }
    }
}

impl OpenOptions {
    /// Opens the queue for receiving.
    #[doc(alias = "O_RDONLY")]
    pub fn read(mut self, read: bool) -> Self {
        self.access.read = read;
        self
    }

    /// Opens the queue for sending.
    #[doc(alias = "O_WRONLY")]
    pub fn write(mut self, write: bool) -> Self {
        self.access.write = write;
        self
    }

    /// Makes the queue if it does not exist.
    #[doc(alias = "O_CREAT")]
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// With [`create`](Self::create): fails if the queue exists.
    #[doc(alias = "O_EXCL")]
    pub fn exclusive(mut self, exclusive: bool) -> Self {
        self.exclusive = exclusive;
        self
    }

    /// Lets [`Queue::send`] and [`Queue::receive`] fail where they would block.
    #[doc(alias = "O_NONBLOCK")]
    pub fn non_blocking(mut self, non_blocking: bool) -> Self {
        self.access.non_blocking = non_blocking;
        self
    }

    /// How many messages the queue can hold if this makes it: from 1 to 65,536, the kernel's
    /// `HARD_MSGMAX`.
    #[doc(alias = "mq_maxmsg")]
    pub fn max_messages(mut self, max_messages: usize) -> Self {
        self.max_messages = max_messages;
        self
    }

    /// How many bytes a message can have if this makes the queue: from 1 to 16 MiB, the kernel's
    /// `HARD_MSGSIZEMAX`. A whole queue can take 256 MiB.
    #[doc(alias = "mq_msgsize")]
    pub fn message_size(mut self, message_size: usize) -> Self {
        self.message_size = message_size;
        self
    }

    /// The token that ends the blocking calls of this handle.
    pub fn stop(mut self, stop: &StopToken) -> Self {
        self.stop = stop.clone();
        self
    }

    /// Opens the queue `name`, which begins with a `/`.
    ///
    /// If this makes the queue, all of its memory is reserved here, so a send never fails for lack
    /// of memory.
    ///
    /// # Errors
    /// - [`Error::NotFound`]: the queue does not exist, and was not to be made.
    /// - [`Error::Exists`]: the queue exists, and was to be made exclusively.
    /// - [`Error::Invalid`], [`Error::NameTooLong`], [`Error::AccessDenied`]: the name, or an attribute of
    ///   a queue to be made; or neither reading nor writing was chosen; or the queue is another user's.
    /// - [`Error::NotAQueue`], [`Error::OtherVersion`], [`Error::OtherNamespace`], [`Error::Damaged`]:
    ///   something else has the name.
    /// - [`Error::System`]: a system error, such as no room in `/dev/shm`, or no `/proc` that shows this process.
    #[doc(alias = "msgget")]
    #[doc(alias = "mq_open")]
    pub fn open(&self, name: &str) -> Result<Queue, Error> {
        let segment = name::segment(name)?;
        if !self.access.read && !self.access.write {
            return Err(Error::Invalid(
                "a queue is opened to read, to write, or both".into(),
            ));
        }
        let found = match self.create {
            true => self.open_or_create(&segment),
            false => self.open_found(&segment),
        };
        found.map_err(|error| error.about(name))
    }

    fn open_or_create(&self, segment: &str) -> Result<Queue, Error> {
        for _ in 0..TRIES {
            let made = self.create_new(segment);
            match made {
                Err(Error::Exists(_)) if !self.exclusive => {}
                Err(Error::Invalid(_)) => {} // wrong attributes do not matter if the queue exists
                made => return made,
            }
            match (self.open_found(segment), made) {
                (Ok(_), _) if self.exclusive => return Err(Error::Exists(String::new())),
                // It was unlinked in between, or its maker was killed.
                (Err(error), Err(Error::Exists(_))) if is_absent(&error) => {}
                (Err(error), invalid) if is_absent(&error) => return invalid,
                (found, _) => return found,
            }
        }
        Err(Error::System(ErrorKind::ResourceBusy.into()))
    }

    fn create_new(&self, segment: &str) -> Result<Queue, Error> {
        let layout = Layout::checked(self.max_messages, self.message_size)?;
        let made = Segment::create(segment, layout.segment_layout(), |new| layout.init(new))?;
        Ok(self.handle(made, layout))
    }

    fn open_found(&self, segment: &str) -> Result<Queue, Error> {
        let found = Segment::open_unless_stopped(segment, FORMAT, &self.stop)?;
        let layout = Layout::read(&found)?;
        Ok(self.handle(found, layout))
    }

    fn handle(&self, segment: Segment, layout: Layout) -> Queue {
        Queue {
            shared: Shared::new(segment, layout, &self.stop),
            access: self.access,
        }
    }
}

/// Whether there is no queue, or only an unfinished one.
fn is_absent(error: &Error) -> bool {
    match error {
        Error::NotFound(_) => true,
        Error::NotAQueue(error) => fault_of(error) == Some(Fault::Unfinished),
        _ => false,
    }
}
