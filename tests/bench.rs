//! The bench: every mechanism is measured, in every format; it ends at once when told to, and leaves nothing; and
//! what it says about copies and kernel crossings is counted.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use common::tty::Tty;
use common::{Place, has_tool, text, wait_until};
use ipc_primer::bench::{COPIES, MECHANISMS};
use ipc_primer::harness::{Program, Stream};

/// A few messages of two sizes, and a small file.
const TINY: [&str; 8] = [
    "bench",
    "--count",
    "3",
    "--seconds",
    "0",
    "--sizes=64,1K",
    "--file",
    "64K",
];
/// Messages without end.
const ENDLESS: [&str; 4] = ["bench", "--sizes=64", "--count", "1000000000"];

/// The bench with these words, whose temporary files are in the place, too.
fn bench(place: &Place, words: &[&str]) -> Command {
    let mut command = place.ipc(words);
    command.env("TMPDIR", place.path("."));
    command.stdin(Stdio::null());
    command
}

fn output_of(place: &Place, words: &[&str]) -> String {
    let output = bench(place, words).output().unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "ipc {words:?}: {stderr}");
    assert_eq!(stderr, "", "ipc {words:?}");
    stdout.to_owned()
}

/// Which mechanisms and ways are here, with what is measured of each, at how many sizes or receivers.
fn expected() -> Vec<(&'static str, &'static str, usize)> {
    let mut expected = Vec::new();
    for name in MECHANISMS {
        match name {
            "semaphore" => expected.push((name, "round-trip", 1)),
            _ => expected.extend([(name, "round-trip", 2), (name, "throughput", 2)]),
        }
    }
    for name in COPIES
        .iter()
        .filter(|name| **name != "cp" || has_tool("cp"))
    {
        let one_receiver = *name == "copy-sharedmem-2";
        expected.push((name, "copy", if one_receiver { 1 } else { 2 }));
    }
    expected
}

#[test]
fn every_mechanism_is_measured_and_the_csv_parses() {
    let place = Place::new();
    let csv = output_of(&place, &[&TINY[..], &["--format", "csv"]].concat());
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let rows: Vec<_> = lines.collect();
    let field = |row: &[&str], name: &str| {
        let at = names.iter().position(|known| *known == name).unwrap();
        row[at].to_owned()
    };
    for row in &rows {
        assert_eq!(row.len(), names.len(), "{row:?}");
        let number = |name: &str| field(row, name).parse::<f64>();
        let (min, median) = (number("min_ns").unwrap(), number("median_ns").unwrap());
        assert!(0.0 < min && min <= median, "{row:?}");
        match field(row, "measure").as_str() {
            "round-trip" => assert!(number("p99_ns").unwrap() >= median, "{row:?}"),
            _ => assert!(number("bytes_per_second").unwrap() > 0.0, "{row:?}"),
        }
        assert_eq!(field(row, "rounds"), "1", "{row:?}");
    }
    for (name, measure, count) in expected() {
        let found = rows.iter().filter(|row| row[..2] == [name, measure]);
        assert_eq!(found.count(), count, "{name}, {measure}");
    }
    place.assert_left(&[]);
}

#[test]
fn the_json_says_the_same() {
    let place = Place::new();
    let words = [&TINY[..], &["--only", "pipe,semaphore,cp", "--format=json"]].concat();
    let json: serde_json::Value = serde_json::from_str(&output_of(&place, &words)).unwrap();
    assert!(json["cores"].as_u64().unwrap() > 0);
    assert!(json["warnings"].is_array());
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows[0]["mechanism"], "pipe");
    assert!(rows[0]["median_ns"].as_f64().unwrap() > 0.0);
    assert!(
        rows[0]["bytes_per_second"].is_null(),
        "a round trip has none"
    );
    assert!(rows[1]["bytes_per_second"].as_f64().unwrap() > 0.0);
}

