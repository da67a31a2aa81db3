//! How a command ends that is blocked in something with no waker, and what becomes of its words: in a full
//! pipe, in a FIFO that nobody opens, on a stream that was left non-blocking or closed.

use std::fmt::Display;
use std::fs;
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use crate::common::queueing::{Mortal, Name};
use crate::common::{Place, text, wait_until};
use ipc_primer::harness::{Program, Stream, signal};
use ipc_primer::signals::{Disposition, Dispositions, Signal, dispositions};

/// How often in a row a process has to be seen at rest: between two of its looks at something it rests, too.
const LOOKS: u32 = 20;

/// Makes a pipe, or what else a program may have for a stream, non-blocking for all who share it, or blocking.
fn set_non_blocking(stream: &PipeWriter, non_blocking: bool) {
    let own = OwnedFd::from(stream.try_clone().unwrap());
    UnixStream::from(own).set_nonblocking(non_blocking).unwrap();
}

/// A pipe that takes nothing more.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = io::pipe().unwrap();
    set_non_blocking(&writer, true);
    let full = loop {
        if let Err(error) = writer.write(&[b'.'; 4096]) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    set_non_blocking(&writer, false);
    (reader, writer)
}

/// Whether the process handles signals, and all its threads sleep.
fn is_at_rest(pid: u32) -> bool {
    let handles = |found: Dispositions| found.of(Signal::TERM) == Disposition::Caught;
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let stat = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("stat")).ok();
    let mut stats = threads.filter_map(stat);
    dispositions(pid.into()).is_ok_and(handles) && stats.all(|stat| stat.contains(") S "))
}

/// Waits until the process handles signals, and does nothing more.
#[track_caller]
fn wait_until_at_rest(child: &mut Mortal, what: impl Display) {
    let mut looks = 0;
    wait_until(&format!("{what} is at rest"), || {
        let ended = child.0.try_wait().unwrap();
        assert_eq!(ended, None, "{what} should be blocked, and ended");
        looks = if is_at_rest(child.0.id()) {
            looks + 1
        } else {
            0
        };
        looks == LOOKS
    });
}

