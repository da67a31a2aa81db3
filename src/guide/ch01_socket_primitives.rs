//! [contents]: crate::guide
//!
#![doc = include_str!("../../docs/01-socket-primitives.md")]
