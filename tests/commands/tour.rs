//! The tour as a visitor meets it.

use std::thread;
use std::time::Duration;

use crate::common::{Place, text};
use ipc_primer::harness::{Program, Stream, signal};

/// The tour with these words, whose temporary files are in the place, too.
fn start(place: &Place, words: &[&str]) -> Program {
    let mut command = place.ipc(&[&["tour"], words].concat());
    Program::start(command.env("TMPDIR", place.path(""))).unwrap()
}

#[test]
fn every_scene_goes_as_expected_and_leaves_nothing() {
    let place = Place::new();
    let output = place
        .ipc(&["tour"])
        .env("TMPDIR", place.path(""))
        .output()
        .unwrap();
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    for scene in ipc_primer::tour::scenes() {
        assert!(
            shown.contains(&format!("{} (chapter", scene.name)),
            "{} was not shown",
            scene.name
        );
    }
    assert!(
        !shown.contains("FAILED") && !shown.contains('\x1b'),
        "{shown}"
    );
    place.assert_left(&[]);
}

/// By SIGKILL, after which nothing of its own can clean up.
#[test]
fn a_tour_that_is_killed_leaves_neither_process_nor_file() {
    thread::scope(|scope| {
        for (scene, line) in [
            ("sum-goodbye", "ipc sum server"),
            ("chat-two-way", "ipc chat server"),
            ("copy-socket", "ipc copy socket server"),
            ("lambda", "ipc lambda server"),
        ] {
            scope.spawn(move || {
                let place = Place::new();
                let mut tour = start(&place, &["--only", scene]);
                tour.wait_for(Stream::Stdout, line).unwrap();
                signal("KILL", tour.pid()).unwrap(); // the tour alone, not its group
                tour.wait().unwrap();
                place.wait_until_left();
            });
        }
    });
}

#[test]
fn a_umask_that_lets_others_write_is_no_obstacle() {
    let place = Place::new();
    let mut shell = place.command("sh");
    let ipc = env!("CARGO_BIN_EXE_ipc");
    shell.args([
        "-c",
        &format!("umask 000; exec {ipc} tour --only socket-file"),
    ]);
    let output = shell.env("TMPDIR", place.path("")).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    place.assert_left(&[]);
}

#[test]
fn one_scene_can_be_chosen_from_the_list() {
    let place = Place::new();
    let list = place.run(&["tour", "--list"]);
    for line in text(&list.stdout).lines() {
        let name = line.split(' ').next().unwrap();
        assert!(
            ipc_primer::tour::scenes().any(|scene| scene.name == name),
            "{line}"
        );
    }
    let output = place.run(&["tour", "--only", "sum-goodbye"]);
    assert!(text(&output.stdout).ends_with("1 of 1 scenes went as expected\n"));
}

#[test]
fn a_tour_in_steps_waits_for_each_line_and_goes_on_at_the_end_of_input() {
    let place = Place::new();
    let mut tour = start(&place, &["--only", "socket-file", "--step"]);
    tour.wait_for(Stream::Stdout, "socket-file (chapter")
        .unwrap();
    for line in ["server 1  starts", "server 1  says", "server 2  starts"] {
        tour.say("").unwrap();
        tour.wait_for(Stream::Stdout, line).unwrap();
    }
    assert_eq!(tour.wait().unwrap().code(), Some(0)); // which ends its input
    place.assert_left(&[]);
}

#[test]
fn a_pause_can_be_chosen_but_not_beside_steps() {
    let place = Place::new();
    let played = place.run(&["tour", "--only", "socket-file", "--pause", "0.001"]);
    assert_eq!(played.status.code(), Some(0), "{}", text(&played.stdout));
    let both = place.run(&["tour", "--step", "--pause", "1"]);
    assert_eq!(both.status.code(), Some(2));
    assert!(text(&both.stderr).contains("--step or --pause, not both"));
}

#[test]
fn a_tour_in_steps_ends_at_ctrl_c() {
    let place = Place::new();
    let mut tour = start(&place, &["--step"]);
    tour.wait_for(Stream::Stdout, "(chapter").unwrap();
    tour.signal("INT").unwrap();
    assert_eq!(tour.wait().unwrap().code(), Some(0));
    place.assert_left(&[]);
}

#[test]
fn an_interrupted_tour_ends_its_actors_and_leaves_nothing() {
    let place = Place::new();
    let mut tour = start(&place, &[]);
    tour.wait_for(Stream::Stdout, "listening on").unwrap();
    tour.signal("INT").unwrap();
    assert_eq!(tour.wait().unwrap().code(), Some(0));
    place.assert_left(&[]);
}

#[test]
fn a_scene_that_does_not_go_as_expected_fails_the_tour() {
    use ipc_primer::{stop::StopToken, tour};
    let scenes: Vec<_> = tour::scenes().take(1).collect();
    let mut shown = Vec::new();
    let manner = tour::Manner {
        terminal: false,
        pace: tour::Pace::Pause(Duration::ZERO),
    };
    // `true` ends at once and says nothing: no server ever listens.
    let held = tour::play(
        &scenes,
        "true".as_ref(),
        manner,
        &mut shown,
        &StopToken::new(),
    )
    .unwrap();
    assert!(!held);
    let shown = text(&shown);
    assert!(
        shown.contains("FAILED") && shown.contains("listening on"),
        "says what was missed: {shown}"
    );
}
