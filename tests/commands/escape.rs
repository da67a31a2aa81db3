//! Bytes from strangers, wherever a command shows them: no terminal and no report gets them raw.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::common::lambda::script;
use crate::common::queueing::Name;
use crate::common::tty::Tty;
use crate::common::{Place, assert_succeeds, text};
use ipc_primer::harness::Stream::Stderr;
use ipc_primer::stop::StopToken;
use ipc_primer::tour;

/// What a stranger may use as a name: an ESC, a C1 control, an override of direction, a joiner, a soft
/// hyphen, two letters that look blank, an emoji's selector, a tag, and a way back to the line's start.
const HOSTILE: &str =
    "a\u{1b}[2J\u{9b}31m\u{202e}\u{200d}\u{ad}\u{3164}\u{2800}\u{fe0f}\u{e0041}\rz";
/// The same as it is to be shown.
const SHOWN: &str =
    r"a\u{1b}[2J\u{9b}31m\u{202e}\u{200d}\u{ad}\u{3164}\u{2800}\u{fe0f}\u{e0041}\rz";

/// Fails if one of the hostile characters stands in what was shown.
#[track_caller]
fn assert_harmless(what: &str, output: &str) {
    let plain = |letter: char| letter.is_ascii_graphic() || " \n".contains(letter);
    let hostile = |letter: &char| HOSTILE.contains(*letter) && !plain(*letter);
    let found = output.chars().find(hostile);
    assert_eq!(found, None, "{what} shows it raw: {output:?}");
}

/// Fails unless what was shown is harmless, and has the hostile text in it.
#[track_caller]
fn assert_shown(what: &str, output: &str) {
    assert_harmless(what, output);
    assert!(output.contains(SHOWN), "{what} does not show it: {output}");
}

/// A server that says `answer` to one client.
fn answer_one(path: &Path, answer: impl Into<Vec<u8>>) -> JoinHandle<()> {
    let (listener, answer) = (UnixListener::bind(path).unwrap(), answer.into());
    thread::spawn(move || {
        let mut client = listener.accept().unwrap().0;
        client.write_all(&answer).unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = client.read_to_end(&mut Vec::new());
    })
}

/// What the command shows on a terminal.
fn on_terminal(command: &mut Command) -> String {
    let mut tty = Tty::start(command);
    tty.end();
    tty.rows().join("\n")
}

#[test]
fn errors_name_what_they_are_about_and_show_it_escaped() {
    let place = Place::new();
    let queue = format!("/{HOSTILE}");
    let below = format!("none/{HOSTILE}");
    for words in [
        &[HOSTILE][..],
        &["sum", HOSTILE],
        &["sum", "server", HOSTILE],
        &["sum", "server", "--max-clients", HOSTILE],
        &["sum", "client", "--socket", HOSTILE],
        &["chat", "server", "--socket", &below],
        &["copy", "socket", "server", HOSTILE],
        &["copy", "socket", "client", "--socket", HOSTILE],
        &["copy", "sharedmem", "sender", HOSTILE, "--receivers", "1"],
        &[
            "copy",
            "sharedmem",
            "receiver",
            "--wait",
            "0",
            "--name",
            HOSTILE,
        ],
        &["copy", "race", HOSTILE],
        &["signals", "send", HOSTILE, "1"],
        &["queue", "create", HOSTILE],
        &["queue", "info", &queue],
        &["queue", "unlink", &queue],
        &["lambda", "invoke", "f", "--socket", HOSTILE],
        &["lambda", "server", "--output-dir", &below],
        &["grade", "show", HOSTILE],
        &["tour", HOSTILE],
    ] {
        let output = place.run(words);
        assert_shown(&format!("ipc {words:?}"), text(&output.stderr));
        assert!(!output.status.success(), "ipc {words:?}");
    }
}

#[test]
fn names_of_copied_files_are_shown_escaped() {
    let place = Place::new();
    fs::write(place.path(HOSTILE), "text").unwrap();
    let ring = format!("escape-{}", std::process::id());
    for (side, sender, ready, receiver) in [
        (
            "socket",
            &["copy", "socket", "server", HOSTILE, "--peers", "1"][..],
            "listening on",
            &["copy", "socket", "client", "--output", "socket"][..],
        ),
        (
            "ring",
            &[
                "copy",
                "sharedmem",
                "sender",
                HOSTILE,
                "--receivers",
                "1",
                "--name",
                &ring,
            ],
            "sending as",
            &[
                "copy",
                "sharedmem",
                "receiver",
                "--name",
                &ring,
                "--output",
                "ring",
            ],
        ),
    ] {
        fs::create_dir(place.path(side)).unwrap();
        let mut sender = place.start(sender);
        sender.wait_for(Stderr, ready).unwrap();
        let mut receiver = place.start(receiver);
        assert_succeeds(&mut receiver);
        assert_shown(side, &receiver.said(Stderr));
        assert_succeeds(&mut sender);
        assert!(
            place.path(side).join(HOSTILE).exists(),
            "the name itself stays"
        );
    }
}

