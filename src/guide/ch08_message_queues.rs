//! [contents]: crate::guide
//! [ch09]: crate::guide::ch09_lambda
//! [ch07]: crate::guide::ch07_signals
//! [ch06]: crate::guide::ch06_copy_by_shared_memory
//! [queue]: crate::queue
//! [list]: crate::queue::list
//! [options]: crate::queue::OpenOptions
//! [handle]: crate::queue::Queue
//! [error]: crate::queue::Error
//! [shm]: crate::shm
//!
#![doc = include_str!("../../docs/08-message-queues.md")]
