//! [contents]: crate::guide
//! [ch04]: crate::guide::ch04_chat
//! [ch02]: crate::guide::ch02_server_step_by_step
//! [protocol]: crate::sum::protocol
//! [sequential]: crate::sum::sequential
//! [threaded]: crate::sum::threaded
//! [client]: crate::sum::client
//! [interrupt]: crate::interrupt::Interrupt
//! [send]: fn@crate::socket::send
//! [listener]: crate::socket::Listener::accept
//!
#![doc = include_str!("../../docs/03-sum.md")]
