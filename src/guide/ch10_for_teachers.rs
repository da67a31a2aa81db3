//! [contents]: crate::guide
//! [ch09]: crate::guide::ch09_lambda
//! [assignments]: crate::guide::assignments
//! [lab]: crate::grade::Lab
//! [running]: crate::grade::Running
//! [peer]: crate::grade::Peer
//! [fault]: crate::grade::Fault
//! [check]: crate::grade::Check
//!
#![doc = include_str!("../../docs/10-for-teachers.md")]
