//! [contents]: crate::guide
//! [ch05]: crate::guide::ch05_copy_by_sockets
//! [ch03]: crate::guide::ch03_sum
//! [in_directory]: crate::socket::in_directory
//! [listen]: fn@crate::socket::listen
//! [accept]: crate::socket::Listener::accept
//! [connect]: fn@crate::socket::connect
//! [send]: fn@crate::socket::send
//! [hello]: crate::chat::protocol::Hello
//! [input]: crate::input::read_line_into
//! [one_way]: crate::chat::one_way
//! [two_way]: crate::chat::two_way
//! [client]: crate::chat::client
//! [interrupt]: crate::interrupt::Interrupt
//! [screen]: crate::chat::Screen
//! [escape]: fn@crate::escape::escape
//!
#![doc = include_str!("../../docs/04-chat.md")]
