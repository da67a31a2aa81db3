//! One way to end: Ctrl-C, SIGTERM and SIGHUP become one event that wakes every blocked call.
//!
//! The notes' C programs register a handler for SIGINT that closes the connection and unlinks the
//! socket. A handler may call very little, so here it only requests the stop of a [`StopToken`]. Every blocked
//! call has left a *waker* with the token: the wakers run, the calls return, and each function
//! cleans up after itself on its way back to `main`. No thread polls a flag.
//!
//! ```
//! use ipc_primer::stop::StopToken;
//! use std::{os::unix::net::UnixStream, net::Shutdown, io::Read, sync::Arc, thread};
//!
//! let stop = StopToken::new();
//! let (here, _there) = UnixStream::pair()?;
//! let here = Arc::new(here);
//!
//! let clone = Arc::clone(&here);
//! let _waker = stop.on_stop(move || drop(clone.shutdown(Shutdown::Both)));
//!
//! let requester = stop.clone();
//! thread::spawn(move || requester.request_stop());
//! assert_eq!((&*here).read(&mut [0; 8])?, 0); // nobody wrote, yet the read has an end
//! # Ok::<(), std::io::Error>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A request to stop, made once and for all. Clones are the same request.
#[derive(Clone, Default)]
pub struct StopToken {
    shared: Arc<Shared>,
}

impl fmt::Debug for StopToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopToken")
            .field("requested", &self.is_requested())
            .finish()
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    requested: Condvar,
}

#[derive(Default)]
struct State {
    requested: bool,
    next_key: u64,
    wakers: BTreeMap<u64, Box<dyn FnOnce() + Send>>,
}

impl StopToken {
    /// A token of the program's own: only [`request_stop`](Self::request_stop) requests the stop.
    pub fn new() -> Self {
        Self::default()
    }

    /// A token whose stop SIGINT (Ctrl-C), SIGTERM and SIGHUP request: `sigaction(2)` underneath, called by the
    /// `ctrlc` crate, whose handler runs on its own thread and so may lock and allocate. The crate also
    /// handles signals that were ignored before, SIGHUP under `nohup` among them.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] at the second call in one process: a signal has one handler.
    #[doc(alias = "sigemptyset")]
    #[doc(alias = "sigfillset")]
    #[doc(alias = "sigaddset")]
    #[doc(alias = "signal")]
    #[doc(alias = "sigaction")]
    pub fn on_signals() -> io::Result<Self> {
        let stop = Self::new();
        stop.request_on_signals()?;
        Ok(stop)
    }

    /// Lets the three signals request this stop.
    ///
    /// # Errors
    /// Those of [`on_signals`](Self::on_signals).
    pub fn request_on_signals(&self) -> io::Result<()> {
        let requester = self.clone();
        ctrlc::set_handler(move || requester.request_stop()).map_err(|error| match error {
            ctrlc::Error::System(error) => error,
            other => io::Error::new(ErrorKind::AlreadyExists, other),
        })
    }

    /// Requests the stop: runs every waker once. A second request does nothing.
    #[doc(alias = "exit")]
    pub fn request_stop(&self) {
        let wakers = {
            let mut state = self.state();
            state.requested = true;
            std::mem::take(&mut state.wakers)
        };
        self.shared.requested.notify_all();
        wakers.into_values().for_each(|wake| wake());
    }

    /// Whether the stop was requested.
    pub fn is_requested(&self) -> bool {
        self.state().requested
    }

    /// Blocks until the stop is requested or `limit` has passed; says whether it was requested.
    pub fn wait_timeout(&self, limit: Duration) -> bool {
        let state = self.state();
        let waited = self
            .shared
            .requested
            .wait_timeout_while(state, limit, |state| !state.requested);
        waited.unwrap_or_else(PoisonError::into_inner).0.requested
    }

    /// Registers `wake` to run when the stop is requested, or immediately if it already was, so that
    /// no request goes unseen. Dropping the [`Waker`] takes it back.
    #[must_use = "dropping the waker takes it back"]
    pub fn on_stop(&self, wake: impl FnOnce() + Send + 'static) -> Waker {
        let mut state = self.state();
        let key = state.next_key;
        if state.requested {
            drop(state); // `wake` may use this very token
            wake();
        } else {
            state.next_key += 1;
            state.wakers.insert(key, Box::new(wake));
        }
        Waker {
            stop: self.clone(),
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

/// A waker left with a [`StopToken`]; dropping it takes the waker back, unless the waker is already running
/// on another thread, so a waker should do no more than wake.
pub struct Waker {
    stop: StopToken,
    key: u64,
}

impl Drop for Waker {
    fn drop(&mut self) {
        let waker = self.stop.state().wakers.remove(&self.key);
        drop(waker); // after the lock is released: its captures may have drops of their own
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_waker_left_too_late_runs_at_once() {
        let stop = StopToken::new();
        stop.request_stop();
        let (tell, told) = mpsc::channel();
        let _waker = stop.on_stop(move || tell.send(()).unwrap());
        assert!(told.try_recv().is_ok());
    }

    #[test]
    fn a_waker_taken_back_never_runs() {
        let stop = StopToken::new();
        let (tell, told) = mpsc::channel();
        drop(stop.on_stop(move || tell.send(()).unwrap()));
        stop.request_stop();
        assert!(told.try_recv().is_err());
    }

    #[test]
    fn a_waker_taken_back_takes_no_other_with_it() {
        let stop = StopToken::new();
        let (tell, told) = mpsc::channel();
        let _kept = stop.on_stop(move || tell.send(()).unwrap());
        drop(stop.on_stop(|| ()));
        stop.request_stop();
        assert!(told.try_recv().is_ok());
    }
}
