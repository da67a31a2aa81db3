//! Every assignment is tried: our own programs get full marks, and so do programs in C that do everything
//! right. Each of the wrong submissions makes one mistake, and fails the one check that names it.

mod common;
mod grade;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use common::{Place, has_tool, text};
use grade::{ROOT, assert_golden, failed, normalised};

/// How many submissions are graded at the same time: most of them wait for most of their time.
const AT_ONCE: usize = 12;

/// What makes a submission of a file of `tests/grade/`.
enum Source {
    /// A program in C, and the flags that make of it what the assignment asks for.
    C(&'static str, &'static [&'static str]),
    /// A script around `ipc`, which is told the name of the mistake.
    Script(&'static str),
}

/// The submissions for one assignment.
struct Collection {
    assignment: &'static str,
    /// Our own program, behind `ipc`.
    own: &'static [&'static str],
    source: Source,
    /// The arguments of the program in C.
    words: &'static [&'static str],
    /// Each mistake as the source names it, and the only check that does not hold.
    wrong: &'static [(&'static str, &'static str)],
}

const COLLECTIONS: &[Collection] = &[
    Collection {
        assignment: "sum-server",
        own: &["sum", "server", "--sequential", "--socket", "{socket}"],
        source: Source::C("sum_server.c", &[]),
        words: &["{socket}"],
        wrong: &[
            ("ignores-term", "term"), // takes longest
            ("ignores-the-end", "client-vanishes"),
            ("answers-before-0", "waits-for-0"),
            ("sends-the-text-alone", "frame"),
            ("keeps-the-connection", "closes"),
            ("unsigned-integers", "negative"),
            ("reads-one-integer", "glued"),
            ("reads-4-bytes", "cut"),
            ("looks-for-a-byte-0", "random"),
            ("int-sum", "large-sum"),
            ("adds-what-follows-0", "ignores-the-rest"),
            ("dies-of-sigpipe", "sigpipe"),
            ("takes-ctrl-c-for-a-failure", "ctrl-c"),
            ("forgets-unlink", "unlinks"),
            ("stumbles-over-a-stale-file", "stale"),
            ("forgets-goodbye", "goodbye"),
            ("removes-any-file", "spares-files"),
        ],
    },
    Collection {
        assignment: "sum-server-threaded",
        own: &["sum", "server", "--socket", "{socket}"],
        source: Source::C("sum_server.c", &["-DFORKS"]),
        words: &["{socket}"],
        wrong: &[
            ("keeps-the-connection", "closes"),
            ("never-waits", "zombies"),
            ("serves-one-at-a-time", "two-at-once"),
        ],
    },
    Collection {
        assignment: "sum-client",
        own: &["sum", "client", "--socket", "{socket}"],
        source: Source::C("sum_client.c", &[]),
        words: &["{socket}"],
        wrong: &[
            ("uses-atoi", "ignores-invalid"),
            ("sends-on-after-0", "stops-at-0"),
            ("reads-the-frame-at-once", "frame-in-pieces"),
            ("prints-the-padding", "no-padding"),
            ("sends-0-at-the-end", "end-of-input"),
            ("has-no-handler", "ctrl-c"),
            ("watches-its-user-alone", "server-gone"),
            ("takes-any-frame", "goodbye"),
            ("dies-of-sigpipe", "sigpipe"),
        ],
    },
    Collection {
        assignment: "chat-one-way",
        own: &["chat", "server", "--socket", "{socket}"],
        source: Source::C("chat_server.c", &[]),
        words: &["{socket}"],
        wrong: &[
            ("takes-any-line-for-hello", "anonymous"),
            ("takes-a-read-for-a-line", "glued"),
            ("keeps-the-carriage-return", "crlf"),
            ("prints-what-comes", "escapes"),
            ("at-most-ten", "hundred"),
        ],
    },
    Collection {
        assignment: "chat-two-way",
        own: &["chat", "server", "--two-way", "--socket", "{socket}"],
        source: Source::C("chat_server.c", &["-DTWO_WAY"]),
        words: &["{socket}"],
        wrong: &[
            ("knows-no-numbers", "to-a-number"),
            ("sends-the-unknown-to-all", "unknown"),
            ("ends-with-its-input", "end-of-input"),
            ("waits-for-slow-clients", "stuck-client"),
        ],
    },
    Collection {
        assignment: "chat-client",
        own: &["chat", "client", "--name", "{name}", "--socket", "{socket}"],
        source: Source::C("chat_client.c", &[]),
        words: &["{socket}", "{name}"],
        wrong: &[
            ("tells-its-parent-s-pid", "hello"),
            ("takes-a-read-for-a-line", "glued"),
            ("shows-pieces", "cut"),
            ("prints-what-comes", "escapes"),
            ("dies-of-sigpipe", "sigpipe"),
            ("fails-without-a-code", "no-server"),
        ],
    },
    Collection {
        assignment: "copy-socket-server",
        own: &["copy", "socket", "server", "{file}", "--socket", "{socket}"],
        source: Source::C("copy_server.c", &[]),
        words: &["{file}", "{socket}"],
        wrong: &[
            ("truncates-at-64-kib", "large"),
            ("sends-the-whole-path", "header"),
            ("serves-one-at-a-time", "at-once"),
            ("reads-all-into-memory", "memory"),
            ("refuses-empty-files", "empty"),
        ],
    },
    Collection {
        assignment: "copy-socket-client",
        own: &[
            "copy", "socket", "client", "--output", "{dir}", "--socket", "{socket}",
        ],
        source: Source::C("copy_client.c", &[]),
        words: &["{socket}", "{dir}"],
        wrong: &[
            ("reads-the-header-at-once", "cut-header"),
            ("ends-names-at-blanks", "name-with-blanks"),
            ("takes-the-end-for-the-files-end", "broken-off"),
            ("trusts-the-name", "stays-in-its-directory"),
            ("overwrites-files", "spares-files"),
            ("forgets-its-part", "ctrl-c-busy"),
            ("refuses-empty-files", "empty"),
        ],
    },
    Collection {
        assignment: "copy-sharedmem",
        own: &["copy", "sharedmem"],
        source: Source::Script("copy_sharedmem.sh"),
        words: &[],
        wrong: &[
            ("refuses-empty-files", "empty"),
            ("puts-it-all-in-memory", "bounded"),
            ("forgets-to-unlink", "leaves-nothing"),
            ("keeps-what-it-has", "sender-killed"),
        ],
    },
    Collection {
        assignment: "signals",
        own: &["signals", "wait"],
        source: Source::C("signals.c", &[]),
        words: &[],
        wrong: &[
            ("ignores-hup", "hup"),
            ("exits-in-the-handler", "says-so"),
            ("handles-pipe", "pipe"),
            ("handles-usr2", "leaves-alone"),
            ("blocks-alrm", "blocks-nothing"),
            ("quits-at-the-second", "burst"),
        ],
    },
    Collection {
        assignment: "queue",
        own: &["queue"],
        source: Source::Script("queue.sh"),
        words: &[],
        wrong: &[
            ("reverses-priorities", "priority"),
            ("cuts-long-messages", "too-long"),
            ("makes-it-anew", "existing"),
            ("forgets-the-exit-code", "full"),
            ("unlinks-nothing", "unlink"),
        ],
    },
    Collection {
        assignment: "lambda-server",
        own: &[
            "lambda",
            "server",
            "--socket",
            "{socket}",
            "--output-dir",
            "{dir}",
        ],
        source: Source::C("lambda_server.c", &[]),
        words: &["{socket}", "{dir}"],
        wrong: &[
            ("sends-a-newline", "path"),
            ("knows-no-default", "default-function"),
            ("waits-for-a-newline", "message-ends"),
            ("ignores-the-exit-status", "not-a-function"),
            ("output-for-all", "files-of-their-own"),
            ("inherits-stdin", "stdin"),
            ("answers-good-ends-only", "crash"),
        ],
    },
];

#[test]
fn every_assignment_has_wrong_submissions() {
    let tried: Vec<_> = COLLECTIONS
        .iter()
        .map(|collection| collection.assignment)
        .collect();
    let all: Vec<_> = ipc_primer::grade::ASSIGNMENTS
        .iter()
        .map(|assignment| assignment.name)
        .collect();
    assert_eq!(tried, all);
    let mut kept: Vec<_> = COLLECTIONS
        .iter()
        .flat_map(|collection| {
            collection
                .wrong
                .iter()
                .map(|(mistake, _)| golden(collection, mistake))
        })
        .collect();
    kept.sort();
    assert_eq!(
        common::names(&Path::new(ROOT).join("tests/grade/golden")),
        kept
    );
}

#[test]
fn our_own_programs_get_full_marks() {
    in_parallel(COLLECTIONS.iter(), |collection| {
        let program = [&[env!("CARGO_BIN_EXE_ipc")], collection.own].concat();
        assert_full_marks(&Place::new(), collection.assignment, &program, &[]);
    });
}

#[test]
fn right_programs_in_c_get_full_marks() {
    let in_c = |collection: &&Collection| matches!(collection.source, Source::C(..));
    if has_tool("cc") {
        in_parallel(COLLECTIONS.iter().filter(in_c), |collection| {
            let place = Place::new();
            let program = collection.program(&place, None);
            assert_full_marks(&place, collection.assignment, &words(&program), &["right"]);
        });
    }
}

#[test]
fn each_wrong_submission_fails_the_check_that_names_its_mistake() {
    let all = COLLECTIONS.iter().flat_map(|collection| {
        let runs = matches!(collection.source, Source::Script(_)) || has_tool("cc");
        let wrong = collection.wrong.iter().filter(move |_| runs);
        wrong.map(move |wrong| (collection, wrong))
    });
    in_parallel(all, |(collection, (mistake, check))| {
        let place = Place::new();
        let program = collection.program(&place, Some(mistake));
        let before = place.files();
        let output = grade::grade(
            &place,
            collection.assignment,
            &["--timeout", "2"],
            &words(&program),
        );
        let report = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{mistake}: {report}");
        assert_eq!(failed(report), [*check], "{mistake}: {report}");
        assert_golden(&golden(collection, mistake), &normalised(report, &place));
        assert_eq!(place.files(), before, "{mistake}");
    });
}

impl Collection {
    /// The program and its arguments, with a mistake or without one.
    fn program(&self, place: &Place, mistake: Option<&str>) -> Vec<String> {
        let own = |name: &str| format!("{ROOT}/tests/grade/{name}");
        let (mut program, words) = match self.source {
            Source::C(file, flags) => {
                (vec![compile(place, &own(file), flags, mistake)], self.words)
            }
            Source::Script(file) => {
                let ipc = env!("CARGO_BIN_EXE_ipc").to_owned();
                let mistake = mistake.unwrap_or_default().to_owned();
                (vec!["sh".to_owned(), own(file), ipc, mistake], self.words)
            }
        };
        program.extend(words.iter().map(|word| word.to_string()));
        program
    }
}

fn compile(place: &Place, file: &str, flags: &[&str], mistake: Option<&str>) -> String {
    let program: PathBuf = place.path(mistake.unwrap_or("right"));
    let mut cc = Command::new("cc");
    cc.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-o"])
        .arg(&program);
    if let Some(mistake) = mistake {
        cc.arg(format!("-D{}", mistake.to_uppercase().replace('-', "_")));
    }
    let compiled = cc.args(flags).arg(file).output().unwrap();
    assert!(
        compiled.status.success(),
        "{mistake:?}: {}",
        text(&compiled.stderr)
    );
    program.into_os_string().into_string().unwrap()
}

fn golden(collection: &Collection, mistake: &str) -> String {
    format!("{}.{mistake}.txt", collection.assignment)
}

fn words(program: &[String]) -> Vec<&str> {
    program.iter().map(String::as_str).collect()
}

#[track_caller]
fn assert_full_marks(place: &Place, assignment: &str, program: &[&str], left: &[&str]) {
    let output = grade::grade(place, assignment, &[], program);
    let report = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{report}{}",
        text(&output.stderr)
    );
    let last = report.lines().last().unwrap_or_default();
    let number_before = |words: &str| {
        last.split(words)
            .next()
            .and_then(|start| start.rsplit(' ').next())
    };
    assert_eq!(
        number_before(" of "),
        number_before(" checks hold"),
        "{last}"
    );
    assert_eq!(failed(report), [""; 0], "{report}");
    place.assert_left(left);
}

/// A few at a time.
fn in_parallel<T: Send>(all: impl Iterator<Item = T> + Send, assert_one: impl Fn(T) + Sync) {
    let left = Mutex::new(all);
    let next = || left.lock().unwrap().next();
    let work = || {
        while let Some(one) = next() {
            assert_one(one);
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
}
