//! Stage 1: what the plain server and client do for well-behaved peers, and what breaks them.

use std::io::Read;
use std::process::Stdio;

use crate::common::sum::{CLIENT, PLAIN, STAGES, Served};
use crate::common::{assert_fails, has_tool, is_ignored};
use ipc_primer::harness::Stream;
use ipc_primer::signals::Signal;
use ipc_primer::socket::send;
use ipc_primer::sum::protocol::encode;

const PLAIN_CLIENT: &[&str] = &["sum", "client", "--stage", "1"];

#[test]
fn the_plain_ends_work_with_each_other_and_with_those_of_every_later_stage() {
    for server in STAGES.into_iter().chain([PLAIN]) {
        let mut served = Served::by(server);
        for client in [PLAIN_CLIENT, CLIENT] {
            let mut client = served.place.start(client);
            for line in ["2147483647", "2147483647", "-5", "0"] {
                client.say(line).unwrap();
            }
            let sum = "Result = 4294967289";
            client.wait_for(Stream::Stdout, sum).unwrap();
            assert_eq!(client.wait().unwrap().code(), Some(0));
        }
        served.server.signal("KILL").unwrap();
        served.server.wait().unwrap();
    }
}

#[test]
fn integers_may_come_in_pieces_and_from_another_program() {
    let served = Served::by(PLAIN);
    let bytes = [encode(1000), encode(337), encode(0)].concat();
    let mut client = served.connect();
    for piece in [&bytes[..3], &bytes[3..10], &bytes[10..]] {
        send(&mut client, piece).unwrap();
    }
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    assert_eq!(&answer[..14], b"Result = 1337\0");
    assert_eq!(answer.len(), 128);
    if has_tool("nc") {
        let mut nc = served.place.command("nc");
        nc.args(["-U", "sum.sock"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut nc = nc.spawn().unwrap();
        let mut stdin = nc.stdin.take().unwrap();
        send(&mut stdin, &bytes).unwrap();
        let output = nc.wait_with_output().unwrap();
        assert!(output.stdout.starts_with(b"Result = 1337\0"));
    }
}

#[test]
fn a_client_that_leaves_too_early_ends_the_plain_server_for_all() {
    let mut served = Served::by(PLAIN);
    drop(served.connect());
    assert_fails(&mut served.server, "failed to fill whole buffer");
    assert_eq!(
        served.place.files(),
        ["sum.sock"],
        "its socket file is left"
    );
    let mut next = served.place.start(PLAIN);
    assert_fails(&mut next, "Address already in use");
}

#[test]
fn ctrl_c_kills_the_plain_server_in_the_middle() {
    if is_ignored(Signal::INT) {
        return;
    }
    let mut served = Served::by(PLAIN);
    served.server.signal("INT").unwrap();
    let status = served.server.wait().unwrap();
    assert_eq!(status.code(), None, "a signal ended it");
    assert_eq!(
        served.place.files(),
        ["sum.sock"],
        "its socket file is left"
    );
}
