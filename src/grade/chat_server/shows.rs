//! The server shows what clients say, line by line.

use super::{expect_alive, expect_shown, join};
use crate::grade::{Check, Lab, Verdict, watch};
use crate::harness::Stream;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "shows",
        points: 2,
        about: "a line of a client is shown as <name>#<number>: <text>",
        cause: "the first line, HELLO <name> <pid>, is not taken for the name, or the line is shown in another form",
        run: shows,
    },
    Check {
        name: "anonymous",
        points: 1,
        about: "a client that does not say HELLO is anonymous",
        cause: "the first line is taken for a HELLO without a look at it",
        run: anonymous,
    },
    Check {
        name: "at-once",
        points: 2,
        about: "several clients talk at the same time, each with a number of its own",
        cause: "accept is called again only when a client is done: one thread a client, or select",
        run: at_once,
    },
    Check {
        name: "glued",
        points: 2,
        about: "three lines that come in one piece are three lines",
        cause: "one read was taken for one line: look for the line ends in what came",
        run: glued,
    },
    Check {
        name: "cut",
        points: 2,
        about: "a line that comes in pieces is one line",
        cause: "what came before the line end was shown already: keep it until the line is whole",
        run: cut,
    },
    Check {
        name: "crlf",
        points: 1,
        about: "a line may end in \\r\\n",
        cause: "only the \\n was taken off the line's end",
        run: crlf,
    },
    Check {
        name: "order",
        points: 1,
        about: "3 clients send 100 lines each: all are shown, none torn, each client's in its order",
        cause: "a line is printed in pieces, which mix with those of another client: print it in one call",
        run: order,
    },
    Check {
        name: "client-vanishes",
        points: 1,
        about: "a client that goes in the middle of a line harms nobody",
        cause: "read returned 0, the end of the stream, and that was not looked at",
        run: client_vanishes,
    },
    Check {
        name: "joins",
        points: 1,
        about: "who joins is told on stderr, with name and pid",
        cause: "the pid in HELLO <name> <pid> is not shown, or it is shown on stdout",
        run: joins,
    },
    Check {
        name: "escapes",
        points: 2,
        about: "control characters do not reach the terminal",
        cause: "the text is printed as it came: a client can clear the screen, or type for the user",
        run: escapes,
    },
    Check {
        name: "long-line",
        points: 1,
        about: "a line of 1000 or 4095 bytes is shown; of one over 4096 nothing is kept for ever, and the next is shown",
        cause: "the buffer is full and no line end in it: skip to the line end",
        run: long_line,
    },
    Check {
        name: "hundred",
        points: 1,
        about: "a hundred clients are connected at once",
        cause: "there is a limit below a hundred: the size of an array, or of the backlog in listen",
        run: hundred,
    },
];

pub(super) const SILENT: &[Check] = &[Check {
    name: "silent",
    points: 1,
    about: "a one-way server sends nothing",
    cause: "what a client said, or what was typed, is sent to a client",
    run: silent,
}];

fn shows(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut client = join(&server, "eve")?;
    client.send(b"good morning\n")?;
    expect_shown(&server, "eve#1: good morning")
}

fn anonymous(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut client = server.connect()?;
    client.send(b"HELLO everybody out there\n")?;
    expect_shown(&server, "anonymous#1: HELLO everybody out there")?;
    client.send(b"HELLO bob 4711\n")?;
    let shown = expect_shown(&server, "anonymous#1: HELLO bob 4711");
    shown.map_err(|fault| {
        fault.because("HELLO is looked for in every line: only the first can be one")
    })
}

fn at_once(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut eve = join(&server, "eve")?;
    let mut bob = join(&server, "bob")?;
    bob.send(b"I am second\n")?;
    expect_shown(&server, "bob#2: I am second")?;
    eve.send(b"I am first\n")?;
    expect_shown(&server, "eve#1: I am first")
}

fn glued(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut eve = join(&server, "eve")?;
    server.pause();
    eve.send(b"one\ntwo\nthree\n")?;
    server.resume();
    expect_shown(&server, "eve#1: one\neve#1: two\neve#1: three")
}

fn cut(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut eve = join(&server, "eve")?;
    for piece in ["good ", "morn", "ing\n"] {
        eve.send_and_settle(piece.as_bytes())?;
    }
    expect_shown(&server, "eve#1: good morning")
}

fn crlf(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut eve = join(&server, "eve")?;
    eve.send(b"good morning\r\n")?;
    expect_shown(&server, "eve#1: good morning")
}

