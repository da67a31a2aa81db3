//! [ch01]: ch01_socket_primitives
//! [ch02]: ch02_server_step_by_step
//! [ch03]: ch03_sum
//! [ch04]: ch04_chat
//! [ch05]: ch05_copy_by_sockets
//! [ch06]: ch06_copy_by_shared_memory
//! [ch07]: ch07_signals
//! [ch09]: ch09_lambda
//! [chat]: crate::chat
//! [copy]: crate::copy
//! [lambda]: crate::lambda
//! [shm]: crate::shm
//! [signals]: crate::signals
//! [socket]: crate::socket
//! [sum]: crate::sum
//!
#![doc = include_str!("../../docs/README.md")]

pub mod ch01_socket_primitives;
pub mod ch02_server_step_by_step;
pub mod ch03_sum;
pub mod ch04_chat;
pub mod ch05_copy_by_sockets;
pub mod ch06_copy_by_shared_memory;
pub mod ch07_signals;
pub mod ch09_lambda;
