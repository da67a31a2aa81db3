//! `ipc signals` with signals that are refused, ignored or sent at a bad moment.

mod faults;
mod lab;
