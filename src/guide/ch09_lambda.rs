//! [contents]: crate::guide
//!
#![doc = include_str!("../../docs/09-lambda.md")]
