//! Functions that do what functions should not: the client always gets the path, the server lives on,
//! and what was printed before is kept.

use std::fs;
use std::io::Write;
use std::net::Shutdown;

use crate::common::lambda::{self, Server, c_library, c_runtime, functions, script};
use crate::common::wait_until;
use crate::common::{self, Place};
use ipc_primer::harness::{Identity, signal};

/// Reads a pid that a function has written into a file of the place.
fn written_pid(server: &Server, file: &str) -> Identity {
    let pid = fs::read_to_string(server.place.path(file)).unwrap();
    Identity::of(pid.trim().parse().unwrap()).expect("the process that the function left runs")
}

fn wait_until_dead(process: Identity) {
    wait_until("the process is dead", || process.is_dead());
}

#[test]
fn a_function_that_fails_or_crashes_leaves_what_it_had_printed() {
    let mut server = Server::start(&[]);
    let library = script(
        &server.place,
        "ends",
        "echo before; eval \"$1 $2\"; echo after",
    );
    for (function, log) in [
        ("exit", "has run"),
        ("exit 3", "ended with exit status: 3"),
        ("kill $$", "ended with signal: 15"),
        ("kill -9$IFS$$", "ended with signal: 9"),
    ] {
        assert_eq!(
            server.call(format!("{library} {function}")),
            "before\n",
            "{function}"
        );
        server.says(log);
    }
    server.end(&["ends"]);
}

#[test]
fn a_function_that_runs_for_ever_is_killed_with_its_whole_group() {
    let mut server = Server::start(&["--timeout", "1"]);
    let library = script(
        &server.place,
        "forever",
        "sleep 1000 & echo $! >child; printf unfinished; wait",
    );
    let output = server.call(&library);
    assert_eq!(
        output,
        format!("unfinished\nError: {library} was killed: it ran longer than 1 s.\n")
    );
    server.says("forever was killed: it ran longer than 1 s");
    let child = fs::read_to_string(server.place.path("child")).unwrap();
    if let Ok(child) = Identity::of(child.trim().parse().unwrap()) {
        wait_until_dead(child);
    }
    server.end(&["child", "forever"]);
}

#[test]
fn a_function_that_prints_too_much_is_killed_at_the_last_byte_that_fits() {
    let mut server = Server::start(&["--max-output", "1000"]);
    let library = script(&server.place, "flood", "yes | head -c $1");
    assert_eq!(server.call(format!("{library} 1000")), "y\n".repeat(500));
    let too_much = format!("{library} 1001");
    let note = format!("Error: {too_much} was killed: it wrote more than 1000 bytes.\n");
    assert_eq!(server.call(&too_much), "y\n".repeat(500) + &note);
    server.says("it wrote more than 1000 bytes");
    let endless = script(&server.place, "endless", "exec yes");
    assert!(server.call(&endless).starts_with(&"y\n".repeat(500)));
    server.end(&["endless", "flood"]);
}

#[test]
fn output_beyond_what_a_socket_holds_is_copied_whole() {
    let server = Server::start(&[]);
    let library = script(&server.place, "numbers", "seq 300000");
    let expected: String = (1..=300_000).map(|number| format!("{number}\n")).collect();
    assert!(server.call(&library) == expected, "2 MB, byte for byte");
    server.end(&["numbers"]);
}

#[test]
fn a_process_that_a_function_leaves_behind_holds_up_nobody_and_is_killed() {
    let server = Server::start(&["--timeout", "1000"]);
    // It keeps stdout open, so the end of the output would never come.
    let library = script(
        &server.place,
        "forks",
        "sleep 1000 & echo $! >child; echo done",
    );
    assert_eq!(server.call(&library), "done\n");
    let child = fs::read_to_string(server.place.path("child")).unwrap();
    if let Ok(child) = Identity::of(child.trim().parse().unwrap()) {
        wait_until_dead(child);
    }
    server.end(&["child", "forks"]);
}

#[test]
fn a_process_that_leaves_the_group_too_holds_up_nobody() {
    if !common::has_tool("setsid") {
        return;
    }
    let server = Server::start(&["--timeout", "1000"]);
    let escape = "setsid sh -c 'echo $$ >new; mv new child; exec sleep 1000' &";
    let body = format!("{escape} while [ ! -s child ]; do :; done; echo done");
    let library = script(&server.place, "escapes", &body);
    assert_eq!(server.call(&library), "done\n");
    // No signal to the group reaches it: the chapter says what would.
    signal("KILL", written_pid(&server, "child").pid.into()).unwrap();
    server.end(&["child", "escapes"]);
}

#[test]
fn a_function_that_closes_its_stdout_is_still_waited_for() {
    let server = Server::start(&[]);
    let library = script(
        &server.place,
        "closes",
        "echo out; exec >&-; sleep 0.1; echo later >file",
    );
    assert_eq!(server.call(&library), "out\n");
    assert_eq!(
        fs::read_to_string(server.place.path("file")).unwrap(),
        "later\n"
    );
    server.end(&["closes", "file"]);
}

