//! Input from strangers: messages, paths, and clients that behave badly.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use crate::common::lambda::{Server, answer, half_close, script};
use crate::common::{Place, text};

#[test]
fn a_message_that_is_no_request_is_answered_and_said_in_the_log() {
    let mut server = Server::start(&[]);
    let long = vec![b'x'; 1025];
    let flood = vec![b'y'; 100_000];
    let cut = |letter: &str| format!("Error: {} could not be executed.\n", letter.repeat(1024));
    let cases: [(&[u8], String, &str); 7] = [
        (b"\n", "Error:  could not be executed.\n".into(), "is empty"),
        (
            b" \t \n",
            "Error:  could not be executed.\n".into(),
            "is empty",
        ),
        (
            b"a\0b",
            "Error: a\\0b could not be executed.\n".into(),
            "NUL",
        ),
        (
            b"a\xffb",
            "Error: a\\xffb could not be executed.\n".into(),
            "UTF-8",
        ),
        (
            b"a b c d",
            "Error: a b c d could not be executed.\n".into(),
            "three fields",
        ),
        (&long, cut("x"), "longer than 1024 bytes"),
        (&flood, cut("y"), "longer than 1024 bytes"),
    ];
    for (message, output, log) in cases {
        let shown = String::from_utf8_lossy(&message[..message.len().min(20)]);
        assert_eq!(server.call(message), output, "{shown:?}");
        server.says(log);
    }
    server.end(&[]);
}

#[test]
fn a_message_of_1024_bytes_arrives_whole() {
    let server = Server::start(&[]);
    let library = script(&server.place, "echo", "printf %s \"$2\"");
    let file = "x".repeat(1024 - library.len() - " f ".len());
    let message = format!("{library} f {file}");
    assert_eq!(server.call(&message), file);
    assert_eq!(server.call(format!("{message}\n")), file);
    server.end(&["echo"]);
}

#[test]
fn nothing_at_all_is_an_empty_message() {
    let mut server = Server::start(&[]);
    let path = half_close(server.connect());
    fs::remove_file(path).unwrap();
    server.says("client 1: the message is empty");
    drop(server.connect());
    server.says("client 2 left before its answer");
    server.end(&[]);
}

#[test]
fn a_client_that_says_nothing_is_closed_when_its_time_is_up() {
    let mut server = Server::start(&["--timeout", "0.2"]);
    assert_eq!(answer(&mut server.connect()), Path::new(""));
    server.says("client 1 said nothing for too long");
    server.end(&[]);
}

#[test]
fn words_of_a_client_do_not_reach_the_terminal_as_they_are() {
    let mut server = Server::start(&[]);
    let output = server.call("/no/\x1b[31mred");
    assert_eq!(
        output, "Error: /no/\x1b[31mred could not be executed.\n",
        "fields as sent"
    );
    server.says("/no/\\u{1b}[31mred could not be executed");
    server.end(&[]);
}

#[test]
fn what_is_no_program_could_not_be_executed() {
    let mut server = Server::start(&[]);
    let place = &server.place;
    let plain = script(place, "plain", "echo");
    fs::set_permissions(&plain, Permissions::from_mode(0o644)).unwrap();
    fs::write(place.path("noise"), [0xff; 64]).unwrap();
    fs::set_permissions(place.path("noise"), Permissions::from_mode(0o755)).unwrap();
    let _socket = UnixListener::bind(place.path("socket")).unwrap();
    for (name, log) in [
        ("missing", "No such file"),
        (".", "is not a file"),
        ("socket", "is not a file"),
        ("plain", "Permission denied"),
        ("noise", "Exec format error"),
    ] {
        assert_eq!(
            server.call(name),
            format!("Error: {name} could not be executed.\n")
        );
        server.says(log);
    }
    server.end(&["noise", "plain", "socket"]);
}

#[test]
fn a_runtime_needs_the_library_to_be_there_but_not_to_be_executable() {
    let place = Place::new();
    let runtime = format!(
        "--runtime=.txt={}",
        script(&place, "runtime", "cat \"$1\"; echo $2 $3")
    );
    fs::write(place.path("a.txt"), "text\n").unwrap();
    let server = Server::start_in(place, &[&runtime, "--runtime=.no=./no-such-runtime"]);
    assert_eq!(server.call("a.txt"), "text\nrun\n");
    assert_eq!(server.call("a.txt f in"), "text\nf in\n");
    assert_eq!(
        server.call("b.txt"),
        "Error: b.txt could not be executed.\n"
    );
    fs::rename(server.place.path("a.txt"), server.place.path("a.no")).unwrap();
    assert_eq!(server.call("a.no"), "Error: a.no could not be executed.\n");
    server.end(&["a.no", "runtime"]);
}

