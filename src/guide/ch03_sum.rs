//! [contents]: crate::guide
//! [ch02]: crate::guide::ch02_server_step_by_step
//! [ch04]: crate::guide::ch04_chat
//! [ch10]: crate::guide::ch10_for_teachers
//! [accept_loop]: fn@crate::socket::accept_loop
//! [client]: crate::sum::client
//! [stop]: crate::stop::StopToken
//! [listen]: fn@crate::socket::listen
//! [listener]: crate::socket::Listener::accept
//! [send]: fn@crate::socket::send
//!
#![doc = include_str!("../../docs/03-sum.md")]
