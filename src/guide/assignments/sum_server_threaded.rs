//! [contents]: crate::guide
//! [assignments]: crate::guide::assignments
//!
#![doc = include_str!("../../../docs/assignments/sum-server-threaded.md")]
