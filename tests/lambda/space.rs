//! No room for the output of a function: its client is told, and the others are served.

use std::fs;

use crate::common::lambda::{Server, script};
use crate::common::{Place, in_small, text};
use ipc_primer::harness::{Program, Stream};

const SERVER: &str = "exec \"$IPC\" lambda server";

fn listening(place: Place, mut program: Program) -> Server {
    program.wait_for(Stream::Stderr, "listening on").unwrap();
    Server { place, program }
}

#[test]
fn on_a_full_disk_the_client_gets_the_error_line_or_no_answer_and_the_log_says_why() {
    let place = Place::new();
    let flood = script(&place, "flood", "head -c 1000000 /dev/zero");
    let fill = "head -c 1000000 /dev/zero >lambda-output/fill; echo out";
    let fill = script(&place, "fill", fill);
    let free = script(&place, "free", "rm lambda-output/fill");
    let outputs = place.path("lambda-output");
    fs::create_dir(&outputs).unwrap();
    let Some(program) = in_small(&place, &outputs, "64k", SERVER) else {
        return;
    };
    let mut server = listening(place, program);

    // The file system is the server's own, so its files are seen by way of its root directory.
    let root = format!("/proc/{}/root", server.program.pid());
    let output = |library: &str| {
        let path = server.ask(library);
        fs::read_to_string(format!("{root}{}", path.display())).unwrap()
    };
    let why = "was killed: its output cannot be written: no storage space";
    assert_eq!(output(&flood), format!("Error: {flood} {why}.\n"));

    let done = server.place.run(&["lambda", "invoke", &fill]);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    let said = text(&done.stderr);
    assert!(said.contains("closed without an answer"), "{said}");

    output(&free);
    assert_eq!(output("none"), "Error: none could not be executed.\n");
    server.says(why);
    server.says("client 2 failed: cannot write");
    server.end(&["fill", "flood", "free"]);
}

/// `ulimit -f`, whose signal would kill the server.
#[test]
fn an_output_larger_than_files_may_be_is_its_own_clients_error() {
    let place = Place::new();
    let flood = script(&place, "flood", "head -c 1000000 /dev/zero");
    let mut shell = place.command("sh");
    shell.args(["-c", &format!("ulimit -f 8; {SERVER}")]);
    shell.env("IPC", env!("CARGO_BIN_EXE_ipc"));
    let program = Program::start(&mut shell).unwrap();
    let mut server = listening(place, program);
    let why = "was killed: its output cannot be written: file too large";
    assert_eq!(server.call(&flood), format!("Error: {flood} {why}.\n"));
    server.says(why);
    assert_eq!(server.call("/bin/echo here"), "here\n");
    server.end(&["flood"]);
}
