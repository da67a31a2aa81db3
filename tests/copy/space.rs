//! No room where something is to be kept, in file systems that are made as small as that.

use std::fs;
use std::path::Path;

use crate::common::copying::{Copying, FILE, RingPlace};
use crate::common::{Place, assert_fails, in_small};
use ipc_primer::harness::Stream::{Stderr, Stdout};

#[test]
fn a_dev_shm_too_small_for_the_ring_is_an_error_that_says_what_to_lower() {
    let place = RingPlace::new(10);
    let script = format!(
        "$IPC copy sharedmem sender {FILE} --receivers 1 --name small; echo code $?; ls /dev/shm | wc -l; \
         $IPC copy sharedmem sender {FILE} --receivers 1 --name small --slots 2 --slot-size 4096 & \
         $IPC copy sharedmem receiver --name small --output out; echo code $?; wait"
    );
    fs::create_dir(place.place.path("out")).unwrap();
    let Some(mut shell) = in_small(&place.place, Path::new("/dev/shm"), "1m", &script) else {
        return;
    };
    shell.wait().unwrap();
    assert_eq!(
        shell.said(Stdout),
        "code 1\n0\ncode 0\n",
        "{}",
        shell.said(Stderr)
    );
    let said = shell.said(Stderr);
    assert!(said.contains("lower --slots or --slot-size"), "{said}");
    place.assert_copied("out");
}

/// A page that is not there would kill the plain stages, which look at their memory with no other care.
#[test]
fn a_full_dev_shm_is_an_error_for_the_plain_stages_too() {
    let place = Place::new();
    let script = "head -c 16384 /dev/zero >/dev/shm/fill; $IPC copy race; echo code $?; \
                  $IPC queue create /full --stage 1; echo code $?; ls /dev/shm";
    let Some(mut shell) = in_small(&place, Path::new("/dev/shm"), "16k", script) else {
        return;
    };
    shell.wait().unwrap();
    assert_eq!(shell.said(Stdout), "code 1\ncode 1\nfill\n");
    assert!(shell.said(Stderr).contains("No space left"));
}

/// Both ways: the one who gets the file says why it cannot, and the one who has it does not wait for it.
#[test]
fn a_full_disk_is_an_error_and_no_partial_file() {
    let by_sockets = "copy socket server file --peers 1 --socket s";
    let by_ring = "copy sharedmem sender file --receivers 1 --name $NAME";
    for (give, take) in [
        (by_sockets, "copy socket client --socket s"),
        (by_ring, "copy sharedmem receiver --name $NAME"),
    ] {
        let place = RingPlace::new(2 << 20);
        let out = place.place.path("out");
        fs::create_dir(&out).unwrap();
        let script = format!(
            "NAME={}; $IPC {give} 2>said & \
             until [ -s said ]; do sleep 0.01; done; \
             $IPC {take} --output out; echo code $?; \
             until grep 'gone before its end' said; do sleep 0.01; done; ls -A out | wc -l; kill $!",
            place.name
        );
        let Some(mut shell) = in_small(&place.place, &out, "1m", &script) else {
            return;
        };
        shell.wait().unwrap();
        let (shown, said) = (shell.said(Stdout), shell.said(Stderr));
        assert!(said.contains("No space left on device"), "{said}");
        assert!(
            shown.starts_with("code 1\n") && shown.ends_with("\n0\n"),
            "{shown}"
        );
    }
}

/// `ulimit -f`, whose signal would kill them.
#[test]
fn a_limit_on_the_size_of_files_is_an_error_and_leaves_nothing() {
    let place = RingPlace::new(2 << 20);
    let name = ["--name", &place.name];
    let client = &["copy", "socket", "client", "--output", "1"][..];
    let receiver = ["copy", "sharedmem", "receiver", "--output", "1"];
    let receiver = [&receiver[..], &name].concat();
    fs::create_dir(place.place.path("1")).unwrap();
    let server = place.place.start(&["copy", "socket", "server", FILE]);
    for (mut giver, ready, taker) in [
        (server, "listening", client),
        (place.sender(1, &[]), "sending as", &receiver),
    ] {
        giver.wait_for(Stderr, ready).unwrap();
        let mut taker = place.place.start_limited(taker);
        assert_fails(&mut taker, "cannot write 1/file: File too large");
        assert!(place.files("1").is_empty(), "{:?}", place.files("1"));
        giver.wait_for(Stderr, "gone before its end").unwrap();
    }
    let sender = ["copy", "sharedmem", "sender", FILE, "--receivers", "1"];
    let mut sender = place.place.start_limited(&[&sender[..], &name].concat());
    assert_fails(&mut sender, "File too large");
    place.assert_no_segment();
}
