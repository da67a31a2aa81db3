//! The command as its users meet it: help, wrong usage, exit codes, bad places, terminals.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use crate::common::{Place, has_tool, text};
use ipc_primer::harness::{Program, Stream};

#[track_caller]
fn assert_fails(place: &Place, words: &[&str], code: i32, says: &str) {
    let output = place.run(words);
    let said = text(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(code),
        "ipc {words:?} said: {said}"
    );
    assert!(
        said.contains(says),
        "ipc {words:?} should say {says:?} and said: {said}"
    );
    assert_eq!(text(&output.stdout), "", "data alone goes to stdout");
}

#[test]
fn a_newcomer_is_told_where_to_start() {
    let place = Place::new();
    for words in [&[][..], &["--help"], &["-h"]] {
        let output = place.run(words);
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains("ipc tour"), "ipc {words:?}");
    }
    for words in [
        &["sum", "--help"][..],
        &["sum", "server", "--help"],
        &["tour", "--help"],
        &["bench", "--help"],
    ] {
        let output = place.run(words);
        assert_eq!(output.status.code(), Some(0));
        assert!(
            text(&output.stdout).starts_with(&format!("ipc {}", words[0])),
            "ipc {words:?}"
        );
    }
}

#[test]
fn wrong_usage_exits_with_2_and_names_the_word() {
    let place = Place::new();
    for (words, says) in [
        (&["summ"][..], "\"summ\""),
        (&["--verbose"], "\"--verbose\""),
        (&["sum"], "needs to be told"),
        (&["sum", "serve"], "\"serve\""),
        (&["sum", "server", "now"], "\"now\""),
        (&["sum", "server", "--socket"], "--socket needs a value"),
        (&["sum", "server", "--max-clients", "none"], "\"none\""),
        (&["sum", "server", "--max-clients=0"], "\"0\""),
        (
            &["sum", "server", "--max-clients", "2", "--stage", "2"],
            "stages 1 and 2 serve one client",
        ),
        (&["sum", "server", "--stage", "5"], "a stage from 1 to 4"),
        (&["sum", "client", "--sequential"], "\"--sequential\""),
        (&["tour", "--only", "nothing"], "no such scene"),
    ] {
        assert_fails(&place, words, 2, says);
    }
    place.assert_left(&[]);
}

#[test]
fn a_bad_place_for_a_socket_is_an_error_that_names_it() {
    let place = Place::new();
    fs::write(place.path("file"), "mine").unwrap();
    let long = "x".repeat(120);
    for (path, says) in [
        ("file", "file is not a socket"),
        ("no/such/directory/a.sock", "no/such/directory"),
        (long.as_str(), "120 bytes long and 107 is the limit"),
        ("", "cannot be empty"),
        (".", "not a socket"),
    ] {
        assert_fails(&place, &["sum", "server", "--socket", path], 1, says);
    }
    assert_eq!(fs::read_to_string(place.path("file")).unwrap(), "mine");
    assert_fails(&place, &["sum", "client"], 1, "start it first");
    place.assert_left(&["file"]);
}

#[test]
fn a_socket_directory_that_others_can_write_is_refused() {
    let place = Place::new();
    let shared = place.path("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).unwrap();
    let mut command = place.ipc(&["sum", "server"]);
    let output = command.env("IPC_PRIMER_DIR", &shared).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(
        said.contains("can be written by others") && said.contains("IPC_PRIMER_DIR"),
        "{said}"
    );
}

#[test]
fn of_many_servers_started_at_one_instant_one_wins() {
    let place = Place::new();
    for _ in 0..5 {
        let mut servers: Vec<_> = (0..8).map(|_| place.start(&["sum", "server"])).collect();
        let mut winners = 0;
        for server in &mut servers {
            // Every one says one line: which of the two?
            let line = server.wait_for(Stream::Stderr, "listening").unwrap();
            winners += usize::from(line.starts_with("listening on"));
        }
        assert_eq!(winners, 1);
        for mut server in servers {
            let _ = server.signal("INT"); // the losers have ended
            server.wait().unwrap();
        }
        place.assert_left(&[]);
    }
}

#[test]
fn what_a_killed_server_left_is_taken_over() {
    let place = Place::new();
    let mut killed = place.start(&["sum", "server"]);
    killed.wait_for(Stream::Stderr, "listening on").unwrap();
    killed.signal("KILL").unwrap();
    killed.wait().unwrap();
    place.assert_left(&["sum.sock", "sum.sock.lock"]);

    let mut server = place.start(&["sum", "server"]);
    server.wait_for(Stream::Stderr, "listening on").unwrap();
    server.signal("TERM").unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(0));
    place.assert_left(&[]);
}

#[test]
fn what_is_in_the_place_of_a_lock_is_never_removed() {
    let place = Place::new();
    fs::write(place.path("sum.sock.lock"), "precious").unwrap();
    assert_fails(&place, &["sum", "server"], 1, "sum.sock.lock");
    fs::remove_file(place.path("sum.sock.lock")).unwrap();
    std::os::unix::fs::symlink(place.path("elsewhere"), place.path("sum.sock.lock")).unwrap();
    assert_fails(&place, &["sum", "server"], 1, "sum.sock.lock");
    place.assert_left(&["sum.sock.lock"]);
}

