//! What the tests of both copies share: a file, who sends it, who gets it.

use std::fs;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::common::{Place, names, wait_until};
use ipc_primer::harness::Program;

/// The file that is copied.
pub const FILE: &str = "file";

/// Bytes of which none stands where another could.
pub fn pattern(len: usize) -> Vec<u8> {
    let words = (0u64..).flat_map(|word| word.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_ne_bytes());
    words.take(len).collect()
}

/// The first line of a copy of `FILE`.
pub fn header(len: usize) -> String {
    format!("FILE {len} {FILE}\n")
}

/// Reads to the end of the stream, however it ends.
pub fn read_all(stream: &mut UnixStream) -> usize {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    bytes.len()
}

/// A copy by either way, to one peer.
pub trait Copying {
    fn place(&self) -> &Place;

    /// The file as it was made.
    fn bytes(&self) -> Vec<u8>;

    /// The process that has the file.
    fn give(&self, file: &str) -> Program;

    /// What it says when it is ready.
    fn ready(&self) -> &'static str;

    /// The process that gets the file, into this directory.
    fn take(&self, output: &str, more: &[&str]) -> Program;

    /// The names in a directory of copies.
    fn files(&self, output: &str) -> Vec<String> {
        names(&self.place().path(output))
    }

    /// Fails if the copy in this directory is not all that is there, and the same as the file.
    #[track_caller]
    fn assert_copied(&self, output: &str) {
        let copied = fs::read(self.place().path(output).join(FILE)).unwrap();
        assert!(copied == self.bytes(), "the copy in {output} differs");
        assert_eq!(self.files(output), [FILE], "nothing else should be there");
    }
}

/// Both ways, each in a place of its own.
pub fn both_ways(place: fn() -> Place, len: usize) -> [Box<dyn Copying>; 2] {
    let by_sockets = Box::new(SocketPlace::at(place(), len));
    [by_sockets, Box::new(RingPlace::at(place(), len))]
}

impl Copying for SocketPlace {
    fn place(&self) -> &Place {
        &self.place
    }

    fn bytes(&self) -> Vec<u8> {
        pattern(self.len)
    }

    fn give(&self, file: &str) -> Program {
        let words = ["copy", "socket", "server", "--peers", "1", file];
        self.place.start(&words)
    }

    fn ready(&self) -> &'static str {
        "listening"
    }

    fn take(&self, output: &str, more: &[&str]) -> Program {
        self.client(output, more)
    }
}

impl Copying for RingPlace {
    fn place(&self) -> &Place {
        &self.place
    }

    fn bytes(&self) -> Vec<u8> {
        pattern(self.len)
    }

    fn give(&self, file: &str) -> Program {
        self.send(file, 1, &[])
    }

    fn ready(&self) -> &'static str {
        "sending as"
    }

    fn take(&self, output: &str, more: &[&str]) -> Program {
        self.receiver(output, more)
    }
}

/// A place with a file, copied by sockets into directories of these names.
pub struct SocketPlace {
    pub place: Place,
    len: usize,
}

impl SocketPlace {
    pub fn new(len: usize) -> Self {
        Self::at(Place::new(), len)
    }

    pub fn at(place: Place, len: usize) -> Self {
        fs::write(place.path(FILE), pattern(len)).unwrap();
        Self { place, len }
    }

    pub fn server(&self, more: &[&str]) -> Program {
        self.place
            .start(&[&["copy", "socket", "server", FILE], more].concat())
    }

    pub fn client(&self, output: &str, more: &[&str]) -> Program {
        let _ = fs::create_dir(self.place.path(output));
        let words = ["copy", "socket", "client", "--output", output];
        self.place.start(&[&words, more].concat())
    }

    /// A client that has connected and reads nothing by itself.
    pub fn connect(&self) -> UnixStream {
        let mut connected = None;
        wait_until("the server listens", || {
            connected = UnixStream::connect(self.place.path("copy.sock")).ok();
            connected.is_some()
        });
        connected.unwrap()
    }

    pub fn wait_for_bytes(&self, stream: &mut UnixStream) {
        stream.read_exact(&mut [0]).unwrap();
    }

    pub fn wait_for_partial(&self, output: &str) {
        wait_until("a partial file is there", || !self.files(output).is_empty());
    }

    /// Waits until the program sleeps, and so has connected to a server that does not answer.
    pub fn wait_for_connection(&self, client: &Program) {
        let descriptors = format!("/proc/{}/fd", client.pid());
        let is_socket = |name: &String| {
            let link = fs::read_link(format!("{descriptors}/{name}"));
            link.is_ok_and(|link| link.to_string_lossy().starts_with("socket:"))
        };
        wait_until("the client has a socket", || {
            let open = names(descriptors.as_ref());
            open.iter().any(is_socket)
        });
    }

    /// Fails if anything but the file and these directories is left.
    #[track_caller]
    pub fn assert_clean(&self, outputs: &[&str]) {
        self.place.assert_left(&[outputs, &[FILE]].concat());
    }
}

/// A place with a file, copied by a ring of a name of its own.
pub struct RingPlace {
    pub place: Place,
    pub name: String,
    len: usize,
}

impl RingPlace {
    pub fn new(len: usize) -> Self {
        Self::at(Place::new(), len)
    }

    pub fn at(place: Place, len: usize) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        fs::write(place.path(FILE), pattern(len)).unwrap();
        let name = format!("test-{}-{number}", process::id());
        Self { place, name, len }
    }

    pub fn sender(&self, receivers: usize, more: &[&str]) -> Program {
        self.send(FILE, receivers, more)
    }

    pub fn send(&self, file: &str, receivers: usize, more: &[&str]) -> Program {
        let receivers = receivers.to_string();
        let words = ["copy", "sharedmem", "sender", file, "--name", &self.name];
        let words = [&words[..], &["--receivers", &receivers], more].concat();
        self.place.start(&words)
    }

    pub fn receiver(&self, output: &str, more: &[&str]) -> Program {
        let _ = fs::create_dir(self.place.path(output));
        let words = ["copy", "sharedmem", "receiver", "--output", output];
        let words = [&words[..], &["--name", &self.name], more].concat();
        self.place.start(&words)
    }

    pub fn segment(&self) -> std::path::PathBuf {
        ipc_primer::shm::path(&self.name).unwrap()
    }

    #[track_caller]
    pub fn assert_no_segment(&self) {
        let segment = self.segment();
        assert!(!segment.exists(), "{} was left behind", segment.display());
    }
}

impl Drop for RingPlace {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.segment());
    }
}
