//! Nothing of a process runs after SIGKILL. What it leaves is gone soon, or at the latest when the same
//! command is started again.

mod common;

use std::fs::{self, File};
use std::path::Path;
use std::process::{self, Command};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use common::{Place, assert_succeeds, names, text, wait_until};
use ipc_primer::copy::s1_race;
use ipc_primer::harness::Stream::Stdout;
use ipc_primer::harness::{Program, signal};
use ipc_primer::shm;

const OBJECTS: &str = "/dev/shm";

/// Kills the process alone, not its group.
fn kill(mut program: Program) {
    signal("KILL", program.pid()).unwrap();
    program.wait().unwrap();
}

fn objects_with(name: &str) -> Vec<String> {
    let mut objects = names(OBJECTS.as_ref());
    objects.retain(|object| object.contains(name));
    objects
}

/// The races of processes that are no more.
fn dead_races() -> Vec<String> {
    let mut races = shm::names("race-").unwrap();
    races.retain(|race| !Path::new("/proc").join(&race["race-".len()..]).exists());
    races
}

/// Races are seen by all; so one test at a time has them.
static RACES: Mutex<()> = Mutex::new(());

#[test]
fn what_killed_races_left_goes_with_the_next() {
    let _alone = RACES.lock();
    let place = Place::new();
    fs::write(place.path("file"), [7; 10_000]).unwrap();
    for moment in 0..12 {
        let program = place.start(&["copy", "race", "--semaphores"]);
        let segment = shm::path(&format!("race-{}", program.pid())).unwrap();
        wait_until("it has a segment", || segment.exists());
        thread::sleep(Duration::from_micros(200 * moment));
        kill(program);
        assert_eq!(dead_races().len(), 1, "the one before is gone");
    }
    assert_succeeds(&mut place.start(&["copy", "race", "file", "--semaphores"]));
    assert_eq!(dead_races(), Vec::<String>::new());
    wait_until("the other processes are gone", || {
        place.processes().is_empty()
    });
    place.assert_left(&["file"]);
}

/// Its maker may live in another PID namespace, where its pid is another process's, or none's.
#[test]
fn a_race_whose_file_is_locked_is_not_taken_for_left_behind() {
    let _alone = RACES.lock();
    let object = shm::path("race-4194304").unwrap(); // more than the kernel's largest pid
    let file = File::create_new(&object).unwrap();
    file.lock().unwrap();
    s1_race::remove_left().unwrap();
    assert!(object.exists(), "a process has it locked");
    drop(file);
    // A process that another test was just starting has all that we had open, for a moment.
    wait_until("no process has it locked, and none has its pid", || {
        s1_race::remove_left().unwrap();
        !object.exists()
    });
}

#[test]
fn an_interrupted_tour_leaves_no_race() {
    let _alone = RACES.lock();
    for moment in 0..12 {
        let place = Place::new();
        let mut command = place.ipc(&["tour", "--only", "copy-race"]);
        let mut tour = Program::start(command.env("TMPDIR", place.path(""))).unwrap();
        tour.wait_for(Stdout, "ipc copy race").unwrap();
        thread::sleep(Duration::from_millis(3 * moment));
        tour.signal("INT").unwrap();
        tour.wait().unwrap();
        assert_eq!(dead_races(), Vec::<String>::new());
        place.assert_left(&[]);
    }
}

/// It has counted, and waits for the second, which was stopped before it had.
#[test]
fn an_interrupted_race_does_not_wait_for_its_second_process() {
    let _alone = RACES.lock();
    let place = Place::new();
    let mut race = place.start(&["copy", "race"]);
    let segment = shm::path(&format!("race-{}", race.pid())).unwrap();
    let joins = |pid: &String| {
        let words = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        words.contains("--join")
    };
    let second = || place.processes().into_iter().find(joins);
    wait_until("it has a second process", || second().is_some());
    signal("STOP", second().unwrap().parse().unwrap()).unwrap();
    race.signal("INT").unwrap();
    assert_succeeds(&mut race);
    assert!(!segment.exists(), "it left {}", segment.display());
    wait_until("the other process is gone", || place.processes().is_empty());
}

/// What is short of grading: one check.
const SHORT: [&str; 4] = ["--only", "empty-message", "--timeout", "60"];

/// Grading, or the tour, of queues, with its files in the place.
fn command(what: &str, place: &Place, checks: &[&str]) -> Command {
    let ipc = env!("CARGO_BIN_EXE_ipc");
    let words = match what {
        "grade" => [&["grade", "queue"], checks, &["--", ipc, "queue"]].concat(),
        _ => vec!["tour", "--only", "message-queue"],
    };
    let mut command = place.ipc(&words);
    command.env("TMPDIR", place.path(""));
    command
}

#[track_caller]
fn assert_ends_well(mut command: Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stdout));
}

/// A shell watches over both, and cleans up after them; but not from the first moment on.
#[test]
fn a_killed_grader_or_tour_leaves_no_queue() {
    let kill_one = |what: &str, moment: u64| {
        let place = Place::new();
        let program = Program::start(&mut command(what, &place, &[])).unwrap();
        let pid = program.pid();
        thread::sleep(Duration::from_millis(40 * moment));
        kill(program);
        assert_ends_well(command(what, &place, &SHORT));
        place.wait_until_left();
        assert_eq!(objects_with(&format!("ipc-{what}-{pid:07}")), [""; 0]);
    };
    thread::scope(|scope| {
        for moment in 1..=5 {
            scope.spawn(move || ["grade", "tour"].map(|what| kill_one(what, moment)));
        }
    });
}

/// Where the shell was killed, too, or there is none.
#[test]
fn what_a_killed_grader_or_tour_left_goes_with_the_next() {
    for what in ["grade", "tour"] {
        let place = Place::new();
        let name = |number| format!("ipc-{what}-{:07}-{number}", process::id());
        let object = |name: &str| shm::path(name).unwrap();
        let make = |name: &str| {
            fs::create_dir(place.path(name)).unwrap();
            fs::write(place.path(name).join("file"), "").unwrap();
            fs::write(object(name), "").unwrap();
            File::open(place.path(name)).unwrap()
        };
        let (left, living, own) = (name("0001"), name("0002"), name("solutions"));
        drop(make(&left));
        let lock = make(&living);
        lock.lock().unwrap();
        drop(make(&own));
        assert_ends_well(command(what, &place, &SHORT));
        place.assert_left(&[&*living, &*own]);
        let stays = [&left, &living, &own].map(|name| object(name).exists());
        for name in [&left, &living, &own] {
            let _ = fs::remove_file(object(name));
        }
        assert_eq!(stays, [false, true, true], "{what}");
    }
}
