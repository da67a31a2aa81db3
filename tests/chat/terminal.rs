//! The chat client at a terminal: half-typed words stay, and the terminal is given back however the
//! client ends.

use crate::common;
use crate::common::chat::Chat;
use crate::common::tty::{self, Tty};
use ipc_primer::harness::signal;

#[test]
fn the_server_speaks_and_half_typed_words_stay() {
    let mut chat = Chat::two_way();
    let mut tty = Tty::start(&mut chat.place.ipc(&["chat", "client", "--name", "bob"]));
    tty.shows(&["> "]);
    tty.types("half typed wo");
    tty.shows(&["> half typed wo"]);
    chat.types("hello");
    tty.shows(&["server: hello", "> half typed wo"]);
    tty.types("\x7fords\r");
    tty.shows(&["server: hello", "> half typed words", "> "]);
    chat.shows("bob#1: half typed words");
    tty.types("\x04");
    assert_eq!(
        tty.end().code(),
        Some(0),
        "Ctrl-D at an empty line is the end of input"
    );
    chat.end();
}

#[test]
fn a_line_wider_than_the_terminal_stays_in_its_row() {
    let mut chat = Chat::two_way();
    let mut tty = Tty::start(&mut chat.place.ipc(&["chat", "client", "--name", "bob"]));
    tty.shows(&["> "]);
    let words = "0123456789".repeat(6);
    tty.types(&words);
    let end = &words[words.len() - (tty::COLUMNS - 4)..];
    tty.shows(&[&format!("> …{end}")]);
    chat.types("hello");
    tty.shows(&["server: hello", &format!("> …{end}")]);
    tty.types("\r");
    chat.shows(&format!("bob#1: {words}"));
    chat.end();
    assert_eq!(tty.end().code(), Some(1));
}

#[test]
fn the_terminal_is_given_back_when_the_server_goes() {
    let chat = Chat::two_way();
    let mut tty = Tty::start(&mut chat.place.ipc(&["chat", "client"]));
    tty.types("unsent");
    tty.shows(&["> unsent"]);
    tty.assert_taken();
    chat.end();
    assert_eq!(tty.end().code(), Some(1), "a lost server is a failure");
    let rows = tty.rows();
    assert_eq!(
        rows[0], "> unsent",
        "what was typed is left there to be copied"
    );
    assert!(rows[1].starts_with("ipc: the server at"), "{rows:?}");
    tty.assert_given_back();
}

#[test]
fn the_terminal_is_given_back_after_every_signal() {
    for (name, code) in [
        ("INT", Some(0)),
        ("TERM", Some(0)),
        ("HUP", Some(0)),
        ("KILL", None),
    ] {
        let chat = Chat::two_way();
        let mut tty = Tty::start(&mut chat.place.ipc(&["chat", "client"]));
        tty.shows(&["> "]);
        tty.assert_taken();
        signal(name, tty.pid()).unwrap();
        assert_eq!(tty.end().code(), code, "after SIG{name}");
        tty.assert_given_back();
        chat.end();
    }
}

#[test]
fn ctrl_c_at_the_terminal_ends_the_client() {
    if !common::has_tool("setsid") {
        return;
    }
    let mut chat = Chat::two_way();
    // A session of its own, with the terminal as its controlling one: else Ctrl-C is but a byte.
    let mut setsid = chat.place.command("setsid");
    setsid.args(["--ctty", env!("CARGO_BIN_EXE_ipc"), "chat", "client"]);
    let mut tty = Tty::start(&mut setsid);
    tty.types("never sent");
    tty.shows(&["> never sent"]);
    tty.types("\x03");
    assert_eq!(tty.end().code(), Some(0));
    tty.assert_given_back();
    chat.says("left");
    assert_eq!(chat.server.said(ipc_primer::harness::Stream::Stdout), "");
    chat.end();
}

#[test]
fn a_terminal_without_cursor_is_asked_in_its_own_way() {
    let mut chat = Chat::two_way();
    let mut client = chat.place.ipc(&["chat", "client", "--name", "bob"]);
    let mut tty = Tty::start(client.env("TERM", "dumb"));
    tty.shows(&["> "]);
    tty.types("hello\r");
    chat.shows("bob#1: hello");
    tty.assert_given_back();
    chat.end();
    assert_eq!(tty.end().code(), Some(1));
}
