//! A chat server for a test, and clients that are nothing but a socket.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;

use ipc_primer::harness::{LIMIT, Program, Stream};

use crate::common::Place;

/// A server that listens, in a place of its own.
pub struct Chat {
    pub place: Place,
    pub server: Program,
}

impl Chat {
    pub fn one_way() -> Self {
        Self::start(&["--stage", "2"])
    }

    pub fn two_way() -> Self {
        Self::start(&[])
    }

    pub fn start(options: &[&str]) -> Self {
        let place = Place::new();
        let mut server = place.start(&[&["chat", "server"], options].concat());
        server.wait_for(Stream::Stderr, "listening on").unwrap();
        Self { place, server }
    }

    /// A client that is a socket and says nothing yet.
    pub fn connect(&mut self) -> Peer {
        let peer = Peer::connect(&self.place);
        self.says("connected");
        peer
    }

    /// A client that has said HELLO.
    pub fn join(&mut self, name: &str) -> Peer {
        let mut peer = self.connect();
        peer.say(format!("HELLO {name} 4242\n"));
        self.says("(pid 4242) joined");
        peer
    }

    /// `ipc chat client` of this name, joined.
    pub fn client(&mut self, name: &str) -> Program {
        let client = self.place.start(&["chat", "client", "--name", name]);
        self.says("joined");
        client
    }

    /// Types a line at the server.
    pub fn types(&mut self, line: &str) {
        self.server.say(line).unwrap();
    }

    /// Waits for the next line that the server shows, which has to be this one.
    #[track_caller]
    pub fn shows(&mut self, line: &str) {
        let shown = self.server.wait_for(Stream::Stdout, "").unwrap();
        assert_eq!(shown, line, "the server should show this line next");
    }

    /// Waits until the server says something on stderr, and returns the line.
    #[track_caller]
    pub fn says(&mut self, text: &str) -> String {
        self.server.wait_for(Stream::Stderr, text).unwrap()
    }

    /// Presses Ctrl-C at the server: it ends well and leaves nothing behind.
    #[track_caller]
    pub fn end(mut self) {
        self.server.signal("INT").unwrap();
        let status = self.server.wait().unwrap();
        assert_eq!(status.code(), Some(0), "Ctrl-C is no failure");
        self.place.assert_left(&[]);
    }

    /// A number that the kernel keeps about the server.
    pub fn counter(&self, file: &str, field: &str) -> u64 {
        counter(self.server.pid(), file, field)
    }
}

/// A field of `/proc/<pid>/status` or `/proc/<pid>/io`, as a number.
pub fn counter(pid: i64, file: &str, field: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let mut values = text.lines().filter_map(|line| line.strip_prefix(field));
    let value = values.next().expect("the kernel counts this");
    value.split_whitespace().next().unwrap().parse().unwrap()
}

/// A client that is nothing but a socket.
pub struct Peer {
    pub stream: BufReader<UnixStream>,
}

impl Peer {
    pub fn connect(place: &Place) -> Self {
        let stream = UnixStream::connect(place.path("chat.sock")).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    pub fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// The next line, without its end; "" at the end of the stream.
    pub fn hear(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }

    /// All bytes until the server closes the connection.
    pub fn hear_all(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.stream.read_to_end(&mut bytes).unwrap();
        bytes
    }
}
