//! Chapter 10, step by step: an assignment from the list to the points.

mod common;
#[path = "grade/grading.rs"]
mod grading;

use std::fs;
use std::path::Path;

use common::{Place, text};
use grading::ROOT;
use ipc_primer::grade::ASSIGNMENTS;

const SERVER: &[&str] = &[
    env!("CARGO_BIN_EXE_ipc"),
    "sum",
    "server",
    "--socket",
    "{socket}",
];

fn printed(words: &[&str]) -> String {
    let output = Place::new().run(words);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

#[test]
fn step_01_choose_an_assignment_from_the_list() {
    let list = printed(&["grade", "list"]);
    println!("{list}");
    let names: Vec<_> = list
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let expected: Vec<_> = ASSIGNMENTS
        .iter()
        .map(|assignment| assignment.name)
        .collect();
    assert_eq!(names, expected);
}

#[test]
fn step_02_each_has_a_task_a_wire_format_and_checks_with_points() {
    for assignment in ASSIGNMENTS {
        let shown = printed(&["grade", "show", assignment.name]);
        println!("{}: {} lines", assignment.name, shown.lines().count());
        for part in ["## Task", "## The wire", "## Checks", assignment.example] {
            assert!(
                shown.contains(part),
                "{}: {part} is missing",
                assignment.name
            );
        }
        for check in assignment.all_checks() {
            assert!(
                shown.contains(check.about),
                "{}: {}",
                assignment.name,
                check.name
            );
            assert!(
                check.points > 0,
                "{}: {} is worth nothing",
                assignment.name,
                check.name
            );
        }
        let points: u32 = assignment.all_checks().map(|check| check.points).sum();
        assert!(
            shown.contains(&format!("{points}  points")),
            "{}",
            assignment.name
        );
    }
}

#[test]
fn step_03_each_page_says_what_to_begin_with_and_how_to_hand_in() {
    for assignment in ASSIGNMENTS {
        let page = assignment.page;
        let command = format!("ipc grade {} -- {}", assignment.name, assignment.example);
        assert!(
            page.contains(&command),
            "{}: the page does not show `{command}`",
            assignment.name
        );
        assert!(page.contains("<details>"), "{}: no hints", assignment.name);
        let skeleton = page
            .split('`')
            .find(|word| word.starts_with("docs/assignments/skeletons/"));
        let skeleton = skeleton.unwrap_or_else(|| panic!("{}: no skeleton", assignment.name));
        assert!(Path::new(ROOT).join(skeleton).exists(), "{skeleton}");
    }
}

#[test]
fn step_04_a_program_that_holds_gets_all_points() {
    let place = Place::new();
    let output = grading::grade(&place, "sum-server", &[], SERVER);
    println!("{}", text(&output.stdout));
    assert_eq!(output.status.code(), Some(0));
    assert!(
        text(&output.stdout).ends_with("\nsum-server: 21 of 21 checks hold, 27 of 27 points\n")
    );
    place.assert_left(&[]);
}

#[test]
fn step_05_one_check_is_repeated_with_the_same_random_inputs() {
    let place = Place::new();
    if !common::has_tool("socat") {
        return;
    }
    // A server that writes down the first hundred integers, and ends.
    let recorder = |seed: &str, file: &str| {
        let file = place.path(file);
        let listen = "exec socat -u UNIX-LISTEN:\"$IPC_SOCKET\",readbytes=400";
        let line = format!("{listen} CREATE:{}", file.display());
        let options = ["grade", "sum-server", "--only", "random", "--seed", seed];
        place.run(&[&options[..], &["--", "sh", "-c", &line]].concat());
        fs::read(file).unwrap()
    };
    let (once, again, other) = (recorder("1", "a"), recorder("1", "b"), recorder("2", "c"));
    println!("{} bytes of integers came", once.len());
    assert_eq!(once.len(), 400);
    assert_eq!(once, again, "the same seed gives the same inputs");
    assert_ne!(once, other, "and another gives others");
}

#[test]
fn step_06_the_points_are_collected_in_a_file() {
    let place = Place::new();
    let file = place.path("results.json");
    let options = [
        "--only",
        "starts",
        "--format",
        "gradescope",
        "--output",
        file.to_str().unwrap(),
    ];
    let output = grading::grade(&place, "sum-server", &options, SERVER);
    assert_eq!(output.status.code(), Some(0));
    let results: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    println!("{results:#}");
    assert_eq!(results["score"], 1);
    assert_eq!(results["tests"][0]["name"], "starts");
    assert_eq!(results["tests"][0]["status"], "passed");
}
