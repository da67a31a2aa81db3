#![doc = "front page to come"]
#![deny(unsafe_code, missing_docs)]

pub mod error;
pub mod input;
pub mod interrupt;
pub mod notice;
pub mod socket;
pub mod sum;