/// Waits for the end of a process, which is killed if it does not come.
#[track_caller]
fn wait_for_end(child: &mut Mortal, what: &str) -> ExitStatus {
    let mut status = None;
    wait_until(&format!("{what} ends"), || {
        status = child.0.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap()
}

fn serve(place: &Place, words: &[&str]) -> Program {
    let mut server = place.start(words);
    server.wait_for(Stream::Stderr, "listening on").unwrap();
    server
}

/// A command that nobody reads from. A server has its stderr blocked, too; others say why they ended.
struct Blocked<'a> {
    line: &'a str,
    child: Mortal,
}

impl<'a> Blocked<'a> {
    fn start(place: &Place, line: &'a str, stdout: &PipeWriter) -> Self {
        let words: Vec<_> = line.split(' ').collect();
        let stderr = match line.contains("server") {
            true => stdout.try_clone().unwrap().into(),
            false => Stdio::inherit(),
        };
        let mut command = place.ipc(&words);
        command.env("TMPDIR", place.path("")).stdin(Stdio::piped());
        let mut child = Mortal::start(command.stdout(stdout.try_clone().unwrap()).stderr(stderr));
        child.0.stdin.take().unwrap().write_all(b"0\n").unwrap();
        Self { line, child }
    }
}

fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Every command, blocked in what has no waker, ends by this signal, and leaves nothing.
fn blocked_commands_end_by(name: &str) {
    let place = Place::new();
    let queue = Name::new("endings");
    queue.create(1, 8).send(b"message", 0).unwrap();
    let mut servers = [
        serve(&place, &["sum", "server"]),
        serve(&place, &["lambda", "server", "--output-dir", "outputs"]),
    ];
    make_fifo(&place.path("in")); // nobody opens the other end
    make_fifo(&place.path("out"));
    fs::write(place.path("file"), "text").unwrap();
    let ipc = env!("CARGO_BIN_EXE_ipc");
    let (_reader, full) = full_pipe();
    let (receive, name_it) = (
        format!("queue receive --follow {}", queue.0),
        format!(
            "copy sharedmem sender file --receivers 1 --name {}",
            &queue.0[1..]
        ),
    );
    let grade = format!("grade signals --only waits --output out -- {ipc} signals wait");
    let mut commands = [
        &receive,
        "sum client",
        "lambda invoke /bin/true",
        "lambda invoke /bin/echo text --show",
        "signals lab --only outcomes",
        "signals wait", // has something to write when the signal comes
        "tour --only sum-sequential",
        "copy race",
        "copy race file",
        "copy race in",
        &name_it,
        "copy socket server file",
        "chat server",
        &grade,
    ]
    .map(|line| Blocked::start(&place, line, &full));
    for Blocked { line, child } in &mut commands {
        wait_until_at_rest(child, line);
    }
    for command in &commands {
        signal(name, command.child.0.id().into()).unwrap();
    }
    for Blocked { line, child } in &mut commands {
        let pid = child.0.id();
        let status = wait_for_end(child, &format!("`ipc {line}`, told so by SIG{name},"));
        assert!(
            status.code().is_some(),
            "`ipc {line}` was ended by {status}"
        );
        let segment = format!("/dev/shm/ipc-primer-race-{pid}");
        assert!(!Path::new(&segment).exists(), "`ipc {line}` left {segment}");
    }
    for server in &mut servers {
        server.signal("TERM").unwrap();
        crate::common::assert_succeeds(server);
    }
    wait_until("no process is left", || place.processes().is_empty());
    place.assert_left(&["file", "in", "out", "outputs"]);
}

#[test]
fn int_term_and_hup_end_what_is_blocked() {
    thread::scope(|scope| {
        for signal in ["INT", "TERM", "HUP"] {
            scope.spawn(move || blocked_commands_end_by(signal));
        }
    });
}

#[test]
fn a_command_that_copies_without_end_is_ended() {
    let place = Place::new();
    let listener = std::os::unix::net::UnixListener::bind(place.path("lambda.sock")).unwrap();
    let words = ["lambda", "invoke", "any", "--show"];
    let mut command = place.ipc(&words);
    let mut child = Mortal::start(command.stdout(Stdio::null()).stderr(Stdio::piped()));
    let (mut client, _) = listener.accept().unwrap();
    assert_eq!(client.read(&mut [0; 64]).unwrap(), "any\n".len());
    client.write_all(b"/dev/zero").unwrap();
    drop(client);
    let opened = |link: fs::DirEntry| fs::read_link(link.path());
    wait_until("it reads /dev/zero", || {
        let links = fs::read_dir(format!("/proc/{}/fd", child.0.id())).unwrap();
        let mut links = links.flatten().filter_map(|link| opened(link).ok());
        links.any(|link| link == Path::new("/dev/zero"))
    });
    signal("TERM", child.0.id().into()).unwrap();
    let status = wait_for_end(&mut child, "invoke");
    let mut said = String::new();
    let mut stderr = child.0.stderr.take().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("told to end while"), "{said}");
}

#[test]
fn a_stream_that_was_left_non_blocking_is_waited_for() {
    let place = Place::new();
    let queue = Name::new("endings");
    let open = queue.create(2, 8);
    open.send(b"one", 0).unwrap();
    open.send(b"two", 0).unwrap();
    let (mut reader, full) = full_pipe();
    set_non_blocking(&full, true);
    let words = ["queue", "receive", &queue.0, "--count", "2"];
    let mut receiver = Mortal::start(place.ipc(&words).stdout(full));
    wait_until_at_rest(&mut receiver, "queue receive");
    let mut came = String::new();
    reader.read_to_string(&mut came).unwrap();
    assert_eq!(came.trim_start_matches('.'), "one\ntwo\n");
    assert!(receiver.0.wait().unwrap().success());

    let (stdin, mut keyboard) = io::pipe().unwrap();
    let shared = UnixStream::from(OwnedFd::from(stdin.try_clone().unwrap()));
    shared.set_nonblocking(true).unwrap();
    let mut sender = Mortal::start(place.ipc(&["queue", "send", &queue.0, "-"]).stdin(stdin));
    wait_until_at_rest(&mut sender, "queue send");
    keyboard.write_all(b"typed\n").unwrap();
    drop(keyboard);
    assert!(sender.0.wait().unwrap().success());
    assert_eq!(open.receive(&mut [0; 8]).unwrap().bytes, b"typed");
}