#[test]
fn only_what_lies_in_an_allowed_directory_is_run_wherever_links_lead() {
    let place = Place::new();
    for directory in ["one", "two", "one-more"] {
        fs::create_dir(place.path(directory)).unwrap();
        script(&place, &format!("{directory}/f"), "echo ran");
    }
    symlink("../one-more/f", place.path("one/out")).unwrap();
    symlink("one/f", place.path("in")).unwrap();
    symlink("loop", place.path("one/loop")).unwrap();
    let mut server = Server::start_in(place, &["--allow", "one", "--allow=two"]);
    for allowed in ["one/f", "two/f", "in", "two/../one/f"] {
        assert_eq!(server.call(allowed), "ran\n", "{allowed}");
    }
    for refused in ["one-more/f", "one/out", "one/../one-more/f", "/bin/true"] {
        let output = server.call(refused);
        assert_eq!(output, format!("Error: {refused} could not be executed.\n"));
        server.says("in no directory that --allow names");
    }
    assert_eq!(
        server.call("one/loop"),
        "Error: one/loop could not be executed.\n"
    );
    server.end(&["in", "one", "one-more", "two"]);
}

#[test]
fn wrong_words_are_named_and_exit_with_2() {
    let place = Place::new();
    for (words, named) in [
        ("server --timeout 0", "--timeout"),
        ("server --timeout nan", "--timeout"),
        ("server --timeout -1", "--timeout"),
        ("server --max-running 0", "--max-running"),
        ("server --max-output many", "--max-output"),
        ("server --runtime .so", "SUFFIX=PROGRAM"),
        ("server --runtime =x", "SUFFIX=PROGRAM"),
        ("server --stage 1 --timeout 3", "--timeout is for stage 3"),
        ("server --stage 2 --allow /lib", "--allow is for stage 3"),
        ("server --stage 4", "--stage"),
        ("server extra", "extra"),
        ("invoke", "LIBRARY"),
        ("invoke a b c d", "\"d\""),
        ("invoke a --frobnicate", "--frobnicate"),
        ("load", "load"),
    ] {
        let words: Vec<_> = ["lambda"].into_iter().chain(words.split(' ')).collect();
        let done = place.run(&words);
        assert_eq!(done.status.code(), Some(2), "{words:?}");
        assert!(
            text(&done.stderr).contains(named),
            "{words:?}: {}",
            text(&done.stderr)
        );
    }
    let blank = place.run(&["lambda", "invoke", "a b"]);
    assert!(
        text(&blank.stderr).contains("holds a blank"),
        "{}",
        text(&blank.stderr)
    );
    place.assert_left(&[]);
}

#[test]
fn what_cannot_begin_is_told_with_the_way_out_and_exits_with_1() {
    let place = Place::new();
    fs::write(place.path("file"), "").unwrap();
    for (words, named) in [
        (&["invoke", "a"][..], "start it first"),
        (&["server", "--output-dir", "file"], "file"),
        (&["server", "--output-dir", "no/such"], "no/such"),
        (&["server", "--allow", "nowhere"], "nowhere"),
        (&["server", "--max-running", "100000000"], "ulimit -n"),
    ] {
        let done = place.run(&[&["lambda"], words].concat());
        assert_eq!(done.status.code(), Some(1), "{words:?}");
        assert!(
            text(&done.stderr).contains(named),
            "{words:?}: {}",
            text(&done.stderr)
        );
    }
}

#[test]
fn invoke_says_when_there_was_no_answer_and_ends_at_ctrl_c() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path("lambda.sock")).unwrap();
    let mut first = place.start(&["lambda", "invoke", "a", "f"]);
    let (mut stream, _) = listener.accept().unwrap();
    let mut message = [0; 4];
    std::io::Read::read_exact(&mut stream, &mut message).unwrap();
    assert_eq!(&message, b"a f\n", "what the command sends");
    stream.flush().unwrap();
    drop(stream);
    first
        .wait_for(
            ipc_primer::harness::Stream::Stderr,
            "closed without an answer",
        )
        .unwrap();
    assert_eq!(first.wait().unwrap().code(), Some(1));

    let mut second = place.start(&["lambda", "invoke", "a"]);
    let _unanswered = listener.accept().unwrap();
    second.signal("INT").unwrap();
    assert_eq!(second.wait().unwrap().code(), Some(0));
}
