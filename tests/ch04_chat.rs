//! Chapter 4, step by step: the calls of note 2 and what stands for them.

mod common;

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::process::Command;

use common::chat::Chat;
use common::has_tool;
use ipc_primer::harness::{Program, Stream};

#[test]
fn step_01_a_server_listens_under_a_name_that_needs_no_resolver() {
    println!("note 2 looks an address up (getaddrinfo), then: socket, setsockopt, bind, listen");
    let chat = Chat::one_way();
    let socket = fs::metadata(chat.place.path("chat.sock")).unwrap();
    println!("here the address is a path, and `listen` makes the socket file: {socket:?}");
    assert!(socket.file_type().is_socket());
    assert_eq!(
        socket.permissions().mode() & 0o777,
        0o600,
        "it is for its owner alone"
    );
    chat.end();
}

#[test]
fn step_02_a_client_gets_a_number_and_says_its_name() {
    println!("note 2 asks getnameinfo for the port of a client; a socket file's client has none");
    let mut chat = Chat::one_way();
    let alice = chat.place.start(&["chat", "client", "--name", "alice"]);
    chat.says("#1 connected");
    let joined = chat.says("joined");
    println!("so the server counts, and HELLO tells the rest: {joined}");
    assert_eq!(joined, format!("alice#1 (pid {}) joined", alice.pid()));
    drop(alice);
    chat.says("alice#1 (pid ");
    chat.end();
}

#[test]
fn step_03_what_a_client_sends_the_server_shows() {
    println!("one-way: send at the client, recv at the server, shown with name and number");
    let mut chat = Chat::one_way();
    let mut alice = chat.client("alice");
    alice.say("good morning").unwrap();
    chat.shows("alice#1: good morning");
    println!("a login name is the default: `ipc chat client` with LOGNAME=zoe");
    let mut zoe = chat.place.ipc(&["chat", "client"]);
    let mut zoe = Program::start(zoe.env("LOGNAME", "zoe")).unwrap();
    zoe.say("it is me").unwrap();
    chat.shows("zoe#2: it is me");
    println!("Ctrl-D ends a client, and all that it sent has been shown");
    assert_eq!(zoe.wait().unwrap().code(), Some(0));
    chat.says("zoe#2");
    chat.end();
}

#[test]
fn step_04_a_thread_a_client_and_each_is_heard_in_its_order() {
    println!(
        "note 2 forks a child for each client, and waits for it with waitpid in a SIGCHLD handler"
    );
    let mut chat = Chat::one_way();
    let mut clients: Vec<_> = ["ann", "ben", "cal"].map(|name| chat.client(name)).into();
    for number in 0..50 {
        for client in &mut clients {
            client.say(&format!("line {number}")).unwrap();
        }
    }
    let mut next = [0; 3];
    for _ in 0..150 {
        let line = chat.server.wait_for(Stream::Stdout, "").unwrap();
        let at = ["ann#1: ", "ben#2: ", "cal#3: "]
            .iter()
            .position(|label| line.starts_with(label));
        let at = at.unwrap_or_else(|| panic!("{line:?} is no line of one client"));
        assert!(
            line.ends_with(&format!(" {}", next[at])),
            "{line:?} comes out of order"
        );
        next[at] += 1;
    }
    println!("three clients, 50 lines each: {next:?} lines shown, each client's in order");
    assert_eq!(next, [50; 3]);
    let children = format!("/proc/{0}/task/{0}/children", chat.server.pid());
    assert_eq!(
        fs::read_to_string(children).unwrap(),
        "",
        "threads are no children: no zombies"
    );
    chat.end();
}

#[test]
fn step_05_a_one_way_server_never_writes() {
    let mut chat = Chat::one_way();
    let mut bob = chat.join("bob");
    chat.types("can anybody hear me?");
    bob.say("talking to a wall\n");
    chat.shows("bob#1: talking to a wall");
    chat.end();
    println!("until the server closed the connection, no byte came from it");
    assert_eq!(bob.hear_all(), b"");
}

#[test]
fn step_06_two_way_what_the_server_types_reaches_all() {
    println!("two-way: the server sends, too");
    let mut chat = Chat::two_way();
    let (mut ann, mut ben) = (chat.client("ann"), chat.client("ben"));
    chat.types("good morning to you all");
    for client in [&mut ann, &mut ben] {
        let heard = client.wait_for(Stream::Stdout, "").unwrap();
        println!("a client shows {heard:?}");
        assert_eq!(heard, "server: good morning to you all");
    }
    chat.end();
}

#[test]
fn step_07_or_one_by_name_or_by_number() {
    let mut chat = Chat::two_way();
    let (mut ann, mut ben) = (chat.join("ann"), chat.join("ben"));
    for (typed, heard) in [
        ("@ben to you, ben", "to you, ben"),
        ("@#2 number two", "number two"),
    ] {
        chat.types(typed);
        assert_eq!(ben.hear(), heard, "after {typed:?}");
    }
    chat.types("@eve are you there?");
    let told = chat.says("that line went to no one");
    println!("an address that nobody has is told to the typist: {told}");
    assert!(told.contains("@eve"));
    chat.types("@#7 or you?");
    assert!(chat.says("that line went to no one").contains("@#7"));
    chat.types("to all");
    assert_eq!(
        ann.hear(),
        "to all",
        "nothing that was for others came to ann"
    );
    chat.end();
}