fn order(lab: &Lab) -> Verdict {
    const LINES: usize = 100;
    let server = lab.serve()?;
    let names = ["eve", "bob", "zoe"];
    let mut clients = Vec::new();
    for name in names {
        clients.push(join(&server, name)?);
    }
    for number in 0..LINES {
        for client in &mut clients {
            client.send(format!("line {number}\n").as_bytes())?;
        }
        server.settle(); // lines that come in one piece are another check's business
    }
    server.wait_printed(|text| text.lines().count() >= names.len() * LINES);
    let shown = server.printed(Stream::Stdout);
    for (name, at) in names.iter().zip(1..) {
        let prefix = format!("{name}#{at}: ");
        let own = shown.lines().filter_map(|line| line.strip_prefix(&prefix));
        let expected = (0..LINES).map(|number| format!("line {number}"));
        if !own.eq(expected) {
            return Err(server
                .fault(format!(
                    "the lines of {name}#{at} are not shown as they were sent"
                ))
                .expected(format!("{prefix}line 0, and so on to line {}", LINES - 1)));
        }
    }
    Ok(())
}

fn client_vanishes(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    join(&server, "eve")?;
    server.settle();
    let before = watch::descriptors(server.pid());
    for part in [&b""[..], b"HEL", b"half a li"].repeat(5) {
        let mut client = server.connect()?;
        client.send_and_settle(part)?;
        drop(client);
        server.settle();
    }
    expect_alive(&server)?;
    server.expect_descriptors(before)
}

fn joins(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let _eve = join(&server, "eve")?;
    server.expect_printed(Stream::Stderr, "eve")?;
    server.expect_printed(Stream::Stderr, "4711")
}

fn escapes(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut eve = join(&server, "eve")?;
    eve.send_and_settle(b"\x1b[2J\x07 I clear your screen\n")?;
    eve.send(b"after\n")?;
    expect_shown(&server, "eve#1: after")?;
    let mut nameless = join(&server, "\x1b[2J\x07")?;
    nameless.send_and_settle(b"my name clears your screen\n")?;
    eve.send(b"after that\n")?;
    expect_shown(&server, "eve#1: after that")?;
    let shown = server.printed(Stream::Stdout) + &server.printed(Stream::Stderr);
    match shown.contains(['\x1b', '\x07']) {
        false => Ok(()),
        true => Err(server
            .fault("it prints control characters as they came")
            .given("\\x1b[2J\\x07, in a line and as a name")
            .expected("each of them in a form that a person can read, such as \\x1b")
            .came(format!(
                "{:?}",
                shown
                    .lines()
                    .find(|line| line.contains(['\x1b', '\x07']))
                    .unwrap_or_default()
            ))),
    }
}

fn long_line(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut eve = join(&server, "eve")?;
    for length in [1000, 4095] {
        let line = "y".repeat(length);
        eve.send_and_settle(format!("{line}\n").as_bytes())?;
        let shown = |text: &str| text.contains(&format!("eve#1: {line}\n"));
        if !server.wait_printed(shown) {
            return Err(server
                .fault(format!("a line of {length} bytes is not shown as it is"))
                .expected("every line of up to 4096 bytes")
                .because("the buffer for a line is too small"));
        }
    }
    eve.send_and_settle(&[&[b'x'; 10_000][..], b"\n"].concat())?;
    eve.send(b"after\n")?;
    expect_shown(&server, "eve#1: after")?;
    match server.printed(Stream::Stdout).contains(&"x".repeat(4097)) {
        false => Ok(()),
        true => Err(server
            .fault("a line of 10,000 bytes is shown in full")
            .expected("a limit of 4096 bytes")),
    }
}

fn hundred(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(server.connect()?);
    }
    server.settle();
    for client in &mut clients {
        client.send(b"here\n")?;
    }
    let all =
        |text: &str| (1..=100).all(|number| text.contains(&format!("anonymous#{number}: here\n")));
    if server.wait_printed(all) {
        return Ok(());
    }
    let count = server.printed(Stream::Stdout).lines().count();
    Err(server
        .fault("not all of a hundred clients are heard")
        .expected("anonymous#1: here, and so on to anonymous#100: here")
        .came(format!("{count} lines")))
}

fn silent(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut eve = join(&server, "eve")?;
    eve.send(b"good morning\n")?;
    expect_shown(&server, "eve#1: good morning")?;
    eve.expect_silence()
}
