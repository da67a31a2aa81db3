//! The `ipc` command: words in, one call out. The words are in `cli.rs`, the calls in the library.

#![deny(unsafe_code, missing_docs)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(std::env::args_os().skip(1))
}
