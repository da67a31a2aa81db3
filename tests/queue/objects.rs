//! The object behind a queue: what else can have its name, and how it is made.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::common::queueing::Name;
use crate::common::{Place, assert_fails, assert_succeeds, has_tool, text};

#[test]
fn what_is_no_object_is_neither_opened_nor_removed() {
    if !has_tool("mkfifo") {
        return;
    }
    let (place, kept) = (Place::new(), Name::new("kept"));
    kept.create(1, 8);
    let make_fifo = |path: &Path| {
        let made = Command::new("mkfifo").arg(path).status();
        assert!(made.unwrap().success());
    };
    let make_link = |path: &Path| symlink(kept.file(), path).unwrap();
    for make in [&make_fifo as &dyn Fn(&Path), &make_link] {
        let name = Name::new("no-object");
        make(&name.file());
        for words in [
            &["unlink", &name.0][..],
            &["create", &name.0],
            &["info", &name.0],
        ] {
            let mut program = place.start(&[&["queue"], words].concat());
            assert_fails(&mut program, "is not a shared memory object");
        }
        let found = fs::symlink_metadata(name.file());
        assert!(!found.unwrap().is_file(), "it was not ours to remove");
    }
}

#[test]
fn a_queue_has_its_mode_whatever_the_umask_is() {
    let place = Place::unprivileged();
    for umask in ["0177", "0277", "0777", "0000"] {
        let name = Name::new("umask");
        let mut create = place.command_under(umask, &["queue", "create", &name.0]);
        assert!(create.status().unwrap().success(), "under umask {umask}");
        let mode = fs::metadata(name.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "under umask {umask}");
        assert_succeeds(&mut place.start(&["queue", "unlink", &name.0]));
    }
}

#[test]
fn a_lock_that_fails_is_an_error_and_leaves_nothing() {
    if !has_tool("strace") {
        return;
    }
    let (place, name) = (Place::new(), Name::new("no-lock"));
    let run = |words: &str| {
        let ipc = env!("CARGO_BIN_EXE_ipc");
        let inject = "strace -f -qq -o trace -e trace=flock -e inject=flock:error=ENOLCK";
        let script = format!("exec {inject} {ipc} queue {words} {}", name.0);
        place.command("sh").args(["-c", &script]).output().unwrap()
    };
    let made = run("create");
    if !fs::read_to_string(place.path("trace")).is_ok_and(|trace| trace.contains("INJECTED")) {
        println!("skipped: strace cannot make a call fail here");
        return;
    }
    let said = text(&made.stderr);
    assert!(said.contains("cannot lock") && said.contains(&*name.file().to_string_lossy()));
    assert_eq!(made.status.code(), Some(1), "{said}");
    assert!(!name.file().exists(), "it was not made, and is not left");

    File::create_new(name.file()).unwrap(); // as a killed maker leaves it
    for words in ["create", "unlink"] {
        let output = run(words);
        let said = text(&output.stderr);
        assert!(said.contains("cannot lock"), "{said}");
        assert!(name.file().exists(), "no process could tell whose it is");
    }
}
