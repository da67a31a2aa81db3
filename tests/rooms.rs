//! Each room under all that users and peers may do, in a folder of its own: `cargo test --test rooms chat::`.
//! And the book: what stands in it is what the rooms do.
//!
//! One program has all of them, because most wait for most of their time, and so can wait at the same time.

mod common;

mod chat;
mod commands;
mod copy;
mod docs_in_sync;
mod lambda;
mod queue;
mod signals;
mod sum;
