//! What goes wrong while a file is copied by sockets, with real processes.

use std::fs;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::unix::net::UnixListener;
use std::thread;

use crate::common::copying::{self, Copying, FILE, SocketPlace};
use crate::common::{assert_fails, assert_succeeds};
use ipc_primer::harness::Program;
use ipc_primer::harness::Stream::Stderr;

/// More than all socket buffers hold, so that a peer that does not read holds up the copy.
const LARGE: usize = 8 << 20;
/// What takes a while byte by byte.
const SLOW: usize = 60_000;

#[test]
fn a_client_killed_in_the_middle_is_reported_and_the_others_finish() {
    let place = SocketPlace::new(SLOW);
    let mut server = place.server(&["--peers", "2", "--chunk", "1"]);
    server.wait_for(Stderr, "listening").unwrap();
    let mut killed = place.client("1", &[]);
    place.wait_for_partial("1");
    let mut other = place.client("2", &[]);
    killed.signal("KILL").unwrap();
    killed.wait().unwrap();
    server.wait_for(Stderr, "has gone before its end").unwrap();
    let mut third = place.client("1", &[]); // and removes what the killed one left
    assert_succeeds(&mut other);
    assert_succeeds(&mut third);
    assert_fails(&mut server, "1 copies were broken off");
    place.assert_copied("1");
    place.assert_copied("2");
    place.assert_clean(&["1", "2"]);
}

#[test]
fn a_client_killed_outright_leaves_what_the_next_one_removes() {
    let place = SocketPlace::new(LARGE);
    let fake = UnixListener::bind(place.place.path("copy.sock")).unwrap();
    fs::create_dir(place.place.path("1")).unwrap();
    let script = "ulimit -c 0; exec \"$0\" copy socket client --output 1";
    for signal in ["KILL", "QUIT"] {
        let mut shell = place.place.command("sh");
        let shell = shell.args(["-c", script, env!("CARGO_BIN_EXE_ipc")]);
        let mut client = Program::start(shell).unwrap();
        let (mut stream, _) = fake.accept().unwrap();
        stream.write_all(b"FILE 100 file\nhalf").unwrap();
        place.wait_for_partial("1");
        client.signal(signal).unwrap();
        client.wait().unwrap();
        assert_eq!(place.files("1").len(), 1, "a killed client cannot clean up");
    }
    let mut client = place.client("1", &[]);
    let (mut stream, _) = fake.accept().unwrap();
    stream.write_all(b"FILE 4 file\nhalf").unwrap();
    drop(stream);
    assert_succeeds(&mut client);
    assert_eq!(place.files("1"), ["file"]);
}

#[test]
fn a_server_killed_in_the_middle_leaves_no_partial_file() {
    let place = SocketPlace::new(SLOW);
    let mut server = place.server(&["--chunk", "1"]);
    server.wait_for(Stderr, "listening").unwrap();
    let mut client = place.client("1", &[]);
    place.wait_for_partial("1");
    server.signal("KILL").unwrap();
    let status = client.wait().unwrap();
    assert_eq!(status.code(), Some(1), "{}", client.said(Stderr));
    let said = client.said(Stderr);
    assert!(said.contains("nothing was kept"), "{said}");
    assert!(place.files("1").is_empty());
    server.wait().unwrap();
    // What it left is taken over by the next.
    let mut server = place.server(&["--peers", "1"]);
    server.wait_for(Stderr, "listening").unwrap();
    assert!(place.client("2", &[]).wait().unwrap().success());
    assert_succeeds(&mut server);
    place.assert_copied("2");
    place.assert_clean(&["1", "2"]);
}