#[test]
fn the_plots_are_well_formed_and_hold_every_line_and_label() {
    let place = Place::new();
    output_of(
        &place,
        &[
            &TINY[..],
            &[
                "--svg",
                "plots",
                "--only=pipe,unix,tcp,semaphore,ring,queue",
            ],
        ]
        .concat(),
    );
    assert_eq!(
        common::names(&place.path("plots")),
        ["latency.svg", "throughput.svg"]
    );
    for name in ["latency", "throughput"] {
        let svg = fs::read_to_string(place.path(&format!("plots/{name}.svg"))).unwrap();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let texts: Vec<_> = document
            .descendants()
            .filter(|node| node.has_tag_name("text"))
            .map(|node| (node.text().unwrap(), node.attribute("fill")))
            .collect();
        for size in ["64 B", "1 KiB"] {
            assert!(
                texts.iter().any(|(text, _)| *text == size),
                "{name}: {size}"
            );
        }
        for mechanism in MECHANISMS
            .iter()
            .filter(|known| name == "latency" || **known != "semaphore")
        {
            let label = texts.iter().find(|(text, _)| text == mechanism);
            let (_, colour) = label.unwrap_or_else(|| panic!("{name}: no label {mechanism}"));
            let line = document
                .descendants()
                .find(|node| node.has_tag_name("polyline") && node.attribute("stroke") == *colour);
            let points = line.unwrap().attribute("points").unwrap();
            assert_eq!(points.split(' ').count(), 2, "{name}: {mechanism}");
            let numbers = points
                .split([' ', ','])
                .map(|number| number.parse::<f64>().unwrap());
            assert!(
                numbers
                    .into_iter()
                    .all(|number| (0.0..760.0).contains(&number)),
                "{points}"
            );
        }
    }
    place.assert_left(&["plots"]);
}

#[test]
fn at_a_terminal_there_are_bars_and_elsewhere_none() {
    let place = Place::new();
    let words = [&TINY[..], &["--only=pipe"]].concat();
    assert!(!output_of(&place, &words).contains('█'));
    let mut terminal = Tty::start(&mut bench(&place, &words));
    assert!(terminal.end().success());
    assert!(terminal.row_with("████").is_some());
}

/// The process IDs of the other processes of a measurement of this mechanism (what starts with other words is
/// `taskset`, which has yet to become one).
fn peers(place: &Place, mechanism: &str) -> Vec<String> {
    let ipc = env!("CARGO_BIN_EXE_ipc");
    let words = format!("{ipc}\0bench\0--peer\0{mechanism}\0");
    let is_peer = |pid: &String| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).starts_with(&words)
    };
    place.processes().into_iter().filter(is_peer).collect()
}

/// Starts the bench, and waits until it measures this mechanism.
fn start_measuring(place: &Place, words: &[&str], mechanism: &str) -> Program {
    let program = Program::start(&mut bench(place, words)).unwrap();
    wait_until("the mechanism is measured", || {
        !peers(place, mechanism).is_empty()
    });
    program
}

