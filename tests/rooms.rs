//! Each room under all that users and peers may do, in a folder of its own: `cargo test --test rooms chat::`.
//!
//! One program has all of them, because most wait for most of their time, and so can wait at the same time.

mod common;

mod chat;
mod commands;
mod copy;
mod lambda;
mod queue;
mod signals;
mod sum;