#[test]
fn a_server_that_cannot_start_leaves_no_file() {
    let place = Place::new();
    for descriptors in 4..12 {
        let mut shell = place.command("sh");
        let ipc = env!("CARGO_BIN_EXE_ipc");
        shell.args([
            "-c",
            &format!("ulimit -n {descriptors}; exec {ipc} sum server"),
        ]);
        let mut server = Program::start(&mut shell).unwrap();
        if server.wait_for(Stream::Stderr, "listening on").is_ok() {
            server.signal("INT").unwrap();
        }
        server.wait().unwrap();
        place.assert_left(&[]);
    }
}

#[test]
fn a_closed_stdout_is_a_quiet_end() {
    let place = Place::new();
    for words in [&["--help"][..], &["tour", "--list"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = place
            .ipc(words)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "ipc {words:?}");
        assert_eq!(
            text(&output.stderr),
            "",
            "ipc {words:?} | head is no failure"
        );
    }
}

/// A pseudo-terminal, and the path that a shell can open it by.
/// SIGXFSZ would kill: the queue, the socket and the directories would stay.
#[test]
fn a_limit_on_the_size_of_files_is_an_error_and_leaves_nothing() {
    let place = Place::new();
    let queue = format!("/file-size-{}", std::process::id());
    let mut create = place.start_limited(&["queue", "create", &queue]);
    crate::common::assert_fails(&mut create, "File too large");
    let segment = format!("/dev/shm/ipc-primer-queue.{}", &queue[1..]);
    assert!(!fs::exists(&segment).unwrap(), "{segment} was left behind");

    let mut grade = place.start_limited(&["grade", "copy-socket-server", "--", "true"]);
    assert_eq!(grade.wait().unwrap().code(), Some(3), "nothing was graded");
    assert!(grade.said(Stream::Stderr).contains("File too large"));

    let mut server = place.start_limited(&["chat", "server"]);
    server.wait_for(Stream::Stderr, "listening").unwrap();
    let mut client = UnixStream::connect(place.path("chat.sock")).unwrap();
    client.write_all(b"hello\n").unwrap();
    crate::common::assert_fails(&mut server, "File too large");
    place.assert_left(&["out"]);
}

fn terminal() -> (fs::File, String, std::os::fd::OwnedFd) {
    use std::os::fd::AsRawFd;
    let pty = nix::pty::openpty(None, None).unwrap();
    let link = format!("/proc/self/fd/{}", pty.slave.as_raw_fd());
    let path = fs::read_link(link)
        .unwrap()
        .into_os_string()
        .into_string()
        .unwrap();
    (fs::File::from(pty.master), path, pty.slave)
}

#[test]
fn the_client_prompts_on_a_terminal_only() {
    let place = Place::new();
    let mut server = place.start(&["sum", "server"]);
    server.wait_for(Stream::Stderr, "listening on").unwrap();

    let (mut keyboard, path, _open) = terminal();
    let mut shell = place.command("sh");
    let ipc = env!("CARGO_BIN_EXE_ipc");
    shell.args(["-c", &format!("exec {ipc} sum client <{path}")]);
    let mut client = Program::start(&mut shell).unwrap();
    client
        .wait_for(Stream::Stderr, "0 asks for the sum")
        .unwrap();
    keyboard.write_all(b"x\n7\n0\n").unwrap();
    client.wait_for(Stream::Stdout, "Result = 7").unwrap();
    assert_eq!(client.wait().unwrap().code(), Some(0));
    assert!(
        client.said(Stream::Stderr).contains("> \"x\" is not"),
        "a prompt before each line"
    );
    assert_eq!(
        client.said(Stream::Stdout),
        "Result = 7\n",
        "prompts are no data"
    );

    server.signal("INT").unwrap();
    server.wait().unwrap();
}

#[test]
fn ctrl_c_and_ctrl_d_at_a_terminal_end_the_client() {
    if !has_tool("setsid") {
        return;
    }
    let place = Place::new();
    let mut server = place.start(&["sum", "server"]);
    server.wait_for(Stream::Stderr, "listening on").unwrap();
    for key in [b"\x03", b"\x04"] {
        let (mut terminal, path, open) = terminal();
        let mut shell = place.command("sh");
        let ipc = env!("CARGO_BIN_EXE_ipc");
        let session =
            format!("exec setsid --ctty --wait {ipc} sum client <{path} >{path} 2>{path}");
        shell.args(["-c", &session]);
        let mut client = Program::start(&mut shell).unwrap();
        read_until(&mut terminal, "> ");
        terminal.write_all(key).unwrap();
        assert_eq!(client.wait().unwrap().code(), Some(0), "key {key:?}");
        drop(open);
    }
    server.signal("INT").unwrap();
    server.wait().unwrap();
    place.assert_left(&[]);
}

fn read_until(terminal: &mut fs::File, text: &str) {
    let mut screen = Vec::new();
    let mut buffer = [0; 256];
    while !String::from_utf8_lossy(&screen).contains(text) {
        let count = terminal.read(&mut buffer).unwrap();
        assert!(count > 0, "the terminal was closed");
        screen.extend_from_slice(&buffer[..count]);
    }
}
