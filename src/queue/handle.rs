//! Stage 2: a queue that survives `kill -9` at any instruction, and is fast. This file is the part
//! that its users see: an open queue, sending to it and receiving from it.
//!
//! What broke: a process killed with stage 1's mutex locked blocks the queue for good. Chapter 8 has the lines
//! that do it, under "Break it".
//!
//! What this adds: a lock that names its holder, one moment of commit for each change, an index that can be
//! rebuilt; calls that fail immediately, after a time limit, or at Ctrl-C; the kernel's names, limits and errors.
//!
//! What it costs: eight files with nine hundred lines of code in all, and the room of `shm` beneath
//! them. It saves time: see the table in chapter 8.

use std::time::Duration;

use super::blocking::{Shared, Wait};
use super::error::{Error, Mode, State};
use super::layout::PRIORITIES;

/// An open message queue, from [`OpenOptions`](super::OpenOptions); dropping it closes it (`mq_close(3)`),
/// and the queue with its messages stays. All threads of a process can use one at the same time.
///
/// ```
/// use ipc_primer::queue::{self, Queue};
///
/// let name = format!("/doc-queue-{}", std::process::id());
/// let queue = Queue::options().read(true).write(true).create(true).open(&name)?;
/// queue.send(b"the news", 0)?;
/// queue.send(b"fire!", 9)?;
///
/// let mut buffer = vec![0; queue.attributes()?.message_size];
/// assert_eq!(queue.receive(&mut buffer)?.bytes, b"fire!"); // the highest priority first
/// assert_eq!(queue.receive(&mut buffer)?.bytes, b"the news");
/// queue::unlink(&name)?;
/// # Ok::<(), ipc_primer::queue::Error>(())
/// ```
#[derive(Debug)]
#[doc(alias = "mqd_t")]
#[doc(alias = "mq_close")]
pub struct Queue {
    pub(super) shared: Shared,
    pub(super) access: Access,
}

/// What a handle was opened for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Access {
    pub read: bool,
    pub write: bool,
    pub non_blocking: bool,
}

/// A received message, in the receiver's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'b> {
    /// The bytes that were sent.
    pub bytes: &'b [u8],
    /// From 0 to 32767; the higher goes first.
    pub priority: u32,
}

/// The attributes of a queue: `struct mq_attr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "mq_attr")]
pub struct Attributes {
    /// How many messages the queue can hold.
    pub max_messages: usize,
    /// How many bytes each message can have.
    pub message_size: usize,
    /// How many messages the queue holds now.
    pub messages: usize,
    /// Whether this handle's [`send`](Queue::send) and [`receive`](Queue::receive) fail instead of
    /// blocking: `O_NONBLOCK`.
    pub non_blocking: bool,
}

impl Queue {
    /// Puts a message in the queue; blocks while the queue is full, unless the handle is non-blocking.
    ///
    /// # Errors
    /// - [`Error::Invalid`]: the priority is over 32767.
    /// - [`Error::NotOpenFor`], [`Error::MessageSize`].
    /// - [`Error::WouldBlock`], if the handle is non-blocking; else [`Error::Interrupted`] or
    ///   [`Error::TooManyWaiters`].
    /// - [`Error::Damaged`], [`Error::Stalled`].
    #[doc(alias = "mq_send")]
    pub fn send(&self, bytes: &[u8], priority: u32) -> Result<(), Error> {
        self.send_with(bytes, priority, self.unless_non_blocking(Wait::Forever))
    }

    /// Puts a message in the queue if it is not full, whether or not the handle is non-blocking.
    ///
    /// # Errors
    /// [`Error::WouldBlock`], and those of [`send`](Self::send) that are not about blocking.
    pub fn try_send(&self, bytes: &[u8], priority: u32) -> Result<(), Error> {
        self.send_with(bytes, priority, Wait::Never)
    }

