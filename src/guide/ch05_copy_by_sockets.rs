//! [contents]: crate::guide
//! [ch06]: super::ch06_copy_by_shared_memory
//! [listen]: crate::socket::listen()
//! [server]: crate::copy::server
//! [client]: crate::copy::client
//! [source]: crate::copy::source
//! [target]: crate::copy::target
//!
#![doc = include_str!("../../docs/05-copy-by-sockets.md")]
