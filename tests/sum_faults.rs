//! What clients can do to a sum server, and what it must not do to the others.

mod common;

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::thread;

use common::Place;
use ipc_primer::process::{Program, Stream};
use ipc_primer::socket::connect;
use ipc_primer::sum::protocol::{FRAME_LEN, Reply, encode};

const BOTH: [&[&str]; 2] = [&["sum", "server", "--sequential"], &["sum", "server"]];

struct Served {
    place: Place,
    server: Program,
}

impl Served {
    fn by(words: &[&str]) -> Self {
        let place = Place::new();
        let mut server = place.start(words);
        server.wait_for(Stream::Stderr, "listening on").unwrap();
        Self { place, server }
    }

    fn connect(&self) -> UnixStream {
        connect(&self.place.path("sum.sock")).unwrap()
    }

    /// What every fault must leave possible: a whole conversation.
    #[track_caller]
    fn assert_serves(&self) {
        let mut client = self.connect();
        client
            .write_all(&[encode(20), encode(22), encode(0)].concat())
            .unwrap();
        assert_eq!(
            reply(&mut client),
            Some(Reply::Result(42)),
            "another client is harmed"
        );
    }

    fn end(mut self) {
        self.server.signal("INT").unwrap();
        assert_eq!(self.server.wait().unwrap().code(), Some(0));
        self.place.assert_left(&[]);
    }
}

fn reply(client: &mut UnixStream) -> Option<Reply> {
    let mut frame = [0; FRAME_LEN];
    client.read_exact(&mut frame).ok()?;
    Reply::parse(&frame)
}

#[test]
fn a_client_that_goes_at_any_byte_harms_nobody() {
    let bytes = [encode(1), encode(-1), encode(0)].concat();
    for words in BOTH {
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
    let served = Served::by(BOTH[1]);
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
    for words in BOTH {
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
    for words in BOTH {
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
    for words in BOTH {
        let served = Served::by(words);
        let mut client = served.connect();
        let flooding = thread::spawn(move || {
            while client.write_all(&[1; 65536]).is_ok() {}
            reply(&mut client)
        });
        if words == BOTH[1] {
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
    assert_eq!(over.read(&mut [0]).unwrap(), 0, "and then it is closed");

    let mut command = served.place.start(&["sum", "client"]);
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
    let place = Place::new();
    let ipc = env!("CARGO_BIN_EXE_ipc");
    let mut command = place.command("sh");
    command.args(["-c", &format!("ulimit -n 20; exec {ipc} sum server")]);
    let mut server = Program::start(&mut command).unwrap();
    server.wait_for(Stream::Stderr, "listening on").unwrap();
    let mut served = Served { place, server };

    let mut clients: Vec<_> = (0..40).map(|_| served.connect()).collect();
    served
        .server
        .wait_for(Stream::Stderr, "new clients have to wait")
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
fn a_server_whose_stderr_nobody_reads_serves_on() {
    let place = Place::new();
    let (_unread, full) = std::io::pipe().unwrap();
    let (pid, ipc) = (std::process::id(), env!("CARGO_BIN_EXE_ipc"));
    let redirection = format!("2>/proc/{pid}/fd/{}", full.as_raw_fd());
    let mut command = place.command("sh");
    command.args(["-c", &format!("exec {ipc} sum server {redirection}")]);
    let mut server = Program::start(&mut command).unwrap();
    let path = place.path("sum.sock");
    while connect(&path).is_err() {
        thread::yield_now();
    }
    // 4,000 lines of over 30 bytes are more than a pipe holds.
    for _ in 0..4000 {
        let mut client = connect(&path).unwrap();
        client.write_all(&encode(0)).unwrap();
        assert_eq!(reply(&mut client), Some(Reply::Result(0)));
    }
    server.signal("INT").unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(0));
    place.assert_left(&[]);
}
