//! Chat with those who do not keep to the protocol: strange bytes, strange names, strange manners.

use std::net::Shutdown;

use crate::common::chat::{Chat, Peer};
use crate::common::{self, Place};
use ipc_primer::chat::protocol::{MAX_LINE, MAX_NAME};
use ipc_primer::harness::{Program, Stream};

#[test]
fn what_is_shown_moves_no_cursor() {
    let mut chat = Chat::one_way();
    let mut eve = chat.join("eve");
    for (sent, shown) in [
        (&b"\x1b]0;owned\x07\n"[..], "\\u{1b}]0;owned\\u{7}"),
        (
            b"\x1b[2J\x1b[1;1Hbob#1: I owe you 5\n",
            "\\u{1b}[2J\\u{1b}[1;1Hbob#1: I owe you 5",
        ),
        (b"over\rwritten\n", "over\\rwritten"),
        (b"nul \0 del \x7f tab \t\n", "nul \\0 del \\u{7f} tab \\t"),
        (b"not UTF-8: \xff\xc3\n", "not UTF-8: \\xff\\xc3"),
        (b"C1: \xc2\x9b31m \x9b31m\n", "C1: \\u{9b}31m \\x9b31m"),
        (
            "right to left: \u{202e}txt.exe\n".as_bytes(),
            "right to left: \\u{202e}txt.exe",
        ),
        (
            "invisible: \u{200d}\u{ad}\u{3164}\u{2800} 👩\u{200d}🚀\n".as_bytes(),
            "invisible: \\u{200d}\\u{ad}\\u{3164}\\u{2800} 👩\\u{200d}🚀",
        ),
        (
            "Grüße, 世界 👩🚀 it's \"fine\" C:\\dir\n".as_bytes(),
            "Grüße, 世界 👩🚀 it's \"fine\" C:\\dir",
        ),
    ] {
        eve.say(sent);
        chat.shows(&format!("eve#1: {shown}"));
    }
    chat.end();
}

#[test]
fn the_client_shows_nothing_raw_either() {
    let mut chat = Chat::two_way();
    let mut client = chat.client("bob");
    chat.types("\x1b[2Jgone?");
    let line = client.wait_for(Stream::Stdout, "gone?").unwrap();
    assert_eq!(line, "server: \\u{1b}[2Jgone?");
    chat.end();
}

#[test]
fn line_ends_are_taken_as_they_come() {
    let mut chat = Chat::one_way();
    let mut bob = chat.join("bob");
    bob.say("CRLF\r\n\n\r\nlast");
    bob.stream.get_ref().shutdown(Shutdown::Write).unwrap();
    for text in ["CRLF", "", "", "last"] {
        chat.shows(&format!("bob#1: {text}"));
    }
    assert_eq!(
        bob.hear_all(),
        b"",
        "who has said all finds the connection closed"
    );
    chat.end();
}

#[test]
fn a_line_too_long_is_told_and_skipped_to_its_end() {
    let mut chat = Chat::one_way();
    let mut bob = chat.join("bob");
    let longest = "x".repeat(MAX_LINE);
    bob.say(format!("{longest}\n{longest}\r\n{longest}y\nnext\n"));
    let heard = &format!("bob#1: {longest}")[..4096]; // a `Program` keeps no more of a line
    chat.shows(heard);
    chat.shows(heard);
    chat.says("bob#1: a line of more than 4096 bytes was skipped");
    chat.shows("bob#1: next");
    chat.end();
}

#[test]
fn a_line_without_end_takes_no_memory() {
    let mut chat = Chat::one_way();
    let mut flood = chat.connect();
    let before = chat.counter("status", "VmHWM:");
    for _ in 0..1024 {
        flood.say([b'x'; 64 * 1024]);
    }
    flood.say("\nstill here\n");
    chat.says("#1: a line of more than 4096 bytes was skipped");
    chat.shows("anonymous#1: still here");
    let grown = chat.counter("status", "VmHWM:") - before;
    assert!(
        grown < 4096,
        "64 MiB without a line end cost {grown} KiB of memory"
    );
    chat.end();
}

#[test]
fn a_hello_that_is_none_is_a_line_like_any_other() {
    let long = format!("HELLO {} 1", "n".repeat(MAX_NAME + 1));
    let mut chat = Chat::one_way();
    let firsts = [
        "HELLO two words 1",
        "HELLO",
        "HELLO bob",
        "HELLO bob one",
        &long,
        "hello",
    ];
    for (number, first) in (1..).zip(firsts) {
        let mut peer = chat.connect();
        peer.say(format!("{first}\n"));
        chat.shows(&format!("anonymous#{number}: {first}"));
    }
    let mut eve = chat.connect();
    eve.say("HELLO \x1b[31m 1\n");
    chat.shows("anonymous#7: HELLO \\u{1b}[31m 1");
    chat.end();
}

#[test]
fn a_client_is_not_started_under_a_name_that_is_none() {
    let place = Place::new();
    for name in ["", "two words", "\x1b[31mred", &"n".repeat(MAX_NAME + 1)] {
        let output = place.run(&["chat", "client", "--name", name]);
        assert_eq!(
            output.status.code(),
            Some(2),
            "--name {name:?} is wrong usage"
        );
        let said = common::text(&output.stderr);
        assert!(
            said.contains("--name") && !said.contains('\x1b'),
            "{said:?}"
        );
    }
}

