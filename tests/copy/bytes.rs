//! Bytes arrive exactly, by either way, whatever the length and the name of the file.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::common::Place;
use crate::common::assert_succeeds;
use crate::common::copying::{self, Copying, FILE, RingPlace, SocketPlace, pattern};
use crate::common::tty::Tty;
use ipc_primer::harness::Program;
use ipc_primer::harness::Stream::Stderr;

const SLOT: usize = 4096;
const LENGTHS: &[usize] = &[0, 1, SLOT - 1, SLOT, SLOT + 1, 8 * SLOT, 100_003];

#[test]
fn every_length_arrives_by_sockets() {
    for &len in LENGTHS {
        let place = SocketPlace::new(len);
        let mut server = place.server(&["--peers", "2", "--chunk", "4096"]);
        server.wait_for(Stderr, "listening").unwrap();
        let mut clients = [place.client("1", &[]), place.client("2", &[])];
        for client in &mut clients {
            assert_succeeds(client);
        }
        assert_succeeds(&mut server);
        place.assert_copied("1");
        place.assert_copied("2");
        place.assert_clean(&["1", "2"]);
    }
}

#[test]
fn clients_at_once_get_the_whole_file_with_chunks_of_any_size() {
    const MIB: usize = 1 << 20;
    let place = SocketPlace::new(6 * MIB + 1);
    for chunk in [SLOT, 100_000, MIB, 4 * MIB] {
        let chunk = chunk.to_string();
        let mut server = place.server(&["--peers", "4", "--chunk", &chunk]);
        server.wait_for(Stderr, "listening").unwrap();
        let outputs = ["1", "2", "3", "4"];
        let mut clients = outputs.map(|output| place.client(output, &["--force"]));
        clients.iter_mut().for_each(assert_succeeds);
        assert_succeeds(&mut server);
        for output in outputs {
            place.assert_copied(output);
        }
    }
}

#[test]
fn every_length_arrives_by_shared_memory() {
    for &len in LENGTHS {
        for slots in ["1", "3"] {
            let place = RingPlace::new(len);
            // In any order: one receiver waits for the sender, one comes after it.
            let mut first = place.receiver("1", &[]);
            first.wait_for(Stderr, "waiting 10 s").unwrap();
            let mut sender = place.sender(2, &["--slots", slots, "--slot-size", "4096"]);
            sender.wait_for(Stderr, "sending as").unwrap();
            let mut second = place.receiver("2", &[]);
            for program in [&mut first, &mut second, &mut sender] {
                assert_succeeds(program);
            }
            place.assert_copied("1");
            place.assert_copied("2");
            place.assert_no_segment();
        }
    }
}

#[test]
fn a_slot_of_one_byte_is_a_slot() {
    let place = RingPlace::new(1000);
    let mut sender = place.sender(1, &["--slots", "1", "--slot-size", "1"]);
    let mut receiver = place.receiver("1", &[]);
    assert_succeeds(&mut receiver);
    assert_succeeds(&mut sender);
    place.assert_copied("1");
}

#[test]
fn names_with_blanks_and_any_other_bytes_arrive() {
    let names = [
        &b"two words"[..],
        "Größe 値.txt".as_bytes(),
        b"-dash",
        b"no utf-8 \xff\xfe",
    ];
    for name in names.map(OsStr::from_bytes) {
        let place = RingPlace::new(0);
        fs::create_dir(place.place.path("from")).unwrap();
        fs::write(place.place.path("from").join(name), pattern(10)).unwrap();
        let mut command = place
            .place
            .ipc(&["copy", "socket", "server", "--peers", "1", "--"]);
        let mut server = Program::start(command.arg(Path::new("from").join(name))).unwrap();
        server.wait_for(Stderr, "listening").unwrap();
        fs::create_dir(place.place.path("1")).unwrap();
        let client = ["copy", "socket", "client", "--output", "1"];
        assert!(place.place.run(&client).status.success());
        assert_succeeds(&mut server);
        assert_eq!(
            fs::read(place.place.path("1").join(name)).unwrap(),
            pattern(10)
        );

        let words = [
            "copy",
            "sharedmem",
            "sender",
            "--receivers=1",
            "--name",
            &place.name,
        ];
        let mut command = place.place.ipc(&words);
        let mut sender = Program::start(command.arg(Path::new("from").join(name))).unwrap();
        let mut receiver = place.receiver("2", &[]);
        assert_succeeds(&mut receiver);
        assert_succeeds(&mut sender);
        assert_eq!(
            fs::read(place.place.path("2").join(name)).unwrap(),
            pattern(10)
        );
    }
}

/// More bytes than a signed 32-bit number counts, and mostly a hole.
const SPARSE_LEN: u64 = (1 << 31) + (1 << 27);
const MARKS: [u64; 4] = [0, (1 << 31) - 1, SPARSE_LEN - (1 << 20), SPARSE_LEN - 4];

