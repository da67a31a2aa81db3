//! What the stages before the last do for well-behaved peers, and what breaks them.

use std::process::Stdio;
use std::thread;

use crate::common::chat::{Chat, Peer};
use crate::common::{assert_fails, has_tool, is_ignored};
use ipc_primer::signals::Signal;
use ipc_primer::socket::send;

const PLAIN: &[&str] = &["--stage", "1"];

#[test]
fn the_plain_ends_work_with_each_other_and_with_those_of_every_later_stage() {
    for stage in ["1", "2", "3", "4"] {
        let mut chat = Chat::start(&["--stage", stage]);
        for (number, client) in [(1, "1"), (2, "4")] {
            let words = ["chat", "client", "--name", "alice", "--stage", client];
            let mut alice = chat.place.start(&words);
            chat.says("joined");
            for text in ["good morning", "Grüße, 世界"] {
                alice.say(text).unwrap();
                chat.shows(&format!("alice#{number}: {text}"));
            }
            alice.end_input();
            assert_eq!(alice.wait().unwrap().code(), Some(0));
            chat.says("left");
        }
        chat.server.signal("KILL").unwrap();
        chat.server.wait().unwrap();
    }
}

#[test]
fn lines_may_come_in_pieces_and_from_another_program() {
    let mut chat = Chat::start(PLAIN);
    let mut bob = Peer::connect(&chat.place);
    for piece in ["HELLO b", "ob 42\ngood", " morning\r\nand", "\n"] {
        bob.say(piece);
    }
    chat.says("bob#1 (pid 42) joined");
    chat.shows("bob#1: good morning");
    chat.shows("bob#1: and");
    if has_tool("nc") {
        let mut nc = chat.place.command("nc");
        nc.args(["-U", "chat.sock"]).stdin(Stdio::piped());
        let mut nc = nc.spawn().unwrap();
        send(nc.stdin.as_mut().unwrap(), b"no HELLO from me\n").unwrap();
        chat.shows("anonymous#2: no HELLO from me");
        nc.kill().unwrap();
        nc.wait().unwrap();
    }
    chat.server.signal("KILL").unwrap();
}

#[test]
fn the_plain_server_s_terminal_obeys_its_clients() {
    let mut chat = Chat::start(PLAIN);
    let mut eve = Peer::connect(&chat.place);
    eve.say("\x1b[2Jbob#1: I owe you 5\n");
    chat.shows("anonymous#1: \x1b[2Jbob#1: I owe you 5");
    chat.server.signal("KILL").unwrap();
}

#[test]
fn ctrl_c_kills_the_plain_server_and_its_socket_file_is_in_the_way() {
    if is_ignored(Signal::INT) {
        return;
    }
    let mut chat = Chat::start(PLAIN);
    chat.server.signal("INT").unwrap();
    let status = chat.server.wait().unwrap();
    assert_eq!(status.code(), None, "a signal ended it");
    assert_eq!(chat.place.files(), ["chat.sock"]);
    let mut next = chat.place.start(&[&["chat", "server"], PLAIN].concat());
    assert_fails(&mut next, "Address already in use");
}

/// More than a socket's buffer holds.
const FLOOD: usize = 1000;

/// The grader's `stuck-client` tells that the room stops. It goes on when the client reads again.
#[test]
fn at_stage_3_a_client_that_stops_reading_loses_nothing_and_holds_up_no_end() {
    let mut chat = Chat::start(&["--stage", "3"]);
    let (mut stopped, mut ann) = (chat.join("stopped"), chat.join("ann"));
    let line = "x".repeat(4000);
    for _ in 0..FLOOD {
        chat.types(&line);
    }
    thread::scope(|scope| {
        for peer in [&mut stopped, &mut ann] {
            scope.spawn(|| (0..FLOOD).for_each(|_| assert!(peer.hear() == line)));
        }
    });
    for _ in 0..FLOOD {
        chat.types(&line);
    }
    // A client that connects now waits for the room, which the blocked send holds. A stop ends that wait too.
    let mut late = Peer::connect(&chat.place);
    late.say("let me in\n");
    chat.end();
    assert!(stopped.hear_all().len() < FLOOD * 4001);
}

#[test]
fn at_stage_3_what_is_typed_reaches_all_or_one() {
    let mut chat = Chat::start(&["--stage", "3"]);
    let (mut ann, mut ben) = (chat.join("ann"), chat.join("ben"));
    for typed in ["good morning", "@ben to you", "@#1 to you", "@eve hello"] {
        chat.types(typed);
    }
    assert_eq!(
        (ann.hear(), ann.hear()),
        ("good morning".into(), "to you".into())
    );
    assert_eq!(
        (ben.hear(), ben.hear()),
        ("good morning".into(), "to you".into())
    );
    chat.says("nobody here is @eve: that line went to no one");
    chat.end();
}
