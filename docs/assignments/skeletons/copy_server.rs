//! copy-socket-server: a server that sends a file to every client.
//!
//! It compiles and starts, and the work is left to you: follow the steps. Each begins where the grader's
//! first complaint is. Compile it with `rustc --edition 2024 -o server copy_server.rs`, or make a crate of it: for signals you
//! need one, `ctrlc`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let [file, _socket, ..] = &words[..] else {
        eprintln!("usage: server FILE SOCKET");
        return ExitCode::from(2);
    };
    println!("the file to send is: {file}");

    // Step 1: SIGINT and SIGTERM are to end the loop below (the crate ctrlc).
    // Step 2: remove a socket file that a killed server left, then UnixListener::bind.
    // Step 3: wait for a client (accept), and give it a thread. Here begins the loop.
    // Step 4: open the file (File::open), and ask for its length (metadata).
    // Step 5: send the header FILE <length> <name> (Path::file_name, Write::write_all).
    // Step 6: send the file, a buffer at a time (Read::read, write_all).
    // Step 7: at the end, shut the connections down, and remove the socket file (fs::remove_file).
    ExitCode::SUCCESS
}
