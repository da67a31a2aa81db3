//! The system calls under the primitives, in order, as strace(1) sees them and lets them fail.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;

use crate::common::{Place, has_tool};
use ipc_primer::harness::{Program, Stream};
use ipc_primer::socket::{connect, send};

/// Starts `ipc` under strace, its calls of these kinds written to `trace`.
fn traced(place: &Place, calls: &str, trace: &str, words: &str) -> Program {
    let ipc = env!("CARGO_BIN_EXE_ipc");
    let mut command = place.command("sh");
    command.args([
        "-c",
        &format!("exec strace -f -qq -e trace={calls} -o {trace} {ipc} {words}"),
    ]);
    Program::start(&mut command).unwrap()
}

/// The calls in a trace, by name, in order: those of one thread, or of all.
fn calls(place: &Place, trace: &str, thread: Option<i64>) -> Vec<String> {
    let trace = fs::read_to_string(place.path(trace)).unwrap();
    let call = |line: &str| {
        let (by, call) = line.split_once(' ')?;
        let wanted = thread.is_none_or(|thread| by == thread.to_string());
        let name = call.trim_start().split_once('(')?.0;
        let name = name.strip_suffix("at").unwrap_or(name); // some machines have no unlink(2)
        (wanted && name.chars().all(char::is_alphanumeric)).then(|| name.to_owned())
    };
    trace.lines().filter_map(call).collect()
}

fn works() -> bool {
    let runs = || {
        std::process::Command::new("strace")
            .args(["-qq", "true"])
            .output()
    };
    has_tool("strace") && {
        let allowed = runs().is_ok_and(|output| output.status.success());
        if !allowed {
            println!("skipped: strace may not trace here");
        }
        allowed
    }
}

#[test]
fn listen_accept_connect_and_close_make_these_calls() {
    if !works() {
        return;
    }
    let place = Place::new();
    crate::common::leave_stale_socket(&place.path("sum.sock")); // for step 1
    let server_calls = "socket,bind,listen,accept4,recvfrom,sendto,shutdown,?unlink,?unlinkat";
    let mut server = traced(&place, server_calls, "server", "sum server --stage 2");
    server.wait_for(Stream::Stderr, "listening on").unwrap();
    let mut client = traced(&place, "socket,connect", "client", "sum client");
    client.say("0").unwrap();
    client.wait_for(Stream::Stdout, "Result = 0").unwrap();
    client.wait().unwrap();
    server.wait_for(Stream::Stderr, "client 1").unwrap();
    // strace passes no signal on: the server's own pid is the first word of its lines.
    let trace = fs::read_to_string(place.path("server")).unwrap();
    let bind = trace.lines().find(|line| line.contains("bind(")).unwrap();
    let pid = bind.split_whitespace().next().unwrap().parse().unwrap();
    ipc_primer::harness::signal("INT", pid).unwrap();
    server.wait().unwrap();

    assert_eq!(calls(&place, "client", None), ["socket", "connect"]);
    let mut made = calls(&place, "server", Some(pid));
    made.dedup(); // an accept that a signal interrupts is restarted
    let steps = [
        "unlink", "socket", "bind", "listen", "accept4", "recvfrom", "sendto",
    ];
    let end = ["shutdown", "recvfrom", "accept4", "unlink"];
    assert_eq!(made, [&steps[..], &end].concat());
    let trace = fs::read_to_string(place.path("server")).unwrap();
    assert!(
        trace.contains("EINVAL"),
        "the last accept4 is woken by shutdown(2): {trace}"
    );
}

/// Not every file system has `flock(2)`, and a network may lose it.
const NO_LOCK: [&str; 4] = ["ENOSYS", "EOPNOTSUPP", "ENOLCK", "EBADF"];

fn without_locks(error: &str) -> String {
    format!("flock -e inject=flock:error={error}")
}

#[test]
fn a_lock_that_cannot_be_had_is_an_error_and_leaves_nothing() {
    if !works() {
        return;
    }
    let place = Place::new();
    for error in NO_LOCK {
        let mut server = traced(&place, &without_locks(error), "trace", "sum server");
        crate::common::assert_fails(&mut server, "cannot lock");
        place.assert_left(&["trace"]);
    }
    fs::write(place.path("sum.sock.lock"), "").unwrap(); // as a killed server leaves it
    let mut server = traced(&place, &without_locks("ENOSYS"), "trace", "sum server");
    crate::common::assert_fails(&mut server, "cannot lock");
    place.assert_left(&["sum.sock.lock", "trace"]);
}

