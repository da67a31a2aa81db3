//! The assignments on copying: our own programs hold, and each mistake fails the check that names it.

mod common;
mod grade;

use grade::{
    ROOT, Source, Wrong, assert_each_fails_its_check, assert_full_marks, assert_script_fails, wrong,
};

const SERVER: Source = Source {
    file: "copy_server.c",
    flags: &[],
};
const CLIENT: Source = Source {
    file: "copy_client.c",
    flags: &[],
};

const WRONG_SERVERS: &[Wrong] = &[
    wrong("truncates-at-64-kib", "large"),
    wrong("sends-the-whole-path", "header"),
    wrong("serves-one-at-a-time", "at-once"),
    wrong("reads-all-into-memory", "memory"),
    wrong("refuses-empty-files", "empty"),
];

const WRONG_CLIENTS: &[Wrong] = &[
    wrong("reads-the-header-at-once", "cut-header"),
    wrong("ends-names-at-blanks", "name-with-blanks"),
    wrong("takes-the-end-for-the-files-end", "broken-off"),
    wrong("trusts-the-name", "stays-in-its-directory"),
    wrong("overwrites-files", "spares-files"),
    wrong("forgets-its-part", "ctrl-c-busy"),
    wrong("refuses-empty-files", "empty"),
];

const WRONG_BY_SHARED_MEMORY: &[Wrong] = &[
    wrong("refuses-empty-files", "empty"),
    wrong("puts-it-all-in-memory", "bounded"),
    wrong("forgets-to-unlink", "leaves-nothing"),
    wrong("keeps-what-it-has", "sender-killed"),
];

#[test]
fn our_own_programs_get_full_marks() {
    assert_full_marks(
        "copy-socket-server",
        &["copy", "socket", "server", "{file}", "--socket", "{socket}"],
    );
    assert_full_marks(
        "copy-socket-client",
        &[
            "copy", "socket", "client", "--output", "{dir}", "--socket", "{socket}",
        ],
    );
    assert_full_marks("copy-sharedmem", &["copy", "sharedmem"]);
}

#[test]
fn each_wrong_server_fails_its_check() {
    assert_each_fails_its_check(
        "copy-socket-server",
        &SERVER,
        &["{file}", "{socket}"],
        WRONG_SERVERS,
    );
}

#[test]
fn each_wrong_client_fails_its_check() {
    assert_each_fails_its_check(
        "copy-socket-client",
        &CLIENT,
        &["{socket}", "{dir}"],
        WRONG_CLIENTS,
    );
}

#[test]
fn each_wrong_copy_by_shared_memory_fails_its_check() {
    let script = format!("{ROOT}/tests/grade/copy_sharedmem.sh");
    assert_script_fails("copy-sharedmem", &script, WRONG_BY_SHARED_MEMORY);
}
