//! The pages of the book, and what is in them: fences, prose, links.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::ROOT;
use crate::common;

/// A page of prose, by its path from the root of the project.
pub struct Page {
    pub name: String,
    pub text: String,
}

pub struct Fence {
    pub tag: String,
    pub body: String,
}

impl Page {
    pub fn read(path: &Path) -> Self {
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

    pub fn fences(&self) -> Vec<Fence> {
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

    /// The names in the columns for C of the page's tables, without types and without what follows a name.
    pub fn c_names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut column = None;
        for line in self.text.lines() {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            let is_c = |cell: &&str| cell.contains("C call") || *cell == "in C";
            column = match column {
                _ if !line.starts_with('|') => None,
                None => Some(cells.iter().position(is_c)),
                known => known,
            };
            let cell = column.flatten().and_then(|column| cells.get(column));
            let quoted = cell.map_or("", |cell| cell).split('`').skip(1).step_by(2);
            let name = |text: &str| {
                text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .next()
                    .map(str::to_owned)
            };
            names.extend(
                quoted
                    .filter_map(name)
                    .filter(|name| !name.is_empty() && name != "int"),
            );
        }
        names
    }

    pub fn tagged(&self, tag: &str) -> impl Iterator<Item = Fence> {
        self.fences()
            .into_iter()
            .filter(move |fence| fence.tag == tag)
    }

    /// The quotations of the sources. An `rs` fence is Rust to a code host; rustdoc, which would compile a
    /// `rust` fence or mark it as not tested, takes it for text. A whole file compiles: `rust,no_run`.
    pub fn excerpts(&self) -> impl Iterator<Item = Fence> {
        let quotes = |fence: &Fence| match fence.tag.as_str() {
            "rs" | "rust,ignore" => true,
            "rust,no_run" => fence.body.starts_with("// src/"),
            _ => false,
        };
        self.fences().into_iter().filter(quotes)
    }

    /// The prose: all that is in no fence and in no `code`.
    pub fn prose(&self) -> String {
        let outside = |text: &str, mark: &str| -> String { text.split(mark).step_by(2).collect() };
        outside(&outside(&self.text, "```"), "`")
    }

    pub fn directory(&self) -> PathBuf {
        Path::new(ROOT)
            .join(&self.name)
            .parent()
            .unwrap()
            .to_owned()
    }
}

pub fn book() -> Vec<Page> {
    let pages = common::files_below(&Path::new(ROOT).join("docs"), "md");
    pages.iter().map(|path| Page::read(path)).collect()
}

pub fn all_pages() -> Vec<Page> {
    let mut pages = book();
    pages.push(Page::read(&Path::new(ROOT).join("README.md")));
    pages
}

/// The files of `src/guide/`, and what each includes.
pub fn guide() -> BTreeMap<String, Page> {
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
pub fn definitions(lines: impl Iterator<Item = impl AsRef<str>>) -> BTreeMap<String, String> {
    let definition = |line: &str| {
        let (label, target) = line.strip_prefix('[')?.split_once("]: ")?;
        Some((label.to_owned(), target.trim().to_owned()))
    };
    lines.filter_map(|line| definition(line.as_ref())).collect()
}

/// The labels that `[text][label]` links use.
pub fn used_labels(prose: &str) -> BTreeSet<String> {
    let labels = prose
        .split("][")
        .skip(1)
        .filter_map(|rest| rest.split_once(']'));
    labels.map(|(label, _)| label.to_owned()).collect()
}
