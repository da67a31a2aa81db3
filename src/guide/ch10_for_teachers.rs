//! [contents]: crate::guide
//! [ch09]: crate::guide::ch09_lambda
//! [ch11]: crate::guide::ch11_which_one_and_how_fast
//! [assignments]: crate::guide::assignments
//! [lab]: crate::grade::Lab
//! [running]: crate::grade::Running
//! [peer]: crate::grade::Peer
//! [fault]: crate::grade::Fault
//! [check]: crate::grade::Check
//!
#![doc = include_str!("../../docs/10-for-teachers.md")]
