//! A mailbox: several threads report to one thread that waits for all of them, and for a stop.
//!
//! A thread that is blocked in one call notices nothing else. So each call that may block has a thread that
//! only waits and reports, and the thread that decides waits at its mailbox alone.

use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

use crate::stop::{StopToken, Waker};

/// The mailbox of one thread.
pub struct Mailbox<T> {
    sender: SyncSender<Option<T>>,
    receiver: Receiver<Option<T>>,
    stop: StopToken,
    _waker: Waker,
}

impl<T: Send + 'static> Mailbox<T> {
    /// A mailbox that holds so many waiting letters; a thread with more to tell waits.
    pub fn new(size: usize, stop: &StopToken) -> Self {
        let (sender, receiver) = mpsc::sync_channel(size);
        let stopped = sender.clone();
        // A full mailbox needs no such letter: the thread that empties it checks the stop each time.
        let _waker = stop.on_stop(move || drop(stopped.try_send(None)));
        let stop = stop.clone();
        Self {
            sender,
            receiver,
            stop,
            _waker,
        }
    }

    /// Puts letters in, and says whether a reader is left for them.
    pub fn sender(&self) -> impl Fn(T) -> bool + Send + 'static + use<T> {
        let sender = self.sender.clone();
        move |letter| sender.send(Some(letter)).is_ok()
    }

    /// Waits for the next letter; `None` once a stop is requested.
    pub fn next(&self) -> Option<T> {
        self.unless_stopped(self.receiver.recv().ok())
    }

    /// Waits for the next letter, but at most for so long.
    pub fn next_within(&self, limit: Duration) -> Option<T> {
        self.unless_stopped(self.receiver.recv_timeout(limit).ok())
    }

    /// The next letter, if there already is one.
    pub fn next_waiting(&self) -> Option<T> {
        self.unless_stopped(self.receiver.try_recv().ok())
    }

    fn unless_stopped(&self, letter: Option<Option<T>>) -> Option<T> {
        letter.flatten().filter(|_| !self.stop.is_requested())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_stop_ends_the_wait_whatever_lies_in_the_mailbox() {
        let stop = StopToken::new();
        let (empty, full) = (Mailbox::<u8>::new(1, &stop), Mailbox::new(1, &stop));
        assert!(full.sender()(1));
        let waits = thread::spawn(move || empty.next());
        stop.request_stop();
        assert_eq!(waits.join().unwrap(), None);
        assert_eq!(full.next(), None);
    }
}
