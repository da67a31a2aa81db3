//! lambda-server: a server that runs functions on request.
//!
//! It compiles and starts, and the work is left to you: follow the steps. Each begins where the grader's
//! first complaint is. Compile it with `rustc --edition 2024 -o server lambda_server.rs`, or make a crate of it: for signals you
//! need one, `ctrlc`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let [socket, _directory, ..] = &words[..] else {
        eprintln!("usage: server SOCKET DIRECTORY");
        return ExitCode::from(2);
    };
    println!("the socket is to be at: {socket}");

    // Step 1: SIGINT and SIGTERM are to end the loop below (the crate ctrlc).
    // Step 2: remove a socket file that a killed server left, then UnixListener::bind.
    // Step 3: wait for a client (accept), and give it a thread. Here begins the loop.
    // Step 4: receive one message of at most 1024 bytes (Read::read), and split it at blanks (split_whitespace).
    // Step 5: make a new output file (OpenOptions::create_new, mode 0o600).
    // Step 6: run LIBRARY FUNCTION [FILE], stdout to that file, stdin from nothing (Command, Stdio::from, Stdio::null).
    // Step 7: wait for it (Child::wait); at exit status 127, write the error line instead.
    // Step 8: answer with the file's path (Write::write_all), and close the connection (drop).
    // Step 9: at the end, end the functions that run (Child::kill), and remove the socket file (fs::remove_file).
    ExitCode::SUCCESS
}
