//! The book and the code say the same: every excerpt stands in its file, every link leads somewhere
//! on a code host and in rustdoc, every transcript is what the commands really print.

mod figures;
mod pages;
mod transcripts;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use self::pages::{Page, all_pages, book, definitions, guide, used_labels};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const FENCES: &[&str] = &[
    "c",
    "console",
    "rs",
    "rust",
    "rust,ignore",
    "rust,no_run",
    "text",
];

/// What a page of rustdoc shows of a line in a window of 1280 pixels.
const VISIBLE: usize = 96;

#[test]
fn no_code_has_to_be_scrolled_sideways() {
    let is_code = |fence: &pages::Fence| fence.tag == "c" || fence.tag.starts_with('r');
    for page in all_pages() {
        for fence in page.fences().into_iter().filter(is_code) {
            for line in fence.body.lines() {
                let length = line.chars().count();
                assert!(length <= VISIBLE, "{}, {length} wide: {line}", page.name);
            }
        }
    }
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
        for fence in page.excerpts() {
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
    let files = crate::common::files_below(&Path::new(ROOT).join("tests"), "rs");
    let sources = crate::common::files_below(&Path::new(ROOT).join("src"), "rs");
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
            let cut = word.strip_suffix('…').filter(|start| start.contains('_'));
            let begun = cut.is_none_or(|start| code.contains(&format!("fn {start}")));
            assert!(begun, "{}: no test begins with {word}", page.name);
            let file = !word.starts_with("tests/") || Path::new(ROOT).join(word).exists();
            assert!(file, "{}: there is no {word}", page.name);
        }
    }
}

/// The C names in the tables of the chapters: rustdoc's search finds each, as a function or by an alias.
#[test]
fn the_search_finds_every_c_name_of_the_tables() {
    let public = |path: &&PathBuf| !path.starts_with(Path::new(ROOT).join("src/support"));
    let sources = crate::common::files_below(&Path::new(ROOT).join("src"), "rs");
    let read = |path: &PathBuf| fs::read_to_string(path).unwrap();
    let code: String = sources.iter().filter(public).map(read).collect();
    let is_found = |name: &String| {
        code.contains(&format!("#[doc(alias = \"{name}\")]"))
            || code.contains(&format!("pub fn {name}("))
    };
    let names: BTreeSet<_> = book().iter().flat_map(Page::c_names).collect();
    assert!(names.len() > 40, "the tables have few names: {names:?}");
    let missing: Vec<_> = names.iter().filter(|name| !is_found(name)).collect();
    assert!(missing.is_empty(), "no alias says {missing:?}");
}
