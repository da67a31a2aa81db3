//! The ladder: what each stage of a scenario lacks, as the grader names it.

use std::fs;
use std::path::Path;
use std::time::Instant;

use crate::common::{Place, is_ignored, text};
use crate::grading::{ROOT, failed, grade, in_parallel};
use ipc_primer::signals::Signal;

struct Ladder {
    /// The chapter that has the table of these rows, and the assignment.
    chapter: &'static str,
    assignment: &'static str,
    /// The command, but for the number of its stage, which goes in place of `N`.
    program: &'static [&'static str],
    /// The checks that fail at each stage.
    fail: &'static [(&'static str, &'static [&'static str])],
}

const LADDERS: &[Ladder] = &[
    Ladder {
        chapter: "docs/03-sum.md",
        assignment: "sum-server",
        program: &["sum", "server", "--stage", "N", "--socket", "{socket}"],
        fail: &[
            (
                "1",
                &[
                    "client-vanishes",
                    "sigpipe",
                    "term",
                    "ctrl-c",
                    "unlinks",
                    "stale",
                    "goodbye",
                ],
            ),
            ("2", &[]),
            ("3", &[]),
            ("4", &[]),
        ],
    },
    Ladder {
        chapter: "docs/03-sum.md",
        assignment: "sum-server-threaded",
        program: &["sum", "server", "--stage", "N", "--socket", "{socket}"],
        fail: &[("2", &["two-at-once"]), ("3", &[]), ("4", &[])],
    },
    Ladder {
        chapter: "docs/03-sum.md",
        assignment: "sum-client",
        program: &["sum", "client", "--stage", "N", "--socket", "{socket}"],
        fail: &[
            (
                "1",
                &["ignores-invalid", "goodbye", "ctrl-c", "server-gone"],
            ),
            ("2", &[]),
        ],
    },
    Ladder {
        chapter: "docs/04-chat.md",
        assignment: "chat-one-way",
        program: &["chat", "server", "--stage", "N", "--socket", "{socket}"],
        fail: &[
            (
                "1",
                &["escapes", "long-line", "term", "ctrl-c", "unlinks", "stale"],
            ),
            ("2", &[]),
        ],
    },
    Ladder {
        chapter: "docs/04-chat.md",
        assignment: "chat-two-way",
        program: &["chat", "server", "--stage", "N", "--socket", "{socket}"],
        fail: &[("3", &["stuck-client"]), ("4", &[])],
    },
    Ladder {
        chapter: "docs/04-chat.md",
        assignment: "chat-client",
        program: &[
            "chat", "client", "--stage", "N", "--name", "{name}", "--socket", "{socket}",
        ],
        fail: &[("1", &["shows", "ctrl-c", "server-gone"]), ("4", &[])],
    },
    Ladder {
        chapter: "docs/05-copy-by-sockets.md",
        assignment: "copy-socket-server",
        program: &[
            "copy", "socket", "server", "{file}", "--stage", "N", "--socket", "{socket}",
        ],
        fail: &[
            ("1", &["ctrl-c-busy", "term", "ctrl-c", "unlinks", "stale"]),
            ("2", &[]),
            ("3", &[]),
        ],
    },
    Ladder {
        chapter: "docs/05-copy-by-sockets.md",
        assignment: "copy-socket-client",
        program: &[
            "copy", "socket", "client", "--stage", "N", "--output", "{dir}", "--socket", "{socket}",
        ],
        fail: &[
            (
                "1",
                &[
                    "broken-off",
                    "stays-in-its-directory",
                    "spares-files",
                    "bad-header",
                    "ctrl-c-busy",
                    "ctrl-c",
                ],
            ),
            ("2", &[]),
            ("3", &[]),
        ],
    },
    Ladder {
        chapter: "docs/06-copy-by-shared-memory.md",
        assignment: "copy-sharedmem",
        program: &["copy", "sharedmem", "--stage", "N"],
        fail: &[
            (
                "2",
                &[
                    "three-receivers",
                    "leaves-nothing",
                    "receiver-killed",
                    "sender-killed",
                    "ctrl-c",
                ],
            ),
            ("3", &[]),
        ],
    },
    Ladder {
        chapter: "docs/08-message-queues.md",
        assignment: "queue",
        program: &["queue", "--stage", "N"],
        fail: &[("1", &["full", "empty", "timeout", "ctrl-c"]), ("2", &[])],
    },
    Ladder {
        chapter: "docs/09-lambda.md",
        assignment: "lambda-server",
        program: &[
            "lambda",
            "server",
            "--stage",
            "N",
            "--socket",
            "{socket}",
            "--output-dir",
            "{dir}",
        ],
        fail: &[
            (
                "1",
                &[
                    "files-of-their-own",
                    "ctrl-c-busy",
                    "term",
                    "ctrl-c",
                    "unlinks",
                    "stale",
                ],
            ),
            ("2", &[]),
            ("3", &[]),
        ],
    },
];

/// How many are graded at the same time. Much of it is waiting for answers that do not come, but a check
/// that holds has its limits too.
const AT_ONCE: usize = 4;

#[test]
#[ignore = "grades for a minute"]
fn each_stage_fails_the_checks_that_name_what_it_lacks() {
    if is_ignored(Signal::INT) {
        return; // the plain stages keep what they inherit
    }
    let stages = |ladder: &'static Ladder| ladder.fail.iter().map(move |fail| (ladder, fail));
    in_parallel(
        AT_ONCE,
        LADDERS.iter().flat_map(stages),
        |(ladder, fail)| {
            ladder.assert_fails(fail.0, fail.1);
        },
    );
}

impl Ladder {
    fn assert_fails(&self, stage: &str, fail: &[&str]) {
        let place = Place::new();
        let words = self.program.iter();
        let words = words.map(|&word| if word == "N" { stage } else { word });
        let program: Vec<_> = [env!("CARGO_BIN_EXE_ipc")]
            .into_iter()
            .chain(words)
            .collect();
        let start = Instant::now();
        let report = grade(&place, self.assignment, &["--timeout", "5"], &program);
        let report = text(&report.stdout);
        let title = format!("{} at stage {stage}", self.assignment);
        println!("{title}: {:.1} s", start.elapsed().as_secs_f32());
        assert_eq!(failed(report), *fail, "{title}:\n{report}");
    }
}

#[test]
fn each_chapter_has_the_table_of_its_stages() {
    for ladder in LADDERS {
        let chapter = fs::read_to_string(Path::new(ROOT).join(ladder.chapter)).unwrap();
        let head = format!(
            "| stage | checks of `{}` that fail |\n|---|---|\n",
            ladder.assignment
        );
        let rows: String = ladder
            .fail
            .iter()
            .map(|(stage, fail)| row(stage, fail))
            .collect();
        let table = head + &rows + "\n";
        assert!(
            chapter.contains(&table),
            "{} lacks this table:\n{table}",
            ladder.chapter
        );
    }
}

fn row(stage: &str, fail: &[&str]) -> String {
    let names: Vec<_> = fail.iter().map(|name| format!("`{name}`")).collect();
    let names = if names.is_empty() {
        "none".into()
    } else {
        names.join(", ")
    };
    format!("| {stage} | {names} |\n")
}