#[test]
fn a_server_that_breaks_off_leaves_no_partial_file() {
    let place = SocketPlace::new(1);
    for (sent, said) in [
        (&b""[..], "went after 0 bytes"),
        (b"FILE 10 x\nfive!", "went after 5 of 10 bytes"),
        (b"FILE 1 x\nmore", "more than it had announced"),
        (b"HTTP/1.1 400\n", "a copy begins with"),
        (b"FILE 1 ..\nx", "which no file can be named"),
    ] {
        let _ = fs::remove_file(place.place.path("copy.sock"));
        let fake = UnixListener::bind(place.place.path("copy.sock")).unwrap();
        let serve = thread::spawn(move || fake.accept().unwrap().0.write_all(sent).unwrap());
        let mut client = place.client("1", &[]);
        let status = client.wait().unwrap();
        serve.join().unwrap();
        assert_eq!(status.code(), Some(1));
        assert!(
            client.said(Stderr).contains(said),
            "{}",
            client.said(Stderr)
        );
        assert!(place.files("1").is_empty(), "{:?}", place.files("1"));
    }
}

#[test]
fn a_name_cannot_lead_out_of_the_directory() {
    let place = SocketPlace::new(1);
    let fake = UnixListener::bind(place.place.path("copy.sock")).unwrap();
    let mut client = place.client("1", &[]);
    let (mut stream, _) = fake.accept().unwrap();
    stream.write_all(b"FILE 1 ../../outside\nx").unwrap();
    drop(stream);
    assert_succeeds(&mut client);
    assert_eq!(place.files("1"), ["outside"]);
}

/// The server does not wait for the end of the header, or for the file, before it learns so.
#[test]
fn a_header_too_long_and_a_name_too_long_are_refused_at_once() {
    let place = SocketPlace::new(1);
    let fake = UnixListener::bind(place.place.path("copy.sock")).unwrap();
    for (sent, said) in [
        (format!("FILE 1 {}", "x".repeat(1000)), "a copy begins with"),
        (
            format!("FILE 1 {}\n", "x".repeat(256)),
            "File name too long",
        ),
    ] {
        let mut client = place.client("1", &[]);
        let (mut stream, _) = fake.accept().unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        assert_fails(&mut client, said);
        assert!(place.files("1").is_empty(), "{:?}", place.files("1"));
    }
}

#[test]
fn a_stopped_client_holds_up_nobody_and_goes_on() {
    let place = SocketPlace::new(SLOW);
    let mut server = place.server(&["--peers", "2", "--chunk", "1", "--timeout", "60"]);
    server.wait_for(Stderr, "listening").unwrap();
    let mut slow = place.client("1", &[]);
    place.wait_for_partial("1");
    slow.signal("STOP").unwrap();
    let mut quick = place.client("2", &[]);
    assert_succeeds(&mut quick);
    slow.signal("CONT").unwrap();
    assert_succeeds(&mut slow);
    assert_succeeds(&mut server);
    place.assert_copied("1");
    place.assert_copied("2");
}

#[test]
fn a_client_that_reads_nothing_holds_up_no_crowd() {
    let place = SocketPlace::new(LARGE);
    let mut server = place.server(&["--timeout", "60"]);
    let mut idle = place.connect();
    place.wait_for_bytes(&mut idle);
    let crowd = 2 * thread::available_parallelism().map_or(1, NonZero::get);
    let whole = [copying::header(LARGE).into_bytes(), copying::pattern(LARGE)].concat();
    thread::scope(|scope| {
        for mut client in (0..crowd).map(|_| place.connect()) {
            let whole = &whole;
            scope.spawn(move || {
                let mut bytes = Vec::new();
                client.read_to_end(&mut bytes).unwrap();
                assert!(bytes == *whole, "{} bytes differ", bytes.len());
            });
        }
    });
    drop(idle);
    server.wait_for(Stderr, "client 1 has gone").unwrap();
    server.signal("INT").unwrap();
    assert_succeeds(&mut server);
}

