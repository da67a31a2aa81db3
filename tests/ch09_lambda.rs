//! Chapter 9, step by step: note 0 as a system. `cargo test --test ch09_lambda -- --nocapture`

mod common;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use common::Place;
use common::lambda::{self, Server, answer, c_library, c_runtime, compile, half_close, script};
use ipc_primer::socket;

/// Says what it was called with.
const WORDS: &str = "echo \"$# words: $*\"";

/// The first block of C in the chapter that has `text` in it.
fn chapter_c(text: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/09-lambda.md");
    let page = fs::read_to_string(page).unwrap();
    let mut blocks = page.split("```c\n").skip(1);
    let block = blocks.find_map(|rest| rest.split("```").next().filter(|c| c.contains(text)));
    block.expect("the chapter shows this in C").to_owned()
}

#[test]
fn step_01_create_socket_the_server_listens() {
    let server = Server::start(&[]);
    let file = fs::metadata(server.place.path("lambda.sock")).unwrap();
    println!(
        "create_socket, bind, listen: the socket file has mode {:o}",
        file.mode() & 0o777
    );
    assert_eq!(file.mode() & 0o777, 0o600, "only its owner may connect");
    server.end(&[]);
}

#[test]
fn step_02_connect_socket_a_client_connects() {
    let server = Server::start(&[]);
    let stream = socket::connect(&server.place.path("lambda.sock")).unwrap();
    println!("connect_socket: it has a peer before it has said a word");
    assert!(stream.peer_addr().is_ok());
    drop(stream);
    server.end(&[]);
}

#[test]
fn step_03_send_socket_up_to_three_fields_however_they_end() {
    let server = Server::start(&[]);
    let library = script(&server.place, "words", WORDS);
    for (fields, words) in [
        ("", "1 words: run"),
        (" count", "1 words: count"),
        (" count in.txt", "2 words: count in.txt"),
    ] {
        let message = format!("{library}{fields}");
        println!("send_socket: {message:?} -> {words:?}");
        assert_eq!(
            server.call(&message),
            format!("{words}\n"),
            "ended by the first read"
        );
        assert_eq!(
            server.call(format!("{message}\n")),
            format!("{words}\n"),
            "by a newline"
        );
        let stream = server.send(&message);
        let path = half_close(stream);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            format!("{words}\n"),
            "by a half-close"
        );
        fs::remove_file(path).unwrap();
    }
    server.end(&["words"]);
}

#[test]
fn step_04_load_a_library_is_a_program_and_has_a_process_to_itself() {
    let server = Server::start(&[]);
    // Field 5 of /proc/<pid>/stat is the process group.
    let library = script(
        &server.place,
        "who",
        "echo $$ $(cut -d' ' -f5 /proc/$$/stat)",
    );
    let (first, second) = (server.call(&library), server.call(&library));
    println!("fork, exec: process and group of two calls: {first:?}, {second:?}");
    assert_ne!(first, second, "a fresh process for each call");
    let (process, group) = first.trim().split_once(' ').unwrap();
    assert_eq!(
        process, group,
        "in a process group of its own, so that all of it can be killed"
    );
    server.end(&["who"]);
}

#[test]
fn step_05_execute_stdout_is_the_output_stdin_is_empty_stderr_is_the_log() {
    let mut server = Server::start(&[]);
    let library = script(
        &server.place,
        "streams",
        "wc -c; echo out; echo to the log >&2",
    );
    assert_eq!(server.call(&library), "0\nout\n");
    println!("the log: {}", server.says("to the log"));
    server.end(&["streams"]);
}

#[test]
fn step_06_the_output_file_is_new_absolute_and_its_owners_alone() {
    let server = Server::start(&["--output-dir", "here"]);
    let library = script(&server.place, "words", WORDS);
    let (first, second) = (server.ask(&library), server.ask(&library));
    println!("recv_socket: {} and {}", first.display(), second.display());
    assert!(first.is_absolute() && first != second);
    let file = fs::metadata(&first).unwrap();
    assert_eq!((file.mode() & 0o777, file.len()), (0o600, 13));
    assert!(first.starts_with(fs::canonicalize(server.place.path("here")).unwrap()));
    drop(server);
}

