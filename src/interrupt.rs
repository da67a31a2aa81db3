//! One way of ending: Ctrl-C, SIGTERM and SIGHUP as one event that wakes whoever waits.
//!
//! The notes' C programs register a handler for SIGINT that closes the connection and unlinks the
//! socket. A handler may call very little, so here it does nothing but raise an [`Interrupt`]: every
//! blocked call has left a *waker* with it, the wakers run, the calls return, and each function
//! cleans up after itself on its way back to `main`. Nobody polls a flag.
//!
//! ```
//! use ipc_primer::interrupt::Interrupt;
//! use std::{os::unix::net::UnixStream, net::Shutdown, io::Read, sync::Arc, thread};
//!
//! let interrupt = Interrupt::new();
//! let (here, _there) = UnixStream::pair()?;
//! let here = Arc::new(here);
//!
//! let clone = Arc::clone(&here);
//! let _waker = interrupt.on_raise(move || drop(clone.shutdown(Shutdown::Both)));
//!
//! let raiser = interrupt.clone();
//! thread::spawn(move || raiser.raise());
//! assert_eq!((&*here).read(&mut [0; 8])?, 0); // nobody wrote, yet the read has an end
//! # Ok::<(), std::io::Error>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// An event that is raised once and stays raised. Clones are the same event.
#[derive(Clone, Default)]
pub struct Interrupt {
    shared: Arc<Shared>,
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupt")
            .field("raised", &self.is_raised())
            .finish()
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    raised: Condvar,
}

#[derive(Default)]
struct State {
    raised: bool,
    next_key: u64,
    wakers: BTreeMap<u64, Box<dyn FnOnce() + Send>>,
}

impl Interrupt {
    /// An event of the program's own, raised by [`raise`](Self::raise) alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// The event that SIGINT (Ctrl-C), SIGTERM and SIGHUP raise: `sigaction(2)` underneath, by the
    /// `ctrlc` crate, whose handler runs on a thread of its own and so may lock and allocate. It also
    /// handles those that were ignored before, SIGHUP under `nohup` among them.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] at the second call in one process: a signal has one handler.
    #[doc(alias = "signal")]
    #[doc(alias = "sigaction")]
    pub fn on_signals() -> io::Result<Self> {
        let interrupt = Self::new();
        interrupt.raise_on_signals()?;
        Ok(interrupt)
    }

    /// Lets the three signals raise this event.
    ///
    /// # Errors
    /// Those of [`on_signals`](Self::on_signals).
    pub fn raise_on_signals(&self) -> io::Result<()> {
        let raiser = self.clone();
        ctrlc::set_handler(move || raiser.raise()).map_err(|error| match error {
            ctrlc::Error::System(error) => error,
            other => io::Error::new(ErrorKind::AlreadyExists, other),
        })
    }

    /// Raises the event: runs every waker, each once. Raising again does nothing.
    pub fn raise(&self) {
        let wakers = {
            let mut state = self.state();
            state.raised = true;
            std::mem::take(&mut state.wakers)
        };
        self.shared.raised.notify_all();
        wakers.into_values().for_each(|wake| wake());
    }

    /// Whether the event was raised.
    pub fn is_raised(&self) -> bool {
        self.state().raised
    }

    /// Blocks until the event is raised or `limit` has passed; says whether it was raised.
    pub fn wait_timeout(&self, limit: Duration) -> bool {
        let state = self.state();
        let waited = self
            .shared
            .raised
            .wait_timeout_while(state, limit, |state| !state.raised);
        waited.unwrap_or_else(PoisonError::into_inner).0.raised
    }

    /// Leaves `wake` to be run when the event is raised; at once if it was raised already, so there
    /// is no moment in which a raise goes unseen. Dropping the [`Waker`] takes it back.
    #[must_use = "dropping the waker takes it back"]
    pub fn on_raise(&self, wake: impl FnOnce() + Send + 'static) -> Waker {
        let mut state = self.state();
        let key = state.next_key;
        if state.raised {
            drop(state); // `wake` may use this very event
            wake();
        } else {
            state.next_key += 1;
            state.wakers.insert(key, Box::new(wake));
        }
        Waker {
            interrupt: self.clone(),
            key,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A waker left with an [`Interrupt`]; dropping it takes the waker back, unless it is just running on
/// another thread: so a waker should do no more than wake.
pub struct Waker {
    interrupt: Interrupt,
    key: u64,
}

impl Drop for Waker {
    fn drop(&mut self) {
        let waker = self.interrupt.state().wakers.remove(&self.key);
        drop(waker); // after the lock: what it captured may have a drop of its own
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_waker_left_too_late_runs_at_once() {
        let interrupt = Interrupt::new();
        interrupt.raise();
        let (tell, told) = mpsc::channel();
        let _waker = interrupt.on_raise(move || tell.send(()).unwrap());
        assert!(told.try_recv().is_ok());
    }

    #[test]
    fn a_waker_taken_back_never_runs() {
        let interrupt = Interrupt::new();
        let (tell, told) = mpsc::channel();
        drop(interrupt.on_raise(move || tell.send(()).unwrap()));
        interrupt.raise();
        assert!(told.try_recv().is_err());
    }

    #[test]
    fn a_waker_taken_back_takes_no_other_with_it() {
        let interrupt = Interrupt::new();
        let (tell, told) = mpsc::channel();
        let _kept = interrupt.on_raise(move || tell.send(()).unwrap());
        drop(interrupt.on_raise(|| ()));
        interrupt.raise();
        assert!(told.try_recv().is_ok());
    }
}
