//! signals: a program that handles, ignores and leaves alone.
//!
//! It compiles and starts, and the work is left to you: follow the steps. Each begins where the grader's
//! first complaint is. Compile it with `rustc --edition 2024 -o wait signals.rs`; for step 2 you need a crate,
//! `ctrlc` with its feature `termination`.

fn main() {
    println!("about to wait for a signal");

    // Step 1: make a channel to wait on (std::sync::mpsc).
    // Step 2: a handler for SIGINT, SIGTERM and SIGHUP, which sends on it (ctrlc::set_handler).
    // Step 3: SIGPIPE: look at SigIgn in /proc/<pid>/status. What has Rust done already?
    // Step 4: wait for the handler's message (recv).
    // Step 5: say that a signal came (println!), and return.
}
