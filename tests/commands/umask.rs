//! A umask takes permissions away from all that a process makes, and so could lock its owner out. What is
//! ours alone has its mode whatever the umask is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::common::{Place, assert_succeeds, text};
use ipc_primer::harness::Program;
use ipc_primer::harness::Stream::Stderr;

/// Leaves the owner the right to read, since a copy has its mode from the umask, as `cp` gives it.
const READABLE: &str = "0277";

/// `ipc` under this umask, with files and sockets below the place.
fn ipc_under(umask: &str, place: &Place, directory: &str, words: &[&str]) -> Command {
    let mut command = place.command_under(umask, words);
    command
        .env("TMPDIR", place.path(""))
        .env("IPC_PRIMER_DIR", place.path(directory));
    command
}

#[track_caller]
fn assert_serves(umask: &str, place: &Place, directory: &str) {
    let mut command = ipc_under(umask, place, directory, &["sum", "server"]);
    let mut server = Program::start(&mut command).unwrap();
    server.wait_for(Stderr, "listening on").unwrap();
    let socket = place.path(directory).join("sum.sock");
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(socket), 0o600, "the socket, under umask {umask}");
    assert_eq!(mode(place.path(directory)), 0o700, "under umask {umask}");
    server.signal("INT").unwrap();
    assert_succeeds(&mut server);
}

#[test]
fn the_runtime_directory_is_its_owners_and_stays_usable() {
    let place = Place::unprivileged();
    for umask in ["0177", "0277", "0777", "0000"] {
        let directory = format!("{umask}/above/dir");
        assert_serves(umask, &place, &directory);
        assert_serves("0022", &place, &directory);
    }
}

#[test]
fn a_runtime_directory_without_its_owners_permissions_is_mended() {
    let place = Place::unprivileged();
    let made = place
        .command("sh")
        .args(["-c", "umask 0177; mkdir old"])
        .status();
    assert!(made.unwrap().success());
    assert_serves("0022", &place, "old");
}

#[test]
fn the_tour_goes_as_expected() {
    let place = Place::unprivileged();
    for scene in ["copy-socket", "copy-sharedmem", "message-queue", "lambda"] {
        let words = ["tour", "--only", scene];
        let output = ipc_under(READABLE, &place, "run", &words).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stdout));
    }
}

#[test]
fn the_grader_grades() {
    let place = Place::unprivileged();
    let ipc = place.ipc(&[]).get_program().to_string_lossy().into_owned();
    for (assignment, program) in [
        ("queue", &["queue"][..]),
        ("copy-sharedmem", &["copy", "sharedmem"]),
    ] {
        let only = match assignment {
            "queue" => "empty-message",
            _ => "one-receiver",
        };
        let words = ["grade", assignment, "--only", only, "--", &ipc];
        let words = [&words[..], program].concat();
        let output = ipc_under(READABLE, &place, "run", &words).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stdout));
    }
}
