//! [contents]: crate::guide
//! [ch07]: crate::guide::ch07_signals
//! [ch10]: crate::guide::ch10_for_teachers
//! [ch11]: crate::guide::ch11_which_one_and_how_fast
//! [ch05]: super::ch05_copy_by_sockets
//! [segment]: crate::shm::Segment
//! [waiters]: crate::shm::WaitQueue
//! [semaphore]: crate::shm::Semaphore
//! [lock]: crate::shm::Lock
//! [ring]: crate::shm::ring
//! [race]: crate::copy::s1_race
//! [s1sem]: crate::shm::s1_semaphore
//! [s2]: crate::copy::s2_one_slot
//! [s3]: crate::copy::s3_ring
//! [bytes]: crate::shm::bytes
//!
#![doc = include_str!("../../docs/06-copy-by-shared-memory.md")]
