//! Stages 1 and 2: what they do for well-behaved peers, and what breaks them.

use std::fs;
use std::io::Write;
use std::net::Shutdown;
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;

use crate::common::lambda::{Server, answer, children, half_close, script};
use crate::common::{assert_fails, assert_succeeds, has_tool, text, wait_until};
use ipc_primer::harness::{Identity, signal};

const STAGES: [&str; 3] = ["1", "2", "3"];
/// Says what it was called with.
const WORDS: &str = "echo \"$# words: $*\"";

/// The function that the server runs, once there is one.
fn only_child(server: &Server) -> Identity {
    let of = |stat: &String| Identity::of(stat.split(' ').next()?.parse().ok()?).ok();
    let child = || children(server.program.pid()).first().and_then(of);
    wait_until("the function runs", || child().is_some());
    child().unwrap()
}

#[test]
fn the_plain_ends_work_with_each_other_and_with_those_of_every_later_stage() {
    for stage in STAGES {
        let mut server = Server::of_stage(stage);
        script(&server.place, "words", WORDS);
        for client in ["1", "3"] {
            let words = [
                "lambda", "invoke", "words", "f", "in", "--show", "--stage", client,
            ];
            let done = server.place.run(&words);
            assert_eq!(text(&done.stdout), "2 words: f in\n", "server {stage}");
        }
        assert_eq!(server.call("words"), "1 words: run\n", "as C clients send");
        assert_eq!(
            server.call("none f"),
            "Error: none f could not be executed.\n"
        );
        server.program.signal("TERM").unwrap();
        server.program.wait().unwrap();
    }
}

#[test]
fn the_plain_server_answers_another_program_and_many_at_once() {
    let server = Server::of_stage("1");
    let library = script(&server.place, "words", WORDS);
    if has_tool("nc") {
        let mut nc = server.place.command("nc");
        nc.args(["-UN", "lambda.sock"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut nc = nc.spawn().unwrap();
        let mut stdin = nc.stdin.take().unwrap();
        stdin.write_all(b"words by nc").unwrap();
        drop(stdin);
        let output = nc.wait_with_output().unwrap().stdout;
        assert_eq!(
            fs::read_to_string(text(&output)).unwrap(),
            "2 words: by nc\n"
        );
    }
    let crowd: Vec<_> = (0..20).map(|_| server.send(&library)).collect();
    for client in crowd {
        let output = fs::read_to_string(half_close(client)).unwrap();
        assert_eq!(output, "1 words: run\n");
    }
}

#[test]
fn a_killed_plain_server_leaves_its_function_its_socket_and_outputs_to_be_overwritten() {
    let mut server = Server::of_stage("1");
    let first = server.ask("/bin/echo");
    let _waiting = server.send("/bin/sleep 1000");
    let function = only_child(&server);
    let pid = server.program.pid().try_into().unwrap();
    let process = Identity::of(pid).unwrap();
    server.program.signal("TERM").unwrap();
    wait_until("the server has ended", || process.is_dead());
    assert!(!function.is_dead(), "the function is left");
    let status = server.program.wait().unwrap(); // which kills what is left of the group
    assert_eq!(status.code(), None, "a signal ended it");

    let words = ["lambda", "server", "--stage", "1"];
    assert_fails(&mut server.place.start(&words), "Address already in use");
    fs::remove_file(server.socket()).unwrap();
    let next = Server::of_stage_in(server.place, "1");
    assert_eq!(next.ask("/bin/echo over"), first, "the same name again");
    assert_eq!(fs::read_to_string(first).unwrap(), "over\n");
}

#[test]
fn stage_2_ends_functions_and_clients_at_ctrl_c_and_keeps_outputs_apart() {
    let mut server = Server::of_stage("2");
    let (first, second) = (server.ask("/bin/echo"), server.ask("/bin/echo"));
    assert_ne!(first, second);
    assert_eq!(fs::metadata(&first).unwrap().mode() & 0o777, 0o600);
    server.says("client 2: /bin/echo has run");
    let mut silent = server.connect();
    let mut waiting = server.send("/bin/sleep 1000");
    let function = only_child(&server);
    server.program.signal("INT").unwrap();
    assert_succeeds(&mut server.program);
    assert!(function.is_dead());
    assert_eq!(answer(&mut silent).as_os_str(), "");
    let output = answer(&mut waiting);
    assert_eq!(fs::read_to_string(output).unwrap(), "");
    server.place.assert_left(&["lambda-output"]);
}

#[test]
fn a_client_that_leaves_stage_2_leaves_no_output() {
    let mut server = Server::of_stage("2");
    let library = script(
        &server.place,
        "waits",
        "while [ ! -e go ]; do sleep 0.01; done",
    );
    let client = server.send(library);
    only_child(&server);
    // Closing would not do: what another test is just starting has all our descriptors, for a moment.
    client.shutdown(Shutdown::Both).unwrap();
    fs::write(server.place.path("go"), "").unwrap();
    server.says("client 1 left before its answer");
    server.end(&["go", "waits"]);
}

#[test]
fn what_a_function_leaves_behind_outlives_its_call_at_stage_2() {
    let server = Server::of_stage("2");
    let library = script(&server.place, "leaves", "sleep 1000 & echo $!");
    let left = server.call(library);
    let left = Identity::of(left.trim().parse().unwrap()).expect("it runs on");
    signal("KILL", left.pid.into()).unwrap();
    server.end(&["leaves"]);
}
