//! `ipc signals`: wrong words, and processes that are not there or not ours.

use std::io::ErrorKind;
use std::process::{Command, Output, Stdio};

use crate::common::{Place, text, we_are_root};
use ipc_primer::harness::{Program, Stream};
use ipc_primer::signals::{Signal, dispositions, outcome, send};

#[track_caller]
fn assert_fails(run: &Output, code: i32, sentence: &str) {
    let said = text(&run.stderr);
    assert_eq!(run.status.code(), Some(code), "{said}");
    assert!(said.contains(sentence), "{sentence:?} is not in:\n{said}");
    assert!(
        run.stdout.is_empty(),
        "a command that failed printed: {}",
        text(&run.stdout)
    );
}

#[test]
fn each_spelling_of_a_signal_is_understood() {
    for spelling in ["TERM", "SIGTERM", "term", "sigterm", "SigTerm", "15"] {
        let mut process = Program::start(&mut Command::new("cat")).unwrap();
        let pid = process.pid().to_string();
        let run = Place::new().run(&["signals", "send", spelling, &pid]);
        assert!(run.status.success(), "{spelling}: {}", text(&run.stderr));
        let end = outcome(process.wait().unwrap());
        assert_eq!(end.signal(), Some(Signal::TERM), "{spelling}");
    }
}

#[test]
fn an_unknown_signal_is_wrong_usage() {
    let place = Place::new();
    let mut process = Program::start(&mut Command::new("cat")).unwrap();
    let pid = process.pid().to_string();
    for unknown in ["FOO", "", "0", "32", "EXIT", "SIG", "-9", "15x"] {
        let run = place.run(&["signals", "send", unknown, &pid]);
        assert_fails(
            &run,
            2,
            &format!("no standard signal is called {unknown:?}"),
        );
        let run = place.run(&["signals", "raise", unknown]);
        assert_fails(&run, 2, "`ipc signals list` lists them");
    }
    process.say("untouched").unwrap();
    process.wait_for(Stream::Stdout, "untouched").unwrap();
}

/// With a signal that would do no harm, should it ever be sent after all.
#[test]
fn what_means_a_group_of_processes_is_refused() {
    let place = Place::new();
    for group in ["0", "-1", "-0", "-4711", "99999999999"] {
        assert_fails(
            &place.run(&["signals", "send", "CHLD", group]),
            2,
            "is no PID",
        );
        assert_fails(&place.run(&["signals", "show", group]), 2, "is no PID");
    }
    for word in ["abc", "", "1.5", "0x10", "--", "$$"] {
        let run = place.run(&["signals", "send", "CHLD", word]);
        assert_eq!(
            run.status.code(),
            Some(2),
            "{word:?}: {}",
            text(&run.stderr)
        );
    }
    for pid in [0, -1, i64::MIN, i64::MAX] {
        let kinds = [
            send(pid, Signal::CHLD).unwrap_err(),
            dispositions(pid).unwrap_err(),
        ];
        assert_eq!(
            kinds.map(|error| error.kind()),
            [ErrorKind::InvalidInput; 2],
            "{pid}"
        );
    }
}

/// The kernel's highest PID is 4194304, so nobody can be hit.
#[test]
fn a_process_that_does_not_exist_is_named() {
    let nobody = i32::MAX;
    let (place, pid) = (Place::new(), nobody.to_string());
    let sentence = format!("there is no process {pid}");
    assert_fails(&place.run(&["signals", "send", "TERM", &pid]), 1, &sentence);
    assert_fails(&place.run(&["signals", "show", &pid]), 1, &sentence);
    let error = send(nobody.into(), Signal::TERM).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

/// Only root can have a child and be another user to it.
#[test]
fn a_process_that_is_not_ours_is_refused() {
    if !we_are_root() {
        return println!("skipped: only root can become another user");
    }
    let mut process = Program::start(&mut Command::new("cat")).unwrap();
    let pid = process.pid().to_string();
    let run = Place::unprivileged().run(&["signals", "send", "TERM", &pid]);
    assert_fails(&run, 1, &format!("process {pid} is not ours"));
    process.say("untouched").unwrap();
    process.wait_for(Stream::Stdout, "untouched").unwrap();
}

#[test]
fn words_too_few_and_too_many_are_wrong_usage() {
    let place = Place::new();
    for (words, sentence) in [
        (&["signals"][..], "needs to be told what to do"),
        (&["signals", "fly"], "has no command \"fly\""),
        (&["signals", "send"], "needs a signal"),
        (&["signals", "send", "TERM"], "needs a PID"),
        (&["signals", "raise"], "needs a signal"),
        (
            &["signals", "raise", "INT", "1"],
            "does not know what to do with \"1\"",
        ),
        (
            &["signals", "list", "all"],
            "does not know what to do with \"all\"",
        ),
        (
            &["signals", "lab", "--only", "none"],
            "outcomes, ways and children",
        ),
        (
            &["signals", "wait", "--forever"],
            "does not know what to do with",
        ),
    ] {
        assert_fails(&place.run(words), 2, sentence);
    }
}

#[test]
fn a_wait_can_end_with_its_input() {
    let run = Place::new().run(&["signals", "wait", "--until-eof"]);
    assert!(run.status.success());
    assert_eq!(text(&run.stdout), "the input ended and no signal came\n");
}

#[test]
fn a_list_that_nobody_reads_ends_quietly() {
    let place = Place::new();
    let mut list = place.ipc(&["signals", "list"]);
    let mut list = list
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(list.stdout.take());
    let run = list.wait_with_output().unwrap();
    assert!(
        run.status.success() && run.stderr.is_empty(),
        "{}",
        text(&run.stderr)
    );
}
