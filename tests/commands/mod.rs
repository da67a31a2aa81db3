//! What all commands have in common: usage, ends, hostile bytes, system calls, permissions; and the tour.

mod cli;
mod endings;
mod escape;
mod system_calls;
mod tour;
mod umask;
