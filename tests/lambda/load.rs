//! Many at once and many in a row: everyone is answered, in order, and nothing adds up.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::thread;

use crate::common::lambda::{Server, all_sleep, answer, ask, children, functions, script, threads};
use crate::common::wait_until;
use crate::common::{self, Place};
use ipc_primer::harness::Stream;

/// By how many clients at a time many calls are made.
const AT_A_TIME: usize = 8;

fn descriptors(server: &Server) -> usize {
    common::names(&PathBuf::from(format!("/proc/{}/fd", server.program.pid()))).len()
}

#[test]
fn the_others_wait_their_turn_in_the_order_they_came() {
    let server = Server::start(&["--max-running", "1"]);
    let library = script(
        &server.place,
        "turn",
        "echo $1 >>order; while [ ! -e go ]; do sleep 0.01; done",
    );
    let threads_without_clients = threads(&server).len() + 1; // and the one that copies
    let mut clients = Vec::new();
    for number in 1..=20 {
        clients.push(server.send(format!("{library} {number}")));
        // A later client overtakes none that waits; one that comes at the same moment may be first.
        wait_until("the first runs", || server.place.path("order").exists());
    }
    wait_until("all others wait", || {
        threads(&server).len() == 20 + threads_without_clients && all_sleep(&server)
    });
    assert_eq!(functions(&server).len(), 1, "--max-running 1");
    fs::write(server.place.path("go"), "").unwrap();
    for mut stream in clients {
        fs::remove_file(answer(&mut stream)).unwrap();
    }
    let order = fs::read_to_string(server.place.path("order")).unwrap();
    let expected: String = (1..=20).map(|number| format!("{number}\n")).collect();
    assert_eq!(order, expected);
    server.end(&["go", "order", "turn"]);
}

#[test]
fn calls_leave_no_zombie_no_open_file_and_no_thread() {
    assert_nothing_adds_up(400);
}

#[test]
#[ignore = "takes ten seconds: cargo test --test rooms -- --ignored ten_thousand_calls"]
fn ten_thousand_calls_leave_no_zombie_no_open_file_and_no_thread() {
    assert_nothing_adds_up(10_000);
}

fn assert_nothing_adds_up(calls: usize) {
    let server = Server::start(&[]);
    let library = "/bin/true";
    let before = (descriptors(&server), children(server.program.pid()).len());
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            let socket = server.socket();
            scope.spawn(move || {
                for _ in 0..calls / AT_A_TIME {
                    fs::remove_file(ask(&socket, library)).unwrap();
                }
            });
        }
    });
    wait_until("the last clients are done", || threads(&server).len() <= 5);
    let after = (descriptors(&server), children(server.program.pid()).len());
    assert_eq!(
        after, before,
        "open files, and children (the watchdog's shell alone)"
    );
    server.end(&[]);
}

#[test]
fn with_few_descriptors_clients_wait_and_nobody_is_lost() {
    let place = Place::new();
    let library = script(&place, "slow", "sleep 0.0$1; echo $2");
    let ipc = env!("CARGO_BIN_EXE_ipc");
    let mut shell = place.command("sh");
    shell.args(["-c", "ulimit -n 200; exec \"$0\" lambda server", ipc]);
    let mut program = ipc_primer::harness::Program::start(&mut shell).unwrap();
    program.wait_for(Stream::Stderr, "listening on").unwrap();
    let server = Server { place, program };
    let crowd: Vec<UnixStream> = (0..300)
        .map(|number| server.send(format!("{library} {} {number}", number % 10)))
        .collect();
    for (number, mut stream) in crowd.into_iter().enumerate() {
        let path = answer(&mut stream);
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{number}\n"));
        fs::remove_file(path).unwrap();
    }
    server.end(&["slow"]);
}

#[test]
fn ctrl_c_lets_functions_end_that_are_about_to_and_sends_the_rest_away() {
    let server = Server::start(&["--max-running", "2"]);
    let library = script(
        &server.place,
        "wait",
        "echo started; while [ ! -e go ]; do sleep 0.01; done; echo done",
    );
    let mut crowd: Vec<UnixStream> = (0..2).map(|_| server.send(&library)).collect();
    wait_until("two run", || functions(&server).len() == 2);
    crowd.extend((0..50).map(|_| server.send(&library)));
    server.program.signal("INT").unwrap();
    let mut rest = crowd.split_off(2);
    for stream in &mut rest {
        assert_eq!(
            answer(stream),
            PathBuf::new(),
            "who waited is sent away at once"
        );
    }
    fs::write(server.place.path("go"), "").unwrap();
    for mut stream in crowd {
        let path = answer(&mut stream);
        assert_eq!(fs::read_to_string(&path).unwrap(), "started\ndone\n");
        fs::remove_file(path).unwrap();
    }
    server.end(&["go", "wait"]);
}