/// The partial file of the other copy may be that of a living one.
#[test]
fn a_copy_where_files_cannot_be_locked_is_an_error_and_deletes_nothing() {
    if !works() {
        return;
    }
    let place = Place::new();
    let other = ".ipc-copy-0123456789abcdef.part";
    fs::write(place.path(other), "half").unwrap();
    let server = UnixListener::bind(place.path("copy.sock")).unwrap();
    for error in NO_LOCK.iter().chain(&["EAGAIN"]) {
        let words = "copy socket client";
        let mut client = traced(&place, &without_locks(error), "trace", words);
        let (mut stream, _) = server.accept().unwrap();
        stream.write_all(b"FILE 1 file\nx").unwrap();
        crate::common::assert_fails(&mut client, "cannot write into .: ");
        place.assert_left(&[other, "copy.sock", "trace"]);
    }
}

/// Where there are no hard links a rename has to do; it replaces, so it is for no other error.
#[test]
fn a_copy_that_cannot_be_linked_is_renamed_only_where_there_are_no_links() {
    if !works() {
        return;
    }
    let place = Place::new();
    let server = UnixListener::bind(place.path("copy.sock")).unwrap();
    for (error, left) in [
        ("EPERM", &["copy.sock", "file", "trace"][..]),
        ("EOPNOTSUPP", &["copy.sock", "file", "trace"]),
        ("ENOSYS", &["copy.sock", "file", "trace"]),
        ("EIO", &["copy.sock", "trace"]),
    ] {
        let calls = format!("?link,linkat -e inject=?link,linkat:error={error}");
        let mut client = traced(&place, &calls, "trace", "copy socket client");
        let (mut stream, _) = server.accept().unwrap();
        stream.write_all(b"FILE 1 file\nx").unwrap();
        drop(stream);
        match error {
            "EIO" => crate::common::assert_fails(&mut client, "cannot finish ./file: "),
            _ => crate::common::assert_succeeds(&mut client),
        }
        place.assert_left(left);
        let _ = fs::remove_file(place.path("file"));
    }
}

/// The first thread handles signals, the second connects.
#[test]
fn a_copy_without_a_thread_to_connect_is_an_error() {
    if !works() {
        return;
    }
    let place = Place::new();
    let calls = "clone,clone3 -e inject=clone,clone3:error=EAGAIN:when=2+";
    let mut client = traced(&place, calls, "trace", "copy socket client");
    crate::common::assert_fails(&mut client, "Resource temporarily unavailable");
}

/// NFS gives an exclusive lock to no other descriptor.
#[test]
fn what_is_locked_is_open_to_write() {
    if !works() {
        return;
    }
    let place = Place::new();
    for left in ["copy.sock.lock", ".ipc-copy-0123456789abcdef.part", "file"] {
        fs::write(place.path(left), "").unwrap();
    }
    let calls = "openat,flock";
    let server = "copy socket server file --peers 1";
    let mut server = traced(&place, calls, "server", server);
    server.wait_for(Stream::Stderr, "listening on").unwrap();
    let mut client = traced(&place, calls, "client", "copy socket client --force");
    crate::common::assert_succeeds(&mut client);
    crate::common::assert_succeeds(&mut server);
    for (trace, locks) in [("server", 1), ("client", 2)] {
        let trace = fs::read_to_string(place.path(trace)).unwrap();
        let locked = trace.lines().filter(|line| line.contains("flock("));
        assert_eq!(locked.count(), locks, "{trace}");
        let ours = |line: &&str| line.contains(".lock\"") || line.contains(".part\"");
        for open in trace.lines().filter(ours) {
            assert!(!open.contains("O_RDONLY"), "{open}");
        }
    }
    place.assert_left(&["client", "file", "server"]);
}

#[test]
fn integers_sent_in_large_writes_are_read_in_large_reads() {
    const BYTES: usize = 4 << 20;
    if !works() {
        return;
    }
    let place = Place::new();
    let mut server = traced(&place, "recvfrom", "server", "sum server");
    server.wait_for(Stream::Stderr, "listening on").unwrap();
    let mut client = connect(&place.path("sum.sock")).unwrap();
    send(&mut client, &[1; BYTES]).unwrap();
    send(&mut client, &[0; 4]).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("Result = "), "{answer}");

    let reads = calls(&place, "server", None).len();
    let average = BYTES / reads;
    assert!(
        average >= 4096,
        "{reads} calls brought {average} bytes each: a call an integer?"
    );
}

#[test]
fn last_words_are_written_however_late_the_thread_that_writes_them() {
    if !works() {
        return;
    }
    // A new thread names itself by prctl(2): the one that writes to stderr begins a second late.
    let late = "prctl -e inject=prctl:delay_enter=1000000";
    let mut command = traced(
        &Place::new(),
        late,
        "/dev/null",
        "queue info /no-such-queue",
    );
    command.wait().unwrap();
    let said = command.said(Stream::Stderr);
    assert!(said.contains("there is no queue /no-such-queue"), "{said}");
}
