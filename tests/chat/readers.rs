//! Chat with those who read too little: a client that stops, one that is slow, a stdout that is
//! blocked, closed or full. And much at once: all of it is shown, in order, in large writes.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::Place;
use crate::common::chat::{self, Chat, Peer};
use ipc_primer::harness::{LIMIT, signal};

/// A burst of 40 MB, in lines of 4000 bytes.
const LINES: usize = 10_000;
const LINE_LEN: usize = 4000;

fn line(number: usize) -> String {
    format!("{number:0LINE_LEN$}")
}

/// Reads the whole burst and fails at the first byte out of order; `pause` is called before each line.
fn read_burst(mut peer: Peer, pause: impl Fn(usize)) {
    let mut got = Vec::new();
    for number in 0..LINES {
        pause(number);
        got.clear();
        peer.stream.read_until(b'\n', &mut got).unwrap();
        let expected = line(number) + "\n";
        assert!(
            got == expected.as_bytes(),
            "line {number} of the burst is torn, lost or misplaced"
        );
    }
}

#[test]
fn one_that_stops_reading_is_dropped_and_one_that_is_slow_is_not() {
    let mut chat = Chat::two_way();
    let stopped = chat.join("stopped");
    let (quick, slow, late) = (chat.join("quick"), chat.join("slow"), chat.join("late"));
    thread::scope(|scope| {
        scope.spawn(|| read_burst(quick, |_| ()));
        scope.spawn(|| {
            read_burst(slow, |number| {
                if number % 100 == 0 {
                    thread::sleep(Duration::from_millis(5));
                }
            });
        });
        scope.spawn(|| {
            read_burst(late, |number| {
                if number == 100 {
                    thread::sleep(Duration::from_secs(1)); // a user who pressed Ctrl-S and Ctrl-Q
                }
            });
        });
        for number in 0..LINES {
            chat.types(&line(number));
        }
    });
    chat.says("stopped#1 was dropped: it made no room");
    let memory = chat.counter("status", "VmHWM:");
    assert!(
        memory < 32 * 1024,
        "40 MB to four clients took {memory} KiB of memory"
    );
    let mut stopped = stopped;
    let length = stopped.hear_all().len();
    assert!(
        length < 1 << 20,
        "the dropped client has what the kernel held for it: {length} bytes"
    );
    chat.end();
}

#[test]
fn all_that_is_sent_is_shown_in_order_untorn_and_in_large_writes() {
    const CLIENTS: usize = 4;
    const LINES: usize = 25_000;
    let place = Place::new();
    let mut server = Server::start(&place, File::create(place.path("shown")).unwrap().into());
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let mut peer = Peer::connect(&place);
            scope.spawn(move || {
                peer.say(format!("HELLO client-{client} 1\n"));
                let lines = (0..LINES).map(|number| format!("{number:063}\n"));
                peer.say(lines.collect::<String>());
            });
        }
    });
    for _ in 0..CLIENTS {
        server.says("left");
    }
    let writes = server.counter("io", "syscw:");
    server.end();
    let shown = fs::read_to_string(place.path("shown")).unwrap();
    let mut next = [0; CLIENTS];
    for line in shown.lines() {
        let (label, text) = line.split_once(": ").expect("no line is torn");
        let client = label.split(['-', '#']).nth(1).unwrap();
        let next = &mut next[client.parse::<usize>().unwrap()];
        assert_eq!(
            text,
            format!("{next:063}"),
            "the next line of client {client}"
        );
        *next += 1;
    }
    assert_eq!(
        next, [LINES; CLIENTS],
        "every line of every client is shown"
    );
    assert!(
        writes < (CLIENTS * LINES / 50) as u64,
        "{} lines took {writes} write calls: a call for each costs more than the line",
        CLIENTS * LINES
    );
}

