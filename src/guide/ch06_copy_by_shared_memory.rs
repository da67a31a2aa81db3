//! [contents]: crate::guide
//! [ch05]: super::ch05_copy_by_sockets
//! [segment]: crate::shm::Segment
//! [waiters]: crate::shm::Waiters
//! [semaphore]: crate::shm::Semaphore
//! [lock]: crate::shm::Lock
//! [ring]: crate::shm::ring
//! [race]: crate::copy::race
//! [sender]: crate::copy::sender
//! [receiver]: crate::copy::receiver
//! [bytes]: crate::shm::bytes
//!
#![doc = include_str!("../../docs/06-copy-by-shared-memory.md")]