#[test]
fn a_login_name_that_is_no_name_is_passed_over() {
    let mut chat = Chat::one_way();
    let mut client = chat.place.ipc(&["chat", "client"]);
    client.env("LOGNAME", "two words").env("USER", "zoe");
    let _zoe = Program::start(&mut client).unwrap();
    assert!(chat.says("joined").starts_with("zoe#1"));
    chat.end();
}

#[test]
fn nobody_changes_names_in_the_middle() {
    let mut chat = Chat::one_way();
    let mut bob = chat.join("bob");
    bob.say("HELLO server 1\nit is me\n");
    chat.shows("bob#1: HELLO server 1");
    chat.shows("bob#1: it is me");
    chat.end();
}

#[test]
fn two_of_one_name_are_told_apart_by_number() {
    let mut chat = Chat::two_way();
    let (mut first, mut second) = (chat.join("bob"), chat.join("bob"));
    first.say("one\n");
    chat.shows("bob#1: one");
    second.say("two\n");
    chat.shows("bob#2: two");
    chat.types("@bob which?");
    chat.says("@bob could be @#1, @#2: that line went to no one");
    chat.types("@#2 you");
    assert_eq!(second.hear(), "you");
    chat.types("both");
    assert_eq!(
        (first.hear(), second.hear()),
        ("both".into(), "both".into())
    );
    chat.end();
}

#[test]
fn who_says_nothing_hears_and_takes_leave_all_the_same() {
    let mut chat = Chat::two_way();
    let mut silent = chat.connect();
    chat.types("is there anybody?");
    assert_eq!(silent.hear(), "is there anybody?");
    drop(silent);
    chat.says("anonymous#1 left");
    chat.types("nobody?");
    chat.says("nobody is here");
    chat.end();
}

#[test]
fn one_more_than_the_server_takes_is_refused_until_a_seat_is_free() {
    let mut chat = Chat::start(&["--max-clients", "1"]);
    let bob = chat.join("bob");
    let mut refused = chat.place.start(&["chat", "client"]);
    chat.says("#2 was refused");
    refused
        .wait_for(Stream::Stderr, "no room for another client")
        .unwrap();
    assert_eq!(refused.wait().unwrap().code(), Some(1));
    drop(bob);
    chat.says("bob#1 (pid 4242) left");
    // The seat is free a moment after this was said.
    let mut number = 3;
    let mut next = Peer::connect(&chat.place);
    while !chat.says(&format!("#{number} ")).contains("connected") {
        next = Peer::connect(&chat.place);
        number += 1;
    }
    next.say("in\n");
    chat.shows(&format!("anonymous#{number}: in"));
    chat.end();
}

#[test]
fn two_hundred_at_once_are_all_heard_and_all_hear() {
    const CLIENTS: usize = 200;
    let mut chat = Chat::two_way();
    let descriptors =
        |chat: &Chat| common::names(format!("/proc/{}/fd", chat.server.pid()).as_ref()).len();
    let before = descriptors(&chat);
    let mut peers: Vec<_> = (0..CLIENTS).map(|_| Peer::connect(&chat.place)).collect();
    for (at, peer) in peers.iter_mut().enumerate() {
        peer.say(format!("HELLO client-{at} 1\nI am client-{at}\n"));
    }
    let mut shown: Vec<_> = (0..CLIENTS)
        .map(|_| chat.server.wait_for(Stream::Stdout, "").unwrap())
        .map(|line| line.split_once(": ").unwrap().1.to_owned())
        .collect();
    shown.sort();
    let mut expected: Vec<_> = (0..CLIENTS).map(|at| format!("I am client-{at}")).collect();
    expected.sort();
    assert_eq!(shown, expected);
    assert_eq!(
        descriptors(&chat) - before,
        CLIENTS,
        "one descriptor a client"
    );

    chat.types("to all");
    chat.types("@client-77 to one");
    for (at, peer) in peers.iter_mut().enumerate() {
        assert_eq!(peer.hear(), "to all", "client-{at}");
    }
    assert_eq!(peers[77].hear(), "to one");
    chat.end();
}

#[test]
fn words_that_nobody_takes_are_no_success() {
    // Refused, however the client's words and the refusal meet: never exit code 0.
    let mut chat = Chat::start(&["--stage", "2", "--max-clients", "1"]);
    let seated = chat.connect();
    for _ in 0..20 {
        let mut refused = chat.place.start(&["chat", "client"]);
        let _ = refused.say("hi"); // it may have gone by now
        assert_eq!(refused.wait().unwrap().code(), Some(1));
        refused.wait_for(Stream::Stderr, "has no room").unwrap();
    }
    drop(seated);
    chat.end();

    // Killed before it read them.
    let chat = Chat::one_way();
    chat.server.signal("STOP").unwrap();
    let mut client = chat.place.start(&["chat", "client"]);
    client.say("lost").unwrap();
    client.end_input();
    chat.server.signal("KILL").unwrap();
    assert_eq!(client.wait().unwrap().code(), Some(1));
}
