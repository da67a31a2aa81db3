//! What a call costs, beside a shell loop that starts the same program: measurements, not tests, for
//! they need a quiet machine. `cargo test --release --test lambda_speed -- --ignored --nocapture`

mod common;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use common::Place;
use ipc_primer::process::Stream;

const CALLS: usize = 1000;
const ROUNDS: usize = 5;

fn call(socket: &Path, message: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.write_all(message.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// The time of `CALLS` calls by so many clients at a time.
fn calls(socket: &Path, library: &str, clients: usize) -> Duration {
    timed(|| {
        thread::scope(|scope| {
            for _ in 0..clients {
                scope.spawn(|| {
                    for _ in 0..CALLS / clients {
                        assert!(!call(socket, library).is_empty());
                    }
                });
            }
        });
    })
}

/// The time of as many starts by so many shell loops at a time, each into a new file.
fn shell_loop(place: &Place, library: &str, loops: usize, round: usize) -> Duration {
    let count = CALLS / loops;
    let one = format!(
        "i=0; while [ $i -lt {count} ]; do {library} run </dev/null >out-{round}-$j-$i; i=$((i + 1)); done"
    );
    let script = format!("for j in $(seq {loops}); do ({one}) & done; wait");
    let mut shell = place.command("sh");
    timed(|| assert!(shell.args(["-c", &script]).status().unwrap().success()))
}

#[test]
#[ignore = "a measurement"]
fn a_call_costs_at_most_one_and_a_half_times_a_start_by_a_shell() {
    let place = Place::new();
    let mut server = place.start(&["lambda", "server"]);
    server.wait_for(Stream::Stderr, "listening").unwrap();
    let socket = place.path("lambda.sock");
    for library in ["/bin/true", "/tmp/lam/noop"] {
        for at_once in [1, 8] {
            let mut ratios = Vec::new();
            for round in 0..ROUNDS {
                let shell = shell_loop(&place, library, at_once, round);
                let served = calls(&socket, library, at_once);
                ratios.push(served.as_secs_f64() / shell.as_secs_f64());
                println!("{library}, {at_once} at a time: shell {shell:.0?}, server {served:.0?}");
            }
            ratios.sort_by(f64::total_cmp);
            println!("{library}, {at_once} at a time: ratio {:.2?}", ratios);
        }
    }
    drop(Command::new("true"));
}
