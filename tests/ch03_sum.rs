//! Chapter 3, step by step: the sum server of note 1 and its improvements, by real processes.

mod common;

use std::io::{Read, Write};

use common::sum::{CLIENT, SEQUENTIAL, STAGES, Served, THREADED, reply};
use ipc_primer::harness::Stream;
use ipc_primer::sum::protocol::{FRAME_LEN, Reply, encode};

#[test]
fn step_01_the_client_sends_integers_and_0_asks_for_the_sum() {
    for words in STAGES {
        let served = Served::by(words);
        let mut client = served.place.start(CLIENT);
        for line in ["2147483647", "2147483647", "-5", "0"] {
            client.say(line).unwrap();
        }
        client
            .wait_for(Stream::Stdout, "Result = 4294967289")
            .unwrap();
        assert_eq!(client.wait().unwrap().code(), Some(0));
        println!("{words:?}: the sum is exact beyond 32 bits");
        served.end();
    }
}

#[test]
fn step_01_on_the_wire_integers_have_no_borders_and_the_answer_is_128_bytes() {
    for words in STAGES {
        let served = Served::by(words);
        let mut socket = served.connect();
        let bytes: Vec<u8> = [1000, 337, 0, 99].into_iter().flat_map(encode).collect();
        for piece in [&bytes[..3], &bytes[3..10], &bytes[10..]] {
            socket.write_all(piece).unwrap(); // each cut is inside an integer
        }
        let mut answer = Vec::new();
        socket
            .read_to_end(&mut answer)
            .expect("an end, and no reset");
        assert_eq!(answer.len(), FRAME_LEN);
        assert_eq!(
            &answer[..14],
            b"Result = 1337\0",
            "what follows the 0 is ignored"
        );
        assert!(
            answer[13..].iter().all(|&byte| byte == 0),
            "filled up with NUL"
        );
        served.end();
    }
}

#[test]
fn step_02_without_multiplexing_a_second_client_waits() {
    let mut served = Served::by(SEQUENTIAL);
    let mut first = served.client_at_prompt();
    let mut second = served.client_at_prompt();
    second.say("0").unwrap();
    first.say("0").unwrap();
    first.wait_for(Stream::Stdout, "Result = 0").unwrap();
    second.wait_for(Stream::Stdout, "Result = 0").unwrap();
    served
        .server
        .wait_for(Stream::Stderr, "client 1 was sent")
        .unwrap();
    served
        .server
        .wait_for(Stream::Stderr, "client 2 was sent")
        .unwrap();
    println!("the second client was served after the first, though it asked before");
    served.end();
}

#[test]
fn step_03_with_multiplexing_it_does_not() {
    let served = Served::by(THREADED);
    let mut first = served.client_at_prompt();
    let mut second = served.client_at_prompt();
    second.say("0").unwrap();
    second.wait_for(Stream::Stdout, "Result = 0").unwrap();
    println!("the second client has its answer while the first sits at its prompt");
    first.say("0").unwrap();
    first.wait_for(Stream::Stdout, "Result = 0").unwrap();
    served.end();
}

#[test]
fn step_04_improvement_input_is_validated() {
    let served = Served::by(THREADED);
    let mut client = served.place.start(CLIENT);
    let long = format!("7{}x", " ".repeat(300)); // cut before the x, it would be an integer
    for line in [
        "",
        "1.5",
        "2147483648",
        "seven",
        "\x1b[31mred",
        " 40 ",
        long.as_str(),
        "2",
        "0",
    ] {
        client.say(line).unwrap();
    }
    client.wait_for(Stream::Stdout, "Result = 42").unwrap();
    assert_eq!(client.wait().unwrap().code(), Some(0));
    assert_eq!(
        client.said(Stream::Stdout),
        "Result = 42\n",
        "stdout holds the result alone"
    );
    let said = client.said(Stream::Stderr);
    for named in ["\"\"", "\"1.5\"", "\"2147483648\"", "\"seven\"", "7 "] {
        assert!(
            said.contains(named),
            "what was ignored is named: {named} in {said}"
        );
    }
    assert!(
        !said.contains('\x1b'),
        "no control character reaches the terminal: {said}"
    );
    assert!(
        !said.contains('>'),
        "there is no prompt where there is no terminal: {said}"
    );
    served.end();
}

#[test]
fn step_05_improvement_ctrl_c_ends_the_client_cleanly_and_the_server_goes_on() {
    let mut served = Served::by(THREADED);
    let mut client = served.client_at_prompt();
    client.signal("INT").unwrap();
    assert_eq!(client.wait().unwrap().code(), Some(0));
    served
        .server
        .wait_for(Stream::Stderr, "client 1 left before its answer")
        .unwrap();
    let mut next = served.place.start(CLIENT);
    next.say("0").unwrap();
    next.wait_for(Stream::Stdout, "Result = 0").unwrap();
    served.end();
}

#[test]
fn step_06_improvement_end_of_input_ends_the_client_like_ctrl_c() {
    let mut served = Served::by(THREADED);
    let mut client = served.client_at_prompt();
    client.end_input();
    assert_eq!(client.wait().unwrap().code(), Some(0));
    assert_eq!(client.said(Stream::Stdout), "", "no sum was asked for");
    served
        .server
        .wait_for(Stream::Stderr, "client 1 left before its answer")
        .unwrap();
    served.end();
}

#[test]
fn step_07_improvement_a_vanished_client_is_no_sigpipe_for_the_server() {
    for words in STAGES {
        let served = Served::by(words);
        for _ in 0..20 {
            let mut socket = served.connect();
            socket.write_all(&encode(0)).unwrap(); // asks, and goes before the answer comes
        }
        let mut socket = served.connect();
        socket.write_all(&[encode(7), encode(0)].concat()).unwrap();
        assert_eq!(
            reply(&mut socket),
            Some(Reply::Result(7)),
            "{words:?} lives on"
        );
        served.end();
    }
}

#[test]
fn step_08_todo_done_a_client_at_its_prompt_learns_that_the_server_goes() {
    for words in STAGES {
        let served = Served::by(words);
        let mut first = served.client_at_prompt();
        let mut second = served.client_at_prompt(); // waits in the backlog of the sequential one
        served.end();
        for client in [&mut first, &mut second] {
            client.wait_for(Stream::Stderr, "is shutting down").unwrap();
            assert_eq!(client.wait().unwrap().code(), Some(1));
        }
        println!("{words:?}: both clients said so and ended");
    }
}

#[test]
fn step_08_todo_done_even_when_the_server_had_no_time_to_say_goodbye() {
    let mut served = Served::by(THREADED);
    let mut client = served.client_at_prompt();
    served.server.signal("KILL").unwrap();
    served.server.wait().unwrap();
    client
        .wait_for(Stream::Stderr, "has gone without an answer")
        .unwrap();
    assert_eq!(client.wait().unwrap().code(), Some(1));
    println!("the kernel closes a killed process's sockets: the end of the stream is the news");
}