#[test]
fn step_08_a_client_hears_while_its_user_says_nothing() {
    println!(
        "note 2 needs select for this; here one thread waits for the user, one for the server"
    );
    let mut chat = Chat::two_way();
    let mut ann = chat.client("ann");
    chat.types("one");
    ann.wait_for(Stream::Stdout, "server: one").unwrap();
    ann.say("two").unwrap();
    chat.shows("ann#1: two");
    chat.types("three");
    ann.wait_for(Stream::Stdout, "server: three").unwrap();
    chat.end();
}

#[test]
fn step_09_the_end_of_the_server_s_input_ends_its_typing_only() {
    let mut chat = Chat::two_way();
    let mut ann = chat.join("ann");
    chat.types("my last words");
    chat.server.end_input();
    assert_eq!(ann.hear(), "my last words");
    ann.say("I am still here\n");
    chat.shows("ann#1: I am still here");
    let mut ben = chat.join("ben");
    ben.say("and I have just come\n");
    chat.shows("ben#2: and I have just come");
    chat.end();
}

/// Talks to a two-way server by a program that knows nothing of chats.
fn is_a_full_client(program: &str, words: &[&str]) {
    if !has_tool(program) {
        return;
    }
    let mut chat = Chat::two_way();
    let mut command: Command = chat.place.command(program);
    let mut client = Program::start(command.args(words)).unwrap();
    client.say("HELLO stranger 7").unwrap();
    client.say("hello from afar").unwrap();
    chat.shows("stranger#1: hello from afar");
    chat.types("@stranger welcome");
    assert_eq!(client.wait_for(Stream::Stdout, "").unwrap(), "welcome");
    chat.end();
    println!(
        "{program} ended with its server: {}",
        client.wait().unwrap()
    );
}

#[test]
fn step_10_nc_is_a_full_client() {
    is_a_full_client("nc", &["-U", "chat.sock"]);
}

#[test]
fn step_11_socat_is_a_full_client() {
    is_a_full_client("socat", &["-", "UNIX-CONNECT:chat.sock"]);
}

#[test]
fn step_12_the_server_outlives_any_client() {
    println!("note 2 ignores SIGPIPE, or a client that has gone would take the server with it");
    let mut chat = Chat::two_way();
    let (ann, mut ben) = (chat.client("ann"), chat.client("ben"));
    ann.signal("KILL").unwrap();
    chat.types("is anybody hurt?");
    ben.wait_for(Stream::Stdout, "server: is anybody hurt?")
        .unwrap();
    let left = chat.says("left");
    println!("ann was killed; the server says: {left}");
    assert!(left.starts_with("ann#1"));
    let ignored = chat_mask(&chat, "SigIgn:");
    assert!(
        ignored & (1 << (13 - 1)) != 0,
        "Rust programs start with SIGPIPE (13) ignored"
    );
    chat.end();
}

#[test]
fn step_13_ctrl_c_ends_the_server_and_the_clients_know_at_once() {
    println!(
        "note 2 calls sigaction for its handlers; here it is an StopToken that wakes every thread"
    );
    let mut chat = Chat::two_way();
    let mut ann = chat.client("ann");
    let caught = chat_mask(&chat, "SigCgt:");
    for (name, number) in [("SIGHUP", 1), ("SIGINT", 2), ("SIGTERM", 15)] {
        assert!(caught & (1 << (number - 1)) != 0, "{name} is caught");
    }
    chat.end();
    let said = ann.wait_for(Stream::Stderr, "has gone").unwrap();
    println!("the client, which typed nothing, says: {said}");
    assert_eq!(
        ann.wait().unwrap().code(),
        Some(1),
        "its user did not want to end"
    );
}

#[test]
fn step_14_a_killed_server_is_missed_at_once() {
    let mut chat = Chat::two_way();
    let mut ann = chat.client("ann");
    chat.server.signal("KILL").unwrap();
    ann.wait_for(Stream::Stderr, "has gone").unwrap();
    assert_eq!(ann.wait().unwrap().code(), Some(1));
    chat.server.wait().unwrap();
    chat.place.assert_left(&["chat.sock", "chat.sock.lock"]);
    println!("its socket file stays, and the next server takes it over, with no SO_REUSEADDR");
    let mut next = chat.place.start(&["chat", "server"]);
    next.wait_for(Stream::Stderr, "listening on").unwrap();
    next.signal("INT").unwrap();
    assert_eq!(next.wait().unwrap().code(), Some(0));
    chat.place.assert_left(&[]);
}

/// A mask of signals of the server's, from `/proc/<pid>/status`.
fn chat_mask(chat: &Chat, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", chat.server.pid())).unwrap();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap()
}
