//! Submissions that would have points for nothing: what the grader promises, and with a user of the program's own,
//! what the kernel holds.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::common::{Place, copy_program, has_tool, names, text, we_are_root};
use crate::grading::{self, ROOT};
use crate::submissions::COLLECTIONS;

const IPC: &str = env!("CARGO_BIN_EXE_ipc");

/// A program that writes full marks where the grader would, and kills the grader.
const FORGER: &str = r#"
echo '{"score": 27}' >"$RESULTS"
parent=$(cut -d ' ' -f 4 /proc/$$/stat)
kill -9 "$parent"
exec sleep 1000
"#;

/// Runs the example for Gradescope on this script; returns the results.
fn gradescope(place: &Place, user: Option<&str>) -> serde_json::Value {
    let autograder =
        fs::read_to_string(format!("{ROOT}/docs/assignments/gradescope/run_autograder"));
    // A script, where a student hands in C.
    let autograder = autograder
        .unwrap()
        .replace("! cc -Wall -Wextra -o server ./*.c", "false");
    fs::create_dir(place.path("submission")).unwrap();
    let server = place.path("submission/server");
    fs::write(&server, format!("#!/bin/sh\n{FORGER}")).unwrap();
    for path in [place.path(""), server] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let autograder = match user {
        Some(_) => autograder.replace("--user", "--timeout 1 --user"),
        None => autograder.replace("--user", "--timeout 5 #"),
    };
    let bin = Path::new(IPC).parent().unwrap().display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = place.command("sh");
    shell
        .args(["-c", &autograder])
        .env("AUTOGRADER", place.path(""))
        .env("RESULTS", place.path("results/results.json"))
        .env("PATH", format!("{bin}:{path}"));
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&fs::read(place.path("results/results.json")).unwrap()).unwrap()
}

#[test]
fn a_grader_that_was_killed_leaves_no_points() {
    let results = gradescope(&Place::new(), None);
    assert_eq!(results["score"], 0, "{results}");
}

#[test]
fn a_program_with_a_user_of_its_own_can_neither_kill_nor_write() {
    if we_are_root() {
        let results = gradescope(&Place::new(), Some("nobody"));
        assert_eq!(results["score"], 0, "{results}");
        let status = &results["tests"][0]["status"];
        assert_eq!(status, "failed", "it was graded: {results}");
    }
}

#[test]
fn only_root_runs_a_program_as_another_user() {
    if we_are_root() {
        let place = Place::unprivileged();
        let words = ["grade", "sum-server", "--user", "nobody", "--", "true"];
        let output = place.run(&words);
        assert_eq!(output.status.code(), Some(3));
        assert!(text(&output.stderr).contains("only root"));
    }
}

/// At once: no grader takes what another's program starts for something that its own has hidden.
#[test]
fn right_programs_get_their_points_as_another_user() {
    if !we_are_root() {
        return;
    }
    let place = Place::new();
    let ipc = place.path("ipc");
    copy_program(IPC.as_ref(), &ipc);
    fs::set_permissions(place.path(""), fs::Permissions::from_mode(0o711)).unwrap();
    let ipc = ipc.to_str().unwrap();
    let checks = [
        ("sum-server", "next-client"),
        ("sum-client", "server-gone"),
        ("copy-sharedmem", "one-receiver"),
        ("lambda-server", "runs"),
    ];
    grading::in_parallel(checks.len(), checks.into_iter(), |(assignment, check)| {
        let mut collections = COLLECTIONS.iter();
        let collection = collections.find(|collection| collection.assignment == assignment);
        let program = [&[ipc], collection.unwrap().own].concat();
        let options = ["--user", "nobody", "--up-to", check];
        let output = grading::grade(&place, assignment, &options, &program);
        assert!(
            output.status.success(),
            "{}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
    });
    place.assert_left(&["ipc"]);
}

#[test]
fn a_process_that_hides_is_found_by_its_user() {
    if !(we_are_root() && has_tool("setsid")) {
        return;
    }
    let place = Place::new();
    fs::set_permissions(place.path(""), fs::Permissions::from_mode(0o711)).unwrap();
    let line = "setsid env -i sleep 1000.875 >/dev/null 2>&1 & exit 0";
    let options = ["--user", "nobody", "--only", "starts"];
    grading::grade(&place, "sum-server", &options, &["sh", "-c", line]);
    for pid in names("/proc".as_ref()) {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        assert!(
            !String::from_utf8_lossy(&line).contains("1000.875"),
            "{pid} still runs"
        );
    }
}

#[test]
fn a_report_replaces_what_the_program_has_put_in_its_place() {
    let place = Place::new();
    let (mine, report) = (place.path("mine"), place.path("report"));
    fs::write(&mine, "mine").unwrap();
    let line = format!("ln -s {} {}", mine.display(), report.display());
    let options = ["--only", "starts", "--output", report.to_str().unwrap()];
    let output = grading::grade(&place, "sum-server", &options, &["sh", "-c", &line]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(mine).unwrap(), "mine");
    assert!(fs::symlink_metadata(&report).unwrap().is_file());
    assert!(
        fs::read_to_string(report)
            .unwrap()
            .contains("FAILS  starts")
    );
}
