//! `ipc signals` with signals that are refused, ignored or sent at a bad moment.

#[path = "../common/mod.rs"]
mod common;

mod faults;
mod lab;
