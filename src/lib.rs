#![doc = "front page to come"]
#![deny(unsafe_code, missing_docs)]

pub mod copy;
pub mod error;
#[cfg(doc)]
pub mod guide;
pub mod input;
pub mod interrupt;
pub mod notice;
pub mod process;
pub mod progress;
pub mod queue;
pub mod shm;
pub mod socket;
pub mod sum;
pub mod tour;