#[test]
fn c_functions_fail_in_their_own_ways_and_share_nothing() {
    if !common::has_tool("cc") {
        return;
    }
    let place = Place::new();
    let source = r#"
        #include <stdio.h>
        #include <stdlib.h>
        #include <unistd.h>
        static int calls;
        void count(void) { printf("%d", ++calls); }
        void leaves(void) { printf("left"); exit(4); }
        void null(void) { printf("before"); *(volatile int *)0 = 1; }
        void aborts(void) { printf("before"); abort(); }
        int down(volatile char *p) { char deep[4096]; deep[0] = *p; return down(deep) + deep[0]; }
        void deep(void) { char c = 1; printf("before"); down(&c); }
        void forks(void) { printf("one "); if (fork() == 0) { pause(); } printf("two"); }
        void closes(void) { printf("out"); fclose(stdout); close(1); }
    "#;
    let library = c_library(&place, "c.so", source);
    let server = Server::start_in(place, &[c_runtime()]);
    for (function, output) in [
        ("count", "1"),
        ("count", "1"),
        ("leaves", "left"),
        ("null", "before"),
        ("aborts", "before"),
        ("deep", "before"),
        ("forks", "one two"),
        ("closes", "out"),
        ("count", "1"),
    ] {
        assert_eq!(
            server.call(format!("{library} {function}")),
            output,
            "{function}"
        );
    }
    server.end(&["c.so"]);
}

#[test]
fn a_function_that_leaves_its_own_group_is_killed_all_the_same() {
    if !common::has_tool("cc") {
        return;
    }
    let place = Place::new();
    let source = r#"
        #include <stdio.h>
        #include <unistd.h>
        void run(void) { printf("%d\n", setpgid(0, getpgid(getppid()))); pause(); }
    "#;
    let library = c_library(&place, "leaves.so", source);
    let server = Server::start_in(place, &[c_runtime(), "--timeout", "1"]);
    let output = server.call(&library);
    assert!(
        output.starts_with("0\nError: "),
        "it left, and was killed: {output:?}"
    );
    server.end(&["leaves.so"]);
}

#[test]
fn a_client_that_leaves_before_its_answer_leaves_no_output() {
    let mut server = Server::start(&[]);
    let library = script(
        &server.place,
        "waits",
        "echo out; while [ ! -e go ]; do sleep 0.01; done",
    );
    let stream = server.send(&library);
    wait_until("the function runs", || !functions(&server).is_empty());
    // Closing would not do: what another test is just starting has all our descriptors, for a moment.
    stream.shutdown(Shutdown::Both).unwrap();
    fs::write(server.place.path("go"), "").unwrap();
    server.says("client 1 left before its answer");
    server.end(&["go", "waits"]);
}

#[test]
fn a_half_close_is_no_leaving() {
    let server = Server::start(&[]);
    let library = script(
        &server.place,
        "waits",
        "while [ ! -e go ]; do sleep 0.01; done; echo out",
    );
    let mut stream = server.send(&library);
    stream.shutdown(Shutdown::Write).unwrap();
    fs::write(server.place.path("go"), "").unwrap();
    let path = lambda::answer(&mut stream);
    assert_eq!(fs::read_to_string(&path).unwrap(), "out\n");
    fs::remove_file(path).unwrap();
    server.end(&["go", "waits"]);
}

#[test]
fn functions_do_not_outlive_a_server_that_is_killed() {
    let server = Server::start(&["--timeout", "1000"]);
    let library = script(
        &server.place,
        "stays",
        "echo $$ >new; mv new pid; exec sleep 1000",
    );
    let _stream = server.send(&library);
    wait_until("the function runs", || server.place.path("pid").exists());
    let function = written_pid(&server, "pid");
    wait_until("the watchdog knows of it", || lambda::all_sleep(&server));
    signal("KILL", server.program.pid()).unwrap(); // and to none of its children
    wait_until_dead(function);
}

#[test]
fn functions_do_not_outlive_a_server_that_is_killed_while_it_starts_them() {
    let killed: Vec<Place> = (0..5).map(|_| kill_amid_starts()).collect();
    for place in killed {
        wait_until("all its processes are dead", || {
            place.processes().is_empty()
        });
    }
}

fn kill_amid_starts() -> Place {
    let Server { place, program } = Server::start(&["--timeout", "1000"]);
    let library = script(&place, "stays", ": >runs; exec sleep 100");
    let socket = place.path("lambda.sock");
    let ask = |_| {
        let mut stream = lambda::connect(&socket);
        stream.write_all(library.as_bytes()).unwrap();
        stream
    };
    let _crowd: Vec<_> = (0..20).map(ask).collect();
    wait_until("the first function runs", || place.path("runs").exists());
    signal("KILL", program.pid()).unwrap(); // and to none of its children
    place
}

#[test]
fn without_its_shell_the_watchdog_still_kills() {
    let server = Server::start(&["--timeout", "1"]);
    let library = script(&server.place, "forever", "exec sleep 1000");
    let shell = lambda::children(server.program.pid());
    let shell: i64 = shell[0].split(' ').next().unwrap().parse().unwrap();
    signal("KILL", shell).unwrap();
    assert!(
        server
            .call(&library)
            .contains("was killed: it ran longer than 1 s")
    );
    server.end(&["forever"]);
}
