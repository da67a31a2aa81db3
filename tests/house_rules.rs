//! The rules of the house, which no compiler checks: what it depends on, where `unsafe` may stand,
//! and that every arrow points down.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const GROUND: &[&str] = &["harness", "shm", "socket", "stop", "support"];
const SCENARIOS: &[&str] = &["chat", "copy", "lambda", "queue", "signals", "sum"];
const TOP: &[&str] = &["bench", "grade", "tour"];

/// The one file that may hold `unsafe`.
const UNSAFE_FILE: &str = "shm/raw.rs";

/// Every source file below `src/` by its path there, comments taken out.
fn sources() -> BTreeMap<String, String> {
    let src = Path::new(ROOT).join("src");
    let code = |text: String| -> String {
        text.lines()
            .map(|line| line.split("//").next().unwrap_or("").to_owned() + "\n")
            .collect()
    };
    let name = |path: &Path| {
        path.strip_prefix(&src)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    let files = common::files_below(&src, "rs").into_iter();
    files
        .map(|path| (name(&path), code(fs::read_to_string(&path).unwrap())))
        .collect()
}

/// The module that a file belongs to: `sum` for `sum/client.rs` and for `sum.rs`.
fn room(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The modules of this crate that some code names: by `crate::`, or by `super::` from the room's door.
fn arrows(code: &str) -> impl Iterator<Item = &str> {
    let name = |rest: &'_ str| -> usize {
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
        end.unwrap_or(rest.len())
    };
    let named = |from: &'static str| {
        let rests = code.split(from).skip(1);
        rests.map(move |rest| &rest[..name(rest)])
    };
    let rooms = |name: &&str| floor(name).is_some();
    named("crate::").chain(named("super::").filter(rooms))
}

fn floor(room: &str) -> Option<usize> {
    [GROUND, SCENARIOS, TOP]
        .iter()
        .position(|rooms| rooms.contains(&room))
}

#[test]
fn there_are_exactly_three_runtime_dependencies() {
    let manifest = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    let sections: Vec<_> = manifest
        .lines()
        .filter(|line| line.starts_with('[') && line.contains("depend"))
        .collect();
    assert_eq!(
        sections,
        ["[dependencies]", "[dev-dependencies]"],
        "no other kind is allowed"
    );
    let mut lines = manifest
        .lines()
        .skip_while(|line| *line != "[dependencies]")
        .skip(1);
    let names: Vec<_> = lines
        .by_ref()
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name.trim())
        .collect();
    assert_eq!(names, ["ctrlc", "raw_sync", "shared_memory"]);
}

#[test]
fn unsafe_stands_in_one_file_only_and_nothing_is_extern() {
    for (file, code) in sources() {
        let mut words = code.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        let holds_unsafe = words.clone().any(|word| word == "unsafe");
        assert!(
            !holds_unsafe || file == UNSAFE_FILE,
            "src/{file} holds `unsafe`; only src/{UNSAFE_FILE} may"
        );
        assert!(
            words.all(|word| word != "extern"),
            "src/{file} holds an `extern` block"
        );
    }
}

#[test]
fn every_arrow_points_down_and_no_scenario_knows_another() {
    for (file, code) in sources() {
        let from = room(&file);
        let Some(own_floor) = floor(from) else {
            continue;
        };
        let plain = !code.contains("crate::{");
        assert!(
            plain,
            "src/{file}: import from one room a line, for the arrows to be seen"
        );
        for to in arrows(&code).filter(|to| *to != from) {
            let below =
                floor(to).is_some_and(|other| other < own_floor || own_floor == 0 && other == 0);
            assert!(
                below,
                "src/{file} imports crate::{to}: arrows point down only"
            );
        }
    }
}

/// For each file of a folder, the others there that it imports by `super::`. The folder's `mod.rs` stands
/// apart: it declares them all.
fn imports(folder: &str, sources: &BTreeMap<String, String>) -> BTreeMap<String, Vec<String>> {
    let files = sources.iter().filter_map(|(file, code)| {
        let name = file.strip_prefix(folder)?.strip_prefix('/')?;
        let name = name.strip_suffix(".rs")?.trim_end_matches("/mod");
        (!name.contains('/') && name != "mod").then_some((name.to_owned(), code))
    });
    let files: BTreeMap<_, _> = files.collect();
    let named = |code: &str| -> Vec<String> {
        let words = code.split("super::").skip(1);
        let words = words.flat_map(|rest| match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap().split(',').collect(),
            None => vec![rest],
        });
        let name = |word: &str| -> String {
            let letters = word.trim().chars();
            letters
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        };
        let names = words.map(name);
        names.filter(|name| files.contains_key(name)).collect()
    };
    let of = |(name, code): (&String, &&String)| (name.clone(), named(code));
    files.iter().map(of).collect()
}

#[test]
fn no_files_of_a_room_import_each_other_in_a_circle() {
    let sources = sources();
    let folders = sources
        .keys()
        .filter_map(|file| file.strip_suffix("/mod.rs"));
    for folder in folders {
        let mut left = imports(folder, &sources);
        // Take away what imports nothing that is left, until that is all, or only circles are left.
        while let Some(name) = left
            .iter()
            .find(|(name, to)| to.iter().all(|to| to == *name || !left.contains_key(to)))
            .map(|(name, _)| name.clone())
        {
            left.remove(&name);
        }
        assert!(
            left.is_empty(),
            "src/{folder}: these files import each other in a circle, or files that do: {left:?}"
        );
    }
}

#[test]
fn text_is_escaped_in_one_way_only() {
    for (file, code) in sources()
        .iter()
        .filter(|(file, _)| *file != "support/escape.rs")
    {
        for other in [".escape_ascii(", ".escape_debug(", ".escape_default("] {
            assert!(
                !code.contains(other),
                "src/{file} calls {other}): crate::support::escape knows what is unsafe to show"
            );
        }
    }
}

#[test]
fn every_room_has_a_floor() {
    let outside = ["cli", "guide", "lib", "main"];
    for (file, _) in sources() {
        let room = room(&file);
        assert!(
            outside.contains(&room) || floor(room).is_some(),
            "src/{file}: say in tests/house_rules.rs which floor `{room}` is on"
        );
    }
}

#[test]
fn no_other_folder_stands_at_the_top() {
    let known = ["docs", "src", "target", "tests"];
    for name in common::names(Path::new(ROOT)) {
        let is_folder = Path::new(ROOT).join(&name).is_dir();
        assert!(
            !is_folder || name.starts_with('.') || known.contains(&name.as_str()),
            "{name}/ stands at the top level, where only {known:?} belong"
        );
    }
}

/// Turns that are not plain English.
const TURNS: [&str; 9] = [
    "whoever ",
    "to and fro",
    "all is well",
    "of its kin",
    "had its say",
    "have their say",
    ", for it is ",
    ", for they ",
    ", for there ",
];

#[test]
fn the_text_is_plain_english() {
    let root = Path::new(ROOT);
    let pages = common::files_below(&root.join("docs"), "md");
    let code = common::files_below(&root.join("src"), "rs");
    for path in pages.iter().chain(&code).chain([&root.join("README.md")]) {
        let text = fs::read_to_string(path).unwrap().to_lowercase();
        for turn in TURNS {
            assert!(
                !text.contains(turn),
                "{}: {turn:?} can be said plainly",
                path.display()
            );
        }
    }
}
