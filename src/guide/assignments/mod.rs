//! [contents]: crate::guide
//!
#![doc = include_str!("../../../docs/assignments/README.md")]

pub mod sum_client;
pub mod sum_server;
pub mod sum_server_threaded;
