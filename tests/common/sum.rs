//! A sum server at work, and what a client of its own bytes gets from it.

use std::io::Read;
use std::os::unix::net::UnixStream;

use ipc_primer::harness::{LIMIT, Program, Stream};
use ipc_primer::socket::{connect, recv_exact};
use ipc_primer::sum::protocol::{FRAME_LEN, Reply, encode};

use super::Place;

pub const SEQUENTIAL: &[&str] = &["sum", "server", "--stage", "2"];
pub const THREADED: &[&str] = &["sum", "server"];
/// The stages that survive their clients: one client at a time, a thread a client, and the last.
pub const STAGES: [&[&str]; 3] = [SEQUENTIAL, &["sum", "server", "--stage", "3"], THREADED];
pub const PLAIN: &[&str] = &["sum", "server", "--stage", "1"];
pub const CLIENT: &[&str] = &["sum", "client"];

/// A server, and the place where its socket is.
pub struct Served {
    pub place: Place,
    pub server: Program,
}

impl Served {
    /// Starts the server that these words stand for.
    pub fn by(words: &[&str]) -> Self {
        let place = Place::new();
        let server = place.start(words);
        Self::from(place, server)
    }

    /// Starts a server with a limit or a redirection: `ulimit -n 20; exec {ipc} sum server`.
    pub fn by_shell(script: &str) -> Self {
        let place = Place::new();
        let mut shell = place.command("sh");
        shell.args(["-c", &script.replace("{ipc}", env!("CARGO_BIN_EXE_ipc"))]);
        let server = Program::start(&mut shell).unwrap();
        Self::from(place, server)
    }

    fn from(place: Place, mut server: Program) -> Self {
        server.wait_for(Stream::Stderr, "listening on").unwrap();
        Self { place, server }
    }

    pub fn connect(&self) -> UnixStream {
        let stream = connect(&self.place.path("sum.sock")).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap(); // a failing test ends too
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        stream
    }

    /// A client command that is connected for certain and waits for its next line.
    pub fn client_at_prompt(&self) -> Program {
        let mut client = self.place.start(CLIENT);
        client.say("not a number").unwrap();
        client.wait_for(Stream::Stderr, "ignored").unwrap();
        client
    }

    /// What every fault must leave possible: a whole conversation.
    #[track_caller]
    pub fn assert_serves(&self) {
        let mut client = self.connect();
        let bytes = [encode(20), encode(22), encode(0)].concat();
        ipc_primer::socket::send(&mut client, &bytes).unwrap();
        assert_eq!(
            reply(&mut client),
            Some(Reply::Result(42)),
            "another client is harmed"
        );
    }

    /// Presses Ctrl-C, and checks that nothing is left.
    #[track_caller]
    pub fn end(mut self) {
        self.server.signal("INT").unwrap();
        let status = self.server.wait().unwrap();
        assert_eq!(status.code(), Some(0), "Ctrl-C is a clean end");
        self.place.assert_left(&[]);
    }
}

/// The answer that comes; `None` if none does.
pub fn reply(client: &mut impl Read) -> Option<Reply> {
    let mut frame = [0; FRAME_LEN];
    let count = recv_exact(client, &mut frame).expect("an answer, or an end");
    (count == FRAME_LEN).then(|| Reply::parse(&frame))?
}
