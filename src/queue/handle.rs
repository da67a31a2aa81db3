//! A queue that is open: sending and receiving, without blocking, blocking, and up to a limit.

use std::hint;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::error::{Error, Mode, State};
use super::layout::{LOCK, Layout, PRIORITIES, REGISTERS, SEATS, View};
use super::messages::Messages;
use super::options::OpenOptions;
use crate::shm::{Held, Lock, Segment, Waiters, owner};

/// How long even a call that must not block waits for the lock, which is held for a tenth of a
/// microsecond: the limits that callers give are about messages.
const STALLED: Duration = Duration::from_secs(2);
/// How long to leave alone a lock that as many wait for as can.
const CROWDED: Duration = Duration::from_millis(1);

/// How long to look whether there is a message, or room, before sleeping. To be put to sleep and woken
/// can take as long, and costs the process that wakes us the most.
const SPINNING: Duration = Duration::from_micros(200);
/// How often to look before giving our processor to whoever else wants it, who may be just the process
/// that we wait for.
const LOOKS: u32 = 10;

/// A message queue that is open, as [`OpenOptions`] opened it; dropping it closes it (`mq_close(3)`),
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
    segment: Arc<Segment>,
    layout: Layout,
    lock: Lock,
    receivers: Waiters,
    senders: Waiters,
    options: OpenOptions,
}

/// A message as it was received, in the buffer of who received it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'b> {
    /// What was sent.
    pub bytes: &'b [u8],
    /// From 0 to 32767; the higher goes first.
    pub priority: u32,
}

/// What a queue is like: `struct mq_attr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "mq_attr")]
pub struct Attributes {
    /// How many messages it can hold.
    pub max_messages: usize,
    /// How many bytes each can have.
    pub message_size: usize,
    /// How many messages it holds now.
    pub messages: usize,
    /// Whether this handle's [`send`](Queue::send) and [`receive`](Queue::receive) fail instead of
    /// blocking: `O_NONBLOCK`.
    pub non_blocking: bool,
}

/// How long a call may block.
#[derive(Clone, Copy)]
enum Patience {
    None,
    For(Duration),
    Endless,
}

