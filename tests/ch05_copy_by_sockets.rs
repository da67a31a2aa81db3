//! Chapter 5: a file from one peer to many by sockets, step by step as in note 3.
//!
//! Run it with `cargo test --test ch05_copy_by_sockets -- --nocapture` to read along.

mod common;

use std::io::Read;
use std::time::Instant;

use common::assert_succeeds;
use common::copying::{Copying, FILE, SocketPlace, header, pattern};
use common::wait_until;
use ipc_primer::harness::Stream::Stderr;

const LEN: usize = 60_000;

#[test]
fn step_01_the_server_starts_a_listening_socket() {
    let place = SocketPlace::new(LEN);
    let mut server = place.server(&[]);
    let line = server.wait_for(Stderr, "listening on").unwrap();
    println!("the server says: {line}");
    assert!(
        place.place.path("copy.sock").exists(),
        "the socket has a name in the file system, or no client could find it"
    );
    server.signal("INT").unwrap();
    assert_succeeds(&mut server);
    println!("Ctrl-C, and the name is gone");
    place.assert_clean(&[]);
}

#[test]
fn step_02_it_waits_for_a_connection_from_each_client() {
    let place = SocketPlace::new(LEN);
    let mut server = place.server(&["--peers", "3"]);
    server.wait_for(Stderr, "listening").unwrap();
    for name in ["1", "2", "3"] {
        let mut client = place.client(name, &[]);
        assert_succeeds(&mut client);
        println!("client {name}: {}", client.said(Stderr).trim_end());
        place.assert_copied(name);
    }
    assert!(
        server.wait().unwrap().success(),
        "it ends after three copies"
    );
    println!("the server said:\n{}", server.said(Stderr));
}

#[test]
fn step_03_every_connection_has_a_server_of_its_own() {
    let place = SocketPlace::new(LEN);
    let mut server = place.server(&["--peers", "3", "--chunk", "1"]);
    server.wait_for(Stderr, "listening").unwrap();
    let tasks = format!("/proc/{}/task", server.pid());
    let threads = || common::names(tasks.as_ref()).len();
    let before = threads();
    let mut clients: Vec<_> = ["1", "2", "3"].map(|name| place.client(name, &[])).into();
    wait_until("each client has a thread", || threads() >= before + 3);
    println!("{before} threads before, {} with three clients", threads());
    for client in &mut clients {
        assert_succeeds(client);
    }
    assert_succeeds(&mut server);
}

#[test]
fn step_04_one_who_does_not_read_holds_up_nobody_else() {
    let place = SocketPlace::new(8 << 20); // more than a socket's buffer holds
    let mut server = place.server(&["--peers", "2"]);
    server.wait_for(Stderr, "listening").unwrap();
    let mut idle = place.connect();
    let mut client = place.client("1", &[]);
    assert_succeeds(&mut client);
    println!("a second client has its copy while the first has read nothing");
    let mut got = Vec::new();
    idle.read_to_end(&mut got).unwrap();
    drop(idle);
    assert_eq!(got.len(), header(8 << 20).len() + (8 << 20));
    assert_succeeds(&mut server);
}

#[test]
fn step_05_byte_by_byte_is_the_same_copy_and_takes_longer() {
    let mut times = Vec::new();
    for chunk in ["1", "131072"] {
        let place = SocketPlace::new(LEN);
        let mut server = place.server(&["--peers", "1", "--chunk", chunk]);
        server.wait_for(Stderr, "listening").unwrap();
        let start = Instant::now();
        let mut client = place.client("1", &[]);
        assert_succeeds(&mut client);
        times.push(start.elapsed());
        println!("{LEN} bytes, {chunk} at a time: {:?}", start.elapsed());
        place.assert_copied("1");
        assert_succeeds(&mut server);
    }
    assert!(
        times[0] > times[1],
        "{LEN} reads and {LEN} writes were faster than two of each: {times:?}"
    );
}

#[test]
fn step_06_the_bytes_are_announced_so_a_broken_copy_is_none() {
    let place = SocketPlace::new(LEN);
    let mut server = place.server(&["--peers", "1"]);
    server.wait_for(Stderr, "listening").unwrap();
    let mut got = Vec::new();
    place.connect().read_to_end(&mut got).unwrap();
    let line = header(LEN);
    println!("the first line is {line:?}, then {LEN} bytes follow");
    assert!(got == [line.as_bytes(), &pattern(LEN)].concat());
    assert_succeeds(&mut server);

    let mut server = place.server(&["--chunk", "1"]);
    server.wait_for(Stderr, "listening").unwrap();
    let mut client = place.client("1", &[]);
    place.wait_for_partial("1");
    server.signal("KILL").unwrap();
    server.wait().unwrap();
    assert_eq!(client.wait().unwrap().code(), Some(1));
    println!(
        "the server was killed; the client says: {}",
        client.said(Stderr)
    );
    assert!(!place.place.path("1").join(FILE).exists());
    assert!(place.files("1").is_empty());
}
