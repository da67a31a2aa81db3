//! [contents]: crate::guide
//! [ch02]: crate::guide::ch02_server_step_by_step
//! [ch03]: crate::guide::ch03_sum
//! [socket]: crate::socket
//! [listen]: fn@crate::socket::listen
//! [connect]: fn@crate::socket::connect
//! [send]: fn@crate::socket::send
//! [recv]: fn@crate::socket::recv
//! [recv_exact]: fn@crate::socket::recv_exact
//! [close]: fn@crate::socket::close
//!
#![doc = include_str!("../../docs/01-socket-primitives.md")]