fn write_sparse(path: &Path) {
    let mut file = File::create(path).unwrap();
    file.set_len(SPARSE_LEN).unwrap();
    for at in MARKS {
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(b"mark").unwrap();
    }
}

#[test]
fn a_sparse_file_of_more_than_2_gib_arrives_by_shared_memory() {
    let place = RingPlace::at(Place::in_memory(), 0);
    write_sparse(&place.place.path(FILE));
    let mut sender = place.sender(1, &["--slot-size", "1048576"]);
    let mut receiver = place.receiver("1", &[]);
    let received = receiver.wait().unwrap();
    assert!(received.success(), "{}", receiver.said(Stderr));
    assert_succeeds(&mut sender);
    assert_same_marks(&place.place, "1", SPARSE_LEN, &MARKS);
}

#[test]
fn a_sparse_file_of_more_than_2_gib_arrives_by_sockets() {
    let place = Place::in_memory();
    write_sparse(&place.path(FILE));
    let mut server = place.start(&["copy", "socket", "server", FILE, "--peers", "1"]);
    server.wait_for(Stderr, "listening").unwrap();
    fs::create_dir(place.path("2")).unwrap();
    let client = ["copy", "socket", "client", "--output", "2"];
    assert!(place.run(&client).status.success());
    assert_succeeds(&mut server);
    assert_same_marks(&place, "2", SPARSE_LEN, &MARKS);
}

fn assert_same_marks(place: &Place, output: &str, len: u64, marks: &[u64]) {
    let path = place.path(output).join(FILE);
    let found = fs::metadata(&path).unwrap();
    assert_eq!(found.len(), len);
    assert!(found.blocks() * 512 < 16 << 20, "the hole was filled");
    let mut file = File::open(path).unwrap();
    for &at in marks {
        let mut mark = [0; 4];
        file.seek(SeekFrom::Start(at)).unwrap();
        file.read_exact(&mut mark).unwrap();
        assert_eq!(&mark, b"mark", "at {at}");
    }
}

/// `nc` is a full client: a line, the bytes, the end.
#[test]
fn the_wire_is_a_line_and_the_bytes() {
    let place = SocketPlace::new(10_000);
    let mut server = place.server(&["--peers", "1"]);
    server.wait_for(Stderr, "listening").unwrap();
    let mut got = Vec::new();
    place.connect().read_to_end(&mut got).unwrap();
    assert!(got == [copying::header(10_000).into_bytes(), pattern(10_000)].concat());
    assert_succeeds(&mut server);
}

/// The test itself is the server, and sends so slowly that there is progress to show.
#[test]
fn progress_is_shown_at_a_terminal_and_nowhere_else() {
    const LEN: usize = 7_000_000;
    let place = SocketPlace::new(LEN);
    let listener = UnixListener::bind(place.place.path("copy.sock")).unwrap();
    fs::create_dir(place.place.path("1")).unwrap();
    let words = ["copy", "socket", "client", "--output", "1"];
    let mut terminal = Tty::start(&mut place.place.ipc(&words));
    let mut plain = place.client("2", &[]);
    let mut streams = [(); 2].map(|()| listener.accept().unwrap().0);
    let mut send = |bytes: &[u8]| {
        for stream in &mut streams {
            stream.write_all(bytes).unwrap();
        }
    };
    send(copying::header(LEN).as_bytes());
    let bytes = pattern(LEN);
    let mut pieces = bytes.chunks(2000);
    let row = loop {
        send(pieces.next().expect("a row comes before the last byte"));
        thread::sleep(Duration::from_millis(1));
        if let Some(row) = terminal.row_with(" left") {
            break row;
        }
    };
    let shown = row.contains("iB of 6.7 MiB, ") && row.contains("/s, ");
    assert!(shown, "{row:?}");
    send(&pieces.collect::<Vec<_>>().concat());
    drop(streams);
    assert!(terminal.end().success());
    assert_eq!(terminal.rows(), ["copied to 1/file"]);
    place.assert_copied("1");
    assert_succeeds(&mut plain);
    let said = plain.said(Stderr);
    assert!(!said.contains("left"), "{said}");
}

/// Whatever the file, the server keeps a buffer for each client and no more.
#[test]
fn the_server_stays_below_32_mib() {
    let place = SocketPlace::new(64 << 20);
    let mut server = place.server(&[]);
    server.wait_for(Stderr, "listening").unwrap();
    for number in 0..4 {
        assert!(
            place
                .client(&number.to_string(), &[])
                .wait()
                .unwrap()
                .success()
        );
    }
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak: u64 = peak
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    assert!(peak < 32 << 10, "{peak} KiB at its peak");
}
