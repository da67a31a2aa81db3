//! `copy-socket-client`: note 3's receiver, by sockets; the grader is its server.

use std::fs;
use std::path::Path;

use super::{Assignment, Check, Fault, Lab, Verdict, bytes, client};

pub(super) const ASSIGNMENT: Assignment = Assignment {
    name: "copy-socket-client",
    about: "a client that receives a file, and leaves a whole one or none",
    chapter: "5",
    example: "./client {socket} {dir}",
    page: include_str!("../../docs/assignments/copy-socket-client.md"),
    checks: &[
        ("connects", client::START),
        ("writes", CHECKS),
        ("connects", client::ENDING),
    ],
};

const CHECKS: &[Check] = &[
    Check {
        name: "writes",
        points: 2,
        about: "the file stands in the directory, under its name, and the exit code is 0",
        cause: "the header is not taken off, or the file is not written where the program was told",
        run: writes,
    },
    Check {
        name: "empty",
        points: 1,
        about: "an empty file is made, too",
        cause: "a length of 0 is taken for an error",
        run: empty,
    },
    Check {
        name: "large",
        points: 2,
        about: "2 MiB and 1 byte, cut anywhere, arrive byte for byte",
        cause: "one read was taken for the whole file, or it was written as text",
        run: large,
    },
    Check {
        name: "cut-header",
        points: 1,
        about: "the header may come in pieces",
        cause: "one read was taken for the header: read until the line end is there",
        run: cut_header,
    },
    Check {
        name: "name-with-blanks",
        points: 1,
        about: "the name may hold blanks",
        cause: "the name ends where the line ends, not at the first blank (scanf's %s)",
        run: name_with_blanks,
    },
    Check {
        name: "broken-off",
        points: 2,
        about: "of a transfer that breaks off nothing is left, and the exit code is 1",
        cause: "the end of the stream is taken for the end of the file: compare with the length, write beside the target, and rename at the end",
        run: broken_off,
    },
    Check {
        name: "stays-in-its-directory",
        points: 2,
        about: "a name that leads out of the directory does not",
        cause: "the name is used as it came: take its last component only, and neither . nor ..",
        run: stays_in_its_directory,
    },
    Check {
        name: "spares-files",
        points: 1,
        about: "a file that is there already is not overwritten, and the exit code is 1",
        cause: "the target is opened with O_TRUNC, or renamed over, without a look: O_EXCL, or link",
        run: spares_files,
    },
    Check {
        name: "bad-header",
        points: 1,
        about: "a header that is none leaves nothing, and the exit code is 1",
        cause: "the result of scanf, or strtoull's end pointer and errno, are not looked at",
        run: bad_header,
    },
    Check {
        name: "ctrl-c-busy",
        points: 1,
        about: "Ctrl-C in the middle of a transfer ends it, and nothing is left",
        cause: "the unfinished file is not removed on the way out",
        run: ctrl_c_busy,
    },
];

/// Serves these pieces to the program, and expects its exit code.
fn transfer(lab: &Lab, pieces: &[&[u8]], code: i32) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let mut server = host.accept(&client)?;
    for piece in pieces {
        // A client that has read enough to refuse may close before the rest is sent.
        let sent = server.send_and_settle(piece);
        if code == 0 {
            sent?;
        }
    }
    drop(server);
    client.expect_end(code)
}

/// Expects that the directory holds this file and nothing else.
fn expect_file(lab: &Lab, name: &str, content: &[u8]) -> Verdict {
    let found = fs::read(lab.dir().join(name)).map_err(|_| {
        Fault::new(format!("there is no file {name:?} in its directory")).came(list(&lab.dir()))
    })?;
    if found != content {
        return Err(Fault::new("the file is not what was sent").compared(content, &found));
    }
    expect_names(lab, &[name])
}

fn expect_names(lab: &Lab, expected: &[&str]) -> Verdict {
    let found = list(&lab.dir());
    let expected = match expected {
        [] => "an empty directory".to_owned(),
        names => names.join(", "),
    };
    match found == expected {
        true => Ok(()),
        false => Err(Fault::new("its directory does not hold what it should")
            .expected(expected)
            .came(found)),
    }
}

/// The names in a directory, on one line.
fn list(directory: &Path) -> String {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    match names[..] {
        [] => "an empty directory".to_owned(),
        _ => names.join(", "),
    }
}

fn writes(lab: &Lab) -> Verdict {
    transfer(lab, &[b"FILE 13 hello.txt\nhello, world\n"], 0)?;
    expect_file(lab, "hello.txt", b"hello, world\n")
}

fn empty(lab: &Lab) -> Verdict {
    transfer(lab, &[b"FILE 0 empty\n"], 0)?;
    expect_file(lab, "empty", b"")
}

fn large(lab: &Lab) -> Verdict {
    let mut random = lab.random();
    let content = random.bytes((2 << 20) + 1);
    let header = format!("FILE {} large", content.len());
    let (first, rest) = content.split_at(random.below(100_000));
    transfer(lab, &[format!("{header}\n").as_bytes(), first, rest], 0)?;
    expect_file(lab, "large", &content)
}

fn cut_header(lab: &Lab) -> Verdict {
    transfer(
        lab,
        &[
            b"FI",
            b"LE 1",
            b"3 hel",
            b"lo.txt",
            b"\n",
            b"hello, world\n",
        ],
        0,
    )?;
    expect_file(lab, "hello.txt", b"hello, world\n")
}

fn name_with_blanks(lab: &Lab) -> Verdict {
    transfer(lab, &[b"FILE 13 hello to all\n", b"hello, world\n"], 0)?;
    expect_file(lab, "hello to all", b"hello, world\n")
}

fn broken_off(lab: &Lab) -> Verdict {
    transfer(lab, &[b"FILE 13 hello.txt\n", b"hello"], 1)?;
    expect_names(lab, &[])
}

fn stays_in_its_directory(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let mut server = host.accept(&client)?;
    let _ = server.send(b"FILE 4 ../escaped\nevil"); // the client may refuse it at the header
    drop(server);
    client.wait()?;
    let escaped = lab.dir().join("../escaped");
    match escaped.exists() {
        false => Ok(()),
        true => Err(Fault::new("it wrote outside its directory")
            .given(bytes::show(b"FILE 4 ../escaped\n"))
            .expected("a file escaped in its directory, or none")),
    }
}

fn spares_files(lab: &Lab) -> Verdict {
    let mine = lab.dir().join("hello.txt");
    fs::write(&mine, "mine")?;
    transfer(lab, &[b"FILE 13 hello.txt\n", b"hello, world\n"], 1)?;
    expect_file(lab, "hello.txt", b"mine")
}

fn bad_header(lab: &Lab) -> Verdict {
    transfer(lab, &[b"PILE 5 hello.txt\n", b"hello"], 1)?;
    expect_names(lab, &[])
}

fn ctrl_c_busy(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let mut server = host.accept(&client)?;
    server.send_and_settle(b"FILE 13 hello.txt\nhello")?;
    client.expect_clean_end_by("INT")?;
    expect_names(lab, &[])
}
