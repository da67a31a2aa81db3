//! [ch01]: ch01_socket_primitives
//! [ch02]: ch02_server_step_by_step
//! [ch03]: ch03_sum
//! [ch05]: ch05_copy_by_sockets
//! [ch06]: ch06_copy_by_shared_memory
//! [ch08]: ch08_message_queues
//! [queue]: crate::queue
//! [socket]: crate::socket
//! [sum]: crate::sum
//!
#![doc = include_str!("../../docs/README.md")]

pub mod ch01_socket_primitives;
pub mod ch02_server_step_by_step;
pub mod ch03_sum;
pub mod ch05_copy_by_sockets;
pub mod ch06_copy_by_shared_memory;
pub mod ch08_message_queues;
