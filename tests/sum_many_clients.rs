//! A thousand clients at once. In a file of its own: the clients' descriptors are this process's.

mod common;

use std::io::Write;

use common::sum::{Served, reply};
use ipc_primer::sum::protocol::{Reply, encode};

/// Connected at once to a server that may open no more than the usual 1,024 descriptors.
const CLIENTS: i32 = 1000;

#[test]
fn a_thousand_clients_are_served_at_once() {
    let served = Served::by_shell("ulimit -n 1024; exec {ipc} sum server --max-clients 1000");
    let mut clients: Vec<_> = (1..=CLIENTS)
        .map(|number| (number, served.connect()))
        .collect();
    for (number, client) in &mut clients {
        client.write_all(&encode(*number)).unwrap();
    }
    let mut over = served.connect();
    assert_eq!(
        reply(&mut over),
        Some(Reply::Busy),
        "all are connected, and none has left"
    );

    // In turn, the last first: no client waits for another.
    for (number, client) in clients.iter_mut().rev() {
        client.write_all(&[encode(1), encode(0)].concat()).unwrap();
        assert_eq!(reply(client), Some(Reply::Result(i128::from(*number) + 1)));
    }
    served.end();
}
