//! The sum server and its client under all that users and peers do to them.

#[path = "../common/mod.rs"]
mod common;

mod client;
mod faults;
mod plain;
