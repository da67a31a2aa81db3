//! The parts of a queue that its users share: its memory, its lock, and its wait queues. Sending
//! and receiving are attempts with the lock held, and waiting between them.

use std::hint;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::error::{Error, State};
use super::layout::{LOCK, Layout, View, WAIT_SLOTS};
use super::messages::Messages;
use crate::shm::{Lock, LockGuard, Segment, WaitQueue, owner};
use crate::stop::StopToken;

/// How long even a call that must not block waits for the lock, which is held for a tenth of a
/// microsecond: the limits that callers give are about messages.
const STALLED: Duration = Duration::from_secs(2);

/// How long to look whether there is a message, or room, before sleeping. Going to sleep and being
/// woken can take as long, and costs the process that wakes us the most.
const SPINNING: Duration = Duration::from_micros(200);
/// How often to look before giving our processor to another process, which may be just the one that we
/// wait for.
const LOOKS: u32 = 3;

/// How long a call may block.
#[derive(Clone, Copy)]
pub(super) enum Wait {
    Never,
    UpTo(Duration),
    Forever,
}

impl Wait {
    fn limit(self) -> Option<Duration> {
        match self {
            Self::Never => Some(Duration::ZERO),
            Self::UpTo(limit) => Some(limit),
            Self::Forever => None,
        }
    }
}

/// A queue in our address space, as one process uses it until `stop` is requested.
#[derive(Debug)]
pub(super) struct Shared {
    segment: Arc<Segment>,
    pub layout: Layout,
    lock: Lock,
    receivers: WaitQueue,
    senders: WaitQueue,
    stop: StopToken,
}

impl Shared {
    pub fn new(segment: Segment, layout: Layout, stop: &StopToken) -> Self {
        let segment = Arc::new(segment);
        let mut first = 0;
        let [lock, receivers, senders] = WAIT_SLOTS.map(|count| {
            first += count;
            first - count..first
        });
        Self {
            lock: Lock::new(&segment, LOCK, lock),
            receivers: WaitQueue::new(&segment, receivers),
            senders: WaitQueue::new(&segment, senders),
            segment,
            layout,
            stop: stop.clone(),
        }
    }

    /// How many messages there are.
    pub fn count(&self) -> Result<usize, Error> {
        let held = self.locked(Wait::Never.limit())?;
        Ok(Messages::new(self.view(), &held)?.count())
    }

    /// Makes an attempt, and repeats it as long as the queue is in the `state` that blocks it.
    #[inline]
    pub fn blocking<T>(
        &self,
        state: State,
        wait: Wait,
        mut attempt: impl FnMut(&mut Messages<'_>) -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        match self.attempt(state, wait.limit(), &mut attempt)? {
            Some(value) => Ok(value),
            None => self.attempt_again(state, wait, attempt),
        }
    }

    /// Makes an attempt each time that the state may have changed.
    #[cold]
    fn attempt_again<T>(
        &self,
        state: State,
        wait: Wait,
        mut attempt: impl FnMut(&mut Messages<'_>) -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        if let Wait::Never = wait {
            return Err(Error::WouldBlock(state));
        }
        let deadline = wait
            .limit()
            .and_then(|limit| Instant::now().checked_add(limit));
        let left = || deadline.map(|at| at.saturating_duration_since(Instant::now()));
        self.spin(state, deadline);
        let ready = || self.attempt(state, left(), &mut attempt).transpose();
        let waited = self.waiters(state).wait(left(), &self.stop, ready);
        if let Ok(Err(_)) = waited {
            // We may have been woken for this attempt, and another process's may succeed.
            self.waiters(state).wake_one();
        }
        waited.unwrap_or_else(|error| match error.kind() {
            ErrorKind::TimedOut => Err(Error::TimedOut(state)),
            _ => Err(error.into()),
        })
    }

    /// Makes one attempt with the lock, and wakes one process that can go on after its success.
    ///
    /// A process that waits holds the lock for its last attempt before it sleeps, and its wait slot
    /// is in the register by then. So the next process that has the lock sees the wait slot.
    #[inline]
    fn attempt<T>(
        &self,
        state: State,
        limit: Option<Duration>,
        attempt: impl FnOnce(&mut Messages<'_>) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        let held = self.locked(limit)?;
        let mut messages = Messages::new(self.view(), &held)?;
        let value = attempt(&mut messages)?;
        let others = match state {
            State::Full => &self.receivers,
            State::Empty => &self.senders,
        };
        let wake = value.is_some() && others.has_waiters();
        drop(held);
        if wake {
            others.wake_one();
        }
        Ok(value)
    }

    /// Takes the lock. Only a process that was stopped while it had the lock keeps others waiting.
    #[inline]
    fn locked(&self, limit: Option<Duration>) -> Result<LockGuard<'_>, Error> {
        let limit = limit.map(|limit| limit.max(STALLED));
        let locked = self.lock.lock(limit, &self.stop);
        locked.map_err(|error| match error.kind() {
            ErrorKind::TimedOut => {
                let holder = self.segment.words()[LOCK].load(Ordering::Relaxed);
                let pid = owner::identity(holder).pid;
                Error::Stalled { pid }
            }
            _ => error.into(),
        })
    }

    /// Checks for a while, without the lock, whether the queue is still in the `state` that blocks.
    fn spin(&self, state: State, deadline: Option<Instant>) {
        let count = self.view().count();
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

    fn view(&self) -> View<'_> {
        View::new(&self.segment, self.layout)
    }

    fn waiters(&self, state: State) -> &WaitQueue {
        match state {
            State::Empty => &self.receivers,
            State::Full => &self.senders,
        }
    }
}
