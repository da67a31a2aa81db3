//! What all commands have in common: usage, ends, hostile bytes, system calls, permissions; and the tour.

#[path = "../common/mod.rs"]
mod common;

mod cli;
mod endings;
mod escape;
mod system_calls;
mod tour;
mod umask;