impl Queue {
    /// How a queue is to be opened: a builder, with nothing chosen yet.
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    pub(super) fn of(segment: Segment, layout: Layout, options: OpenOptions) -> Self {
        let segment = Arc::new(segment);
        let mut first = 0;
        let [lock, receivers, senders] = [0, 1, 2].map(|which| {
            let seats = first..first + SEATS[which];
            first = seats.end;
            Waiters::new(&segment, seats)
                .registered_in(REGISTERS + which)
                .spinning(0)
        });
        Self {
            lock: Lock::with_waiters(&segment, LOCK, lock),
            receivers,
            senders,
            segment,
            layout,
            options,
        }
    }

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
        self.send_with(bytes, priority, self.patience())
    }

    /// Puts a message in the queue if it is not full, whether or not the handle is non-blocking.
    ///
    /// # Errors
    /// [`Error::WouldBlock`], and those of [`send`](Self::send) that are not about blocking.
    pub fn try_send(&self, bytes: &[u8], priority: u32) -> Result<(), Error> {
        self.send_with(bytes, priority, Patience::None)
    }

    /// As [`send`](Self::send), but blocks for `limit` at most. Zero is a try.
    ///
    /// # Errors
    /// [`Error::TimedOut`], and those of [`send`](Self::send).
    #[doc(alias = "mq_timedsend")]
    pub fn send_timeout(&self, bytes: &[u8], priority: u32, limit: Duration) -> Result<(), Error> {
        self.send_with(bytes, priority, self.patience_for(limit))
    }

    /// Takes the oldest message of the highest priority out of the queue, into `buffer`; blocks while
    /// the queue is empty, unless the handle is non-blocking.
    ///
    /// A process killed in here may take one message with it: the one it was about to be given.
    ///
    /// # Errors
    /// - [`Error::NotOpenFor`]; [`Error::MessageSize`]: the buffer has to have the queue's
    ///   `message_size`, however short the message.
    /// - [`Error::WouldBlock`], if the handle is non-blocking; else [`Error::Interrupted`] or
    ///   [`Error::TooManyWaiters`].
    /// - [`Error::Damaged`], [`Error::Stalled`].
    #[doc(alias = "mq_receive")]
    pub fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Message<'b>, Error> {
        self.receive_with(buffer, self.patience())
    }

    /// Takes a message out of the queue if there is one, whether or not the handle is non-blocking.
    ///
    /// # Errors
    /// [`Error::WouldBlock`], and those of [`receive`](Self::receive) that are not about blocking.
    pub fn try_receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Message<'b>, Error> {
        self.receive_with(buffer, Patience::None)
    }

    /// As [`receive`](Self::receive), but blocks for `limit` at most. Zero is a try.
    ///
    /// # Errors
    /// [`Error::TimedOut`], and those of [`receive`](Self::receive).
    #[doc(alias = "mq_timedreceive")]
    pub fn receive_timeout<'b>(
        &self,
        buffer: &'b mut [u8],
        limit: Duration,
    ) -> Result<Message<'b>, Error> {
        self.receive_with(buffer, self.patience_for(limit))
    }

    /// What the queue is like, and how many messages it holds now.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Stalled`].
    #[doc(alias = "mq_getattr")]
    pub fn attributes(&self) -> Result<Attributes, Error> {
        let held = self.locked(Patience::None)?;
        let mut messages = Messages::new(View::new(&self.segment, self.layout));
        messages.check(&held)?;
        Ok(Attributes {
            max_messages: self.layout.max_messages,
            message_size: self.layout.message_size,
            messages: messages.count(),
            non_blocking: self.options.non_blocking,
        })
    }

    /// Makes this handle non-blocking, or blocking.
    #[doc(alias = "mq_setattr")]
    pub fn set_non_blocking(&mut self, non_blocking: bool) {
        self.options.non_blocking = non_blocking;
    }

    fn patience(&self) -> Patience {
        match self.options.non_blocking {
            true => Patience::None,
            false => Patience::Endless,
        }
    }

    fn patience_for(&self, limit: Duration) -> Patience {
        match self.options.non_blocking {
            true => Patience::None,
            false => Patience::For(limit),
        }
    }

    fn send_with(&self, bytes: &[u8], priority: u32, patience: Patience) -> Result<(), Error> {
        if priority >= PRIORITIES {
            let fault = format!("a priority is from 0 to {}, not {priority}", PRIORITIES - 1);
            return Err(Error::Invalid(fault));
        }
        self.check(self.options.write, Mode::Writing)?;
        let (len, message_size) = (bytes.len(), self.layout.message_size);
        if len > message_size {
            return Err(Error::MessageSize { len, message_size });
        }
        self.blocking(State::Full, patience, |messages| {
            if messages.is_full() {
                return Ok(None);
            }
            messages.put(bytes, priority).map(Some)
        })
    }

    fn receive_with<'b>(
        &self,
        buffer: &'b mut [u8],
        patience: Patience,
    ) -> Result<Message<'b>, Error> {
        self.check(self.options.read, Mode::Reading)?;
        let (len, message_size) = (buffer.len(), self.layout.message_size);
        if len < message_size {
            return Err(Error::MessageSize { len, message_size });
        }
        let (len, priority) =
            self.blocking(State::Empty, patience, |messages| messages.take(buffer))?;
        let bytes = &buffer[..len];
        Ok(Message { bytes, priority })
    }

    fn check(&self, open: bool, mode: Mode) -> Result<(), Error> {
        match open {
            true => Ok(()),
            false => Err(Error::NotOpenFor(mode)),
        }
    }

    /// Makes an attempt, and more as long as the queue is in the `state` that blocks it.
    fn blocking<T>(
        &self,
        state: State,
        patience: Patience,
        mut attempt: impl FnMut(&mut Messages<'_>) -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        if let Some(value) = self.attempt(state, patience, &mut attempt)? {
            return Ok(value);
        }
        let deadline = match patience {
            Patience::None => return Err(Error::WouldBlock(state)),
            Patience::For(limit) => Instant::now().checked_add(limit),
            Patience::Endless => None,
        };
        let left = || deadline.map(|at| at.saturating_duration_since(Instant::now()));
        self.spin(state, deadline);
        let ready = || {
            let patience = left().map_or(Patience::Endless, Patience::For);
            self.attempt(state, patience, &mut attempt).transpose()
        };
        let waited = self
            .waiters(state)
            .wait(left(), &self.options.interrupt, ready);
        waited.unwrap_or_else(|error| match error.kind() {
            ErrorKind::TimedOut => Err(Error::TimedOut(state)),
            _ => Err(error.into()),
        })
    }

    /// Makes one attempt with the lock, and wakes one of those whom its success lets go on.
    ///
    /// Those who wait make their last attempt before they sleep when their seat is in the register
    /// already, and make it with the lock. So whoever has the lock after them sees the seat.
    fn attempt<T>(
        &self,
        state: State,
        patience: Patience,
        attempt: impl FnOnce(&mut Messages<'_>) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        let held = self.locked(patience)?;
        let mut messages = Messages::new(View::new(&self.segment, self.layout));
        messages.check(&held)?;
        let value = attempt(&mut messages)?;
        let others = match state {
            State::Full => &self.receivers,
            State::Empty => &self.senders,
        };
        let wake = value.is_some() && others.are_registered();
        drop(held);
        if wake {
            others.wake_one();
        }
        Ok(value)
    }

    /// Takes the lock. Only a process that was stopped while it had it keeps anybody waiting for it.
    #[inline]
    fn locked(&self, patience: Patience) -> Result<Held<'_>, Error> {
        let limit = match patience {
            Patience::None => Some(STALLED),
            Patience::For(limit) => Some(limit.max(STALLED)),
            Patience::Endless => None,
        };
        loop {
            match self.lock.lock(limit, &self.options.interrupt) {
                Ok(held) => return Ok(held),
                Err(error) if error.kind() == ErrorKind::ResourceBusy => thread::sleep(CROWDED),
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    let holder = self.segment.words()[LOCK].load(Ordering::Relaxed);
                    let pid = owner::identity(holder).pid;
                    return Err(Error::Stalled { pid });
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Looks for a while whether the queue is still in the `state` that blocks, without its lock.
    fn spin(&self, state: State, deadline: Option<Instant>) {
        let count = View::new(&self.segment, self.layout).count();
        let blocked_at = match state {
            State::Empty => 0,
            State::Full => self.layout.max_messages as u64,
        };
        let end = Instant::now() + SPINNING;
        let end = deadline.map_or(end, |deadline| end.min(deadline));
        while Instant::now() < end {
            for _ in 0..LOOKS {
                if count.load(Ordering::Relaxed) != blocked_at {
                    return;
                }
                hint::spin_loop();
            }
            thread::yield_now();
        }
    }

    fn waiters(&self, state: State) -> &Waiters {
        match state {
            State::Empty => &self.receivers,
            State::Full => &self.senders,
        }
    }
}