#[test]
fn a_stdout_that_nobody_reads_holds_the_clients_back_but_not_the_end() {
    let place = Place::new();
    let mut server = Server::start(&place, Stdio::piped());
    let mut flood = Peer::connect(&place);
    let stream = flood.stream.get_mut();
    stream
        .set_write_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let line = format!("{:063}\n", 0);
    let mut sent = 0;
    let error = loop {
        match stream.write(line.as_bytes()) {
            Ok(count) => sent += count,
            // With a time-out, whatever stops the process for a moment ends the call.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => break error,
        }
        assert!(
            sent < 64 << 20,
            "the server takes in more and more that it cannot show"
        );
    };
    assert_eq!(
        error.kind(),
        ErrorKind::WouldBlock,
        "the flood is held back"
    );
    let began = Instant::now();
    server.end();
    let took = began.elapsed();
    assert!(
        took < Duration::from_secs(1),
        "Ctrl-C took {took:?} with a blocked stdout"
    );
    place.assert_left(&[]);
}

#[test]
fn a_client_whose_server_stands_still_ends_all_the_same() {
    let place = Place::new();
    let server = Server::start(&place, Stdio::null());
    signal("STOP", server.child.id().into()).unwrap();
    fs::write(place.path("much"), "words\n".repeat(200_000)).unwrap();
    let mut client = place.ipc(&["chat", "client"]);
    client.stdin(File::open(place.path("much")).unwrap());
    let mut client = client.spawn().unwrap();
    let pid = client.id().into();
    // About as much as the socket's buffer takes: soon the client is stuck in its send.
    let deadline = Instant::now() + LIMIT;
    while chat::counter(pid, "io", "rchar:") < 192 * 1024 {
        assert!(Instant::now() < deadline, "the client sends nothing");
        thread::yield_now();
    }
    signal("INT", pid).unwrap();
    assert_eq!(client.wait().unwrap().code(), Some(0));
}

#[test]
fn a_stdout_that_is_closed_ends_the_server_quietly() {
    let place = Place::new();
    let mut server = Server::start(&place, Stdio::piped());
    drop(server.child.stdout.take());
    // A child that another test is just starting may have a copy of the reading end for a moment.
    let deadline = Instant::now() + LIMIT;
    let ended = loop {
        if let Ok(client) = std::os::unix::net::UnixStream::connect(place.path("chat.sock")) {
            let _ = (&client).write_all(b"anybody?\n");
        }
        if let Some(status) = server.child.try_wait().unwrap() {
            break status;
        }
        assert!(
            Instant::now() < deadline,
            "the server goes on, and nobody reads"
        );
        thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(ended.code(), Some(0), "as with `| head -1`");
    assert!(!server.rest().contains("ipc:"), "nothing went wrong");
    place.assert_left(&[]);
}

#[test]
fn a_stdout_that_is_full_ends_the_server_with_the_reason() {
    let place = Place::new();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut server = Server::start(&place, full.into());
    Peer::connect(&place).say("anybody?\n");
    assert_eq!(server.child.wait().unwrap().code(), Some(1));
    let said = server.rest();
    assert!(
        said.contains("cannot write to stdout") && said.contains("No space left"),
        "{said}"
    );
    place.assert_left(&[]);
}

/// A one-way server with a stdout of the test's choice, which nothing empties.
struct Server {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
}

impl Server {
    fn start(place: &Place, stdout: Stdio) -> Self {
        let mut command = place.ipc(&["chat", "server", "--stage", "2"]);
        command
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut server = Self { child, stderr };
        server.says("listening on");
        server
    }

    fn says(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            let count = self.stderr.read_line(&mut line).unwrap();
            assert!(count > 0, "the server ended without saying {text:?}");
        }
    }

    fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).unwrap();
        rest
    }

    fn counter(&self, file: &str, field: &str) -> u64 {
        chat::counter(self.child.id().into(), file, field)
    }

    fn end(&mut self) {
        signal("INT", self.child.id().into()).unwrap();
        assert_eq!(
            self.child.wait().unwrap().code(),
            Some(0),
            "Ctrl-C is no failure"
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
