//! The book and the code say the same: every excerpt stands in its file, every link leads somewhere
//! on a code host and in rustdoc, every transcript is what the commands really print.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use common::Place;
use ipc_primer::process::{Program, Stream};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const FENCES: &[&str] = &["c", "console", "rust", "rust,ignore", "rust,no_run", "text"];

/// A page of prose, by its path from the root of the project.
struct Page {
    name: String,
    text: String,
}

struct Fence {
    tag: String,
    body: String,
}

impl Page {
    fn read(path: &Path) -> Self {
        let name = path
            .strip_prefix(ROOT)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        Self {
            name,
            text: fs::read_to_string(path).unwrap(),
        }
    }

    fn fences(&self) -> Vec<Fence> {
        let mut fences = Vec::new();
        let mut lines = self.text.lines();
        while let Some(line) = lines.next() {
            let Some(tag) = line.strip_prefix("```") else {
                continue;
            };
            let body: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            fences.push(Fence {
                tag: tag.to_owned(),
                body: body.join("\n"),
            });
        }
        fences
    }

    fn tagged(&self, tag: &str) -> impl Iterator<Item = Fence> {
        self.fences()
            .into_iter()
            .filter(move |fence| fence.tag == tag)
    }

    /// The prose: all that is in no fence and in no `code`.
    fn prose(&self) -> String {
        let outside = |text: &str, mark: &str| -> String { text.split(mark).step_by(2).collect() };
        outside(&outside(&self.text, "```"), "`")
    }

    fn directory(&self) -> PathBuf {
        Path::new(ROOT)
            .join(&self.name)
            .parent()
            .unwrap()
            .to_owned()
    }
}

fn book() -> Vec<Page> {
    let pages = common::files_below(&Path::new(ROOT).join("docs"), "md");
    pages.iter().map(|path| Page::read(path)).collect()
}

fn all_pages() -> Vec<Page> {
    let mut pages = book();
    pages.push(Page::read(&Path::new(ROOT).join("README.md")));
    pages
}

/// The files of `src/guide/`, and what each includes.
fn guide() -> BTreeMap<String, Page> {
    let files = common::files_below(&Path::new(ROOT).join("src/guide"), "rs");
    let included = |page: &Page| -> Option<String> {
        let start = page.text.find("include_str!(\"")? + "include_str!(\"".len();
        let path = page.text[start..].split('"').next()?;
        Some(path.trim_start_matches("../").to_owned())
    };
    let pages = files.iter().map(|path| Page::read(path));
    pages
        .filter_map(|page| Some((included(&page)?, page)))
        .collect()
}

/// The link definitions `[label]: target` among these lines.
fn definitions(lines: impl Iterator<Item = impl AsRef<str>>) -> BTreeMap<String, String> {
    let definition = |line: &str| {
        let (label, target) = line.strip_prefix('[')?.split_once("]: ")?;
        Some((label.to_owned(), target.trim().to_owned()))
    };
    lines.filter_map(|line| definition(line.as_ref())).collect()
}

/// The labels that `[text][label]` links use.
fn used_labels(prose: &str) -> BTreeSet<String> {
    let labels = prose
        .split("][")
        .skip(1)
        .filter_map(|rest| rest.split_once(']'));
    labels.map(|(label, _)| label.to_owned()).collect()
}

#[test]
fn every_fence_is_tagged() {
    for page in all_pages() {
        for fence in page.fences() {
            let known = FENCES.contains(&fence.tag.as_str());
            assert!(
                known,
                "{}: a fence is tagged {:?}, not one of {FENCES:?}",
                page.name, fence.tag
            );
        }
    }
}

#[test]
fn every_excerpt_stands_in_its_file_word_for_word() {
    for page in all_pages() {
        for fence in page.tagged("rust,ignore") {
            let (head, code) = fence.body.split_once('\n').unwrap_or_default();
            let file = head.strip_prefix("// ").unwrap_or_else(|| {
                panic!(
                    "{}: an excerpt does not begin with `// src/file.rs` but {head:?}",
                    page.name
                )
            });
            let source = fs::read_to_string(Path::new(ROOT).join(file))
                .unwrap_or_else(|error| panic!("{}: {file}: {error}", page.name));
            assert!(
                format!("\n{source}").contains(&format!("\n{code}\n")),
                "{}: this does not stand in {file}:\n{code}",
                page.name
            );
        }
    }
}