/// It waits in the backlog while the only permit is taken, and for good.
#[test]
fn a_client_too_many_is_turned_away_when_all_peers_have_their_copy() {
    let place = SocketPlace::new(LARGE);
    let mut server = place.server(&["--peers", "1"]);
    let (mut first, mut late) = (place.connect(), place.connect());
    let whole = copying::header(LARGE).len() + LARGE;
    assert_eq!(copying::read_all(&mut first), whole);
    drop(first);
    assert_succeeds(&mut server);
    assert_eq!(copying::read_all(&mut late), 0);
}

/// In the middle of a large file, and at the end of one that lies in the socket's buffer as a whole.
#[test]
fn a_client_that_reads_nothing_for_too_long_is_dropped() {
    for len in [LARGE, 1] {
        let place = SocketPlace::new(len);
        let mut server = place.server(&["--peers", "1", "--timeout", "0.1"]);
        let _idle = place.connect();
        let mut next = place.connect(); // is served when the first is dropped
        let said = server.wait_for(Stderr, "client 1").unwrap();
        assert!(said.contains("stalled for 0.1 s and was dropped"), "{said}");
        place.wait_for_bytes(&mut next);
        server.signal("INT").unwrap();
        assert_succeeds(&mut server);
    }
}

#[test]
fn everybody_ends_on_ctrl_c_with_code_0_and_leaves_nothing() {
    let place = SocketPlace::new(LARGE);
    let mut server = place.server(&[]);
    server.wait_for(Stderr, "listening").unwrap();
    let _idle = place.connect(); // never reads: its thread is blocked in `send`
    server.signal("STOP").unwrap();
    let mut client = place.client("1", &[]);
    place.wait_for_connection(&client);
    client.signal("INT").unwrap();
    assert_eq!(
        client.wait().unwrap().code(),
        Some(0),
        "{}",
        client.said(Stderr)
    );
    server.signal("CONT").unwrap();
    server.signal("INT").unwrap();
    assert_eq!(
        server.wait().unwrap().code(),
        Some(0),
        "{}",
        server.said(Stderr)
    );
    place.assert_clean(&["1"]);
    assert!(place.files("1").is_empty());
}

#[test]
fn a_second_server_of_the_same_socket_is_refused() {
    let place = SocketPlace::new(1);
    let mut server = place.server(&[]);
    server.wait_for(Stderr, "listening").unwrap();
    let mut second = place.server(&[]);
    assert_fails(&mut second, "another server is listening");
}

#[test]
fn a_file_that_shrinks_is_an_error_at_both_ends() {
    let place = SocketPlace::new(LARGE);
    let mut server = place.server(&[]);
    server.wait_for(Stderr, "listening").unwrap();
    let mut stream = place.connect();
    place.wait_for_bytes(&mut stream); // so the header has gone out with the old length
    fs::File::options()
        .write(true)
        .open(place.place.path(FILE))
        .unwrap()
        .set_len(10)
        .unwrap();
    let got = copying::read_all(&mut stream);
    assert!(got < LARGE, "{got} bytes came of a file that was cut to 10");
    server.wait_for(Stderr, "has shrunk").unwrap();
    // The next copy knows nothing of that.
    fs::write(place.place.path(FILE), copying::pattern(LARGE)).unwrap();
    assert_succeeds(&mut place.client("1", &[]));
    place.assert_copied("1");
}

#[test]
fn a_file_that_grows_is_copied_as_long_as_it_was() {
    let place = SocketPlace::new(LARGE);
    let mut server = place.server(&["--peers", "1"]);
    server.wait_for(Stderr, "listening").unwrap();
    let mut stream = place.connect();
    place.wait_for_bytes(&mut stream);
    let file = fs::File::options()
        .append(true)
        .open(place.place.path(FILE));
    file.unwrap().write_all(b"more").unwrap();
    let header = copying::header(LARGE);
    assert_eq!(copying::read_all(&mut stream) + 1, header.len() + LARGE);
    drop(stream);
    server.wait_for(Stderr, "has grown").unwrap();
    assert_succeeds(&mut server);
}
