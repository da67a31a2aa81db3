//! Chapter 1, step by step: the five socket primitives of note 0.
//!
//! `cargo test --test ch01_socket_primitives -- --nocapture --test-threads=1` tells the story.

mod common;

use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::{fs, thread};

use common::Place;
use ipc_primer::socket::{Received, close, connect, end_sending, listen, recv, recv_exact, send};

#[test]
fn step_01_create_socket_gives_the_server_a_name_in_the_file_system() {
    let place = Place::new();
    let path = place.path("a.sock");
    let listener = listen(&path).expect("the path is free");

    let file = fs::symlink_metadata(&path).unwrap();
    assert!(
        file.file_type().is_socket(),
        "bind(2) makes a file of type socket"
    );
    assert_eq!(
        file.permissions().mode() & 0o777,
        0o600,
        "other users cannot connect"
    );
    println!(
        "socket, bind, listen: {} is there",
        listener.path().display()
    );

    drop(listener);
    place.assert_left(&[]);
    println!("dropping the listener unlinked it");
}

#[test]
fn step_02_connect_socket_meets_a_listener_or_says_why_not() {
    let place = Place::new();
    let path = place.path("a.sock");

    let nobody = connect(&path).expect_err("no server has made the file");
    assert_eq!(nobody.kind(), ErrorKind::NotFound);
    println!("no file:   {nobody}");

    // A bare std listener leaves its file behind, as the C programs do when they are killed.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let stale = connect(&path).expect_err("a file is there, and nobody behind it");
    assert_eq!(stale.kind(), ErrorKind::ConnectionRefused);
    println!("stale:     {stale}");

    let listener = listen(&path).expect("a stale file is removed and taken over");
    let _client = connect(&path).expect("a listener is there");
    println!("connected: before anybody called accept");
    assert!(
        listener.accept().unwrap().is_some(),
        "the connection waited in the backlog"
    );
}

#[test]
fn step_03_send_socket_sends_all_though_the_buffer_holds_less() {
    let (mut here, mut there) = UnixStream::pair().unwrap();
    let message = vec![7; 4 << 20]; // 4 MiB: a socket buffer holds some hundred KiB
    let expected = message.len();
    let sender = thread::spawn(move || send(&mut here, &message));

    let mut received = Vec::new();
    there.read_to_end(&mut received).unwrap();
    sender.join().unwrap().expect("all of it was sent");
    assert_eq!(received.len(), expected);
    println!("{expected} bytes arrived, though no single send could take them");
}

#[test]
fn step_03_send_socket_to_a_peer_that_has_gone_is_an_error_and_no_signal() {
    let (mut here, there) = UnixStream::pair().unwrap();
    drop(there);
    let error = send(&mut here, b"anybody there?").expect_err("nobody is");
    assert_eq!(
        error.kind(),
        ErrorKind::BrokenPipe,
        "EPIPE; C programs die of SIGPIPE here"
    );
    println!("sent to nobody: {error}");
}

#[test]
fn step_04_recv_socket_knows_no_messages() {
    let (mut here, mut there) = UnixStream::pair().unwrap();
    send(&mut there, b"one,").unwrap();
    send(&mut there, b"two").unwrap();

    let mut buffer = [0; 5];
    assert_eq!(recv(&mut here, &mut buffer).unwrap(), Received::Bytes(5));
    assert_eq!(
        &buffer, b"one,t",
        "two sends glued together, and cut where our buffer ended"
    );
    println!(
        "sent \"one,\" and \"two\"; received {:?} first",
        str::from_utf8(&buffer).unwrap()
    );
    assert_eq!(recv(&mut here, &mut buffer).unwrap(), Received::Bytes(2));
}

#[test]
fn step_04_recv_socket_tells_an_end_from_a_reset() {
    let (mut here, there) = UnixStream::pair().unwrap();
    drop(there);
    assert_eq!(recv(&mut here, &mut [0; 8]).unwrap(), Received::End);

    let (mut here, there) = UnixStream::pair().unwrap();
    here.write_all(b"never read").unwrap();
    drop(there);
    assert_eq!(recv(&mut here, &mut [0; 8]).unwrap(), Received::Reset);
    println!("a peer that closes is an end; one that closes upon unread input is a reset");
}

#[test]
fn step_04_recv_socket_gathers_a_frame_of_known_length() {
    let (mut here, mut there) = UnixStream::pair().unwrap();
    let sender = thread::spawn(move || {
        for byte in b"frame and a half" {
            send(&mut there, &[*byte]).unwrap();
        }
    });
    let mut frame = [0; 10];
    assert_eq!(
        recv_exact(&mut here, &mut frame).unwrap(),
        10,
        "one whole frame"
    );
    assert_eq!(
        recv_exact(&mut here, &mut frame).unwrap(),
        6,
        "the stream ended in the second"
    );
    sender.join().unwrap();
}

#[test]
fn step_05_close_socket_ends_one_direction_or_both() {
    let (mut here, mut there) = UnixStream::pair().unwrap();
    send(&mut here, b"question").unwrap();
    end_sending(&here).unwrap();
    let mut question = String::new();
    there
        .read_to_string(&mut question)
        .expect("the question ends: half-close");
    send(&mut there, b"answer").expect("the other direction is open");
    println!("half-closed: {question} came, the answer can still go back");

    send(&mut here, b"x").expect_err("we said that we would send no more");
    close(&there);
    let mut answer = String::new();
    here.read_to_string(&mut answer)
        .expect("closing loses nothing that was sent");
    assert_eq!(answer, "answer");
}

#[test]
fn step_05_close_socket_wakes_a_thread_that_waits_for_the_peer() {
    let (here, _there) = UnixStream::pair().unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| recv(&mut &here, &mut [0; 8]).unwrap());
        close(&here); // `drop` could not: the other thread borrows the stream
        assert_eq!(waiting.join().unwrap(), Received::End);
    });
    println!("shutdown ends the connection, whoever waits on it");
}
