//! What the grader does with programs that do not behave: it says so in words, never hangs, ends all
//! that it started, and leaves nothing behind. The programs are lines of shell.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{self, Place, has_tool, text};
use crate::grading::{self, PROGRAMS, failed};
use ipc_primer::grade::{self, Submission};
use ipc_primer::harness::{LIMIT, Program, Stream, signal};
use ipc_primer::stop::StopToken;

/// For a program that never does what is waited for, however long that may be.
const SHORT: &[&str] = &["--timeout", "0.2"];

/// Grades a line of shell as a sum server, and returns what the report says.
fn report(line: &str, options: &[&str]) -> String {
    let place = Place::new();
    let mark = format!(
        "ipc_grade_test_{}",
        fs::read_link("/proc/thread-self").unwrap().display()
    )
    .replace('/', "_");
    let program = ["sh", "-c", line, &mark, "{socket}"];
    let output = grading::grade(&place, "sum-server", options, &program);
    place.assert_left(&[]);
    assert_none_runs(&mark);
    text(&output.stdout).to_owned()
}

/// Fails if a process that has `mark` on its command line still runs.
#[track_caller]
fn assert_none_runs(mark: &str) {
    for pid in common::names("/proc".as_ref()) {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        assert!(!line.contains(mark), "process {pid} still runs: {line}");
    }
}

#[track_caller]
fn assert_says(report: &str, words: &[&str]) {
    for word in words {
        assert!(report.contains(word), "should say {word:?}: {report}");
    }
}

