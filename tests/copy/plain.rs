//! Stage 1: what the plain server and client do for well-behaved peers, and what breaks them.

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::process::Stdio;

use crate::common::copying::{Copying, FILE, SocketPlace, header, pattern};
use crate::common::{assert_fails, assert_succeeds, has_tool, is_ignored};
use ipc_primer::harness::Program;
use ipc_primer::harness::Stream::Stderr;
use ipc_primer::signals::Signal;

const STAGES: [&str; 3] = ["1", "2", "3"];
const PLAIN: &[&str] = &["--stage", "1"];

/// A server of this stage, which listens, and is ended by a signal.
fn listening(place: &SocketPlace, stage: &str) -> Program {
    let mut server = place.server(&["--stage", stage]);
    server.wait_for(Stderr, "listening on").unwrap();
    server
}

/// A server that sends these bytes to its only client, and closes.
fn sent_to_a_plain_client(place: &SocketPlace, bytes: &[u8]) -> Program {
    let server = UnixListener::bind(place.place.path("copy.sock")).unwrap();
    let client = place.client("1", PLAIN);
    server.accept().unwrap().0.write_all(bytes).unwrap();
    client
}

#[test]
fn the_ends_of_every_stage_work_with_those_of_every_other() {
    for server in STAGES {
        let place = SocketPlace::new(300_000);
        let mut server = listening(&place, server);
        for client in STAGES {
            let mut client = place.client("1", &["--stage", client]);
            assert_succeeds(&mut client);
            place.assert_copied("1");
            fs::remove_file(place.place.path("1").join(FILE)).unwrap();
        }
        server.signal("KILL").unwrap();
        server.wait().unwrap();
    }
}

#[test]
fn a_file_of_100_mb_arrives_at_two_clients_at_once() {
    let place = SocketPlace::new(100_000_000);
    let _server = listening(&place, "1");
    let mut clients = ["1", "2"].map(|output| place.client(output, PLAIN));
    clients.iter_mut().for_each(assert_succeeds);
    place.assert_copied("1");
    place.assert_copied("2");
}

#[test]
fn other_programs_are_clients_of_every_stage() {
    const LEN: usize = 1 << 20;
    let expected = [header(LEN).into_bytes(), pattern(LEN)].concat();
    for (program, words) in [
        ("nc", &["-U", "copy.sock"][..]),
        ("socat", &["-u", "UNIX-CONNECT:copy.sock", "-"]),
    ] {
        for stage in STAGES.into_iter().filter(|_| has_tool(program)) {
            let place = SocketPlace::new(LEN);
            let _server = listening(&place, stage);
            let mut client = place.place.command(program);
            let output = client.args(words).stdin(Stdio::null()).output().unwrap();
            assert!(output.stdout == expected, "{program}, stage {stage}");
        }
    }
}

#[test]
fn a_copy_that_is_broken_off_looks_like_a_whole_one() {
    let place = SocketPlace::new(0);
    let mut client = sent_to_a_plain_client(&place, b"FILE 11 file\nhalf");
    assert_succeeds(&mut client);
    assert_eq!(fs::read(place.place.path("1/file")).unwrap(), b"half");
}

#[test]
fn a_name_leads_out_of_the_directory_and_replaces_what_is_there() {
    let place = SocketPlace::new(0);
    fs::write(place.place.path("precious"), "the only one").unwrap();
    let mut client = sent_to_a_plain_client(&place, b"FILE 3 ../precious\nnew");
    assert_succeeds(&mut client);
    assert_eq!(fs::read(place.place.path("precious")).unwrap(), b"new");
}

#[test]
fn ctrl_c_kills_the_plain_server_in_the_middle() {
    if is_ignored(Signal::INT) {
        return;
    }
    let place = SocketPlace::new(0);
    let mut server = listening(&place, "1");
    server.signal("INT").unwrap();
    let status = server.wait().unwrap();
    assert_eq!(status.code(), None, "a signal ended it");
    let files = place.place.files();
    assert_eq!(files, ["copy.sock", FILE], "its socket file is left");
    assert_fails(&mut place.server(PLAIN), "Address already in use");
}

#[test]
fn options_of_later_stages_are_mistakes() {
    let place = SocketPlace::new(0);
    for (mut program, option) in [
        (place.server(&["--stage", "1", "--peers=2"]), "--peers=2"),
        (place.client("1", &["--stage", "1", "--force"]), "--force"),
        (place.server(&["--stage", "4"]), "from 1 to 3"),
    ] {
        assert_eq!(program.wait().unwrap().code(), Some(2));
        let said = program.said(Stderr);
        assert!(said.contains(option), "{said}");
    }
}
