//! The system calls under the primitives, in order, as strace(1) sees them.

mod common;

use std::fs;
use std::io::Read;

use common::{Place, has_tool};
use ipc_primer::process::{Program, Stream};
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
    common::leave_stale_socket(&place.path("sum.sock")); // for step 1
    let server_calls = "socket,bind,listen,accept4,recvfrom,sendto,shutdown,?unlink,?unlinkat";
    let mut server = traced(&place, server_calls, "server", "sum server --sequential");
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
    ipc_primer::process::signal("INT", pid).unwrap();
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
