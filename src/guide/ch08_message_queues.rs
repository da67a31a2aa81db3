//! [contents]: crate::guide
//! [queue]: crate::queue
//! [list]: crate::queue::list
//! [options]: crate::queue::OpenOptions
//! [handle]: crate::queue::Queue
//! [error]: crate::queue::Error
//! [shm]: crate::shm
//!
#![doc = include_str!("../../docs/08-message-queues.md")]
