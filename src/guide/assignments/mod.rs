//! [contents]: crate::guide
//! [sum-server]: crate::guide::assignments::sum_server
//! [sum-server-threaded]: crate::guide::assignments::sum_server_threaded
//! [sum-client]: crate::guide::assignments::sum_client
//! [chat-one-way]: crate::guide::assignments::chat_one_way
//! [chat-two-way]: crate::guide::assignments::chat_two_way
//! [chat-client]: crate::guide::assignments::chat_client
//! [copy-socket-server]: crate::guide::assignments::copy_socket_server
//! [copy-socket-client]: crate::guide::assignments::copy_socket_client
//! [copy-sharedmem]: crate::guide::assignments::copy_sharedmem
//! [signals]: crate::guide::assignments::signals
//! [queue]: crate::guide::assignments::queue
//! [lambda-server]: crate::guide::assignments::lambda_server
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
