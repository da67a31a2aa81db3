//! Signals: the kernel's tap on a process's shoulder (note 4, chapter 7).
//!
//! A signal carries a number and nothing else. The process takes the default action, runs a handler of
//! its own, or ignores it:
//!
//! ```text
//!   the kernel (Ctrl-C, a fault, a dead reader) --+               +--> default: end, stop, nothing
//!   the process itself (raise, abort) ------------+--> signal n --+--> handler: a function of its own
//!   another process (kill) -----------------------+               +--> ignored: thrown away
//! ```
//!
//! Read it in this order:
//!
//! 1. `table.rs`: [`Signal`], all 31 signals with their default [`Action`] and their senders.
//! 2. `send.rs`: [`send`] and [`raise()`].
//! 3. `outcome.rs`: [`outcome`], what a parent learns when its child ends.
//! 4. `dispositions.rs`: [`dispositions`], what a process does with each signal, as the kernel reports it.
//! 5. `wait.rs`: [`wait()`], a process with a handler.
//! 6. [`lab`]: everything together, with real processes.
//!
//! std has no call to set a disposition or to send a signal, and this room writes no `unsafe` to call C's
//! functions. So the handler comes from the `ctrlc` crate, and `kill` from a POSIX shell; chapter 7 names the
//! limits.

mod dispositions;
pub mod lab;
mod outcome;
mod send;
mod table;
mod wait;

pub use dispositions::{Disposition, Dispositions, SignalSet, dispositions};
pub use outcome::{Outcome, outcome};
pub use send::{check_pid, raise, send};
pub use table::{Action, Signal, UnknownSignal};
pub use wait::{WaitEnd, wait};
