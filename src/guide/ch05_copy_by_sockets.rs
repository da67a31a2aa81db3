//! [contents]: crate::guide
//! [ch04]: crate::guide::ch04_chat
//! [ch06]: super::ch06_copy_by_shared_memory
//! [ch10]: crate::guide::ch10_for_teachers
//! [ch11]: crate::guide::ch11_which_one_and_how_fast
//! [accept_loop]: fn@crate::socket::accept_loop
//! [client]: crate::copy::s2_whole::receive
//! [listen]: fn@crate::socket::listen
//! [s2]: crate::copy::s2_whole
//! [source]: crate::copy::source
//! [target]: crate::copy::target
//!
#![doc = include_str!("../../docs/05-copy-by-sockets.md")]
