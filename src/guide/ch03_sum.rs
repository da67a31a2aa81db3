//! [contents]: crate::guide
//!
#![doc = include_str!("../../docs/03-sum.md")]
