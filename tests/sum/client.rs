//! The client where it could hang: it ends at Ctrl-C whatever it waits for, and soon.

use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use crate::common::Place;
use crate::common::sum::{CLIENT, Served, THREADED};
use ipc_primer::harness::{Program, Stream};

/// One second is promised; the rest is for a machine that has other things to do.
const SOON: Duration = Duration::from_secs(4);

#[track_caller]
fn assert_ends_soon(mut program: Program, code: i32) {
    let start = Instant::now();
    assert_eq!(program.wait().unwrap().code(), Some(code));
    let took = start.elapsed();
    assert!(took < SOON, "it took {took:?} to end");
}

/// Waits until the program stands still: it has read and written nothing for a while.
fn wait_until_still(program: &Program) {
    let io = || std::fs::read_to_string(format!("/proc/{}/io", program.pid())).unwrap();
    let (mut last, mut same) = (io(), 0);
    while same < 20 {
        std::thread::sleep(Duration::from_millis(5));
        let now = io();
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
}

#[test]
fn ctrl_c_ends_a_client_that_waits_at_its_prompt_and_its_server() {
    let served = Served::by(THREADED);
    let client = served.client_at_prompt();
    client.signal("INT").unwrap();
    assert_ends_soon(client, 0);
    let mut client = served.client_at_prompt();
    served.server.signal("INT").unwrap();
    // Heard first: to wait for its end is to end its input, which would be an end as well.
    client.wait_for(Stream::Stderr, "is shutting down").unwrap();
    assert_ends_soon(client, 1);
    assert_ends_soon(served.server, 0);
}

#[test]
fn ctrl_c_ends_a_client_that_waits_for_its_answer() {
    let served = Served::by(THREADED);
    let mut client = served.client_at_prompt();
    served.server.signal("STOP").unwrap();
    client.say("0").unwrap();
    client.signal("INT").unwrap();
    assert_ends_soon(client, 0);
    served.server.signal("CONT").unwrap();
    served.end();
}

#[test]
fn ctrl_c_ends_a_client_whose_server_does_not_read() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path("sum.sock")).unwrap(); // never reads
    std::fs::write(place.path("ones"), "1\n".repeat(1 << 20)).unwrap();
    let mut shell = place.command("sh");
    let ipc = env!("CARGO_BIN_EXE_ipc");
    shell.args(["-c", &format!("exec {ipc} sum client <ones")]);
    let client = Program::start(&mut shell).unwrap();
    let (_connection, _) = listener.accept().unwrap();
    wait_until_still(&client); // 4 MiB are more than a socket holds
    client.signal("INT").unwrap();
    assert_ends_soon(client, 0);
}

#[test]
fn ctrl_c_ends_a_client_that_waits_to_be_connected() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path("sum.sock")).unwrap();
    let _backlog = full_backlog(&listener, &place);
    let client = place.start(CLIENT);
    wait_until_still(&client);
    client.signal("INT").unwrap();
    assert_ends_soon(client, 0);
}

#[test]
fn a_server_that_is_busy_to_its_full_backlog_is_still_a_server() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path("sum.sock")).unwrap();
    let _backlog = full_backlog(&listener, &place);
    let mut second = place.start(THREADED);
    second
        .wait_for(Stream::Stderr, "another server is listening")
        .unwrap();
    assert_ends_soon(second, 1);
    assert!(
        place.path("sum.sock").exists(),
        "it is not taken for a stale file"
    );
}

/// Shortens the backlog to one client, and fills it.
fn full_backlog(listener: &UnixListener, place: &Place) -> [UnixStream; 1] {
    use nix::sys::socket::{Backlog, listen};
    listen(listener, Backlog::new(0).unwrap()).unwrap();
    [UnixStream::connect(place.path("sum.sock")).unwrap()]
}
