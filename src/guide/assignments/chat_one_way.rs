//! [contents]: crate::guide
//! [assignments]: crate::guide::assignments
//!
#![doc = include_str!("../../../docs/assignments/chat-one-way.md")]
