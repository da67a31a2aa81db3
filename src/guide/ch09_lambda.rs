//! [contents]: crate::guide
//! [ch08]: crate::guide::ch08_message_queues
//! [ch10]: crate::guide::ch10_for_teachers
//! [listen]: crate::socket::listen()
//! [connect]: crate::socket::connect()
//! [send]: crate::socket::send()
//! [close]: crate::socket::close()
//! [request]: crate::lambda::protocol::Request::parse
//! [client]: crate::lambda::client::invoke
//! [server]: crate::lambda::serve
//!
#![doc = include_str!("../../docs/09-lambda.md")]
