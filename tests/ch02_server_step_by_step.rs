//! Chapter 2, step by step: the life of a server as note 4 counts it, in twelve steps.

mod common;

use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::{fs, thread};

use common::Place;
use ipc_primer::harness::Stream;
use ipc_primer::socket::{Received, close, connect, listen, recv, send};
use ipc_primer::stop::StopToken;

#[test]
fn the_twelve_steps_in_one_piece() {
    let place = Place::new();
    let path = place.path("twelve.sock");
    common::leave_stale_socket(&path); // a run that was killed left its file

    let listener = listen(&path).unwrap();
    println!("1 to 5: the stale file is gone, a new socket is bound to its name and listens");

    let client = thread::spawn({
        let path = path.clone();
        move || {
            let mut server = connect(&path).unwrap(); // connection initiation request
            send(&mut server, b"2 3").unwrap(); // service request message
            let mut answer = [0; 16];
            let Received::Bytes(count) = recv(&mut server, &mut answer).unwrap() else {
                panic!("the server closed without an answer")
            };
            answer[..count].to_vec()
        }
    });

    let mut handle = listener.accept().unwrap().expect("a client is there");
    println!("6: accept returned a client handle");
    let mut request = [0; 16];
    assert_eq!(recv(&mut handle, &mut request).unwrap(), Received::Bytes(3));
    println!("7: read the request");
    send(&mut handle, b"5").unwrap();
    println!("8: sent the result back");
    close(&handle);
    drop(handle);
    println!("9: the data socket is closed");
    assert_eq!(client.join().unwrap(), b"5");

    drop(listener);
    println!("10 and 11: the connection socket is closed and its file removed");
    place.assert_left(&[]);
    println!("12: the end of the function is the end of the program");
}

#[test]
fn step_01_remove_the_socket_if_it_exists_but_never_a_file_or_a_living_server() {
    let place = Place::new();
    let path = place.path("a.sock");
    fs::write(&path, "somebody's work").unwrap();
    let error = listen(&path).expect_err("this is no socket");
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(&path).unwrap(), "somebody's work");
    println!("a file:   {error}");

    fs::remove_file(&path).unwrap();
    let _living = UnixListener::bind(&path).unwrap(); // not one of ours: it holds no lock
    let error = listen(&path).expect_err("somebody listens there");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    println!("a server: {error}");
}

#[test]
fn step_02_to_05_of_many_servers_at_one_instant_one_wins() {
    let place = Place::new();
    let path = place.path("a.sock");
    for round in 0..12 {
        common::leave_stale_socket(&path); // it tempts all of them
        let start = std::sync::Barrier::new(8);
        let attempt = || {
            start.wait();
            listen(&path)
        };
        let results: Vec<_> = thread::scope(|scope| {
            let attempts: Vec<_> = (0..8).map(|_| scope.spawn(attempt)).collect();
            attempts
                .into_iter()
                .map(|attempt| attempt.join().unwrap())
                .collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(
            won.len(),
            1,
            "round {round}: exactly one server gets the path"
        );
        for error in lost.into_iter().filter_map(Result::err) {
            assert_eq!(error.kind(), ErrorKind::AddrInUse, "round {round}: {error}");
        }
        connect(&path).expect("the winner is the one that is reached");
    }
}

#[test]
fn step_02_to_05_of_servers_that_come_and_go_no_two_are_there_at_once() {
    let place = Place::new();
    let path = place.path("a.sock");
    let there = AtomicUsize::new(0);
    let come_and_go = || {
        for _ in 0..300 {
            match listen(&path) {
                Ok(_listener) => {
                    assert_eq!(
                        there.fetch_add(1, Ordering::SeqCst),
                        0,
                        "two servers on one path"
                    );
                    there.fetch_sub(1, Ordering::SeqCst);
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}"),
            }
        }
    };
    thread::scope(|scope| {
        (0..4).for_each(|_| drop(scope.spawn(come_and_go)));
    });
    place.assert_left(&[]);
}

#[test]
fn step_06_accept_returns_a_descriptor_for_each_client_beside_the_servers_own() {
    let place = Place::new();
    let path = place.path("a.sock");
    let listener = listen(&path).unwrap();
    let (_one, _two) = (connect(&path).unwrap(), connect(&path).unwrap());
    let handles: Vec<_> = (0..2)
        .map(|_| listener.accept().unwrap().unwrap())
        .collect();
    let descriptors: Vec<_> = handles.iter().map(AsRawFd::as_raw_fd).collect();
    assert!(
        descriptors.iter().all(|descriptor| *descriptor > 2),
        "0, 1 and 2 are taken"
    );
    assert_ne!(
        descriptors[0], descriptors[1],
        "a data socket for each client"
    );
    println!("client handles: descriptors {descriptors:?}");
}

#[test]
fn step_06_a_blocked_accept_can_be_woken() {
    let place = Place::new();
    let listener = listen(&place.path("a.sock")).unwrap();
    let stop = StopToken::new();
    let _waker = listener.stop_on(&stop);
    let waited = Arc::new(AtomicBool::new(false));
    thread::scope(|scope| {
        let accepting = scope.spawn(|| {
            waited.store(true, Ordering::Relaxed);
            listener.accept()
        });
        while !waited.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        stop.request_stop(); // whether it comes before the call of accept or within it
        assert!(
            accepting.join().unwrap().unwrap().is_none(),
            "None: there will be no more clients"
        );
    });
    let late = connect(listener.path()).expect_err("a stopped listener takes nobody");
    assert_eq!(late.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn step_06_who_connected_before_the_stop_is_still_handed_out() {
    let place = Place::new();
    let listener = listen(&place.path("a.sock")).unwrap();
    let _early = connect(listener.path()).unwrap();
    listener.stopper().stop();
    assert!(
        listener.accept().unwrap().is_some(),
        "it was connected, so it deserves an answer"
    );
    assert!(listener.accept().unwrap().is_none());
}

#[test]
fn step_10_and_11_a_server_removes_only_its_own_file() {
    let place = Place::new();
    let path = place.path("a.sock");
    let listener = listen(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "put there by somebody else").unwrap();
    drop(listener);
    assert!(path.exists(), "what is not ours stays");
}

#[test]
fn fault_5_a_client_needs_permission_to_write_the_socket_file() {
    if !common::we_are_root() {
        println!("skipped: only root can start a client as another user");
        return;
    }
    let place = Place::unprivileged();
    let path = place.path("sum.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    for (mode, code) in [
        (0o755, 1), // what bind leaves under a umask of 022
        (0o775, 1), // and under 002, for users outside the group
        (0o777, 0), // and under 000
    ] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let mut client = place.start(&["sum", "client"]); // no input, so connecting is all it does
        assert_eq!(client.wait().unwrap().code(), Some(code), "mode {mode:o}");
        let said = client.said(Stream::Stderr);
        assert_eq!(said.contains("Permission denied"), code == 1, "{said}");
    }
}

#[test]
fn step_12_exit_leaves_nothing_whichever_signal_asked_for_it() {
    for signal in ["INT", "TERM", "HUP"] {
        let place = Place::new();
        let mut server = place.start(&["sum", "server"]);
        server.wait_for(Stream::Stderr, "listening on").unwrap();
        server.signal(signal).unwrap();
        assert_eq!(
            server.wait().unwrap().code(),
            Some(0),
            "SIG{signal} is a clean end"
        );
        place.assert_left(&[]);
        println!("SIG{signal}: exit code 0, nothing left");
    }
}
