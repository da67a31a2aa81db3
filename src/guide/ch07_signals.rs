//! [contents]: crate::guide
//! [abort]: std::process::abort
//! [broken-pipe]: std::io::ErrorKind::BrokenPipe
//! [check_pid]: crate::signals::check_pid
//! [dispositions]: crate::signals::dispositions()
//! [interrupt]: crate::interrupt
//! [lab]: crate::signals::lab
//! [on_signals]: crate::interrupt::Interrupt::on_signals
//! [outcome]: crate::signals::outcome()
//! [raise]: crate::signals::raise()
//! [send]: crate::signals::send
//! [Signal]: crate::signals::Signal
//! [signals]: crate::signals
//! [signal-7]: https://man7.org/linux/man-pages/man7/signal.7.html
//! [signal-safety-7]: https://man7.org/linux/man-pages/man7/signal-safety.7.html
//! [wait]: crate::signals::wait()
//!
#![doc = include_str!("../../docs/07-signals.md")]
