//! The assignments on sums: our own programs hold, and each mistake fails the check that names it.

mod common;
mod grade;

use grade::{Source, Wrong, assert_each_fails_its_check, assert_full_marks, wrong};

const SERVER: Source = Source {
    file: "sum_server.c",
    flags: &[],
};
const FORKING_SERVER: Source = Source {
    file: "sum_server.c",
    flags: &["-DFORKS"],
};
const CLIENT: Source = Source {
    file: "sum_client.c",
    flags: &[],
};

const WRONG_SERVERS: &[Wrong] = &[
    wrong("ignores-term", "term"), // takes longest
    wrong("answers-before-0", "waits-for-0"),
    wrong("sends-the-text-alone", "frame"),
    wrong("keeps-the-connection", "closes"),
    wrong("unsigned-integers", "negative"),
    wrong("reads-one-integer", "glued"),
    wrong("reads-4-bytes", "cut"),
    wrong("looks-for-a-byte-0", "random"),
    wrong("int-sum", "large-sum"),
    wrong("adds-what-follows-0", "ignores-the-rest"),
    wrong("ignores-the-end", "client-vanishes"),
    wrong("dies-of-sigpipe", "sigpipe"),
    wrong("takes-ctrl-c-for-a-failure", "ctrl-c"),
    wrong("forgets-unlink", "unlinks"),
    wrong("stumbles-over-a-stale-file", "stale"),
    wrong("forgets-goodbye", "goodbye"),
    wrong("removes-any-file", "spares-files"),
];

const WRONG_FORKING_SERVERS: &[Wrong] = &[
    wrong("keeps-the-connection", "closes"),
    wrong("never-waits", "zombies"),
];

const WRONG_CLIENTS: &[Wrong] = &[
    wrong("uses-atoi", "ignores-invalid"),
    wrong("sends-on-after-0", "stops-at-0"),
    wrong("reads-the-frame-at-once", "frame-in-pieces"),
    wrong("prints-the-padding", "no-padding"),
    wrong("sends-0-at-the-end", "end-of-input"),
    wrong("has-no-handler", "ctrl-c"),
    wrong("watches-its-user-alone", "server-gone"),
    wrong("takes-any-frame", "goodbye"),
    wrong("dies-of-sigpipe", "sigpipe"),
];

#[test]
fn our_own_programs_get_full_marks() {
    let socket = ["--socket", "{socket}"];
    assert_full_marks(
        "sum-server",
        &[&["sum", "server", "--sequential"][..], &socket].concat(),
    );
    assert_full_marks(
        "sum-server-threaded",
        &[&["sum", "server"][..], &socket].concat(),
    );
    assert_full_marks("sum-client", &[&["sum", "client"][..], &socket].concat());
}

#[test]
fn each_wrong_server_fails_its_check() {
    assert_each_fails_its_check("sum-server", &SERVER, &["{socket}"], WRONG_SERVERS);
}

#[test]
fn each_wrong_forking_server_fails_its_check() {
    let source = &FORKING_SERVER;
    assert_each_fails_its_check(
        "sum-server-threaded",
        source,
        &["{socket}"],
        WRONG_FORKING_SERVERS,
    );
}

#[test]
fn a_server_for_one_client_fails_where_two_are_served() {
    let wrong = [wrong("serves-one-at-a-time", "two-at-once")];
    // The right program is not: it serves one at a time.
    grade::assert_only_wrong("sum-server-threaded", &SERVER, &["{socket}"], &wrong);
}

#[test]
fn each_wrong_client_fails_its_check() {
    assert_each_fails_its_check("sum-client", &CLIENT, &["{socket}"], WRONG_CLIENTS);
}