#[test]
fn step_07_what_cannot_be_run_is_told_in_the_output_file() {
    let mut server = Server::start(&[]);
    let library = script(&server.place, "shy", "echo never mind; exit 127");
    for message in [
        "/no/such.so",
        "/no/such.so f",
        "/no/such.so f in.txt",
        &library,
    ] {
        let output = server.call(message);
        println!("{output:?}");
        assert_eq!(output, format!("Error: {message} could not be executed.\n"));
    }
    server.says("exit status: 127");
    server.end(&["shy"]);
}

#[test]
fn step_08_invoke_is_the_client_as_a_command() {
    let server = Server::start(&[]);
    script(&server.place, "words", WORDS);
    let run = |words: &[&str]| {
        let done = server.place.run(&[&["lambda", "invoke"], words].concat());
        assert!(done.status.success(), "{done:?}");
        common::text(&done.stdout).to_owned()
    };
    let path = run(&["words"]);
    println!("ipc lambda invoke words: {path:?}");
    let path = path.strip_suffix('\n').unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "1 words: run\n");
    fs::remove_file(path).unwrap();
    assert_eq!(
        run(&["words", "f", "in.txt", "--show"]),
        "2 words: f in.txt\n"
    );
    drop(server);
}

#[test]
fn step_09_a_c_library_runs_by_a_runtime_and_prints_what_its_twin_prints() {
    if !common::has_tool("cc") {
        return;
    }
    let place = Place::new();
    let library = c_library(&place, "greet.so", &chapter_c("void lines"));
    fs::write(place.path("three.txt"), "a\nb\nc\n").unwrap();
    let server = Server::start_in(place, &[c_runtime()]);
    println!("dlopen, dlsym, call: in a process of its own");
    assert_eq!(server.call(&library), "hello, world\n");
    assert_eq!(server.call(format!("{library} lines three.txt")), "3\n");
    assert_eq!(server.call(format!("{library} crash")), "so far, so good\n");
    let missing = format!("{library} no_such_function");
    assert_eq!(
        server.call(&missing),
        format!("Error: {missing} could not be executed.\n")
    );
    server.end(&["greet.so", "three.txt"]);
}

#[test]
fn step_10_the_c_client_works_unchanged() {
    if !common::has_tool("cc") {
        return;
    }
    let server = Server::start(&[]);
    let library = script(&server.place, "words", WORDS);
    compile(&server.place, &chapter_c("connect("), &["-o", "client"]);
    let mut client = server.place.command("./client");
    let done = client
        .args(["lambda.sock", &library, "f"])
        .output()
        .unwrap();
    let said = common::text(&done.stdout);
    println!("the C client prints {said:?}");
    let path = said
        .strip_prefix("Output file: ")
        .and_then(|path| path.strip_suffix('\n'));
    assert_eq!(fs::read_to_string(path.unwrap()).unwrap(), "1 words: f\n");
    fs::remove_file(path.unwrap()).unwrap();
    server.end(&["client", "words"]);
}

#[test]
fn step_11_a_client_that_is_sent_away_learns_it() {
    let server = Server::start(&["--max-running", "1"]);
    let library = script(&server.place, "sleeps", "exec sleep 100");
    let mut first = server.send(&library);
    common::wait_until("the function runs", || {
        !lambda::functions(&server).is_empty()
    });
    let mut second = server.send(&library);
    let mut silent = server.connect();
    server.program.signal("INT").unwrap();
    println!("Ctrl-C: who waits is sent away, who is at work has a last moment");
    assert_eq!(answer(&mut second), Path::new(""));
    assert_eq!(answer(&mut silent), Path::new(""));
    let path = answer(&mut first);
    let output = fs::read_to_string(&path).unwrap();
    assert_eq!(
        output,
        format!("Error: {library} was killed: the server is shutting down.\n")
    );
    fs::remove_file(path).unwrap();
    server.end(&["sleeps"]);
}