#[test]
fn a_program_that_is_not_there_is_told_so_once() {
    let place = Place::new();
    let output = grading::grade(&place, "sum-server", &[], &["./no-such-server"]);
    let report = text(&output.stdout);
    assert_says(
        report,
        &[
            "./no-such-server cannot be started: No such file",
            "chmod +x",
        ],
    );
    assert_eq!(failed(report), ["starts"], "the others are not tried");
    assert_says(report, &["0 of 21 checks hold, 0 of 27 points"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_program_that_ends_at_once_is_told_how_it_ended_with_its_own_words() {
    let said = report("echo cannot bind >&2; echo hello; exit 3", &[]);
    assert_says(
        &said,
        &[
            "it ended before it listened",
            "exit code 3",
            "stderr |  cannot bind",
            "stdout |  hello",
        ],
    );
}

#[test]
fn a_program_that_hangs_is_told_so() {
    let said = report("sleep 1000", SHORT);
    assert_says(
        &said,
        &["it runs, but it does not listen", "no listening socket"],
    );
}

#[test]
fn a_program_that_ignores_term_is_killed() {
    let said = report("trap '' TERM INT; while :; do sleep 1000; done", SHORT);
    assert_says(&said, &["it runs, but it does not listen"]);
}

#[test]
fn a_flood_is_bounded_and_named() {
    let start = Instant::now();
    let said = report("yes a line that nobody wants to read", &[]);
    assert_says(
        &said,
        &[
            "it floods its output",
            "stdout |  a line that nobody wants",
            "more lines)",
        ],
    );
    assert!(
        said.len() < 10_000,
        "the report is bounded: {} bytes",
        said.len()
    );
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn control_characters_of_a_program_do_not_reach_the_terminal() {
    let said = report("printf 'red \\033[31m\\007\\n' >&2", &[]);
    assert_says(&said, &["red \\u{1b}[31m\\u{7}"]);
}

/// By SIGKILL, after which nothing of its own can clean up.
#[test]
fn a_grader_that_is_killed_leaves_neither_process_nor_file() {
    let place = Place::new();
    let line = r#"echo "$$" >"$PLACE/started"; sleep 1000"#;
    let mut grader = grading::grader(&place, "sum-server", &[], &["sh", "-c", line]);
    let mut grader = Program::start(grader.env("PLACE", place.path(""))).unwrap();
    let started = place.path("started");
    common::wait_until("the program runs", || started.exists());
    signal("KILL", grader.pid()).unwrap(); // the grader alone, not its group
    grader.wait().unwrap();
    fs::remove_file(started).unwrap();
    place.wait_until_left();
}

#[test]
fn who_leaves_the_process_group_is_ended_too() {
    if has_tool("setsid") {
        // The mark on its command line, `$0`, is looked for by `report`.
        let child = r#"setsid sh -c 'echo >"$1"; sleep 1000; :' "$0" gate >/dev/null 2>&1"#;
        let line = format!(r#"cd "$IPC_DIR"; mkfifo gate; {child} & read begun <gate"#);
        let said = report(&line, &[]);
        assert_says(&said, &["it ended before it listened", "exit code 0"]);
    }
}

#[test]
fn a_program_that_leaves_children_is_told_so() {
    // It does all that is asked of it, but a child of it ignores the signal.
    let ipc = env!("CARGO_BIN_EXE_ipc");
    let line =
        format!("(trap '' TERM INT; exec sleep 1000) & exec {ipc} sum server --socket \"$1\"");
    let said = report(&line, &["--only", "term", "--timeout", "1"]);
    assert_says(
        &said,
        &["FAILS  term", "it left 1 of its processes running: sleep"],
    );
}

#[test]
fn a_program_that_listens_elsewhere_is_told_where() {
    if !has_tool("socat") {
        return;
    }
    let place = Place::new();
    let elsewhere = place.path("elsewhere.sock");
    let elsewhere = elsewhere.to_str().unwrap();
    let unix = format!("exec socat UNIX-LISTEN:{elsewhere} EXEC:cat");
    let tcp = "exec socat TCP-LISTEN:0,bind=127.0.0.1 EXEC:cat";
    let assert_told = |line: &str, place: &str| {
        let said = report(line, &["--only", "starts", "--timeout", "1"]);
        assert_says(&said, &["it listens, but elsewhere", place, "--socket"]);
    };
    thread::scope(|scope| {
        scope.spawn(|| assert_told(&unix, elsewhere));
        assert_told(tcp, "TCP port");
    });
}

#[test]
fn a_right_program_that_never_rests_gets_its_points() {
    // It looks for a client and for bytes again and again, and never waits for them.
    if !has_tool("cc") {
        return;
    }
    let place = Place::new();
    let mut cc = place.command("cc");
    let source = format!("{PROGRAMS}/sum_server.c");
    let compiled = cc.args(["-o", "server", "-DIMPATIENT", &source]).status();
    assert!(compiled.unwrap().success());
    let program = ["./server", "{socket}"];
    let output = grading::grade(&place, "sum-server", &["--only", "ctrl-c"], &program);
    assert_says(text(&output.stdout), &["holds  ctrl-c"]);
    place.assert_left(&["server"]);
}

#[test]
fn a_path_written_into_the_program_is_served_by_an_option() {
    let place = Place::new();
    let path = place.path("mine.sock");
    let path = path.to_str().unwrap();
    let program = [env!("CARGO_BIN_EXE_ipc"), "sum", "server", "--socket", path];
    let output = grading::grade(&place, "sum-server", &["--socket", path], &program);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    place.assert_left(&[]);

    fs::write(place.path("mine.sock"), "a file").unwrap();
    let output = grading::grade(&place, "sum-server", &["--socket", path], &program);
    assert_eq!(output.status.code(), Some(3), "nothing was graded");
    assert_says(text(&output.stderr), &["is not a socket"]);
    place.assert_left(&["mine.sock"]);
}

#[test]
fn placeholders_stand_in_arguments_and_in_the_environment() {
    let place = Place::new();
    let script = place.path("show");
    fs::write(&script, "#!/bin/sh\nfor word in \"$@\" \"$IPC_SOCKET\" \"$IPC_FILE\" \"$IPC_DIR\" \"$IPC_NAME\" \"$MINE\"; do echo \"$word\"; done\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = place.ipc(&[
        "grade",
        "sum-server",
        "--only",
        "starts",
        "--",
        "./show",
        "a b",
        "x{socket}",
        "{file}",
        "{dir}",
        "{name}",
    ]);
    let output = command
        .env("TMPDIR", "/tmp")
        .env("MINE", "at {name}")
        .output()
        .unwrap();
    let report = text(&output.stdout);
    let printed: Vec<_> = report
        .lines()
        .filter_map(|line| line.trim().strip_prefix("stdout |  "))
        .collect();
    assert_eq!(printed[0], "a b");
    assert_eq!(printed[1].strip_prefix('x'), Some(printed[5]));
    assert_eq!(printed[2..5], printed[6..9]);
    assert_eq!(printed[9], format!("at {}", printed[4]));
}

#[test]
fn an_interrupted_grader_ends_what_it_started_and_is_no_success() {
    let place = Place::new();
    let mut command = place.ipc(&[
        "grade",
        "sum-server",
        "--timeout",
        "100",
        "--",
        "sh",
        "-c",
        "touch \"$IPC_DIR/../../started\"; exec sleep 1000.125",
    ]);
    let mut grader = Program::start(command.env("TMPDIR", place.path(""))).unwrap();
    while !place.path("started").exists() {
        thread::yield_now();
    }
    grader.signal("INT").unwrap();
    assert_eq!(
        grader.wait().unwrap().code(),
        Some(3),
        "only a grader that saw every check hold says 0"
    );
    assert!(grader.said(Stream::Stderr).contains("interrupted"));
    place.assert_left(&["started"]);
    assert_none_runs("1000.125");
}

/// Waits for a program, with no end but the interrupt: the check, the program, and how much it has
/// written to `$1` when it is waited for. The last one listens in a session of its own, where the death of
/// its group does not reach it.
const WAITS: &[(&str, &str, &str, usize)] = &[
    (
        "copy-sharedmem",
        "receiver-killed",
        "echo >>\"$1\"; exec sleep 1000.25",
        3,
    ),
    (
        "signals",
        "waits",
        "trap '' TERM; echo >>\"$1\"; exec sleep 1000.25",
        1,
    ),
    (
        "sum-server",
        "glued",
        "setsid sh -c 'sleep 1000.25 | nc -lU \"$IPC_SOCKET\" >\"$1\"' sh \"$1\" & exec sleep 1000.25",
        4,
    ),
];

#[test]
fn every_wait_of_the_grader_ends_with_the_interrupt() {
    for &(name, only, line, written) in WAITS {
        if line.contains("nc") && !(has_tool("setsid") && has_tool("nc")) {
            continue;
        }
        let place = Place::new();
        let log = place.path("log");
        let program = ["sh", "-c", line, "sh", log.to_str().unwrap()];
        let submission = Submission {
            words: program.map(OsString::from).into(),
            socket: None,
            user: None,
            timeout: Duration::from_secs(3600),
            seed: 1,
        };
        let stop = StopToken::new();
        let raiser = stop.clone();
        let (tell, told) = mpsc::channel();
        let grader = thread::spawn(move || {
            let assignment = grade::assignment(name).unwrap();
            let checks: Vec<_> = assignment
                .all_checks()
                .filter(|check| check.name == only)
                .collect();
            let graded = grade::grade(assignment, &checks, &submission, &|_| (), &stop);
            tell.send(graded.map(drop)).unwrap();
        });
        common::wait_until("the program is waited for", || {
            fs::metadata(&log).is_ok_and(|log| log.len() as usize >= written)
        });
        raiser.request_stop();
        let graded = told.recv_timeout(LIMIT).expect("the grader ends");
        assert_eq!(graded.unwrap_err().kind(), ErrorKind::Interrupted, "{name}");
        grader.join().unwrap();
        assert_none_runs("1000.25");
    }
}

#[test]
fn wrong_usage_says_what_is_right() {
    let place = Place::new();
    for (words, says) in [
        (&["grade"][..], "ipc grade list"),
        (&["grade", "sum"], "no assignment \"sum\""),
        (&["grade", "show", "sum"], "no assignment \"sum\""),
        (
            &["grade", "sum-server"],
            "ipc grade sum-server -- ./server {socket}",
        ),
        (&["grade", "sum-server", "./server"], "`--`"),
        (
            &["grade", "sum-server", "--only", "x", "--", "true"],
            "no such check",
        ),
        (
            &["grade", "sum-server", "--timeout", "0", "--", "true"],
            "--timeout",
        ),
        (
            &["grade", "sum-server", "--format", "xml", "--", "true"],
            "tap, junit",
        ),
    ] {
        let output = place.run(words);
        assert_eq!(output.status.code(), Some(2), "ipc {words:?}");
        assert_says(text(&output.stderr), &[says]);
    }
}
