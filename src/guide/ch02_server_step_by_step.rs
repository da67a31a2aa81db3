//! [contents]: crate::guide
//!
#![doc = include_str!("../../docs/02-a-server-step-by-step.md")]
