//! [contents]: crate::guide
//! [ch03]: crate::guide::ch03_sum
//! [ch08]: crate::guide::ch08_message_queues
//! [ch10]: crate::guide::ch10_for_teachers
//! [accept_loop]: fn@crate::socket::accept_loop
//! [listen]: crate::socket::listen()
//! [connect]: crate::socket::connect()
//! [send]: crate::socket::send()
//! [close]: crate::socket::close()
//! [request]: crate::lambda::protocol::Request::parse
//! [client]: crate::lambda::client::invoke
//!
#![doc = include_str!("../../docs/09-lambda.md")]
