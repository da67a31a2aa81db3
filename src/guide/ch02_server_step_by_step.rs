//! [contents]: crate::guide
//! [ch01]: crate::guide::ch01_socket_primitives
//! [ch03]: crate::guide::ch03_sum
//! [connect]: fn@crate::socket::connect
//! [send]: fn@crate::socket::send
//! [recv]: fn@crate::socket::recv
//! [close]: fn@crate::socket::close
//! [listen]: fn@crate::socket::listen
//! [listener]: crate::socket::Listener
//! [stop]: crate::stop::StopToken
//!
#![doc = include_str!("../../docs/02-a-server-step-by-step.md")]
