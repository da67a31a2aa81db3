//! The console blocks, pasted as a reader would, print what the pages show.

use std::path::Path;
use std::thread;

use super::pages::{Page, all_pages};
use crate::common::{self, Place};
use ipc_primer::harness::{Program, Stream};

/// Much of it is waiting, so the pages are read at the same time.
#[test]
fn every_transcript_is_what_the_commands_print() {
    let pages = all_pages();
    thread::scope(|scope| {
        for page in &pages {
            scope.spawn(|| paste_all(page));
        }
    });
}

/// Pastes the blocks of a page, one after the other.
fn paste_all(page: &Page) {
    let terminal = Terminal {
        place: Place::new(),
        page: page.name.clone(),
    };
    let mut open: Option<Background> = None;
    for fence in page.tagged("console") {
        if fence.body.ends_with("\n^C") || fence.body.ends_with("\n$") {
            open.take().into_iter().for_each(Background::end);
            open = Some(terminal.leave_running(&fence.body));
        } else {
            terminal.check(&fence.body);
        }
    }
    open.into_iter().for_each(Background::end);
}

/// The terminals in which the blocks of one page are pasted.
///
/// A block that ends in `^C` is one command in a terminal of its own: it runs while the blocks
/// after it are pasted elsewhere, until the next such block or the end of the page. One that ends in a
/// bare prompt, `$`, does the same, and then ends on its own.
struct Terminal {
    place: Place,
    page: String,
}

struct Background {
    page: String,
    program: Program,
    expected: String,
    ends_itself: bool,
}

impl Terminal {
    fn check(&self, block: &str) {
        for (command, expected) in commands(block) {
            if command.starts_with("cargo ") {
                assert_eq!(
                    expected, "",
                    "{}: cargo is not run here: show no output",
                    self.page
                );
                continue;
            }
            if !common::can_run(&command) {
                continue;
            }
            let mut program = self.start(&command);
            let ended = program.wait();
            ended.unwrap_or_else(|error| panic!("{}: `{command}`: {error}", self.page));
            let printed = program.said(Stream::Stdout);
            assert_eq!(
                printed,
                filled_in(&expected, &printed),
                "{}: `{command}` prints something else",
                self.page
            );
        }
    }

    fn leave_running(&self, block: &str) -> Background {
        let pressed = block.strip_suffix("\n^C");
        let mut commands = commands(pressed.unwrap_or(block.trim_end_matches("\n$")));
        assert_eq!(
            commands.len(),
            1,
            "{}: one command before ^C: {block}",
            self.page
        );
        let (command, expected) = commands.remove(0);
        let mut program = self.start(&format!("exec {command}"));
        program
            .wait_for(Stream::Stdout, expected.lines().next().unwrap_or(""))
            .unwrap();
        Background {
            page: self.page.clone(),
            program,
            expected,
            ends_itself: pressed.is_none(),
        }
    }

    fn start(&self, command: &str) -> Program {
        let ipc = Path::new(env!("CARGO_BIN_EXE_ipc"))
            .parent()
            .unwrap()
            .to_str()
            .unwrap();
        let path = format!("{ipc}:{}", std::env::var("PATH").unwrap_or_default());
        let mut shell = self.place.command("sh");
        shell
            .args(["-c", &format!("exec 2>&1; {command}")])
            .env("PATH", path);
        Program::start(&mut shell).unwrap()
    }
}

impl Background {
    /// Presses Ctrl-C, once all lines are there, unless it ends on its own.
    fn end(mut self) {
        for line in self.expected.lines().skip(1) {
            let start = line.split('…').next().unwrap();
            self.program.wait_for(Stream::Stdout, start).unwrap();
        }
        if !self.ends_itself {
            self.program.signal("INT").unwrap();
        }
        self.program.wait().unwrap();
        let printed = self.program.said(Stream::Stdout);
        assert_eq!(
            printed,
            filled_in(&self.expected, &printed),
            "{}: a command before ^C",
            self.page
        );
    }
}

/// What a page shows, with each line in which a `…` stands for a pid or the like taken from what was
/// printed, if all the rest of that line agrees.
fn filled_in(shown: &str, printed: &str) -> String {
    let mut printed = printed.lines();
    let fill = |line: &str| {
        let candidate = printed.next().unwrap_or_default();
        match line.split_once('…') {
            Some((start, end)) if candidate.starts_with(start) && candidate.ends_with(end) => {
                format!("{candidate}\n")
            }
            _ => format!("{line}\n"),
        }
    };
    shown.lines().map(fill).collect()
}

/// The commands of a block (`$ command`, continued behind a `\`) and the lines each prints.
fn commands(block: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    let mut continued = false;
    for line in block.lines() {
        let last = commands.last_mut();
        match (line.strip_prefix("$ "), last) {
            (Some(command), _) => commands.push((command.to_owned(), String::new())),
            (None, Some((command, _))) if continued => *command += &format!("\n{line}"),
            (None, Some((_, output))) => *output += &format!("{line}\n"),
            (None, None) => panic!("a console block begins without a command: {line}"),
        }
        let (command, output) = commands.last().unwrap();
        continued = output.is_empty() && command.ends_with('\\');
    }
    commands
}