    /// Like [`send`](Self::send), but blocks for `limit` at most. Zero means a single try.
    ///
    /// # Errors
    /// [`Error::TimedOut`], and those of [`send`](Self::send).
    #[doc(alias = "mq_timedsend")]
    pub fn send_timeout(&self, bytes: &[u8], priority: u32, limit: Duration) -> Result<(), Error> {
        self.send_with(bytes, priority, self.unless_non_blocking(Wait::UpTo(limit)))
    }

    /// Takes the oldest message of the highest priority out of the queue, into `buffer`; blocks while
    /// the queue is empty, unless the handle is non-blocking.
    ///
    /// A process killed in this call may take one message with it: the one it was about to receive.
    ///
    /// # Errors
    /// - [`Error::NotOpenFor`]; [`Error::MessageSize`]: the buffer must have room for the queue's
    ///   `message_size`, however short the message.
    /// - [`Error::WouldBlock`], if the handle is non-blocking; else [`Error::Interrupted`] or
    ///   [`Error::TooManyWaiters`].
    /// - [`Error::Damaged`], [`Error::Stalled`].
    #[doc(alias = "mq_receive")]
    pub fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Message<'b>, Error> {
        self.receive_with(buffer, self.unless_non_blocking(Wait::Forever))
    }

    /// Takes a message out of the queue if there is one, whether or not the handle is non-blocking.
    ///
    /// # Errors
    /// [`Error::WouldBlock`], and those of [`receive`](Self::receive) that are not about blocking.
    pub fn try_receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Message<'b>, Error> {
        self.receive_with(buffer, Wait::Never)
    }

    /// Like [`receive`](Self::receive), but blocks for `limit` at most. Zero means a single try.
    ///
    /// # Errors
    /// [`Error::TimedOut`], and those of [`receive`](Self::receive).
    #[doc(alias = "mq_timedreceive")]
    pub fn receive_timeout<'b>(
        &self,
        buffer: &'b mut [u8],
        limit: Duration,
    ) -> Result<Message<'b>, Error> {
        self.receive_with(buffer, self.unless_non_blocking(Wait::UpTo(limit)))
    }

    /// The attributes of the queue, and how many messages it holds now.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Stalled`].
    #[doc(alias = "mq_getattr")]
    pub fn attributes(&self) -> Result<Attributes, Error> {
        Ok(Attributes {
            max_messages: self.shared.layout.max_messages,
            message_size: self.shared.layout.message_size,
            messages: self.shared.count()?,
            non_blocking: self.access.non_blocking,
        })
    }

    /// Makes this handle non-blocking, or blocking.
    #[doc(alias = "mq_setattr")]
    pub fn set_non_blocking(&mut self, non_blocking: bool) {
        self.access.non_blocking = non_blocking;
    }

    /// How long a call by this handle waits; the handle may be non-blocking.
    fn unless_non_blocking(&self, wait: Wait) -> Wait {
        match self.access.non_blocking {
            true => Wait::Never,
            false => wait,
        }
    }

    fn send_with(&self, bytes: &[u8], priority: u32, wait: Wait) -> Result<(), Error> {
        if priority >= PRIORITIES {
            let fault = format!("a priority is from 0 to {}, not {priority}", PRIORITIES - 1);
            return Err(Error::Invalid(fault));
        }
        if !self.access.write {
            return Err(Error::NotOpenFor(Mode::Writing));
        }
        let (len, message_size) = (bytes.len(), self.shared.layout.message_size);
        if len > message_size {
            return Err(Error::MessageSize { len, message_size });
        }
        self.shared
            .blocking(State::Full, wait, |messages| messages.put(bytes, priority))
    }

    fn receive_with<'b>(&self, buffer: &'b mut [u8], wait: Wait) -> Result<Message<'b>, Error> {
        if !self.access.read {
            return Err(Error::NotOpenFor(Mode::Reading));
        }
        let (len, message_size) = (buffer.len(), self.shared.layout.message_size);
        if len < message_size {
            return Err(Error::MessageSize { len, message_size });
        }
        let (len, priority) = self
            .shared
            .blocking(State::Empty, wait, |messages| messages.take(buffer))?;
        let bytes = &buffer[..len];
        Ok(Message { bytes, priority })
    }
}