#[test]
fn every_page_of_the_book_is_a_chapter_of_the_guide() {
    let pages: Vec<_> = book().into_iter().map(|page| page.name).collect();
    let chapters: Vec<_> = guide().into_keys().collect();
    assert_eq!(
        pages, chapters,
        "pages of docs/ and what src/guide/ includes"
    );
}

#[test]
fn every_label_leads_somewhere_on_a_code_host_and_in_rustdoc() {
    let guide = guide();
    for page in book() {
        let on_host = definitions(page.text.lines());
        let chapter = &guide[&page.name];
        let in_rustdoc = definitions(
            chapter
                .text
                .lines()
                .filter_map(|line| line.strip_prefix("//! ")),
        );
        for label in used_labels(&page.prose()) {
            let (name, guide_name) = (&page.name, &chapter.name);
            let target = on_host.get(&label);
            let target = target.unwrap_or_else(|| panic!("{name}: [{label}] has no definition"));
            let outside = target.starts_with("https://");
            let file = page.directory().join(target.split('#').next().unwrap());
            assert!(
                outside || file.exists(),
                "{name}: [{label}] leads to {target}, which is not there"
            );
            let known = outside || in_rustdoc.contains_key(&label);
            assert!(
                known,
                "{guide_name}: [{label}], which {name} uses, has no definition"
            );
        }
    }
}

#[test]
fn no_page_has_a_link_that_is_dead_in_rustdoc() {
    for page in book() {
        let dead = page.prose().contains("](");
        assert!(
            !dead,
            "{}: an inline [text](target) link: use [text][label]",
            page.name
        );
    }
}

#[test]
fn every_inline_link_of_the_readme_leads_to_a_file() {
    let readme = Page::read(&Path::new(ROOT).join("README.md"));
    for rest in readme.text.split("](").skip(1) {
        let target = rest.split(')').next().unwrap();
        let there = target.starts_with("https://") || Path::new(ROOT).join(target).exists();
        assert!(
            there,
            "README.md: a link leads to {target}, which is not there"
        );
    }
}

#[test]
fn every_test_that_a_page_names_exists() {
    let files = common::files_below(&Path::new(ROOT).join("tests"), "rs");
    let sources = common::files_below(&Path::new(ROOT).join("src"), "rs");
    let code: String = files
        .iter()
        .chain(&sources)
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for page in book() {
        for word in page.text.split('`').skip(1).step_by(2) {
            let test = word.starts_with("step_") && code.contains(&format!("fn {word}"));
            assert!(
                test || !word.starts_with("step_"),
                "{}: there is no test {word}",
                page.name
            );
            let file = !word.starts_with("tests/") || Path::new(ROOT).join(word).exists();
            assert!(file, "{}: there is no {word}", page.name);
        }
    }
}

#[test]
fn every_transcript_is_what_the_commands_print() {
    for page in all_pages() {
        let terminal = Terminal {
            place: Place::new(),
            page: page.name.clone(),
        };
        let mut open: Option<Background> = None;
        for fence in page.tagged("console") {
            if fence.body.ends_with("\n^C") {
                open.take().into_iter().for_each(Background::end);
                open = Some(terminal.leave_running(&fence.body));
            } else {
                terminal.check(&fence.body);
            }
        }
        open.into_iter().for_each(Background::end);
    }
}

/// A reader who pastes the blocks of one page.
///
/// A block that ends in `^C` is one command in a terminal of its own: it runs while the blocks
/// after it are pasted elsewhere, until the next such block or the end of the page.
struct Terminal {
    place: Place,
    page: String,
}

struct Background {
    page: String,
    program: Program,
    expected: String,
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
            program.wait().unwrap();
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
        let mut commands = commands(block.strip_suffix("\n^C").unwrap());
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
    /// Presses Ctrl-C, once all lines are there.
    fn end(mut self) {
        for line in self.expected.lines().skip(1) {
            let start = line.split('…').next().unwrap();
            self.program.wait_for(Stream::Stdout, start).unwrap();
        }
        self.program.signal("INT").unwrap();
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
