//! The assignments on chat: our own programs hold, and each mistake fails the check that names it.

mod common;
mod grade;

use grade::{Source, Wrong, assert_each_fails_its_check, assert_full_marks, wrong};

const ONE_WAY: Source = Source {
    file: "chat_server.c",
    flags: &[],
};
const TWO_WAY: Source = Source {
    file: "chat_server.c",
    flags: &["-DTWO_WAY"],
};
const CLIENT: Source = Source {
    file: "chat_client.c",
    flags: &[],
};

const WRONG_ONE_WAY: &[Wrong] = &[
    wrong("takes-any-line-for-hello", "anonymous"),
    wrong("takes-a-read-for-a-line", "glued"),
    wrong("keeps-the-carriage-return", "crlf"),
    wrong("prints-what-comes", "escapes"),
    wrong("at-most-ten", "hundred"),
];

const WRONG_TWO_WAY: &[Wrong] = &[
    wrong("knows-no-numbers", "to-a-number"),
    wrong("sends-the-unknown-to-all", "unknown"),
    wrong("ends-with-its-input", "end-of-input"),
    wrong("waits-for-slow-clients", "stuck-client"),
];

const WRONG_CLIENTS: &[Wrong] = &[
    wrong("tells-its-parent-s-pid", "hello"),
    wrong("takes-a-read-for-a-line", "glued"),
    wrong("shows-pieces", "cut"),
    wrong("prints-what-comes", "escapes"),
    wrong("dies-of-sigpipe", "sigpipe"),
    wrong("fails-without-a-code", "no-server"),
];

#[test]
fn our_own_programs_get_full_marks() {
    let socket = ["--socket", "{socket}"];
    assert_full_marks("chat-one-way", &[&["chat", "server"][..], &socket].concat());
    assert_full_marks(
        "chat-two-way",
        &[&["chat", "server", "--two-way"][..], &socket].concat(),
    );
    assert_full_marks(
        "chat-client",
        &[&["chat", "client", "--name", "{name}"][..], &socket].concat(),
    );
}

#[test]
fn each_wrong_one_way_server_fails_its_check() {
    assert_each_fails_its_check("chat-one-way", &ONE_WAY, &["{socket}"], WRONG_ONE_WAY);
}

#[test]
fn each_wrong_two_way_server_fails_its_check() {
    assert_each_fails_its_check("chat-two-way", &TWO_WAY, &["{socket}"], WRONG_TWO_WAY);
}

#[test]
fn each_wrong_client_fails_its_check() {
    assert_each_fails_its_check(
        "chat-client",
        &CLIENT,
        &["{socket}", "{name}"],
        WRONG_CLIENTS,
    );
}
