//! [ch01]: ch01_socket_primitives
//! [ch02]: ch02_server_step_by_step
//! [ch03]: ch03_sum
//! [ch04]: ch04_chat
//! [ch07]: ch07_signals
//! [ch09]: ch09_lambda
//! [chat]: crate::chat
//! [lambda]: crate::lambda
//! [signals]: crate::signals
//! [ch10]: ch10_for_teachers
//! [assignments]: assignments
//! [grade]: crate::grade
//! [socket]: crate::socket
//! [sum]: crate::sum
//!
#![doc = include_str!("../../docs/README.md")]

pub mod assignments;
pub mod ch01_socket_primitives;
pub mod ch02_server_step_by_step;
pub mod ch03_sum;
pub mod ch04_chat;
pub mod ch07_signals;
pub mod ch09_lambda;
pub mod ch10_for_teachers;
