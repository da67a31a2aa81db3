//! Files that cannot be read or written, by either way: each is named, and nothing is lost.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::common::Place;
use crate::common::copying::{Copying, FILE, both_ways, pattern};
use ipc_primer::harness::Stream::Stderr;

fn chmod(place: &Place, name: &str, mode: u32) {
    fs::set_permissions(place.path(name), Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_file_that_cannot_be_copied_is_named_before_anybody_waits() {
    for way in both_ways(Place::unprivileged, 1) {
        let place = way.place();
        fs::create_dir(place.path("directory")).unwrap();
        fs::write(place.path("two\nlines"), "").unwrap();
        fs::write(place.path("secret"), "").unwrap();
        chmod(place, "secret", 0o000);
        let before = place.files();
        for (file, said) in [
            ("missing", "No such file"),
            ("directory", "is a directory"),
            ("/dev/null", "is not a regular file"),
            ("two\nlines", "has a line end in its name"),
            ("secret", "cannot read secret: Permission denied"),
            ("/proc/version", "has another length than it says"), // says 0
            (
                "/sys/kernel/uevent_seqnum",
                "has another length than it says",
            ), // says 4096
        ] {
            let mut refused = way.give(file);
            assert_eq!(refused.wait().unwrap().code(), Some(1), "{file}");
            let found = refused.said(Stderr);
            assert!(found.contains(said), "{found}");
        }
        assert_eq!(place.files(), before, "nothing is left behind");
    }
}

/// One copy into the directory `1`: the exit code of who gets the file, and what it says.
fn copy(way: &dyn Copying, more: &[&str]) -> (Option<i32>, String) {
    let mut giver = way.give(FILE);
    giver.wait_for(Stderr, way.ready()).unwrap();
    let mut taker = way.take("1", more);
    (taker.wait().unwrap().code(), taker.said(Stderr))
}

#[test]
fn a_target_that_exists_is_kept_unless_forced() {
    for way in both_ways(Place::new, 10) {
        let target = way.place().path("1").join(FILE);
        fs::create_dir(way.place().path("1")).unwrap();
        fs::write(&target, "precious").unwrap();
        let (code, said) = copy(&*way, &[]);
        assert_eq!(code, Some(1));
        assert!(said.contains("exists; pass --force"), "{said}");
        assert_eq!(fs::read(&target).unwrap(), b"precious");
        assert_eq!(copy(&*way, &["--force"]).0, Some(0));
        assert_eq!(fs::read(&target).unwrap(), pattern(10));
        fs::remove_file(&target).unwrap();
        fs::create_dir(&target).unwrap();
        let (code, said) = copy(&*way, &["--force"]);
        assert_eq!(code, Some(1));
        assert!(said.contains("is a directory"), "{said}");
        let left = crate::common::names(&way.place().path("1"));
        assert_eq!(left, [FILE], "no partial file");
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    for way in both_ways(Place::unprivileged, 10) {
        fs::create_dir(way.place().path("1")).unwrap();
        chmod(way.place(), "1", 0o555);
        let (code, said) = copy(&*way, &[]);
        assert_eq!(code, Some(1));
        assert!(
            said.contains("cannot write into 1: Permission denied"),
            "{said}"
        );
    }
}

#[test]
fn a_directory_that_cannot_be_listed_takes_a_copy() {
    for way in both_ways(Place::unprivileged, 10) {
        fs::create_dir(way.place().path("1")).unwrap();
        chmod(way.place(), "1", 0o333);
        let (code, said) = copy(&*way, &[]);
        assert_eq!(code, Some(0), "{said}");
        chmod(way.place(), "1", 0o755);
        way.assert_copied("1");
    }
}
