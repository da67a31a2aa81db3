//! A thousand clients at once: in a file of its own, for so many descriptors are all that a process has.

mod common;

use std::fs;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use common::lambda::{Server, answer, script};

#[test]
fn a_crowd_of_clients_is_answered() {
    answer_all(250);
}

#[test]
#[ignore = "takes seconds"]
fn a_thousand_clients_at_once_are_all_answered() {
    answer_all(1000);
}

fn answer_all(crowd: usize) {
    let server = Server::start(&[]);
    // `sleep` answers "run" with an error: the function's name is how long it takes.
    let library = script(&server.place, "slow", "sleep $1; echo $2");
    let start = Instant::now();
    let ask = |number: usize| {
        let tenths = number % 9;
        server.send(format!("{library} 0.{tenths} {number}"))
    };
    let count = crowd;
    let crowd: Vec<UnixStream> = (0..crowd).map(ask).collect();
    for (number, mut stream) in crowd.into_iter().enumerate() {
        let path = answer(&mut stream);
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{number}\n"));
        fs::remove_file(path).unwrap();
    }
    println!("{count} clients, each up to 0.8 s: {:.1?}", start.elapsed());
    server.end(&["slow"]);
}