#[test]
fn what_is_no_header_is_shown_escaped() {
    let place = Place::new();
    for header in [format!("{HOSTILE}\n"), format!("FILE 0 {HOSTILE}/..\n")] {
        let server = answer_one(&place.path("copy.sock"), header);
        let output = place.run(&["copy", "socket", "client"]);
        assert_shown("ipc copy socket client", text(&output.stderr));
        server.join().unwrap();
        fs::remove_file(place.path("copy.sock")).unwrap();
    }
}

#[test]
fn input_that_is_no_integer_is_shown_escaped() {
    let place = Place::new();
    let mut server = place.start(&["sum", "server"]);
    server.wait_for(Stderr, "listening on").unwrap();
    let mut client = place.start(&["sum", "client"]);
    client.say(HOSTILE).unwrap();
    client.say(r#"it's "1" \2"#).unwrap();
    client.say("0").unwrap();
    assert_succeeds(&mut client);
    assert_shown("ipc sum client", &client.said(Stderr));
    let plain = r#""it's "1" \2" is not a 32-bit integer"#;
    assert!(
        client.said(Stderr).contains(plain),
        "{}",
        client.said(Stderr)
    );
    server.signal("TERM").unwrap();
    assert_succeeds(&mut server);
}

#[test]
fn chat_shows_words_of_both_sides_escaped() {
    let place = Place::new();
    let server = answer_one(&place.path("chat.sock"), format!("{HOSTILE}\n"));
    let output = place.run(&["chat", "client"]);
    server.join().unwrap();
    assert_shown("ipc chat client", text(&output.stdout));
}

#[test]
fn messages_are_escaped_on_a_terminal_and_nowhere_else() {
    let plain = r#"it's "quoted" C:\dir"#;
    for (message, shown) in [
        (plain.as_bytes(), plain),
        (HOSTILE.as_bytes(), SHOWN),
        (b"two\nlines, \xff", r"two\nlines, \xff"),
    ] {
        let (place, name) = (Place::new(), Name::new("escape"));
        let queue = name.create(2, 100);
        queue.send(message, 0).unwrap();
        queue.send(message, 0).unwrap();
        let words = ["queue", "receive", &name.0];
        assert_eq!(on_terminal(&mut place.ipc(&words)), shown);
        assert_eq!(place.run(&words).stdout, [message, b"\n"].concat());
    }
}

#[test]
fn names_of_queues_are_listed_escaped() {
    let name = Name(format!("/test-escape-{}-{HOSTILE}", std::process::id()));
    name.create(1, 1);
    let output = Place::new().run(&["queue", "list"]);
    assert_shown("ipc queue list", text(&output.stdout));
}

#[test]
fn a_lambda_s_answer_is_escaped_on_a_terminal_and_nowhere_else() {
    let place = Place::new();
    let long = "ä".repeat(5000);
    let content = format!("{HOSTILE}\nit's \"plain\" \\\n{long}\nno line end");
    fs::write(place.path(HOSTILE), &content).unwrap();
    let shown = content.replace(HOSTILE, SHOWN);
    for (words, raw, shown) in [
        (
            &["lambda", "invoke", "f"][..],
            &*format!("{HOSTILE}\n"),
            SHOWN,
        ),
        (&["lambda", "invoke", "f", "--show"], &content, &shown),
    ] {
        for terminal in [true, false] {
            let server = answer_one(&place.path("lambda.sock"), HOSTILE);
            let mut command = place.ipc(words);
            match terminal {
                true => assert_eq!(on_terminal(&mut command), shown),
                false => assert_eq!(text(&command.output().unwrap().stdout), raw),
            }
            server.join().unwrap();
            fs::remove_file(place.path("lambda.sock")).unwrap();
        }
    }
}

#[test]
fn reports_show_the_command_line_and_the_program_s_words_escaped() {
    let place = Place::new();
    let script = r#"printf '%s\n' "$1"; printf '%s\n' "$1" >&2"#;
    let program = ["--", "sh", "-c", script, "two\nlines", HOSTILE];
    for format in ["text", "tap", "junit", "gradescope"] {
        let options = ["--timeout", "1", "--only", "starts", "--format", format];
        let words = [&["grade", "sum-server"], &options[..], &program[..]].concat();
        let output = place.run(&words);
        let report = text(&output.stdout);
        assert_harmless(format, report);
        let lines = ["two\\nlines", "stdout |  a\\", "stderr |  a\\"];
        for line in lines.map(|line| match format {
            "gradescope" => line.replace('\\', r"\\"),
            _ => line.to_owned(),
        }) {
            assert!(report.contains(&line), "{line} is not in {report}");
        }
    }
}

#[test]
fn the_tour_shows_what_its_programs_say_escaped() {
    let place = Place::new();
    let program = script(&place, "ipc", &format!("printf '%s\\n' '{HOSTILE}'"));
    let scene = tour::scenes().find(|scene| scene.chapter == "3").unwrap();
    let mut output = Vec::new();
    let manner = tour::Manner {
        terminal: false,
        pace: tour::Pace::Pause(Duration::ZERO),
    };
    tour::play(
        &[scene],
        program.as_ref(),
        manner,
        &mut output,
        &StopToken::new(),
    )
    .unwrap();
    assert_shown("the tour", text(&output));
}
