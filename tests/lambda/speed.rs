//! What a call costs, beside a shell loop that starts the same program: measurements, to be made on a
//! quiet machine. `cargo test --release --test rooms lambda::speed -- --ignored --nocapture --test-threads=1`

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::Place;
use crate::common::lambda::{Server, answer, ask, script};

const LIBRARY: &str = "/bin/true";
const CALLS: usize = 1000;
const ROUNDS: usize = 7;
const LIMIT: f64 = 1.5;

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// The time of `CALLS` calls by so many clients at a time.
fn calls(socket: &Path, clients: usize) -> Duration {
    let call = || assert!(ask(socket, LIBRARY).is_absolute());
    let one_client = || (0..CALLS / clients).for_each(|_| call());
    timed(|| {
        thread::scope(|scope| {
            (0..clients).for_each(|_| drop(scope.spawn(one_client)));
        });
    })
}

/// The time of as many starts by so many shell loops at a time, each start into a new file.
fn shell_loop(place: &Place, loops: usize, round: usize) -> Duration {
    let count = CALLS / loops;
    let start = format!("{LIBRARY} run </dev/null >shell/{loops}-{round}-$j-$i");
    let one_loop = format!("i=0; while [ $i -lt {count} ]; do {start}; i=$((i + 1)); done");
    let all = format!("j=0; while [ $j -lt {loops} ]; do ({one_loop}) & j=$((j + 1)); done; wait");
    let mut shell = place.command("sh");
    timed(|| assert!(shell.args(["-c", &all]).status().unwrap().success()))
}

fn median_ratio(at_a_time: usize) -> f64 {
    let server = Server::start(&[]);
    fs::create_dir(server.place.path("shell")).unwrap();
    let mut ratios: Vec<f64> = (0..ROUNDS)
        .map(|round| {
            let shell = shell_loop(&server.place, at_a_time, round);
            let served = calls(&server.socket(), at_a_time);
            let ratio = served.as_secs_f64() / shell.as_secs_f64();
            println!("{at_a_time} at a time: shell {shell:.2?}, server {served:.2?}: {ratio:.2}");
            ratio
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios[ROUNDS / 2]
}

#[test]
#[ignore = "a measurement"]
fn a_call_costs_at_most_half_as_much_again_as_a_start_by_a_shell() {
    for at_a_time in [1, 8] {
        let ratio = median_ratio(at_a_time);
        println!("{at_a_time} at a time: {ratio:.2} times the shell loop");
        assert!(ratio <= LIMIT, "{at_a_time} at a time: {ratio:.2}");
    }
}

#[test]
#[ignore = "a measurement"]
fn a_thousand_clients_are_served_in_five_seconds() {
    let server = Server::start(&[]);
    let library = script(&server.place, "slow", "sleep $1; echo $2");
    let crowd = |number| server.send(format!("{library} 0.8 {number}"));
    let time = timed(|| {
        let crowd: Vec<_> = (0..1000).map(crowd).collect();
        for (number, mut stream) in crowd.into_iter().enumerate() {
            let output = fs::read_to_string(answer(&mut stream)).unwrap();
            assert_eq!(output, format!("{number}\n"));
        }
    });
    println!("1000 clients, 0.8 s each: {time:.2?}");
    assert!(time < Duration::from_secs(5), "{time:?}");
}
