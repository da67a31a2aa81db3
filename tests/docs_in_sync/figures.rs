//! The figures: a code host shows the file, rustdoc what the guide has of it, in the link itself.

use std::fs;
use std::path::Path;

use super::ROOT;
use super::pages::{book, definitions, guide};

/// What the guide's links to figures begin with.
const DATA: &str = "data:image/svg+xml;base64,";

#[test]
fn every_figure_in_rustdoc_is_the_file_itself() {
    let guide = guide();
    for page in book() {
        let chapter = &guide[&page.name];
        let lines = chapter.text.lines();
        let links = definitions(lines.filter_map(|line| line.strip_prefix("//! ")));
        let files = definitions(page.text.lines());
        for (label, link) in links.iter().filter(|(_, link)| link.starts_with(DATA)) {
            let file = fs::read(page.directory().join(&files[label])).unwrap();
            let current = format!("{DATA}{}", base64(&file));
            if std::env::var("FIGURES").as_deref() == Ok("write") {
                let path = Path::new(ROOT).join(&chapter.name);
                let text = fs::read_to_string(&path).unwrap();
                let (old, new) = [link, &current]
                    .map(|link| format!("//! [{label}]: {link}\n"))
                    .into();
                fs::write(path, text.replace(&old, &new)).unwrap();
                continue;
            }
            assert!(
                *link == current,
                "{}: [{label}] is not {}; FIGURES=write cargo test --test rooms figure",
                chapter.name,
                files[label]
            );
        }
    }
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let four = |three: &[u8]| -> String {
        let bits = three
            .iter()
            .fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        let letter = |place: usize| match place <= three.len() {
            true => char::from(LETTERS[bits >> (18 - 6 * place) & 63]),
            false => '=',
        };
        (0..4).map(letter).collect()
    };
    bytes.chunks(3).map(four).collect()
}

#[test]
fn base64_is_what_the_standard_has_as_examples() {
    for (text, expected) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(base64(text.as_bytes()), expected);
    }
}
