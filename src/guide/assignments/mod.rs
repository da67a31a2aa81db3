//! [contents]: crate::guide
//!
#![doc = include_str!("../../../docs/assignments/README.md")]

pub mod chat_client;
pub mod chat_one_way;
pub mod chat_two_way;
pub mod copy_sharedmem;
pub mod copy_socket_client;
pub mod copy_socket_server;
pub mod lambda_server;
pub mod queue;
pub mod signals;
pub mod sum_client;
pub mod sum_server;
pub mod sum_server_threaded;
