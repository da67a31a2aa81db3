//! What clients can do to a sum server, and what it must not do to the others.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::thread;

use crate::common::Place;
use crate::common::sum::{CLIENT, STAGES, Served, THREADED, reply};
use ipc_primer::harness::{Program, Stream};
use ipc_primer::sum::protocol::{Reply, encode};

#[test]
fn a_client_that_goes_at_any_byte_harms_nobody() {
    let bytes = [encode(1), encode(-1), encode(0)].concat();
    for words in STAGES {
        let served = Served::by(words);
        for end in 0..=bytes.len() {
            served.connect().write_all(&bytes[..end]).unwrap();
        }
        served.assert_serves();
        served.end();
    }
}

#[test]
fn half_an_integer_is_no_integer_and_no_answer() {
    let served = Served::by(THREADED);
    let mut client = served.connect();
    client.write_all(&[1, 2, 3, 4, 0, 0]).unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    assert_eq!(
        answer, b"",
        "the stream ended before 0: the client is dropped"
    );
    served.end();
}

#[test]
fn a_client_that_resets_harms_nobody() {
    for words in STAGES {
        let served = Served::by(words);
        for _ in 0..10 {
            let mut client = served.connect();
            client.write_all(&encode(0)).unwrap();
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            drop(client); // 127 bytes of the answer unread: the server gets ECONNRESET
        }
        served.assert_serves();
        served.end();
    }
}

#[test]
fn a_flood_after_the_0_ends_and_a_client_that_never_reads_harms_nobody() {
    for words in STAGES {
        let served = Served::by(words);
        let mut flooding = served.connect();
        flooding.write_all(&encode(0)).unwrap();
        let ending = loop {
            if let Err(error) = flooding.write_all(&[1; 65536]) {
                break error.kind();
            }
        };
        assert!(
            matches!(ending, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset),
            "{ending}"
        );
        served.assert_serves(); // while `flooding` has not read its answer
        assert_eq!(
            reply(&mut flooding),
            Some(Reply::Result(0)),
            "and it is still there to read"
        );
        served.end();
    }
}

#[test]
fn a_flood_before_the_0_harms_nobody_else_and_can_be_interrupted() {
    for words in STAGES {
        let served = Served::by(words);
        let mut client = served.connect();
        let flooding = thread::spawn(move || {
            while client.write_all(&[1; 65536]).is_ok() {}
            reply(&mut client)
        });
        if words == THREADED {
            served.assert_serves();
        }
        served.end(); // mid-stream
        assert_eq!(flooding.join().unwrap(), Some(Reply::Goodbye));
    }
}

#[test]
fn one_over_the_limit_is_told_to_try_again_later() {
    let served = Served::by(&["sum", "server", "--max-clients", "2"]);
    let mut inside = [served.connect(), served.connect()];
    let mut over = served.connect();
    assert_eq!(reply(&mut over), Some(Reply::Busy));
    let rest = over.read_to_end(&mut Vec::new());
    assert_eq!(rest.unwrap(), 0, "and then it is closed");

    let mut command = served.place.start(CLIENT);
    command
        .wait_for(Stream::Stderr, "is busy: try again later")
        .unwrap();
    assert_eq!(command.wait().unwrap().code(), Some(1));

    inside[0].write_all(&encode(0)).unwrap();
    assert_eq!(reply(&mut inside[0]), Some(Reply::Result(0)));
    // The seat is free a moment after the answer: who is told Busy tries again, as it was told.
    while over_and_out(&served) == Some(Reply::Busy) {}
    served.end();
}

fn over_and_out(served: &Served) -> Option<Reply> {
    let mut client = served.connect();
    let _ = client.write_all(&encode(0)); // a busy server may have closed already
    reply(&mut client)
}

#[test]
fn a_server_that_is_out_of_descriptors_lets_clients_wait() {
    let mut served = Served::by_shell("ulimit -n 20; exec {ipc} sum server");
    let mut clients: Vec<_> = (0..40).map(|_| served.connect()).collect();
    served
        .server
        .wait_for(Stream::Stderr, "a new client would have to wait")
        .unwrap();
    for client in &mut clients {
        client.write_all(&[encode(3), encode(0)].concat()).unwrap();
    }
    for client in &mut clients {
        assert_eq!(
            reply(client),
            Some(Reply::Result(3)),
            "every one is served in its time"
        );
    }
    served.end();
}

#[test]
fn a_server_out_of_descriptors_that_ends_says_goodbye_to_those_who_wait_too() {
    let mut served = Served::by_shell("ulimit -n 20; exec {ipc} sum server");
    let mut clients: Vec<_> = (0..40).map(|_| served.connect()).collect();
    let shortage = "a new client would have to wait";
    served.server.wait_for(Stream::Stderr, shortage).unwrap();
    served.end();
    for client in &mut clients {
        assert_eq!(reply(client), Some(Reply::Goodbye));
    }
}

#[test]
fn a_server_whose_stderr_nobody_reads_serves_on() {
    let (mut stderr, full) = std::io::pipe().unwrap();
    let full = format!("/proc/{}/fd/{}", std::process::id(), full.as_raw_fd());
    let place = Place::new();
    let mut shell = place.command("sh");
    let ipc = env!("CARGO_BIN_EXE_ipc");
    shell.args(["-c", &format!("exec {ipc} sum server 2>{full}")]);
    let server = Program::start(&mut shell).unwrap();
    stderr.read_exact(&mut [0; 12]).unwrap(); // "listening on", and no byte more
    let served = Served { place, server };
    // 8,000 lines of over 28 bytes are more than the server's queue and a pipe hold together.
    for _ in 0..8000 {
        let mut client = served.connect();
        client.write_all(&encode(0)).unwrap();
        assert_eq!(reply(&mut client), Some(Reply::Result(0)));
    }
    served.end();
}