/// What a bench makes in `/dev/shm` has its process ID in its name.
#[track_caller]
fn assert_no_segment_is_left(pid: i64) {
    let ours = format!("ipc-bench-{pid:07}-");
    let names = common::names(Path::new("/dev/shm"));
    let left: Vec<_> = names.iter().filter(|name| name.contains(&ours)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn ctrl_c_ends_every_measurement_at_once() {
    let place = Place::new();
    for mechanism in MECHANISMS {
        let words = [&ENDLESS[..], &["--only", mechanism]].concat();
        let mut program = start_measuring(&place, &words, mechanism);
        program.signal("INT").unwrap();
        let status = program.wait().unwrap();
        let said = program.said(Stream::Stderr);
        assert_eq!((status.code(), said.as_str()), (Some(0), ""), "{mechanism}");
        assert!(
            program.said(Stream::Stdout).contains("broken off"),
            "{mechanism}"
        );
        place.wait_until_left();
        assert_no_segment_is_left(program.pid());
    }
}

#[test]
fn ctrl_c_prints_what_is_there() {
    let place = Place::new();
    let words = ["bench", "--seconds=1000", "--sizes=64", "--only=pipe,tcp"];
    let mut program = start_measuring(&place, &words, "tcp");
    program.signal("INT").unwrap();
    assert_eq!(program.wait().unwrap().code(), Some(0));
    let printed = program.said(Stream::Stdout);
    let rows = printed.lines().filter(|line| line.starts_with("    pipe "));
    assert_eq!(rows.count(), 2, "{printed}");
    assert!(printed.contains("warning: broken off"), "{printed}");
}

#[test]
fn ctrl_c_ends_the_making_of_a_large_file() {
    let place = Place::new();
    let words = ["bench", "--only=copy", "--file=4096M"];
    let mut program = Program::start(&mut bench(&place, &words)).unwrap();
    let directory = format!("ipc-bench-{:07}-0000", program.pid());
    let file = place.path(&directory).join("file");
    wait_until("the file is begun", || file.exists());
    program.signal("INT").unwrap();
    let status = program.wait().unwrap();
    let said = program.said(Stream::Stderr);
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
    place.assert_left(&[]);
}

#[test]
fn a_killed_bench_leaves_nothing() {
    let place = Place::new();
    for mechanism in ["unix-datagram", "semaphore", "ring", "queue"] {
        let words = [&ENDLESS[..], &["--only", mechanism]].concat();
        let mut program = start_measuring(&place, &words, mechanism);
        program.signal("KILL").unwrap();
        program.wait().unwrap();
        place.wait_until_left();
        assert_no_segment_is_left(program.pid());
    }
}

#[test]
fn an_end_of_the_other_process_is_an_error_and_no_hang() {
    let place = Place::new();
    for mechanism in MECHANISMS {
        let words = [&ENDLESS[..], &["--only", mechanism]].concat();
        let mut program = start_measuring(&place, &words, mechanism);
        let killed = Command::new("kill")
            .args(["-KILL", &peers(&place, mechanism)[0]])
            .status();
        assert!(killed.unwrap().success());
        common::assert_fails(&mut program, mechanism);
        place.wait_until_left();
    }
}

#[test]
fn both_processes_run_where_they_are_pinned() {
    if !has_tool("taskset") {
        return;
    }
    let place = Place::new();
    let processors = |pid: &str| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let lists = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:\t"));
        lists.unwrap().to_owned()
    };
    let ours = processors("self");
    let first = ours.split([',', '-']).next().unwrap();
    let last = ours.split([',', '-']).next_back().unwrap();
    let pin = format!("--pin={first},{last}");
    let words = [&ENDLESS[..], &["--only=pipe", &pin]].concat();
    let mut program = start_measuring(&place, &words, "pipe");
    assert_eq!(processors(&program.pid().to_string()), first);
    let peer = &peers(&place, "pipe")[0];
    assert_eq!(processors(peer), last);
    program.signal("INT").unwrap();
    assert_eq!(program.wait().unwrap().code(), Some(0));
    let heading = format!("on processors {first} and {last};");
    assert!(program.said(Stream::Stdout).contains(&heading));
}

#[test]
fn wrong_words_are_named() {
    let place = Place::new();
    for (words, says) in [
        (&["--only", "pipes"][..], "nothing of that name"),
        (&["--sizes", "0"], "--sizes"),
        (&["--sizes", "64,8M"], "--sizes"),
        (&["--file", "0"], "--file"),
        (&["--count", "0"], "--count"),
        (&["--pin", "0"], "--pin"),
        (&["--format", "xml"], "--format"),
    ] {
        let output = bench(&place, &[&["bench"], words].concat())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(text(&output.stderr).contains(says), "{words:?}");
    }
    let output = bench(&place, &["bench", "--peer", "pigeon"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
}

/// How many system calls of these names all processes of a run made.
fn calls(place: &Place, mechanism: &str, count: usize, names: &[&str]) -> f64 {
    let count = count.to_string();
    let mut strace = place.command("strace");
    let trace = format!("trace={}", names.join(","));
    strace.args(["-f", "--seccomp-bpf", "-e", &trace, "-c", "-o", "counts"]);
    strace.arg(env!("CARGO_BIN_EXE_ipc"));
    strace.args([
        "bench",
        "--seconds=0",
        "--sizes=64",
        "--only",
        mechanism,
        "--count",
        &count,
    ]);
    let output = strace.env("TMPDIR", place.path(".")).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let counts = fs::read_to_string(place.path("counts")).unwrap();
    let fields = counts
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let of_name = fields.filter(|fields| fields.last().is_some_and(|last| names.contains(last)));
    of_name
        .map(|fields| fields[3].parse::<f64>().unwrap())
        .sum()
}

/// A round trip is two messages, and there is one that goes one way. What a run needs beside them falls out when
/// a shorter run is taken from a longer one.
#[test]
fn a_message_crosses_into_the_kernel_twice_or_never() {
    if !has_tool("strace") {
        return;
    }
    let place = Place::new();
    for (mechanism, expected) in [
        ("pipe", 2.0),
        ("unix-stream", 2.0),
        ("unix-datagram", 2.0),
        ("tcp", 2.0),
        ("ring", 0.0),
        ("queue", 0.0),
    ] {
        let of = |count: usize| calls(&place, mechanism, count, &["read", "write"]);
        let each = (of(330) - of(30)) / 900.0;
        assert!(
            (each - expected).abs() < 0.1,
            "{mechanism}: {each} calls a message"
        );
    }
}
