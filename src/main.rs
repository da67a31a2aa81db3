//! The `ipc` command: words in, one call out. The words are in `cli.rs`, the calls in the library.

#![deny(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    ipc_primer::cli::run(std::env::args_os().skip(1))
}
