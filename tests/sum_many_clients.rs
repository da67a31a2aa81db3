//! A thousand clients at once. In a file of its own: the clients' descriptors are this process's.

mod common;

use std::io::{Read, Write};

use common::Place;
use ipc_primer::process::{Program, Stream};
use ipc_primer::socket::connect;
use ipc_primer::sum::protocol::{FRAME_LEN, Reply, encode};

/// Connected at once to a server that may open no more than the usual 1,024 descriptors.
const CLIENTS: usize = 1000;

#[test]
fn a_thousand_clients_are_served_at_once() {
    let place = Place::new();
    let mut command = place.command("sh");
    let ipc = env!("CARGO_BIN_EXE_ipc");
    command.args([
        "-c",
        &format!("ulimit -n 1024; exec {ipc} sum server --max-clients {CLIENTS}"),
    ]);
    let mut server = Program::start(&mut command).unwrap();
    server.wait_for(Stream::Stderr, "listening on").unwrap();

    let path = place.path("sum.sock");
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| connect(&path).unwrap()).collect();
    for (number, client) in (1..).zip(&mut clients) {
        client.write_all(&encode(number)).unwrap();
    }
    let mut over = connect(&path).unwrap();
    assert_eq!(
        reply(&mut over),
        Some(Reply::Busy),
        "all {CLIENTS} are connected, none has left"
    );

    // In turn, the last first: no client waits for another.
    for (index, client) in clients.iter_mut().enumerate().rev() {
        client.write_all(&[encode(1), encode(0)].concat()).unwrap();
        assert_eq!(reply(client), Some(Reply::Result(index as i128 + 2)));
    }
    server.signal("INT").unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(0));
    place.assert_left(&[]);
}

fn reply(client: &mut impl Read) -> Option<Reply> {
    let mut frame = [0; FRAME_LEN];
    client.read_exact(&mut frame).unwrap();
    Reply::parse(&frame)
}