/// Runs a line of shell with `$ipc` for the command and `$queue` for the queue; returns what it says.
fn shell(place: &Place, line: &str, queue: &Name) -> (Option<i32>, String) {
    let mut shell = place.command("sh");
    shell.args(["-c", line]);
    shell.env("ipc", env!("CARGO_BIN_EXE_ipc"));
    let output = shell.env("queue", &queue.0).output().unwrap();
    (output.status.code(), text(&output.stderr).to_owned())
}

#[test]
fn no_message_is_taken_where_it_cannot_be_written() {
    let (place, queue) = (Place::new(), Name::new("endings"));
    let open = queue.create(1, 8);
    open.send(b"message", 0).unwrap();
    for (to, says) in [
        (">&-", "stdout is closed; to throw away"),
        ("1</dev/null", "cannot write to stdout: Bad file descriptor"),
        (">/dev/full", "cannot write to stdout: No space left"),
    ] {
        let (code, said) = shell(
            &place,
            &format!("\"$ipc\" queue receive \"$queue\" {to}"),
            &queue,
        );
        assert_eq!(code, Some(1), "{to}: {said}");
        assert!(said.contains(says), "{to} should say {says:?}: {said}");
        assert_eq!(open.attributes().unwrap().messages, 1, "{to}");
    }
    let (code, said) = shell(
        &place,
        "\"$ipc\" queue receive \"$queue\" >/dev/null",
        &queue,
    );
    assert_eq!((code, said.as_str()), (Some(0), ""));
}

#[test]
fn a_message_that_was_taken_and_cannot_be_written_is_told() {
    let (place, queue) = (Place::new(), Name::new("endings"));
    queue.create(1, 8).send(b"message", 0).unwrap();
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut receiver = place.ipc(&["queue", "receive", &queue.0]);
    let output = receiver.stdout(writer).output().unwrap();
    let said = text(&output.stderr);
    let lost = format!("a message of 7 bytes, taken from {}, is lost", queue.0);
    assert!(said.contains(&lost), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_line_goes_out_in_one_call() {
    const LEN: usize = 3000;
    let (place, queue) = (Place::new(), Name::new("endings"));
    queue.create(1, LEN).send(&[b'x'; LEN], 0).unwrap();
    // Each write is a datagram of its own.
    let (stdout, calls) = UnixDatagram::pair().unwrap();
    for words in [
        &["queue", "receive", &queue.0][..],
        &["queue", "list"],
        &["tour", "--list"],
    ] {
        let stdout = OwnedFd::from(stdout.try_clone().unwrap());
        let status = place.ipc(words).stdout(stdout).status().unwrap();
        assert!(status.success(), "ipc {words:?}");
    }
    stdout.shutdown(std::net::Shutdown::Write).unwrap();
    let mut call = [0; 2 * LEN];
    let mut longest = 0;
    calls.set_nonblocking(true).unwrap(); // all of them are there
    while let Ok(count) = calls.recv(&mut call) {
        let lines = text(&call[..count]);
        assert!(
            lines.is_empty() || lines.ends_with('\n'),
            "half a line: {lines:?}"
        );
        longest = longest.max(count);
    }
    assert_eq!(longest, LEN + 1);
}

#[test]
fn an_input_that_cannot_be_read_is_named() {
    let (place, queue) = (Place::new(), Name::new("endings"));
    queue.create(1, 8);
    let mut servers = [
        serve(&place, &["sum", "server"]),
        serve(&place, &["chat", "server"]),
    ];
    for (line, says) in [
        (
            "queue send \"$queue\" - <.",
            "cannot read stdin: Is a directory",
        ),
        ("sum client <.", "cannot read stdin: Is a directory"),
        ("chat client <.", "cannot read stdin: Is a directory"),
        ("copy race .", "cannot read .: Is a directory"),
        ("copy socket server .", "cannot copy .: it is a directory"),
    ] {
        let (code, said) = shell(&place, &format!("\"$ipc\" {line}"), &queue);
        assert_eq!(code, Some(1), "{line}: {said}");
        assert!(said.contains(says), "{line} should say {says:?}: {said}");
    }
    for server in &mut servers {
        server.signal("INT").unwrap();
        crate::common::assert_succeeds(server);
    }
}
