//! A right program gets the same points however often it is graded, and whatever else the machine has to do: our
//! own programs, and programs in C and in Python that were written from the pages.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::common::{Place, has_tool, text};
use crate::grading::{ROOT, failed, grade};
use crate::submissions::COLLECTIONS;

/// The assignment, the program in `tests/grade/right/` or, if it is not there, in `tests/grade/programs/`, with the
/// flags of its compiler, and its words.
pub const RIGHT: &[(&str, &str, &[&str])] = &[
    ("sum-server", "sum_server.c", &["{socket}"]),
    ("sum-server", "sum_server.py", &["{socket}"]),
    ("sum-server-threaded", "sum_server.c -DFORKS", &["{socket}"]),
    ("sum-server-threaded", "sum_server.py", &["{socket}"]),
    ("sum-client", "sum_client.c", &["{socket}"]),
    ("sum-client", "sum_client.py", &["{socket}"]),
    ("chat-one-way", "chat_server.c", &["{socket}"]),
    ("chat-one-way", "chat_server.py", &["{socket}"]),
    ("chat-two-way", "chat_server.c -DTWO_WAY", &["{socket}"]),
    ("chat-two-way", "chat_server.py", &["{socket}", "--two-way"]),
    ("chat-client", "chat_client.c", &["{socket}", "{name}"]),
    ("chat-client", "chat_client.py", &["{socket}", "{name}"]),
    (
        "copy-socket-server",
        "copy_server.c",
        &["{file}", "{socket}"],
    ),
    (
        "copy-socket-server",
        "copy_server.py",
        &["{file}", "{socket}"],
    ),
    (
        "copy-socket-client",
        "copy_client.c",
        &["{socket}", "{dir}"],
    ),
    (
        "copy-socket-client",
        "copy_client.py",
        &["{socket}", "{dir}"],
    ),
    ("copy-sharedmem", "copy_sharedmem.c", &[]),
    ("copy-sharedmem", "copy_sharedmem.py", &[]),
    ("signals", "signals.c", &[]),
    ("signals", "signals.py", &[]),
    ("signals", "signals.bash", &[]),
    ("queue", "message_queue.c", &[]),
    ("queue", "message_queue.py", &[]),
    ("lambda-server", "lambda_server.c", &["{socket}", "{dir}"]),
    ("lambda-server", "lambda_server.py", &["{socket}", "{dir}"]),
];

/// The command that runs a right program, compiled in this place if need be; none where its language is missing.
pub fn program(place: &Place, source: &str, words: &[&str]) -> Option<Vec<String>> {
    let mut flags = source.split(' ');
    let file = flags.next().unwrap();
    let beside = |folder: &str| Path::new(ROOT).join("tests/grade").join(folder).join(file);
    let right = [beside("right"), beside("programs")];
    let path = right.iter().find(|path| path.exists()).unwrap();
    let path = path.display().to_string();
    let (tool, mut command) = match path.rsplit('.').next() {
        Some("py") => ("python3", vec!["python3".into(), "-B".into(), path]),
        Some("bash") => ("bash", vec!["bash".into(), path]),
        _ => ("cc", vec![compile(place, &path, flags)]),
    };
    command.extend(words.iter().map(|&word| word.to_owned()));
    has_tool(tool).then_some(command)
}

fn compile<'a>(place: &Place, path: &str, flags: impl Iterator<Item = &'a str>) -> String {
    let mut cc = Command::new("cc");
    cc.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-o"]);
    let compiled = cc.arg(place.path("program")).arg(path).args(flags).output();
    if let Ok(compiled) = compiled {
        assert!(
            compiled.status.success(),
            "{path}: {}",
            text(&compiled.stderr)
        );
    }
    place.path("program").display().to_string()
}

#[test]
#[ignore = "grades 37 programs again and again beside four busy loops, for minutes"]
fn a_right_program_gets_full_marks_every_time_beside_busy_loops() {
    let times = std::env::var("STEADY").map_or(3, |times| times.parse().unwrap());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop()
                }
            });
        }
        let lost = all_lost(times);
        done.store(true, Ordering::Relaxed);
        assert!(lost.is_empty(), "{}", lost.join("\n"));
    });
}

/// What right programs lost, each graded so many times.
fn all_lost(times: usize) -> Vec<String> {
    let ipc = env!("CARGO_BIN_EXE_ipc");
    let own = COLLECTIONS.iter().map(|collection| {
        let words = [&[ipc], collection.own].concat();
        let words = words.iter().map(|&word| word.to_owned()).collect();
        (collection.assignment, "ours", Some(words))
    });
    let places: Vec<_> = RIGHT.iter().map(|_| Place::new()).collect();
    let right = RIGHT.iter().zip(&places);
    let right = right.map(|((assignment, source, words), place)| {
        (*assignment, *source, program(place, source, words))
    });
    let all = own.chain(right);
    all.filter_map(|(assignment, source, words)| lost(assignment, source, &words?, times))
        .collect()
}

fn lost(assignment: &str, source: &str, words: &[String], times: usize) -> Option<String> {
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let lost: Vec<_> = (0..times)
        .filter_map(|_| {
            let output = grade(&Place::new(), assignment, &[], &words);
            (!output.status.success()).then(|| text(&output.stdout).to_owned())
        })
        .collect();
    let failed: Vec<_> = lost.iter().flat_map(|report| failed(report)).collect();
    let count = times - lost.len();
    println!("{assignment}, {source}: full marks {count} times of {times} {failed:?}");
    (!lost.is_empty()).then(|| format!("{assignment}, {source}: {}", lost[0]))
}
